#!/bin/sh
# What make compat needs beyond setup-test.sh: a Rust program, whose port takes too long to build for make test.
set -eu
cd "$(dirname "$0")/.."
guests=.cache/guests
mkdir -p "$guests"

fail() { printf 'setup-compat: error: %s\n' "$1" >&2; [ $# -lt 2 ] || printf 'setup-compat: hint: %s\n' "$2" >&2; exit 1; }

# Debian has no static Rust program; this one comes as a wheel whose executable is static (musl).
if [ ! -x "$guests/just/bin/just" ]; then
  printf 'setup-compat: fetching a Rust program: just\n'
  wheels="$PWD/.cache/wheels"
  rm -rf "$wheels" "$guests/.just" && mkdir -p "$wheels" "$guests/.just/bin"
  "${PYTHON:-python3}" -m pip --disable-pip-version-check download --quiet --no-deps --only-binary :all: --require-hashes \
    --platform musllinux_1_2_aarch64 --python-version 3.11 -r tests/compat/wheels.lock -d "$wheels" 2>&1 |
    grep -v '^WARNING: ' >&2 || true
  set -- "$wheels"/rust_just-*.whl
  [ -f "$1" ] || fail "the wheel of rust-just was not fetched" "see the messages above"
  "${PYTHON:-python3}" -c 'import shutil, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as wheel:
    name = next(n for n in wheel.namelist() if n.endswith("/scripts/just"))
    with wheel.open(name) as source, open(sys.argv[2], "wb") as target:
        shutil.copyfileobj(source, target)' "$1" "$guests/.just/bin/just"
  chmod 755 "$guests/.just/bin/just"
  rm -rf "$guests/just" "$wheels"
  mv "$guests/.just" "$guests/just"
fi
