"""Dask distributed as an executor: it carries tasks to workers, and nothing else is asked of it.

A task is a function of this package, by name, with one string. The scheduler may die: its tasks are then reported as
dead through no fault of their own, and submitted again once it is back; what they had finished is in the store.

Every question to the scheduler has a limit, since one that is dying answers none of them. A connection that was lost is
given up whole and made anew: Dask's own client also tries that, but may then wait for ever, and hears no more events.
"""

from __future__ import annotations

import json
import re
import socket
import threading
import time
import uuid
from collections import deque
from typing import Any

from recomp.batch.executor import Event, Task
from recomp.batch.shipping import wanted
from recomp.errors import ConfigError, ToolError

#: how long a scheduler that accepts a connection may take to answer; a busy one takes seconds
CONNECT_S = 30.0
ANSWER_S = 10.0
#: how long a scheduler may be gone before the batch gives up
PATIENCE_S = 600.0
WATCH_EVERY_S = 0.25
TOPIC = "recomp"
GONE = "the scheduler is gone"
_ADDRESS = re.compile(r"(tcp|tls)://.+:\d{1,5}")


def carry(task: str) -> str:
    """On a worker of Dask's: carry out a task, telling the coordinator of its stages.

    A worker that has lost its scheduler is about to end, and would first wait for its task, whose result nobody takes
    any more: the task is ended."""
    from distributed import get_worker

    from recomp.batch.worker import cancel, execute

    worker, name = get_worker(), json.loads(task)["id"]
    over = threading.Event()

    def watch() -> None:
        while not over.wait(WATCH_EVERY_S):
            if worker.status.name in ("closing", "closed", "failed"):
                cancel(name)

    def say(kind: str, facts: dict[str, Any]) -> None:
        worker.log_event(TOPIC, json.dumps([name, kind, facts]))

    say("started", {})
    threading.Thread(target=watch, daemon=True).start()
    try:
        return execute(task, say)
    finally:
        over.set()


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


class _Sent:
    """A task that is with the scheduler: `at` is the segment it is at, those before took `used_s` seconds; `name` is
    unique among all batches."""

    def __init__(self, task: Task, at: int = 0, used_s: float = 0.0) -> None:
        self.task, self.at, self.used_s = task, at, used_s
        self.name = f"recomp-{uuid.uuid4().hex}"
        self.future: Any = None
        self.has_begun = self.is_stopped = False


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
        self._sent: dict[str, _Sent] = {}  # by the unit
        self._said: deque[str] = deque()
        self._news = threading.Event()
        self._logs: dict[str, str] = {}
        self._lost_at = 0.0
        self._slots = 0
        self._counted_at = 0.0
        self._connect()

    # The five

    def capacity(self) -> int:
        """Enough to keep every worker busy and one task waiting behind each."""
        if self._client is None:
            return 0
        if not self._slots or time.monotonic() - self._counted_at > 2.0:
            self._counted_at = time.monotonic()
            try:
                self._slots = max(1, len(self._client.nthreads(callback_timeout=ANSWER_S)))
            except Exception:  # whatever Dask raises when a scheduler is gone: `poll` finds out
                self._slots = max(1, self._slots)
        return max(0, 2 * self._slots - len(self._sent))

    def submit(self, task: Task) -> None:
        self._send(_Sent(task))

    def poll(self, timeout_s: float) -> list[Event]:
        if self._client is None:
            return self._reconnect(timeout_s)
        self._news.wait(timeout_s)
        self._news.clear()
        events = self._heard()
        if self._client.status != "running" or any(sent.future is None for sent in self._sent.values()):
            return events + self._lose()
        for sent in list(self._sent.values()):
            if sent.future.done():
                try:
                    events += self._settle(sent)
                except TimeoutError:
                    pass  # its worker died with the result, perhaps; Dask makes it again, and says so
                except Exception:  # whatever Dask raises when a scheduler is gone
                    return events + self._lose()
        return events

    def cancel(self, name: str) -> None:
        sent = self._sent.get(name)
        if sent is None or self._client is None:
            return
        sent.is_stopped = True
        try:
            sent.future.cancel()  # lest it begin
            self._client.run(stop, sent.name, on_error="ignore", callback_timeout=ANSWER_S)
        except Exception:  # the scheduler is gone, and with it the task
            pass

    def logs(self, name: str) -> str:
        return self._logs.get(name, "")

    def close(self) -> None:
        if self._client is not None:
            _close(self._client, 5)

    # Inside

    def _connect(self) -> None:
        """Raises ToolError."""
        from distributed import Client

        try:
            client = Client(self._address, timeout=CONNECT_S, security=self._security, set_as_default=False)
            client.subscribe_topic(TOPIC, self._hear)
        except Exception as error:  # not only OSError: a handshake that times out is a ValueError of tornado's
            raise ToolError(
                f"{self._address}: no scheduler answers: {str(error).splitlines()[0] if str(error) else 'timed out'}",
                hint="start one with recomp cluster up; with TLS both sides need certificates of one authority",
            ) from error
        self._client = client

    def _hear(self, event: tuple[float, str]) -> None:
        self._said.append(event[1])
        self._news.set()

    def _heard(self) -> list[Event]:
        """What workers have told of this batch's tasks; a scheduler may serve several batches."""
        by_name = {sent.name: sent for sent in self._sent.values()}
        events = []
        for _ in range(len(self._said)):
            name, kind, facts = json.loads(self._said.popleft())
            if sent := by_name.get(name):
                sent.has_begun = True
                events.append(Event(sent.task.name, kind, facts))
        return events

    def _send(self, sent: _Sent) -> None:
        task = sent.task
        self._sent[task.name] = sent
        segment, is_last = self._segments[sent.at], sent.at == len(self._segments) - 1
        text = json.dumps({"id": sent.name, **wanted(task, self._store_url, segment, is_last, sent.used_s)})
        needs = {segment[0]: 1, **({"private": 1} if task.payload.get("is_private") else {})}
        try:
            sent.future = self._client.submit(carry, text, key=sent.name, resources=needs, retries=0, pure=False)
            sent.future.add_done_callback(lambda future: self._news.set())
        except Exception:  # the connection has just been lost: `poll` gives the task back
            sent.future = None

    def _settle(self, sent: _Sent) -> list[Event]:
        """What became of a task whose future is done. Raises whatever Dask does while it loses its scheduler."""
        future, name = sent.future, sent.task.name
        if future.status == "finished":
            kind, facts = json.loads(future.result(timeout=ANSWER_S))
        elif future.status == "cancelled" and not sent.is_stopped:
            raise ConnectionError  # nobody did but the client, which has lost its scheduler
        else:
            kind, facts = _failure(sent)
        del self._sent[name]
        if kind == "died":
            self._logs[name] = facts.pop("log", "")
        elif facts["status"] == "passed" and sent.at < len(self._segments) - 1:
            self._send(_Sent(sent.task, sent.at + 1, sent.used_s + facts["seconds"]))
            return []
        return [Event(name, kind, facts)]

    def _lose(self) -> list[Event]:
        """The scheduler is gone: its tasks are given back, and are no worse for it."""
        client, self._client = self._client, None
        self._lost_at = time.monotonic()
        _close(client, 1)
        lost = [Event(name, "died", {"error": GONE, "is_ours": True}) for name in self._sent]
        self._sent.clear()
        self._said.clear()
        return lost

    def _reconnect(self, timeout_s: float) -> list[Event]:
        """Raises ToolError once patience has ended."""
        try:
            self._knock(timeout_s)
            self._connect()
        except (OSError, ToolError) as error:
            if time.monotonic() - self._lost_at > self._patience_s:
                why = error.message if isinstance(error, ToolError) else f"{self._address}: no scheduler answers"
                raise ToolError(why, hint="the next run goes on from here, once there is a scheduler") from error
            time.sleep(timeout_s)
        return []

    def _knock(self, timeout_s: float) -> None:
        """Raises OSError where nobody listens: quickly, whereas Dask's client would go on trying."""
        host, _, port = self._address.split("://")[1].rpartition(":")
        socket.create_connection((host.strip("[]"), int(port)), timeout=max(timeout_s, 1.0)).close()


def _close(client: Any, limit_s: float) -> None:
    try:
        client.close(timeout=limit_s)
    except Exception:  # half of it is gone already
        client.status = "closed"  # lest it try again, for a minute, when Python lets go of it


def _failure(sent: _Sent) -> tuple[str, dict[str, Any]]:
    if sent.future.status == "cancelled":
        return "died", {"error": "it was cancelled"}
    error = sent.future.exception(timeout=ANSWER_S)
    name = type(error).__name__
    if name == "KilledWorker":
        # a task that waited behind another one on that worker has not done it
        return "died", {"error": "its worker died", "is_ours": not sent.has_begun}
    if name == "NoValidWorkerError":
        return "ended", {
            "status": "needs_review", "seconds": 0.0, "steps": [], "exit_code": 1,
            "error": "no worker of the needed kind has come", "hint": "recomp worker ADDRESS --tags …",
        }  # fmt: skip
    return "died", {"error": f"{name}: {error}"}
