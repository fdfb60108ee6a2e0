#!/bin/sh
# See millrace work on this machine: installs what is missing, builds, runs `millrace try`.
# usage: sh deploy/try.sh [options of millrace try]
set -eu
cd "$(dirname "$0")/.."

echo "millrace: 1. installs missing Debian packages  2. builds build/release  3. runs 'millrace try'" >&2
echo "          (two to four minutes the first time, seconds from then on)" >&2
sh deploy/deps.sh build run >&2 # standard output is millrace's, for --json
if command -v ccache >/dev/null 2>&1; then
    export CMAKE_C_COMPILER_LAUNCHER=ccache
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { cmake --preset release && cmake --build --preset release; } >"$log" 2>&1; then
    cat "$log" >&2
    exit 1
fi
rm -f "$log"
trap - EXIT
exec build/release/millrace try "$@"
