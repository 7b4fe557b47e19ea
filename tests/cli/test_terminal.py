"""On a terminal, on a narrow one, without colour, and without a terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import pytest

from builders import ProjectFolder
from conftest import SOURCES, run_cli

COLOUR = re.compile(r"\x1b\[\d+m")


@pytest.fixture
def project(folder: ProjectFolder) -> ProjectFolder:
    folder.config["commands"] = {"build": ["true"], "run": ["false"]}
    folder.write()
    return folder


def on_terminal(project: ProjectFolder, columns: int, **environment: str) -> str:
    """What a run (which fails) draws on a terminal of that width."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    env = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    env |= {"PYTHONPATH": SOURCES, "TERM": "xterm", **environment}
    command = [sys.executable, "-m", "recomp", "automate", "--config", str(project.root / "automation.toml")]
    process = subprocess.Popen(command, env=env, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    drawn = b""
    while True:
        try:
            chunk = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not chunk:
            break
        drawn += chunk
    os.close(ours)
    assert process.wait() == 1
    return drawn.decode()


def test_colour_and_a_live_line_on_a_terminal(project: ProjectFolder) -> None:
    drawn = on_terminal(project, 80)
    assert COLOUR.search(drawn)
    assert "\r\x1b[K" in drawn
    assert "error" in drawn and "Traceback" not in drawn


def test_no_color_takes_the_colour_and_nothing_else(project: ProjectFolder) -> None:
    drawn = on_terminal(project, 80, NO_COLOR="1")
    assert not COLOUR.search(drawn)
    assert "\r\x1b[K" in drawn


@pytest.mark.parametrize("columns", [1, 10, 40])
def test_the_live_line_stays_on_its_line_on_a_narrow_terminal(project: ProjectFolder, columns: int) -> None:
    drawn = on_terminal(project, columns)
    live = re.findall(r"\r\x1b\[K([^\r\n]+)(?=\r\x1b)", drawn)  # drawn, and cleared again
    assert live and max(map(len, live)) <= max(columns - 1, 1)
    assert "Traceback" not in drawn


def test_without_a_terminal_there_are_plain_lines(project: ProjectFolder) -> None:
    done = run_cli("automate", "--config", str(project.root / "automation.toml"), NO_COLOR="")
    assert "\x1b" not in done.stdout + done.stderr and "\r" not in done.stdout + done.stderr
    assert done.stdout.startswith("pipeline        run ")


def shell(project: ProjectFolder, line: str, unbuffered: str = "") -> subprocess.CompletedProcess[str]:
    """What a shell makes of `recomp` and that line."""
    env = {**os.environ, "PYTHONPATH": SOURCES, "PYTHONUNBUFFERED": unbuffered}
    command = ["sh", "-c", f"{sys.executable} -m recomp {line}"]
    return subprocess.run(command, cwd=project.root, env=env, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("arguments", ["explain --config automation.toml", "automate --help", "--version"])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_goes_away_is_no_error(project: ProjectFolder, arguments: str, unbuffered: str) -> None:
    assert shell(project, f"{arguments} | true", unbuffered).stderr == ""


@pytest.mark.parametrize("arguments", ["explain --config automation.toml", "--help", "explain --config none --json"])
def test_a_full_disk_behind_stdout_is_said_once(project: ProjectFolder, arguments: str) -> None:
    done = shell(project, f"{arguments} >/dev/full")
    assert done.returncode == 1 and done.stderr.count("stdout: No space left on device") == 1
    assert "Traceback" not in done.stderr and "Exception ignored" not in done.stderr


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_stream_changes_no_exit_code(project: ProjectFolder, closed: str) -> None:
    assert shell(project, f"explain --config automation.toml {closed}").returncode == 0
    assert shell(project, f"explain --config none {closed}").returncode == 2
    done = shell(project, f"automate --config automation.toml {closed}")
    assert done.returncode == 1 and "Traceback" not in done.stdout + done.stderr
