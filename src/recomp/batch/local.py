"""The local executor: a process for each attempt, forked from this one, as many as cores and memory allow.

A forked attempt begins in milliseconds, because everything is imported already, and dies with this process (and what
it started with it: `engine.process`). Before a stage runs it asks for the stage's memory; who asks first is served
first, so that a hungry stage is not passed by for ever, and one larger than everything runs alone.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import sys
import time
from collections.abc import Callable
from typing import Any, NoReturn

from recomp.batch.attempt import whole_message
from recomp.batch.executor import Event, Task
from recomp.engine.context import Interrupted
from recomp.engine.files import write_all
from recomp.errors import RecompError
from recomp.stages.preload import preload

#: what a stage needs beside its worker, by its name; measured on programs of a few megabytes, rounded up
STAGE_MEMORY_MB = {
    "intake": 200, "analysis": 1000, "lift": 600, "pipeline": 600, "build": 800, "run": 500, "capture": 600,
    "extract_frames": 400, "extract_audio": 200, "hash_frames": 300, "hash_audio": 200, "validate": 600, "archive": 100,
}  # fmt: skip
MEMORY_SHARE = 0.8
TAIL_BYTES = 4096
_PR_SET_PDEATHSIG = 1

Tell = Callable[[str, dict[str, Any]], None]
#: carries a task out in a process of its own: (task, tell, admit) → its outcome
Work = Callable[[Task, Tell, Callable[[str], None]], dict[str, Any]]


def usable_cores() -> int:
    return max(1, len(os.sched_getaffinity(0)))


def usable_memory_mb() -> int:
    """What the system says is available, less a reserve."""
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            line = next(line for line in file if line.startswith("MemAvailable"))
        return int(int(line.split()[1]) / 1024 * MEMORY_SHARE)
    except (OSError, StopIteration, ValueError):
        return 2048


class LocalExecutor:
    def __init__(
        self,
        work: Work,
        log_dir: str,
        *,
        slots: int | None = None,
        memory_mb: int | None = None,
        needs: dict[str, int] | None = None,
    ) -> None:
        self._work, self._log_dir = work, log_dir
        self.slots = slots or usable_cores()
        self.memory_mb = memory_mb or usable_memory_mb()
        self._needs = {**STAGE_MEMORY_MB, **(needs or {})}
        self._children: dict[str, _Child] = {}
        self._waiting: list[tuple[str, int]] = []
        os.makedirs(log_dir, exist_ok=True)
        preload()
        gc.collect()
        gc.freeze()  # a collection in an attempt would copy every page that it shares with this process

    def capacity(self) -> int:
        return self.slots - len(self._children)

    def submit(self, task: Task) -> None:
        self._children[task.name] = _Child(task, self._work, self._log_path(task.name))

    def poll(self, timeout_s: float) -> list[Event]:
        if not self._children:
            time.sleep(timeout_s)
            return []
        by_fd = {child.fd: child for child in self._children.values()}
        events: list[Event] = []
        for fd in select.select(list(by_fd), [], [], timeout_s)[0]:
            child = by_fd[fd]
            for event in child.read():
                self._account(child, event)
                events.append(event)
            if child.is_closed:
                del self._children[child.name]
                self._waiting = [entry for entry in self._waiting if entry[0] != child.name]
        self._grant()
        return events

    def cancel(self, name: str) -> None:
        child = self._children.get(name)
        if child is not None:
            os.kill(child.pid, signal.SIGTERM)

    def logs(self, name: str) -> str:
        try:
            with open(self._log_path(name), "rb") as file:
                file.seek(max(0, os.path.getsize(file.fileno()) - TAIL_BYTES))
                return file.read().decode("utf-8", "replace")
        except OSError:
            return ""

    def _log_path(self, name: str) -> str:
        return os.path.join(self._log_dir, name.replace("/", "__") + ".log")

    # Memory

    def _account(self, child: _Child, event: Event) -> None:
        child.granted_mb = 0
        if event.kind == "stage":
            self._waiting.append((child.name, self._needs.get(event.facts["stage"], 500)))

    def _grant(self) -> None:
        while self._waiting:
            name, wanted = self._waiting[0]
            used = sum(child.granted_mb for child in self._children.values())
            if used and used + wanted > self.memory_mb:
                return
            del self._waiting[0]
            self._children[name].grant(wanted)


class _Child:
    """An attempt's process. `fd` is where it tells; the pipe closes when it and all it started are gone."""

    def __init__(self, task: Task, work: Work, log_path: str) -> None:
        self.name = task.name
        self.granted_mb = 0
        self.is_closed = self._has_ended = False
        self._buffer = b""
        self.fd, tell_fd = os.pipe2(os.O_CLOEXEC)
        grant_fd, self._grant_fd = os.pipe2(os.O_CLOEXEC)
        parent = os.getpid()
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid == 0:
            _live(task, work, log_path, tell_fd, grant_fd, parent)
        os.close(tell_fd)
        os.close(grant_fd)

    def grant(self, memory_mb: int) -> None:
        self.granted_mb = memory_mb
        try:
            os.write(self._grant_fd, b".")
        except BrokenPipeError:
            pass  # it has died meanwhile, which `read` will find

    def read(self) -> list[Event]:
        chunk = os.read(self.fd, 1 << 16)
        *lines, self._buffer = (self._buffer + chunk).split(b"\n")
        events = [Event(self.name, *json.loads(line)) for line in lines]
        self._has_ended |= any(event.kind == "ended" for event in events)
        if not chunk:
            self.is_closed = True
            os.close(self.fd)
            os.close(self._grant_fd)
            code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
            if not self._has_ended:
                how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
                events.append(Event(self.name, "died", {"error": f"its process {how}"}))
        return events


def _live(task: Task, work: Work, log_path: str, tell_fd: int, grant_fd: int, parent: int) -> NoReturn:
    """The life of an attempt's process."""
    code = 1
    try:
        _settle_in(log_path, (tell_fd, grant_fd), parent)

        def tell(kind: str, facts: dict[str, Any]) -> None:
            write_all(tell_fd, json.dumps([kind, facts]).encode() + b"\n")

        def admit(stage: str) -> None:
            if not os.read(grant_fd, 1):
                raise Interrupted  # the coordinator is gone

        tell("started", {"pid": os.getpid()})
        tell("ended", contain(lambda: work(task, tell, admit)))
        code = 0
    except BaseException:
        pass
    finally:
        os._exit(code)


def contain(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The outcome of some work; what it raises, but for an interrupt, becomes the outcome of a failure."""
    try:
        return work()
    except Exception as error:
        import traceback

        traceback.print_exc()
        if isinstance(error, RecompError):
            message, hint, code = whole_message(error), error.hint, error.exit_code
        elif isinstance(error, OSError):
            message, hint, code = f"{error.filename or 'recomp'}: {error.strerror or error}", None, 1
        else:
            message, hint, code = f"{type(error).__name__}: {error} [this is a bug]", "see its log", 1
        return {"status": "failed", "seconds": 0.0, "error": message, "hint": hint, "exit_code": code, "steps": []}


def _settle_in(log_path: str, keep: tuple[int, int], parent: int) -> None:
    import ctypes

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
    os.setpgid(0, 0)  # an interrupt from the terminal is the coordinator's to handle
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    signal.set_wakeup_fd(-1)
    log = os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    sys.stdout = sys.stderr = os.fdopen(2, "w", encoding="utf-8", buffering=1, closefd=False)
    low, high = sorted(keep)
    os.closerange(3, low)
    os.closerange(low + 1, high)
    os.closerange(high + 1, os.sysconf("SC_OPEN_MAX") if os.sysconf("SC_OPEN_MAX") < 65536 else 65536)


def _interrupt(number: int, frame: object) -> None:
    raise Interrupted
