#!/bin/sh
# Builds millrace for 64-bit ARM on another Debian 12 machine: build/arm64/millrace, and its stripped copy.
# Debian's arm64 libraries are unpacked into a folder of their own; this system's packages stay as they are, but for
# the cross-compiler and QEMU's user emulation, which are installed.
# usage: deploy/arm64.sh [test]         test: also runs the unit tests, under QEMU
set -eu
cd "$(dirname "$0")/.."

libraries="libc6-dev libpq-dev librdkafka-dev libavro-dev libuv1-dev libcurl4-openssl-dev libssl-dev libnghttp2-dev
    libmicrohttpd-dev zlib1g-dev
    libyaml-dev libjansson-dev liblmdb-dev uthash-dev libsystemd-dev libcmocka-dev"
cache=${XDG_CACHE_HOME:-$HOME/.cache}/millrace
MILLRACE_SYSROOT=$cache/arm64-$(echo "$libraries" | cksum | cut -d' ' -f1)
export MILLRACE_SYSROOT

# apt for another architecture, with lists and downloads of its own.
apt_arm64() {
    apt-get -q -o APT::Architecture=arm64 -o APT::Architectures::=arm64 -o Dir::State="$apt" \
        -o Dir::State::status="$apt/status" -o Dir::Cache="$apt" -o Debug::NoLocking=1 "$@"
}

sysroot_ready() {
    [ ! -e "$MILLRACE_SYSROOT/ready" ] || return 0
    echo "fetching arm64 libraries of Debian, some 30 MB, into $MILLRACE_SYSROOT"
    rm -rf "$MILLRACE_SYSROOT"
    apt=$MILLRACE_SYSROOT/apt
    mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$MILLRACE_SYSROOT/usr/lib"
    : >"$apt/status"
    ln -s usr/lib "$MILLRACE_SYSROOT/lib"
    apt_arm64 update >/dev/null
    # shellcheck disable=SC2086
    apt_arm64 install --download-only -y --no-install-recommends $libraries >/dev/null
    for package in "$apt"/archives/*.deb; do
        dpkg-deb -x "$package" "$MILLRACE_SYSROOT"
    done
    # Links to absolute paths would lead out of the folder.
    find "$MILLRACE_SYSROOT" -type l -lname '/*' | while read -r link; do
        ln -sfr "$MILLRACE_SYSROOT$(readlink "$link")" "$link"
    done
    rm -rf "$apt"
    touch "$MILLRACE_SYSROOT/ready"
}

sh deploy/deps.sh build arm64
sysroot_ready
cmake --preset arm64 >/dev/null
cmake --build --preset arm64
aarch64-linux-gnu-strip -o build/arm64/millrace-stripped build/arm64/millrace
ls -l build/arm64/millrace-stripped
qemu-aarch64 -L "$MILLRACE_SYSROOT" build/arm64/millrace version
if [ "${1:-}" = test ]; then
    ctest --preset arm64 -L '^unit$' -j "$(nproc)"
fi
