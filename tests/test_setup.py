"""The set-up's shell scripts, with an apt-get that stands in for Debian's."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

INSTALL = Path(__file__).resolve().parents[1] / "tools" / "install-packages.sh"
APT = """#!/bin/sh
echo "$*" >> calls
case "$*" in update*) ;; *) exit 0 ;; esac
[ "$(grep -c '^update' calls)" -gt "$FAILURES" ] || { echo "E: $MESSAGE" >&2; exit 100; }
"""


def install(folder: Path, failures: int, message: str) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """Runs the script on the package `tool`; also what apt-get was asked."""
    programs = {"apt-get": APT, "sudo": '#!/bin/sh\nexec "$@"\n', "sleep": "#!/bin/sh\n"}
    for name, text in programs.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    env = {"PATH": f"{folder}:{os.environ['PATH']}", "FAILURES": str(failures), "MESSAGE": message}
    ran = subprocess.run([INSTALL, "setup", "tool"], cwd=folder, env=env, capture_output=True, text=True)
    return ran, [line.split()[0] for line in (folder / "calls").read_text().splitlines()]


def test_another_apt_get_is_waited_for(tmp_path: Path) -> None:
    ran, calls = install(tmp_path, 3, "Could not get lock /var/lib/apt/lists/lock. It is held by process 7")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == "setup: installing tool\nsetup: waiting for another apt-get\n"
    assert calls == ["update", "update", "update", "update", "-o"]


def test_a_lock_that_is_never_let_go_is_named(tmp_path: Path) -> None:
    ran, calls = install(tmp_path, 1000, "Could not get lock /var/lib/apt/lists/lock. It is held by process 7")
    assert ran.returncode == 1
    assert "busy for ten minutes: E: Could not get lock" in ran.stderr and "setup: hint: " in ran.stderr
    assert len(calls) == 121


def test_without_a_network_apt_get_is_asked_once(tmp_path: Path) -> None:
    ran, calls = install(tmp_path, 1, "Failed to fetch the lists")
    assert ran.returncode == 1
    assert "apt-get update: E: Failed to fetch the lists" in ran.stderr and "is there a network?" in ran.stderr
    assert calls == ["update"]
