#!/bin/sh
# Installs the Debian 12 packages that are missing, and does nothing (no network) when none is.
# usage: deploy/deps.sh [build] [run] [test] [long] [arm64]        (default: build run)
set -eu

build="git ca-certificates gcc libc6-dev cmake ninja-build pkg-config
    libpq-dev librdkafka-dev libavro-dev libuv1-dev libcurl4-openssl-dev libssl-dev libnghttp2-dev
    libmicrohttpd-dev zlib1g-dev
    libyaml-dev libjansson-dev liblmdb-dev uthash-dev libsystemd-dev"
run="postgresql util-linux"
test="g++ make xz-utils ccache stress-ng clang clang-format clang-tidy libclang-rt-14-dev libcmocka-dev
    python3 python3-venv nginx-light nghttp2-server nghttp2-client tinyproxy curl gunicorn postgresql-15-postgis-3 default-jre-headless maven iproute2 procps systemd libseccomp2"
long="golang-go"
arm64="gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user"

[ $# -gt 0 ] || set -- build run
wanted=""
for group in "$@"; do
    case $group in
        build) wanted="$wanted $build" ;;
        run) wanted="$wanted $run" ;;
        test) wanted="$wanted $test" ;;
        long) wanted="$wanted $long" ;;
        arm64) wanted="$wanted $arm64" ;;
        *)
            echo "deps.sh: unknown group '$group'; known are build, run, test, long and arm64" >&2
            exit 64
            ;;
    esac
done

if ! command -v dpkg-query >/dev/null 2>&1; then
    echo "deps.sh: this system has no dpkg. Install what these Debian 12 packages hold, then build by hand:" >&2
    # shellcheck disable=SC2086
    echo $wanted >&2
    exit 1
fi

# shellcheck disable=SC2086
installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' $wanted 2>/dev/null || true)
missing=""
for package in $wanted; do
    case "
$installed
" in
        *"
installed $package
"*) ;;
        *) missing="$missing $package" ;;
    esac
done
if [ -z "$missing" ]; then
    exit 0
fi

as_root=""
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null 2>&1; then
        echo "deps.sh: not root and no sudo; as root, run: apt-get install$missing" >&2
        exit 1
    fi
    as_root=sudo
fi
echo "installing from Debian:$missing"
$as_root apt-get update -q >/dev/null
# shellcheck disable=SC2086
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing >/dev/null
