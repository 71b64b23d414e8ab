#!/bin/sh
# amalgamation.sh SOURCE OUT WORK: makes sqlite3.c and sqlite3.h in OUT.
set -e
source=$1
out=$(cd "$2" && pwd)
mkdir -p "$3"
cd "$3"
"$source/configure" --disable-tcl >configure.log 2>&1 || { cat configure.log; exit 1; }
make sqlite3.c >make.log 2>&1 || { tail make.log; exit 1; }
cp sqlite3.c sqlite3.h "$out/"
