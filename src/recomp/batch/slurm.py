"""Slurm as an executor: a job of `sbatch` for each task, told by files in a folder that all machines see.

Slurm ends a job with everything that it started, keeps its queue over a restart of its controller (which is waited
for), and places jobs by its own features: the kind of worker is passed as `--constraint`.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time

from recomp.batch.executor import Event, Task
from recomp.batch.shipping import wanted
from recomp.engine.files import write_atomic
from recomp.errors import ToolError

#: jobs in the queue at once; Slurm's own limits are about as high
MOST_JOBS = 200
#: between two questions to the controller, seconds
ASK_EVERY_S = 1.0
#: how long a controller may be away before the batch gives up
PATIENCE_S = 600.0
#: what the commands say of that
_AWAY = ("Unable to contact slurm controller", "Connection refused", "Socket timed out", "Zero Bytes were transmitted")
_GONE = ("BOOT_FAIL", "CANCELLED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED", "TIMEOUT", "")


class SlurmExecutor:
    """`folder` is where tasks and results lie; `options` are given to `sbatch` as they are."""

    def __init__(
        self, folder: str, store_url: str, segments: list[tuple[str, tuple[str, ...]]], options: list[str]
    ) -> None:
        self._folder, self._store_url = folder, store_url
        self._segments, self._options = segments, options
        self._jobs: dict[str, tuple[Task, int, str, float]] = {}  # name → (task, segment, job id, seconds before)
        self._unsent: list[tuple[Task, int, float]] = []
        self._asked_at = 0.0
        self._heard_at = time.monotonic()
        os.makedirs(folder, exist_ok=True)

    def capacity(self) -> int:
        return max(0, MOST_JOBS - len(self._jobs) - len(self._unsent))

    def submit(self, task: Task) -> None:
        self._send(task, 0, 0.0)

    def poll(self, timeout_s: float) -> list[Event]:
        started = time.monotonic()
        while True:
            events = self._look()
            left = timeout_s - (time.monotonic() - started)
            if events or left <= 0:
                return events
            time.sleep(min(0.05, left))

    def cancel(self, name: str) -> None:
        self._unsent = [sending for sending in self._unsent if sending[0].name != name]
        if name in self._jobs:
            _run(["scancel", self._jobs[name][2]], may_fail=True)

    def logs(self, name: str) -> str:
        try:
            with open(self._path(name, "log"), encoding="utf-8", errors="replace") as file:
                return file.read()[-4096:]
        except OSError:
            return ""

    def _path(self, name: str, what: str) -> str:
        return os.path.join(self._folder, f"{name.replace('/', '__')}.{what}")

    def _send(self, task: Task, at: int, used_s: float) -> None:
        kind = self._segments[at][0]
        content = wanted(task, self._store_url, self._segments[at], at == len(self._segments) - 1, used_s)
        result = self._path(task.name, "result")
        if os.path.exists(result):
            os.unlink(result)
        write_atomic(self._path(task.name, "task"), json.dumps(content).encode(), durable=False)
        command = [sys.executable, "-m", "recomp.batch.slurm", self._path(task.name, "task"), result]
        constraint = [] if kind == "build" and len(self._segments) == 1 else [f"--constraint={kind}"]
        if task.payload.get("is_private"):
            constraint = [f"--constraint={kind}&private"]
        minutes = max(1, round(content["payload"]["deadline_s"] / 60) + 5)
        argv = ["sbatch", "--parsable", "--no-requeue", f"--job-name=recomp-{task.name}", f"--time={minutes}",
                f"--output={self._path(task.name, 'log')}", *constraint, *self._options,
                f"--wrap={shlex.join(command)}"]  # fmt: skip
        answer = self._ask(argv)
        if answer is None:
            self._unsent.append((task, at, used_s))
        else:
            self._jobs[task.name] = (task, at, answer.strip().split(";")[0], used_s)

    def _look(self) -> list[Event]:
        events: list[Event] = []
        for name in list(self._jobs):
            if os.path.exists(self._path(name, "result")):
                events += self._arrived(name)
        if (self._jobs or self._unsent) and time.monotonic() - self._asked_at >= ASK_EVERY_S:
            self._asked_at = time.monotonic()
            unsent, self._unsent = self._unsent, []
            for sending in unsent:
                self._send(*sending)
            states = self._states()
            for name, (_, _, job, _) in list(self._jobs.items()):
                if states is not None and states.get(job, "").split("+")[0].split(" ")[0] in _GONE:
                    # a result may have come between the two looks
                    events += self._arrived(name) if os.path.exists(self._path(name, "result")) else self._lost(name)
        return events

    def _states(self) -> dict[str, str] | None:
        """The state of each job of this user that is still known; None while the controller is away."""
        answer = self._ask(["squeue", "--noheader", "--states=all", "--me", "--format=%i %T"])
        if answer is None:
            return None
        return {job: state for job, _, state in (line.strip().partition(" ") for line in answer.splitlines())}

    def _ask(self, argv: list[str]) -> str | None:
        """What a command says; None while the controller is away: it keeps its queue, and jobs go on without it."""
        try:
            answer = _run(argv)
        except Away as error:
            if time.monotonic() - self._heard_at > PATIENCE_S:
                raise ToolError(error.message, hint="the next run goes on from here, once there is one") from error
            return None
        self._heard_at = time.monotonic()
        return answer

    def _lost(self, name: str) -> list[Event]:
        del self._jobs[name]
        return [Event(name, "died", {"error": "its job ended without a result"})]

    def _arrived(self, name: str) -> list[Event]:
        task, at, _, used_s = self._jobs.pop(name)
        with open(self._path(name, "result"), "rb") as file:
            kind, facts = json.load(file)
        if kind == "ended" and facts["status"] == "passed" and at < len(self._segments) - 1:
            self._send(task, at + 1, used_s + facts["seconds"])
            return []
        return [Event(name, kind, facts)]


class Away(ToolError):
    """No controller answers."""


def _run(argv: list[str], *, may_fail: bool = False) -> str:
    """Raises ToolError, Away."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    except subprocess.TimeoutExpired as error:
        raise Away(f"{argv[0]}: no answer within 60 s") from error
    except OSError as error:
        raise ToolError(f"{argv[0]}: cannot be run: {error}", hint="is Slurm installed on this machine?") from error
    if done.returncode != 0 and not may_fail:
        kind = Away if any(words in done.stderr for words in _AWAY) else ToolError
        raise kind(f"{argv[0]}: exit code {done.returncode}: {done.stderr.strip()[:500]}")
    return done.stdout


def main(task_path: str, result_path: str) -> int:
    """On the machine that Slurm chose: carry out the task, and put the result in its place, whole."""
    from recomp.batch.worker import execute

    with open(task_path, encoding="utf-8") as file:
        result = execute(file.read())
    write_atomic(result_path, result.encode())
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
