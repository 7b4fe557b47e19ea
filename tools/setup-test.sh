#!/bin/sh
# What the tests need beyond setup.sh: peers that nobody here wrote. Downloads once, then works offline.
#   qemu-aarch64, chromium, busybox (stands in for guests that the emulator cannot start): Debian packages, installed with apt-get (needs root or sudo if they are missing)
#   arm64 programs: Debian packages, unpacked below .cache/guests (never installed, no root needed)
set -eu
cd "$(dirname "$0")/.."
tools/setup.sh requirements-test.lock

fail() { printf 'setup-test: error: %s\n' "$1" >&2; [ $# -lt 2 ] || printf 'setup-test: hint: %s\n' "$2" >&2; exit 1; }

missing=""
command -v qemu-aarch64 >/dev/null 2>&1 || missing="$missing qemu-user"
command -v chromium >/dev/null 2>&1 || missing="$missing chromium"
command -v busybox >/dev/null 2>&1 || missing="$missing busybox"
[ -x /sbin/mke2fs ] || [ -x /usr/sbin/mke2fs ] || missing="$missing e2fsprogs"
command -v git >/dev/null 2>&1 || missing="$missing git"
command -v gcc >/dev/null 2>&1 || missing="$missing gcc libc6-dev"
# shellcheck disable=SC2086
[ -z "$missing" ] || tools/install-packages.sh setup-test $missing

packages="busybox-static bash-static zsh-static e2fsck-static shfmt"
guests=.cache/guests
todo=""
for package in $packages; do [ -d "$guests/$package" ] || todo="$todo $package"; done
if [ -n "$todo" ]; then
  command -v apt-get >/dev/null 2>&1 || fail "arm64 packages are missing:$todo, and there is no apt-get"
  printf 'setup-test: fetching arm64 programs:%s\n' "$todo"
  state="$PWD/.cache/apt"
  mkdir -p "$state/state/lists/partial" "$state/cache/archives/partial" "$state/debs" "$guests"
  apt="-o APT::Architecture=arm64 -o APT::Architectures=arm64 -o Dir::State=$state/state -o Dir::Cache=$state/cache
       -o Dir::State::status=/dev/null -o APT::Sandbox::User= -o Debug::NoLocking=1"
  # shellcheck disable=SC2086
  apt-get $apt update -qq
  for package in $todo; do
    # shellcheck disable=SC2086
    (cd "$state/debs" && apt-get $apt download -qq "$package")
    rm -rf "$guests/.$package" && mkdir "$guests/.$package"
    dpkg-deb -x "$state/debs/${package}"_*.deb "$guests/.$package"
    mv "$guests/.$package" "$guests/$package"
  done
  rm -rf "$state"
fi
