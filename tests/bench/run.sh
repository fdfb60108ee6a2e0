#!/bin/sh
# Runs the benchmarks against a real PostgreSQL, a real Kafka and nginx on this machine, one after the other: each
# prints a table and a line of JSON, which is also kept in tests/bench/results. Figures and how to read them:
# docs/performance.md.
# usage: tests/bench/run.sh [NAME [options]]
# usage: NAME: connector, bridge, process, http2, lanes, overload, backlog, latency, growth, fanout, encode, render,
# usage:       filter, edge, tables, every_type
# usage: tests/bench/run.sh compare|instructions OLD [NEW] [options]    OLD, NEW: a millrace binary or a git revision
set -eu
cd "$(dirname "$0")/../.."

usage() {
    sed -n 's/^# usage: /usage: /p' "$0" >&2
    exit 64
}

what=${1:-all}
case $what in
    all) set -- ;;
    connector | bridge | http2 | lanes | overload | backlog | latency | growth | fanout | encode | filter) shift ;;
    process | render | edge | tables | every_type) shift ;;
    compare | instructions) shift ;;
    *) usage ;;
esac

sh deploy/deps.sh build run test
# shellcheck source=tests/fetch.sh
. tests/fetch.sh
python_ready
kafka_ready
if command -v ccache >/dev/null 2>&1; then
    export CMAKE_C_COMPILER_LAUNCHER=ccache
fi
work=$(mktemp -d)
chmod 755 "$work" # local functions run as another user
child=
# Python cleans up on SIGTERM; a background child of sh never sees the terminal's interrupt.
leave() {
    trap - EXIT INT TERM HUP
    [ -z "$child" ] || { kill -TERM "$child" && wait "$child"; } 2>/dev/null || true
    rm -rf "$work"
    exit "$1"
}
trap 'leave $?' EXIT
trap 'leave 130' INT
trap 'leave 143' TERM HUP

# quietly COMMAND…: its output only when it fails.
quietly() {
    if ! "$@" >"$work/build.log" 2>&1; then
        cat "$work/build.log" >&2
        exit 1
    fi
}

# build FOLDER: the release preset of the tree there.
build() {
    (cd "$1" && cmake --preset release && cmake --build --preset release)
}

# binary NAME: sets `found` to the path of a binary; a git revision is built once and kept in the cache.
binary() {
    if [ -f "$1" ] && [ -x "$1" ]; then
        found=$(realpath "$1")
        return
    fi
    if ! commit=$(git rev-parse --quiet --verify "$1^{commit}"); then
        echo "$1 is neither a program nor a git revision" >&2
        exit 64
    fi
    found=$cache/bench/millrace-$commit
    if [ ! -x "$found" ]; then
        echo "building $commit"
        mkdir -p "$work/$commit" "$cache/bench"
        git archive "$commit" | tar -x -C "$work/$commit"
        quietly build "$work/$commit"
        cp "$work/$commit/build/release/millrace" "$found.new"
        mv "$found.new" "$found"
    fi
}

# Sets MILLRACE_BINARY to this tree's program, unless it names another build.
this_tree() {
    if [ -z "${MILLRACE_BINARY:-}" ]; then
        quietly build .
        MILLRACE_BINARY=$PWD/build/release/millrace
        export MILLRACE_BINARY
    fi
}

# tool NAME [LIBRARY]: compiles NAME.c.
tool() {
    # shellcheck disable=SC2046
    cc -O2 -std=gnu17 -o "$work/$1" "tests/bench/$1.c" ${2:+$(pkg-config --cflags --libs "$2")}
}

# python NAME [arguments]: in the background, so that a signal reaches it through `leave`.
python() {
    name=$1
    shift
    "$python/bin/python" "tests/bench/$name.py" "$@" &
    child=$!
    code=0
    wait "$child" || code=$?
    child=
    [ "$code" -eq 0 ] || exit "$code"
}

# link NAME: the program tests/bench/NAME.c, with millrace's own code as it is released
link() {
    # shellcheck disable=SC2046
    cc -O2 -std=gnu17 -D_GNU_SOURCE -I. -o "$work/$1" "tests/bench/$1.c" \
        build/release/bridge/libmillrace_bridge.a build/release/connectors/libmillrace_connectors.a \
        build/release/schemas/libmillrace_schemas.a build/release/core/libmillrace_core.a \
        $(pkg-config --cflags --libs avro-c libuv yaml-0.1 jansson rdkafka libcurl libssl libcrypto libnghttp2 \
            libmicrohttpd zlib) -lm
}

# bench NAME [options]
bench() {
    echo "== $1"
    case $1 in
        filter)
            ruler_ready
            link filter
            ;;
        encode | render) link "$1" ;;
    esac
    if [ "$1" = http2 ]; then
        # shellcheck disable=SC2046
        cc -O2 -std=gnu17 -D_GNU_SOURCE -I. -o "$work/http_calls" tests/component/core/http/http_calls.c \
            build/release/core/libmillrace_core.a \
            $(pkg-config --cflags --libs libuv yaml-0.1 jansson rdkafka libcurl libssl libcrypto libnghttp2 zlib) -lm
    fi
    python "$@"
}

tool bare_curl libcurl
tool discard_reader libpq
tool work_server
tool process_bootstrap
MILLRACE_BENCH_TOOLS=$work
PYTHONPATH=$PWD/tests/system
PYTHONDONTWRITEBYTECODE=1
export MILLRACE_BENCH_TOOLS PYTHONPATH PYTHONDONTWRITEBYTECODE

case $what in
    all)
        this_tree
        for name in connector bridge process http2 lanes overload backlog latency growth fanout encode render filter \
            edge tables every_type; do
            bench "$name"
        done
        ;;
    compare | instructions)
        [ $# -ge 1 ] || usage
        if [ "$what" = instructions ] && ! command -v valgrind >/dev/null 2>&1; then
            echo "instructions: needs valgrind (apt-get install valgrind)" >&2
            exit 1
        fi
        binary "$1"
        old=$found
        shift
        case ${1:---} in
            -*)
                this_tree
                found=$MILLRACE_BINARY
                ;;
            *)
                binary "$1"
                shift
                ;;
        esac
        bench "$what" "$old" "$found" "$@"
        ;;
    *)
        this_tree
        bench "$what" "$@"
        ;;
esac
