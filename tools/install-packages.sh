#!/bin/sh
# install-packages.sh WHO PACKAGE...: Debian packages by apt-get, as root or by sudo; WHO speaks. Another apt-get (an
# unattended upgrade on a fresh machine, a second set-up) is waited for.
set -eu
who=$1
shift
fail() { printf '%s: error: %s\n%s: hint: %s\n' "$who" "$1" "$who" "$2" >&2; exit 1; }
command -v apt-get >/dev/null 2>&1 || fail "missing: $*, and there is no apt-get" "install them by hand"
as_root=""
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null 2>&1 || fail "missing: $*" "as root: apt-get install $*"
  as_root="sudo"
fi
printf '%s: installing %s\n' "$who" "$*"

# `apt-get install` waits for the lock by itself, `apt-get update` never does.
tries=0
until said=$($as_root env LC_ALL=C apt-get update -qq 2>&1); do
  case "$said" in
    *"Could not get lock"*)
      [ "$tries" -lt 120 ] || fail "apt-get was busy for ten minutes: $said" "see which apt-get hangs, and run this again"
      [ "$tries" -gt 0 ] || printf '%s: waiting for another apt-get\n' "$who"
      tries=$((tries + 1))
      sleep 5 ;;
    *) fail "apt-get update: $said" "is there a network? apt-get is needed this once" ;;
  esac
done
$as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 install -y -qq --no-install-recommends "$@" >/dev/null ||
  fail "apt-get install $*" "see the messages above"
