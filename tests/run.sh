#!/bin/sh
# Installs, builds and runs the tests; a part's name runs that part only.
# usage: tests/run.sh [PART [arguments]]
# parts: unit component lint sim asan tsan fuzz tidy system system-asan system-stress debezium arm64 long
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
pinned= # a command that the system tests are run by

what=${1:-all}
case $what in
    all | unit | component | lint | sim | asan | tsan | fuzz | tidy) ;;
    system | system-asan | system-stress | debezium | arm64 | long) ;;
    *)
        sed -n -e 's/^# usage: /usage: /p' -e 's/^# parts: /parts: /p' "$0" >&2
        exit 64
        ;;
esac
[ $# -eq 0 ] || shift

if [ "$what" = all ]; then
    echo "Runs every test of millrace: Debian packages that are missing, builds (dev, asan, fuzz), unit and"
    echo "component tests and lint, the same under ASan and UBSan, ten seconds or a minute of each fuzz target, then"
    echo "the system tests against a real PostgreSQL and a real Kafka, and some of them again under ASan and UBSan."
    echo "About twenty minutes; what is fetched is kept in $cache."
    echo "By hand: tsan, tidy, system-stress, debezium, arm64 and long (CONTRIBUTING.md)."
fi

# part NAME COMMAND…: runs it, remembers how it ended and how long it took.
part() {
    name=$1
    shift
    echo
    echo "== $name"
    began=$(date +%s)
    : >"$work/note"
    if "$@"; then
        ended=passed
    else
        ended=FAILED
        failed=1
    fi
    printf '%-16s %s in %s s%s\n' "$name" "$ended" "$(($(date +%s) - began))" "$(cat "$work/note")" >>"$work/summary"
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

simulate() {
    [ $# -gt 0 ] || set -- --seeds 100000
    build dev && build/dev/tests/sim/simulate "$@"
}

tidy() {
    build dev || return 1
    find core schemas connectors bridge cli -name '*.c' -print0 |
        xargs -0 -P 2 -n 4 clang-tidy -p build/dev --quiet --warnings-as-errors='*' 2>/dev/null
}

# names_a_path [pytest arguments]: whether one is a file or folder of tests, such as tests/system/test_order.py::test_x.
names_a_path() {
    for argument in "$@"; do
        case $argument in
            */*) [ ! -e "${argument%%::*}" ] || return 0 ;;
        esac
    done
    return 1
}

# system PRESET MARKERS [pytest arguments]: the system tests with these markers, against that build.
system() {
    preset=$1
    markers=$2
    shift 2
    build "$preset" && fetched python_ready node_ready kafka_ready ruler_ready registry_clients_ready postgres_ready ||
        return 1
    [ $# -gt 0 ] || set -- -n 4 --dist loadfile --no-loadscope-reorder # most of the time is waiting
    names_a_path "$@" || set -- tests/system "$@"
    { MILLRACE_BINARY=$PWD/build/$preset/millrace $pinned "$python/bin/python" -m pytest \
        -m "$markers" "$@" 2>&1 || touch "$work/pytest.failed"; } | tee "$work/pytest.log"
    tail -n 1 "$work/pytest.log" | sed 's/^=* *//; s/ *=*$//; s/^/; pytest: /' >"$work/note"
    if [ -e "$work/pytest.failed" ]; then
        rm "$work/pytest.failed"
        return 1
    fi
}

# The system tests five times in a row, then on one processor, then beside a load on both.
system_stress() {
    for round in 1 2 3 4 5; do
        part "system $round" system dev 'not long and not debezium' "$@"
    done
    pinned="taskset -c 0"
    part "one processor" system dev 'not long and not debezium' "$@"
    pinned=
    stress-ng --cpu 2 --quiet &
    load=$!
    part "beside a load" system dev 'not long and not debezium' "$@"
    kill "$load"
    wait "$load" || true
}

sh deploy/deps.sh build run test
if command -v ccache >/dev/null 2>&1; then
    export CMAKE_C_COMPILER_LAUNCHER=ccache
fi

case $what in
    unit | component | lint) part "$what" check dev "^$what\$" "$@" ;;
    sim) part sim simulate "$@" ;;
    asan) part asan check asan '^(unit|component|fuzz)$' "$@" ;;
    tsan) part tsan check tsan '^(unit|component)$' "$@" ;;
    fuzz) part fuzz check fuzz '^fuzz$' "$@" ;;
    tidy) part tidy tidy ;;
    system) part system system dev 'not long and not debezium' "$@" ;;
    system-asan) part system-asan system asan 'sanitized and not long' "$@" ;;
    system-stress) system_stress "$@" ;;
    debezium)
        fetched debezium_ready
        part debezium system dev debezium \
            tests/system/test_debezium.py tests/system/test_debezium_takeover.py \
            tests/system/test_debezium_takeover_avro.py "$@"
        ;;
    arm64) part arm64 sh deploy/arm64.sh test ;;
    long)
        # Half a gigabyte, unless it is there from elsewhere.
        command -v go >/dev/null || sh deploy/deps.sh long
        part long system dev long "$@"
        ;;
    all)
        part dev check dev '^(unit|component|lint)$' -j 4
        part sim simulate
        part asan check asan '^(unit|component|fuzz)$' -j 4
        part fuzz check fuzz '^fuzz$' -j 2
        part system system dev 'not long and not debezium'
        part system-asan system asan 'sanitized and not long'
        ;;
esac

echo
echo "== summary"
cat "$work/summary"
exit $failed
