"""A full disk and a read-only folder, at any instant: a clear error, no traceback, and the next run goes on.

On a small file system of its own where the kernel lets an ordinary user (or root) make one; and everywhere by refusing
the calls themselves, one after the other.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import SOURCES
from engine.crash import project

ROOT = Path(__file__).resolve().parents[2]


def test_whichever_write_is_refused_the_next_run_goes_on() -> None:
    """In a process of its own, because it forks."""
    command = [sys.executable, str(ROOT / "tools/crash.py"), "30", "--seed", "3", "--refuse", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert json.loads(done.stdout) == {"trials": 30, "problems": [], "most_repeated": 0}


SMALL = """\
mount -t tmpfs -o size=$1,mode=755 tmpfs "$2/out" || exit 99
shift
folder=$1; shift
cd "$folder"
"$@"; echo "full: $?" >&2
mount -o remount,size=64m "$folder/out"
"$@"; echo "grown: $?" >&2
mount -o remount,ro "$folder/out"
"$@"; echo "read-only: $?" >&2
mount -o remount,rw "$folder/out"
"$@"; echo "writable: $?" >&2
"""


@pytest.mark.parametrize("size", ["64k", "600k", "1200k"])
def test_a_small_file_system_fills_grows_and_turns_read_only(tmp_path: Path, size: str) -> None:
    made = project(tmp_path / "project")
    (made.root / "out").mkdir()
    command = [sys.executable, "-m", "recomp", "automate", "--config", str(made.root / "automation.toml")]
    script = ["sh", "-c", SMALL, "sh", size, str(made.root), *command]
    env = {**os.environ, "PYTHONPATH": SOURCES}
    done = subprocess.run(["unshare", "-rm", *script], env=env, capture_output=True, text=True, check=False)
    if done.returncode == 99 or "unshare" in done.stderr:  # no name spaces here: a limit on the size of files instead
        limited = ["sh", "-c", 'ulimit -f 4; trap "" XFSZ; "$@"; echo "full: $?" >&2', "sh", *command]
        done = subprocess.run(limited, env=env, capture_output=True, text=True, check=False)
        again = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        assert "full: 1" in done.stderr and again.returncode == 0
    else:
        codes = [line for line in done.stderr.splitlines() if line.split(": ")[-1].isdigit()]
        assert codes == ["full: 1", "grown: 0", "read-only: 1", "writable: 0"], done.stderr
        assert "No space left on device" in done.stderr and "Read-only file system" in done.stderr
    assert "Traceback" not in done.stderr and "this is a bug" not in done.stderr
