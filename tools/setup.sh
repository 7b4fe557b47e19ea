#!/bin/sh
# The environment for users: .venv with the packages of requirements.lock (hash-checked) and recomp itself.
# Works where Debian's python3-venv (ensurepip) is missing, as an ordinary user or root. Usage: setup.sh [LOCKFILE]
set -eu
cd "$(dirname "$0")/.."
lock=${1:-requirements.lock}
python=${PYTHON:-python3}

fail() { printf 'setup: error: %s\n' "$1" >&2; [ $# -lt 2 ] || printf 'setup: hint: %s\n' "$2" >&2; exit 1; }

command -v "$python" >/dev/null 2>&1 || fail "$python: not found" "install Python 3.11 or newer"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
  fail "$python is older than 3.11" "set PYTHON to a newer one: make demo PYTHON=python3.12"
"$python" -m pip --version >/dev/null 2>&1 || fail "$python has no pip" "install it: apt-get install python3-pip"

name=$(basename "$lock" .lock)
stamp=".venv/.installed-$name-$(cat "$lock" pyproject.toml | sha256sum | cut -c1-16)"
[ ! -e "$stamp" ] || exit 0

printf 'setup: making .venv from %s (once; a few minutes on a slow network)\n' "$lock"
[ -x .venv/bin/python ] || "$python" -m venv --without-pip .venv
pip() { "$python" -m pip --python .venv/bin/python --disable-pip-version-check "$@"; }
pip install --quiet --require-hashes --only-binary :all: -r "$lock" 2>&1 | grep -v '^WARNING: ' >&2 || true
pip install --quiet --no-deps --no-build-isolation --no-index --editable . 2>&1 | grep -v '^WARNING: ' >&2 || true
.venv/bin/recomp --version >/dev/null || fail ".venv/bin/recomp does not start" "see the messages above; remove .venv and try again"
rm -f ".venv/.installed-$name-"*
: > "$stamp"
