#!/bin/sh
# Installs, builds and runs every test; a part's name runs that part only.
# usage: tests/run.sh [unit|component|lint|asan|fuzz|tidy|system [pytest arguments]]
# shellcheck disable=SC2329  # functions are called through part
set -eu
cd "$(dirname "$0")/.."
# shellcheck source=tests/fetch.sh
. tests/fetch.sh

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
failed=0

what=${1:-all}
case $what in
    all | unit | component | lint | asan | fuzz | tidy | system) ;;
    *)
        sed -n 's/^# usage: /usage: /p' "$0" >&2
        exit 64
        ;;
esac
[ $# -eq 0 ] || shift

if [ "$what" = all ]; then
    echo "Runs every test of millrace: Debian packages that are missing, builds (dev, asan, fuzz), unit and"
    echo "component tests and lint, the same under ASan and UBSan, ten seconds of each fuzz target, then the"
    echo "system tests against a real PostgreSQL and a real Kafka. About twelve minutes; what is fetched is"
    echo "kept in $cache."
fi

# part NAME COMMAND…: runs it, remembers how it ended and how long it took.
part() {
    name=$1
    shift
    echo
    echo "== $name"
    began=$(date +%s)
    if "$@"; then
        ended=passed
    else
        ended=FAILED
        failed=1
    fi
    printf '%-12s %s in %s s\n' "$name" "$ended" "$(($(date +%s) - began))" >>"$work/summary"
}

# build PRESET: says nothing unless it fails.
build() {
    if ! { cmake --preset "$1" && cmake --build --preset "$1"; } >"$work/build.log" 2>&1; then
        grep -v '^\[[0-9/]*\] ' "$work/build.log"
        return 1
    fi
}

# check PRESET LABELS [ctest arguments]: builds, then runs the tests whose label matches.
check() {
    preset=$1
    labels=$2
    shift 2
    build "$preset" || return 1
    ctest --preset "$preset" -L "$labels" "$@" 2>&1 | tee "$work/ctest.log" |
        grep -v -e '^ *Start ' -e ' Passed ' -e '^Test project' -e '^$' || true
    grep -q '^100% tests passed' "$work/ctest.log"
}

tidy() {
    build dev || return 1
    find core schemas connectors bridge cli -name '*.c' -print0 |
        xargs -0 -P 2 -n 4 clang-tidy -p build/dev --quiet --warnings-as-errors='*' 2>/dev/null
}

system() {
    build dev && python_ready && kafka_ready && postgres_ready || return 1
    [ $# -gt 0 ] || set -- -n 2 --dist loadfile # most of the time is waiting
    { "$python/bin/python" -m pytest tests/system "$@" 2>&1 || touch "$work/pytest.failed"; } |
        tee "$work/pytest.log"
    tail -n 1 "$work/pytest.log" | sed 's/^=* *//; s/ *=*$//; s/^/             pytest: /' >"$work/pytest.line"
    [ ! -e "$work/pytest.failed" ]
}

sh deploy/deps.sh build run test
if command -v ccache >/dev/null 2>&1; then
    export CMAKE_C_COMPILER_LAUNCHER=ccache
fi

case $what in
    unit | component | lint) part "$what" check dev "^$what\$" "$@" ;;
    asan) part asan check asan '^(unit|component|fuzz)$' "$@" ;;
    fuzz) part fuzz check fuzz '^fuzz$' "$@" ;;
    tidy) part tidy tidy ;;
    system) part system system "$@" ;;
    all)
        part dev check dev '^(unit|component|lint)$' -j 2
        part asan check asan '^(unit|component|fuzz)$' -j 2
        part fuzz check fuzz '^fuzz$' -j 2
        part system system
        ;;
esac

echo
echo "== summary"
cat "$work/summary"
if [ -s "$work/pytest.line" ]; then
    cat "$work/pytest.line"
fi
exit $failed
