#!/bin/sh
# Runs the benchmarks against a real PostgreSQL, a real Kafka and nginx on this machine, one after the other: each
# prints a table and a line of JSON. Figures and how to read them: docs/performance.md.
# usage: tests/bench/run.sh [connector|bridge|latency|growth|encode [options, see --help of each]]
set -eu
cd "$(dirname "$0")/../.."

what=${1:-all}
case $what in
    all) set -- ;;
    connector | bridge | latency | growth | encode) shift ;;
    *)
        sed -n 's/^# usage: /usage: /p' "$0" >&2
        exit 64
        ;;
esac

sh deploy/deps.sh build run test
# shellcheck source=tests/fetch.sh
. tests/fetch.sh
python_ready
kafka_ready
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# MILLRACE_BINARY measures another build.
if [ -z "${MILLRACE_BINARY:-}" ]; then
    if ! { cmake --preset release && cmake --build --preset release; } >"$work/build.log" 2>&1; then
        cat "$work/build.log" >&2
        exit 1
    fi
    MILLRACE_BINARY=$PWD/build/release/millrace
    export MILLRACE_BINARY
fi
# shellcheck disable=SC2046
cc -O2 -std=gnu17 -o "$work/bare_curl" tests/bench/bare_curl.c $(pkg-config --cflags --libs libcurl)

PYTHONPATH=$PWD/tests/system
PYTHONDONTWRITEBYTECODE=1
export PYTHONPATH PYTHONDONTWRITEBYTECODE

# bench NAME [options]
bench() {
    name=$1
    shift
    echo "== $name"
    case $name in
        bridge) "$python/bin/python" tests/bench/bridge.py --bare-curl "$work/bare_curl" "$@" ;;
        encode)
            # shellcheck disable=SC2046
            cc -O2 -std=gnu17 -D_GNU_SOURCE -I. -o "$work/encode" tests/bench/encode.c \
                core/base/bytes.c core/base/memory.c core/base/clock.c core/base/text.c \
                schemas/avro/avro_encode.c schemas/avro/avro_schema.c schemas/avro/table.c \
                $(pkg-config --cflags --libs avro-c jansson)
            "$work/encode"
            ;;
        *) "$python/bin/python" "tests/bench/$name.py" "$@" ;;
    esac
}

if [ "$what" != all ]; then
    bench "$what" "$@"
else
    for name in connector bridge latency growth encode; do
        bench "$name"
    done
fi
