"""One run at a time for a work root.

The kernel's `flock` is the lock: it goes with its holder, however that dies. The file beside it only says who holds it.
The supervisor of a running command shares the lock (`process.py`), so that a new run cannot start before the
processes of a killed one are gone.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable

from recomp.engine.files import has_keys, remove_quietly, write_atomic
from recomp.errors import LockError

#: how long to wait for the remains of a run whose process is dead: they end by themselves, on a starved machine late
DEAD_HOLDER_GRACE_S = 120.0


class Lock:
    """Held from `acquire` to `release` or the end of the process."""

    def __init__(self, folder: str) -> None:
        self._path = os.path.join(folder, "lock")
        self._info = os.path.join(folder, "lock-holder.json")
        self.fd: int | None = None

    def acquire(self, *, wait_s: float = 0.0, waiting: Callable[[str], None] = lambda holder: None) -> None:
        """Raises LockError naming the holder when another live run still has the lock after `wait_s` seconds.
        `waiting` is told the holder once, if there is one to wait for."""
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            self._wait(fd, wait_s, waiting)
        except BaseException:
            os.close(fd)
            raise
        self.fd = fd
        host = os.uname().nodename
        info = {"pid": os.getpid(), "host": host, "started": int(time.time()), "pid_started": start_time(os.getpid())}
        try:
            write_atomic(self._info, json.dumps(info).encode(), durable=False)
        except OSError:
            self.release()
            raise

    def _wait(self, fd: int, wait_s: float, waiting: Callable[[str], None]) -> None:
        started = time.monotonic()
        is_told = False
        while not _try_lock(fd):
            holder = self._holder()
            limit = wait_s if holder is None or _is_alive(holder) else max(wait_s, DEAD_HOLDER_GRACE_S)
            # a holder that has not yet said who it is gets a moment to do so
            if time.monotonic() - started >= max(limit, 5.0 if holder is None else 0.0):
                raise LockError(
                    f"{os.path.dirname(self._path)}: the work root is locked by {_describe(holder)}",
                    hint="wait for that run to end, or use --wait to queue behind it",
                )
            if not is_told and holder is not None:
                waiting(_describe(holder))
                is_told = True
            time.sleep(0.02)

    def release(self) -> None:
        if self.fd is not None:
            remove_quietly(self._info)
            os.close(self.fd)
            self.fd = None

    def _holder(self) -> dict | None:
        try:
            with open(self._info, encoding="utf-8") as file:
                holder = json.load(file)
        except (OSError, ValueError, RecursionError):
            return None
        is_whole = has_keys(holder, {"pid": int, "host": str, "started": int}) and 0 <= holder["started"] < 1 << 40
        return holder if is_whole else None


def _try_lock(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except BlockingIOError:
        return False


def _is_alive(holder: dict) -> bool:
    """Whether the holder still runs; one on another host cannot be asked and counts as alive."""
    if holder.get("host") != os.uname().nodename:
        return True
    return start_time(holder["pid"]) == holder.get("pid_started") is not None


def start_time(pid: int) -> int | None:
    """When a process started, in clock ticks since boot: tells a process from a later one with the same number."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else int(fields[19])


def _describe(holder: dict | None) -> str:
    if holder is None:
        return "another run"
    since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(holder.get("started", 0)))
    return f"process {holder['pid']} on {holder.get('host')}, since {since}"
