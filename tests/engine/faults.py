"""Faults at chosen points: the n-th call by which a process changes files is where it is killed, the power goes, or
the disk is full.

`install` wraps the calls of `os` and `fcntl` through which the engine writes, locks and renames, in this process alone
(not in what it forks). `Fault.at` counts them from 1; a fault with `at` = 0 only counts.
"""

from __future__ import annotations

import errno
import fcntl
import os
import random
import signal
import stat
import time
from collections.abc import Callable
from typing import Any, NamedTuple

CALLS = ("open", "write", "fsync", "sync", "replace", "unlink", "mkdir", "rmdir", "chmod", "utime")
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


class Fault(NamedTuple):
    """`kind`: "count", "before", "half" (of a write), "after", "power", or the name of an errno such as "ENOSPC", which
    then every writing call from there on meets. `root`: the folder that a power cut damages."""

    kind: str = "count"
    at: int = 0
    seed: int = 0
    root: str = ""


class _Faults:
    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.pid = os.getpid()
        self.count = 0
        self.started_ns = time.time_ns()
        self.synced: set[int] = set()
        self.real = {name: getattr(os, name) for name in CALLS}

    def point(self, name: str, call: Callable[..., Any], arguments: tuple, options: dict) -> Any:
        if os.getpid() != self.pid:  # a supervisor, or a stage's program on its way
            return call(*arguments, **options)
        self.count += 1
        kind = self.fault.kind
        if self.fault.at and self.count >= self.fault.at and kind.startswith("E"):
            if name in ("open", "write", "mkdir", "replace"):
                number = getattr(errno, kind)
                raise OSError(number, os.strerror(number))
        elif self.count == self.fault.at:
            self._strike(name, call, arguments, options)
        self._note(name, arguments)
        if name in ("fsync", "sync"):  # what they are for is kept by `_note`; a busy disk would only take time
            return None
        return call(*arguments, **options)

    def _strike(self, name: str, call: Callable[..., Any], arguments: tuple, options: dict) -> None:
        if self.fault.kind == "half" and name == "write":
            call(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
        elif self.fault.kind == "after":
            call(*arguments, **options)
        elif self.fault.kind == "power":
            self._cut_power()
        if self.fault.kind != "count":
            os.kill(self.pid, signal.SIGKILL)
            time.sleep(60)

    def _note(self, name: str, arguments: tuple) -> None:
        """Which files are safe on disk: those synced after their last write."""
        if name == "fsync":
            self.synced.add(os.fstat(arguments[0]).st_ino)
        elif name == "write":
            self.synced.discard(os.fstat(arguments[0]).st_ino)
        elif name == "sync":
            self.synced.update(info.st_ino for _, info in _files(self.fault.root))

    def _cut_power(self) -> None:
        """Of what was never synced since this process began, any part may be missing or zero."""
        chance = random.Random(self.fault.seed)
        for path, info in _files(self.fault.root):
            if info.st_ino in self.synced or info.st_mtime_ns < self.started_ns or chance.random() < 0.4:
                continue
            self.real["chmod"](path, 0o644)
            with open(path, "r+b") as file:
                if chance.random() < 0.5:
                    file.truncate(chance.choice((0, info.st_size // 2)))
                else:
                    file.write(bytes(info.st_size))
            self.real["chmod"](path, stat.S_IMODE(info.st_mode))


def _files(root: str) -> list[tuple[str, os.stat_result]]:
    paths = sorted(os.path.join(folder, name) for folder, _, names in os.walk(root) for name in names)
    return [(path, os.lstat(path)) for path in paths if stat.S_ISREG(os.lstat(path).st_mode)]


def install(fault: Fault) -> Callable[[], int]:
    """From now on this process meets `fault`; returns what tells how many points it has passed."""
    faults = _Faults(fault)
    for name in CALLS:
        setattr(os, name, _wrapped(faults, name, getattr(os, name)))
    fcntl.flock = _wrapped(faults, "flock", fcntl.flock)
    return lambda: faults.count


def _wrapped(faults: _Faults, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
    def wrapper(*arguments: Any, **options: Any) -> Any:
        if name == "open" and not (len(arguments) > 1 and arguments[1] & WRITING):
            return call(*arguments, **options)
        return faults.point(name, call, arguments, options)

    return wrapper
