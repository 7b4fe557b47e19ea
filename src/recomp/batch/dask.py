"""Dask distributed as an executor: it carries tasks to workers, and nothing else is asked of it.

A task is a function of this package, by name, with one string. The scheduler may die: its tasks are then reported as
dead through no fault of their own, and submitted again once it is back; what they had finished is in the store.
"""

from __future__ import annotations

import json
import re
import time
from collections import deque
from typing import Any

from recomp.batch.executor import Event, Task
from recomp.errors import ConfigError, ToolError

CONNECT_S = 5.0
#: how long a scheduler may be gone before the batch gives up
PATIENCE_S = 600.0
TOPIC = "recomp"
GONE = "the scheduler is gone"
_ADDRESS = re.compile(r"(tcp|tls)://.+:\d{1,5}")


def carry(task: str) -> str:
    """On a worker of Dask's: carry out a task, telling the coordinator of its stages."""
    from distributed import get_worker

    from recomp.batch.worker import execute

    worker = get_worker()
    return execute(task, lambda line: worker.log_event(TOPIC, line))


def stop(name: str) -> bool:
    """On each worker of Dask's: end a task if it has it."""
    from recomp.batch.worker import cancel

    return cancel(name)


def security(folder: str | None) -> Any:
    """TLS with the certificates in `folder` (recomp cluster certs); None without. Raises ConfigError, ToolError."""
    try:
        from distributed.security import Security
    except ImportError:
        raise ToolError("a cluster needs the package distributed", hint="pip install 'recomp[cluster]'") from None
    if folder is None:
        return None
    from recomp.batch.certificates import paths

    files = paths(folder)
    keys = {role: {"cert": files.certificate, "key": files.key} for role in ("client", "scheduler", "worker")}
    flat = {f"tls_{role}_{what}": path for role, pair in keys.items() for what, path in pair.items()}
    return Security(tls_ca_file=files.authority, require_encryption=True, **flat)


class DaskExecutor:
    """`segments` are the parts of a unit by kind of worker (`shipping.segments`)."""

    def __init__(
        self,
        address: str,
        store_url: str,
        segments: list[tuple[str, tuple[str, ...]]],
        *,
        tls: str | None = None,
        patience_s: float = PATIENCE_S,
    ) -> None:
        if not _ADDRESS.fullmatch(address):
            raise ConfigError(f"{address}: is no address of a scheduler", hint="such as tls://host:8786")
        self._address, self._store_url, self._segments = address, store_url, segments
        self._security, self._patience_s = security(tls), patience_s
        self._client: Any = None
        self._futures: dict[str, Any] = {}
        self._tasks: dict[str, tuple[Task, int]] = {}  # name → (task, the segment it is at)
        self._said: deque[str] = deque()
        self._stopped: set[str] = set()
        self._logs: dict[str, str] = {}
        self._lost_since: float | None = None
        self._serial = 0
        self._slots = 0
        self._counted_at = 0.0
        self._connect(CONNECT_S * 2)

    # The five

    def capacity(self) -> int:
        """Enough to keep every worker busy and one task waiting behind each."""
        if self._client is None:
            return 0
        if not self._slots or time.monotonic() - self._counted_at > 2.0:
            self._counted_at = time.monotonic()
            try:
                self._slots = max(1, len(self._client.scheduler_info(n_workers=-1)["workers"]))
            except (OSError, TypeError, KeyError):
                self._slots = max(1, self._slots)
        return max(0, 2 * self._slots - len(self._tasks))

    def submit(self, task: Task) -> None:
        self._tasks[task.name] = (task, 0)
        self._send(task.name)

    def poll(self, timeout_s: float) -> list[Event]:
        if self._client is None or self._client.status not in ("running", "connecting"):
            return self._lose() if self._client is not None else self._reconnect(timeout_s)
        from distributed import wait as wait_for

        if self._futures:
            try:
                wait_for(list(self._futures.values()), timeout=timeout_s, return_when="FIRST_COMPLETED")
            except Exception:  # a timeout, or the scheduler is gone: what became of each is asked below
                pass
        else:
            time.sleep(timeout_s)
        events = [Event(*json.loads(self._said.popleft())) for _ in range(len(self._said))]
        for name, future in list(self._futures.items()):
            if future.done():
                events += self._settle(name, future)
        return events

    def cancel(self, name: str) -> None:
        future = self._futures.get(name)
        if future is None or self._client is None:
            return
        self._stopped.add(name)
        try:
            future.cancel()
            self._client.run(stop, name, on_error="ignore")
        except Exception:  # the scheduler is gone, and with it the task's future
            pass

    def logs(self, name: str) -> str:
        return self._logs.get(name, "")

    def close(self) -> None:
        if self._client is not None:
            self._client.close(timeout=5)

    # Inside

    def _connect(self, timeout_s: float) -> None:
        """Raises ToolError."""
        from distributed import Client

        try:
            client = Client(self._address, timeout=timeout_s, security=self._security, set_as_default=False)
        except (OSError, TimeoutError) as error:
            raise ToolError(
                f"{self._address}: no scheduler answers: {str(error).splitlines()[0] if str(error) else 'timed out'}",
                hint="start one with recomp cluster up; with TLS both sides need certificates of one authority",
            ) from error
        client.subscribe_topic(TOPIC, lambda event: self._said.append(event[1]))
        self._client = client

    def _send(self, name: str) -> None:
        task, at = self._tasks[name]
        kind, until = self._segments[at]
        is_last = at == len(self._segments) - 1
        text = json.dumps({
            "name": name, "payload": task.payload, "store": self._store_url, "until": None if is_last else until,
        })  # fmt: skip
        needs = {kind: 1, **({"private": 1} if task.payload.get("is_private") else {})}
        self._serial += 1
        key = f"recomp-{name}-{task.attempt}-{at}-{self._serial}"
        self._futures[name] = self._client.submit(carry, text, key=key, resources=needs, retries=0, pure=False)

    def _settle(self, name: str, future: Any) -> list[Event]:
        del self._futures[name]
        if future.status == "cancelled" and name not in self._stopped:
            del self._tasks[name]  # nobody did but the client, which has lost its scheduler
            return [Event(name, "died", {"error": GONE, "is_ours": True})]
        self._stopped.discard(name)
        if future.status == "finished":
            kind, facts = json.loads(future.result())
        else:
            kind, facts = "died", {"error": _why(future)}
        task, at = self._tasks[name]
        if kind == "died":
            self._logs[name] = facts.pop("log", "")
        elif facts["status"] == "passed" and at < len(self._segments) - 1:
            self._tasks[name] = (task, at + 1)
            self._send(name)
            return []
        del self._tasks[name]
        return [Event(name, kind, facts)]

    def _lose(self) -> list[Event]:
        """The scheduler is gone: its tasks are given back, and are no worse for it."""
        client, self._client = self._client, None
        self._lost_since = time.monotonic()
        try:
            client.close(timeout=1)
        except Exception:  # half of it is gone already
            pass
        lost = [Event(name, "died", {"error": GONE, "is_ours": True}) for name in self._tasks]
        self._futures.clear()
        self._tasks.clear()
        self._said.clear()
        return lost

    def _reconnect(self, timeout_s: float) -> list[Event]:
        try:
            self._connect(max(timeout_s, 1.0))
            self._lost_since = None
        except ToolError:
            if time.monotonic() - (self._lost_since or time.monotonic()) > self._patience_s:
                raise
            time.sleep(timeout_s)
        return []


def _why(future: Any) -> str:
    if future.status == "cancelled":
        return "it was cancelled"
    error = future.exception()
    name = type(error).__name__
    if name == "KilledWorker":
        return "its worker died"
    if name == "NoValidWorkerError":
        return "no worker of the needed kind has come"
    return f"{name}: {error}"
