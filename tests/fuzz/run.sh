#!/usr/bin/env bash
# Runs the fuzz targets of a build with -Dfuzz=enabled, as many at a time as there are processors:
#
#     tests/fuzz/run.sh SECONDS [BUILD [TARGET…]]      BUILD: build-fuzz; all targets
#
# Prints for each how many inputs it ran, or what it found: the input that shows it is then in
# BUILD/found/. New inputs are kept in BUILD/corpus/, where the next run goes on. Fails if any did.
# With MOX_FUZZ_SEED=N two runs over the same corpus try the same inputs, as far as they get (where
# setarch may turn off random addresses, for what a program compares steers what is tried next); with
# MOX_FUZZ_RUNS=M they stop after M of them if the time allows.
set -uo pipefail
seconds=${1:?"usage: tests/fuzz/run.sh SECONDS [BUILD [TARGET...]]"}
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "${2:-build-fuzz}" && pwd) || exit 2
shift $(($# < 2 ? $# : 2))
export MOX_TESTS=${MOX_TESTS:-$(dirname "$here")}
export MOX_CORPORA=${MOX_CORPORA:-$here/../../../shared/corpora}
export ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1

one() {
    local seconds=$1 build=$2 here=$3 name=$4 dict=() same=() log seeds
    log=$build/found/$name.log
    [ ! -f "$here/dict/$name.dict" ] || dict=("-dict=$here/dict/$name.dict")
    mkdir -p "$build/corpus/$name"
    # Named one by one: a folder is read in the file system's order.
    seeds=$(printf '%s,' "$here/corpus/$name"/*)
    seeds=${seeds%,}
    [ -z "${MOX_FUZZ_SEED:-}" ] || ! setarch -R true 2>/dev/null || same=(setarch -R)
    # Weighing the corpus by rare features takes most of the time of a target as wide as IMAP; and
    # reading the folder again for what others found goes by the clock.
    if "${same[@]}" "$build/tests/fuzz/fuzz-$name" "-max_total_time=$seconds" -max_len=8192 -timeout=60 \
        -reload=0 "-seed=${MOX_FUZZ_SEED:-0}" "-runs=${MOX_FUZZ_RUNS:--1}" "-seed_inputs=$seeds" \
        -entropic=0 -verbosity=0 -print_final_stats=1 "-artifact_prefix=$build/found/$name-" "${dict[@]}" \
        "$build/corpus/$name" >"$log" 2>&1; then
        sed -n "s/^stat::number_of_executed_units: */$name: /p" "$log"
    else
        printf '%s: FAILED\n%s\n' "$name" "$(tail -n 40 "$log")"
        return 1
    fi
}
export -f one

mkdir -p "$build/found"
if [ $# -eq 0 ]; then
    for program in "$build"/tests/fuzz/fuzz-*; do
        [ ! -f "$program" ] || set -- "$@" "${program##*/fuzz-}"
    done
fi
[ $# -gt 0 ] || { echo "no fuzz targets in $build: set it up with -Dfuzz=enabled"; exit 2; }
printf '%s\0' "$@" |
    xargs -0 -n 1 -P "$(nproc)" bash -c 'one "$@" || exit 1' one "$seconds" "$build" "$here"
