#!/usr/bin/env bash
# Runs the contract and resilience tests with the arm64 function: test-arm64.sh [BINARY]
#
# Without an argument it packages the function first. On other machines than arm64, qemu emulates arm64.
set -euo pipefail
cd "$(dirname "$0")/../.."
binary=${1-}
target=aarch64-unknown-linux-gnu
emulator=()
missing=()
if [ "$(uname -m)" != aarch64 ]; then
    sysroot=${ARM64_SYSROOT:-/usr/aarch64-linux-gnu}
    qemu=$(command -v qemu-aarch64-static || command -v qemu-aarch64) ||
        missing+=("qemu: install your system's package qemu-user-static")
    [ -e "$sysroot/lib/ld-linux-aarch64.so.1" ] ||
        missing+=("glibc for arm64: install your system's package libc6-arm64-cross, or set ARM64_SYSROOT")
    emulator=("$qemu" -L "$sysroot")
    # Under qemu a start takes a second, and the first invocation longer than the usual deadline of 400 ms.
    export MODEL_SEQUENCES=${MODEL_SEQUENCES:-200} MODEL_DEADLINE_MS=${MODEL_DEADLINE_MS:-3000}
fi
[ -n "$binary" ] || [ -e "$(rustc --print target-libdir --target "$target")" ] ||
    missing+=("the Rust target: rustup target add $target, or set ARM64_BINARY")
if [ ${#missing[@]} -gt 0 ]; then
    printf 'make test-arm64 needs %s\n' "${missing[@]}" >&2
    exit 1
fi
if [ -z "$binary" ]; then
    make package ARCHITECTURE=arm64
    binary=target/lambda/deprovision-ipam-byoasn/bootstrap
fi
binary=$(realpath -e "$binary")
# The tests start one program, without the environment of this script.
function=$PWD/target/arm64-function
mkdir -p target
{
    echo '#!/bin/sh'
    echo "exec $(printf '%q ' "${emulator[@]}" "$binary")\"\$@\""
} >"$function"
chmod +x "$function"
FUNCTION_BINARY=$function cargo test --locked --test integration -- contract resilience
