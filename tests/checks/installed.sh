#!/usr/bin/env bash
# What an embedder does: installs into a prefix, builds every example against it with pkg-config, shared
# and static, and takes the project as a meson subproject.
set -euo pipefail
source=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/mox-installed.XXXXXX")
trap 'rm -rf "$work"' EXIT
cc=${CC:-cc}

meson setup "$work/build" "$source" --prefix="$work/prefix" -Dtests=disabled -Dexamples=disabled \
    >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
ninja -C "$work/build" install >"$work/log" 2>&1 || { tail -n 40 "$work/log"; exit 1; }
PKG_CONFIG_PATH=$(dirname "$(find "$work/prefix" -name mox.pc)")
export PKG_CONFIG_PATH
libdir=$(pkg-config --variable=libdir mox)

# Who links the shared libraries need not have what these stand on.
for package in mox moxd; do
    more=$(pkg-config --libs "$package" | tr ' ' '\n' | grep -v -e '^-L' -e '^-lmoxd\?$' -e '^$' || true)
    [ -z "$more" ] || { echo "$package.pc names to shared consumers: $more"; exit 1; }
done

for example in "$source"/examples/*.c; do
    name=$(basename "$example" .c)
    package=mox
    own=
    grep -q 'mox/server.h' "$example" && package=moxd
    grep -q '<ev.h>' "$example" && own=-lev
    # shellcheck disable=SC2046,SC2086
    "$cc" "$example" -o "$work/$name" $(pkg-config --cflags --libs "$package") $own
    LD_LIBRARY_PATH=$libdir ldd "$work/$name" | grep -q "libmox.so.0 => $libdir"
    # shellcheck disable=SC2046,SC2086
    "$cc" -static "$example" -o "$work/$name-static" $own \
        $(pkg-config --static --cflags --libs "$package") 2>"$work/log" || { cat "$work/log"; exit 1; }
    readelf -d "$work/$name-static" | grep -q 'There is no dynamic section'
    echo "$name: shared and static"
done

# All of both libraries, so that nothing is missing that the examples happen not to need.
printf 'int main(void)\n{\n    return 0;\n}\n' >"$work/all.c"
# shellcheck disable=SC2046
"$cc" -static "$work/all.c" -o "$work/all" -L"$libdir" -Wl,--whole-archive -lmoxd -lmox \
    -Wl,--no-whole-archive $(pkg-config --static --libs moxd) 2>"$work/log" || { cat "$work/log"; exit 1; }
echo "all of libmox and libmoxd: static"

printf 'a LOGIN me x\r\nb SELECT Inbox\r\nc FETCH 1:* (ENVELOPE BODY[])\r\nd LOGOUT\r\n' |
    "$work/imap-over-your-data-static" | tr -d '\r' >"$work/out"
grep -q 'ENVELOPE (NIL "Milk"' "$work/out"
grep -q '^Buy some\.$' "$work/out" && grep -q '^d OK' "$work/out"

mkdir -p "$work/host/subprojects"
ln -s "$source" "$work/host/subprojects/mox"
cat >"$work/host/meson.build" <<'MESON'
project('host', 'c', default_options: ['default_library=static'])
executable('sink', 'smtp-sink.c', dependencies: dependency('mox', fallback: 'mox'))
MESON
cp "$source/examples/smtp-sink.c" "$work/host/"
meson setup "$work/host/build" "$work/host" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
ninja -C "$work/host/build" >"$work/log" 2>&1 || { tail -n 40 "$work/log"; exit 1; }
echo "subproject: builds"
