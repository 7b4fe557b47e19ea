"""The local executor: memory is asked for, the death of one attempt is its own, a cancelled one is gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from conftest import SOURCES
from recomp.batch.executor import Event, Task
from recomp.batch.local import LocalExecutor
from recomp.errors import StageError


def drain(executor: LocalExecutor, until: int, kinds: tuple[str, ...] = ("ended", "died")) -> list[Event]:
    """Everything until so many tasks are over."""
    events: list[Event] = []
    while sum(event.kind in kinds for event in events) < until:
        events += executor.poll(1.0)
    return events


def task(name: str) -> Task:
    return Task(name, 1, {})


def test_stages_together_never_exceed_the_memory(tmp_path: Path) -> None:
    """Each writes down when it held its memory: of two that need 60 of 100 MB, one waits for the other."""

    def work(task: Task, tell: Any, admit: Any) -> dict[str, Any]:
        tell("stage", {"stage": "build"})
        admit("build")
        begun = time.monotonic_ns()
        ended = begun + 50_000_000
        while time.monotonic_ns() < ended:
            time.sleep(0.01)
        return {"status": "passed", "held": [begun, time.monotonic_ns()]}

    executor = LocalExecutor(work, str(tmp_path), slots=3, memory_mb=100, needs={"build": 60})
    for name in "abc":
        executor.submit(task(name))
    assert executor.capacity() == 0
    held = sorted(event.facts["held"] for event in drain(executor, 3) if event.kind == "ended")
    assert all(first[1] <= second[0] for first, second in zip(held, held[1:], strict=False))


def test_a_stage_larger_than_all_memory_runs_alone(tmp_path: Path) -> None:
    def work(task: Task, tell: Any, admit: Any) -> dict[str, Any]:
        tell("stage", {"stage": "build"})
        admit("build")
        return {"status": "passed"}

    executor = LocalExecutor(work, str(tmp_path), slots=2, memory_mb=10, needs={"build": 6000})
    executor.submit(task("a"))
    executor.submit(task("b"))
    assert [event.facts["status"] for event in drain(executor, 2) if event.kind == "ended"] == ["passed", "passed"]


def test_what_an_attempt_raises_is_its_outcome_and_a_kill_is_a_death(tmp_path: Path) -> None:
    def work(task: Task, tell: Any, admit: Any) -> dict[str, Any]:
        if task.name == "raises":
            raise StageError("run: no")
        if task.name == "bug":
            raise KeyError("x")
        print("on the way out", flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
        return {}

    executor = LocalExecutor(work, str(tmp_path), slots=3, memory_mb=100)
    for name in ("raises", "bug", "killed"):
        executor.submit(task(name))
    ends = {event.task: event for event in drain(executor, 3) if event.kind in ("ended", "died")}
    assert ends["raises"].facts["error"] == "run: no"
    assert "[this is a bug]" in ends["bug"].facts["error"] and "KeyError" in executor.logs("bug")
    assert ends["killed"].kind == "died" and "signal 9" in ends["killed"].facts["error"]
    assert executor.logs("killed") == "on the way out\n"


def test_a_cancelled_attempt_dies_with_what_it_started(tmp_path: Path) -> None:
    def work(task: Task, tell: Any, admit: Any) -> dict[str, Any]:
        from recomp.engine.process import Program, run_program

        paths = {name: str(tmp_path / name) for name in ("out", "err")}
        program = Program(["/bin/sleep", "1000"], cwd="/", env={}, stdout_path=paths["out"], stderr_path=paths["err"])
        tell("stage", {"stage": "run"})
        run_program(program)
        return {"status": "passed"}

    executor = LocalExecutor(work, str(tmp_path / "logs"), slots=1, memory_mb=100)
    executor.submit(task("sleeper"))
    drain(executor, 1, ("stage",))
    executor.cancel("sleeper")
    assert [event.kind for event in drain(executor, 1)] == ["died"]
    while executor.capacity() == 0:  # the pipe closes when the last of them is gone
        executor.poll(1.0)


def test_what_is_loaded_beforehand_starts_no_threads() -> None:
    """A fork would leave them behind, with whatever they hold."""
    code = "import os; from recomp.stages.preload import preload; preload(); print(len(os.listdir('/proc/self/task')))"
    env = {**os.environ, "PYTHONPATH": SOURCES}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"
