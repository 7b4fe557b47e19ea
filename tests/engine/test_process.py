"""Programs: limits, logs, and nothing left behind, whatever ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from recomp.engine import process as p
from recomp.errors import ToolError

SOURCES = str(Path(__file__).resolve().parents[2] / "src")


def start(folder: Path, script: str, **changes) -> p.Program:
    options = {
        "cwd": str(folder),
        "env": dict(os.environ),
        "stdout_path": str(folder / "out"),
        "stderr_path": str(folder / "err"),
        **changes,
    }
    return p.Program(["/bin/sh", "-c", script], **options)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until(condition) -> bool:
    """Whether something comes true within ten seconds."""
    for _ in range(500):
        if condition():
            return True
        time.sleep(0.02)
    return False


def test_exit_code_and_streams(tmp_path: Path) -> None:
    outcome = p.run_program(start(tmp_path, "echo out; echo err >&2; exit 7"))
    assert (outcome.code, outcome.signal, outcome.succeeded) == (7, None, False)
    assert (tmp_path / "out").read_text() == "out\n"
    assert outcome.stderr_tail == "err\n"
    assert outcome.describe() == "ended with exit code 7"


def test_a_signal_is_told_from_an_exit_code(tmp_path: Path) -> None:
    outcome = p.run_program(start(tmp_path, "kill -TERM $$"))
    assert (outcome.code, outcome.signal) == (None, signal.SIGTERM)


def test_a_program_that_cannot_be_started(tmp_path: Path) -> None:
    program = p.Program(
        ["./nothing"], cwd=str(tmp_path), env={}, stdout_path=str(tmp_path / "o"), stderr_path=str(tmp_path / "e")
    )
    with pytest.raises(ToolError, match="./nothing: cannot be started: No such file or directory"):
        p.run_program(program)


def test_a_time_limit_ends_the_whole_group(tmp_path: Path) -> None:
    outcome = p.run_program(start(tmp_path, "sleep 77 & echo $! > child; wait"), timeout_s=0.3)
    assert outcome.timed_out
    assert not is_alive(int((tmp_path / "child").read_text()))


def test_a_program_that_ignores_term_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(p, "GRACE_S", 0.2)
    outcome = p.run_program(start(tmp_path, "trap '' TERM; sleep 77"), timeout_s=0.3)
    assert outcome.signal == signal.SIGKILL


def test_what_a_program_leaves_in_the_background_is_ended_with_it(tmp_path: Path) -> None:
    """Also when it went into a session of its own and closed its streams."""
    script = "setsid sh -c 'echo $$ > child; exec sleep 77' >/dev/null 2>&1 & while [ ! -s child ]; do sleep 0.02; done"
    outcome = p.run_program(start(tmp_path, script))
    assert outcome.succeeded
    assert not is_alive(int((tmp_path / "child").read_text()))


def test_a_program_that_closes_its_streams_is_still_waited_for(tmp_path: Path) -> None:
    outcome = p.run_program(start(tmp_path, "exec >&- 2>&-; sleep 0.3; exit 5"))
    assert outcome.code == 5


def test_output_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(p, "LOG_LIMIT_BYTES", 1000)
    outcome = p.run_program(start(tmp_path, "head -c 100000 /dev/zero | tr '\\0' x; echo last >&2"))
    assert outcome.succeeded
    log = (tmp_path / "out").read_text()
    assert log.startswith("x" * 1000 + "\n[recomp: the rest of this log was left out]")
    assert len(log) < 1100


def test_logs_are_live(tmp_path: Path) -> None:
    seen = []
    program = start(tmp_path, "echo early; sleep 0.6; echo late")
    p.run_program(program, poll=lambda age: seen.append((tmp_path / "out").read_text()))
    assert "early\n" in seen


def test_an_exception_while_it_runs_ends_the_program(tmp_path: Path) -> None:
    def fail(age: float) -> None:
        if (tmp_path / "child").exists() and (tmp_path / "child").read_text():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        p.run_program(start(tmp_path, "echo $$ > child; sleep 77"), poll=fail)
    assert not is_alive(int((tmp_path / "child").read_text()))


def test_kill_9_of_the_engine_alone_ends_the_program(tmp_path: Path) -> None:
    code = (
        "import os, sys; from recomp.engine.process import *; "
        "run_program(Program(['/bin/sh', '-c', 'sleep 77 & echo $! > child; wait'], cwd=sys.argv[1], "
        "env=dict(os.environ), "
        "stdout_path=sys.argv[1] + '/o', stderr_path=sys.argv[1] + '/e'))"
    )
    engine = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], env={**os.environ, "PYTHONPATH": SOURCES}, start_new_session=True
    )
    child = tmp_path / "child"
    assert wait_until(lambda: child.exists() and child.read_text())
    engine.kill()
    engine.wait()
    assert wait_until(lambda: not is_alive(int(child.read_text())))


def test_several_programs_at_once_are_bounded(tmp_path: Path) -> None:
    for number in range(4):
        (tmp_path / str(number)).mkdir()
    ended = []
    starters = (lambda n=n: start(tmp_path / str(n), "sleep 0.05; exit 0") for n in range(4))
    p.run_programs(starters, jobs=2, ended=lambda program, outcome: ended.append(outcome.code))
    assert ended == [0, 0, 0, 0]


def test_a_program_that_is_ended_as_soon_as_it_starts_is_gone(tmp_path: Path) -> None:
    """The end may be asked for while the supervisor forks: it then must find a child that it knows of."""
    for number in range(30):
        program = start(tmp_path, "exec sleep 1000")
        until = time.monotonic() + number / 5000
        while time.monotonic() < until:
            pass
        assert not program.finish().succeeded
