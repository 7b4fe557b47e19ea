"""The coordinator: which unit goes next, what became of each, and what that means for the batch.

One process and one loop. Titles take turns, and the variants of a title run one after the other, so that what they
share is made once and found by the rest. A unit whose worker died is tried again, later and later; one that keeps
killing workers is set aside as `needs_review`. Nothing here is needed to be right twice: results are the store's, and
after a kill the next run finds everything that was finished.
"""

from __future__ import annotations

import heapq
import os
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from recomp.batch.executor import Event, Executor, Task
from recomp.batch.ledger import Ledger, Regression, regressions
from recomp.batch.units import Unit
from recomp.engine.context import Interrupted

#: the wait before the first retry; each further one is twice as long, up to the limit
BACKOFF_S = 1.0
BACKOFF_LIMIT_S = 60.0
POLL_S = 0.5
#: how long cancelled tasks may take to be gone
CANCEL_GRACE_S = 30.0


class Progress:
    """Where a run of a batch stands, for whoever shows it. Times are seconds of the monotonic clock."""

    def __init__(self, total: int, slots: int) -> None:
        self.total, self.slots = total, slots
        self.started = time.monotonic()
        self.done = {"passed": 0, "failed": 0, "needs_review": 0}
        self.running: dict[str, tuple[str, float]] = {}  # unit → (stage, since when)
        self.steps = self.cached = self.retries = 0
        self.busy_s = 0.0

    @property
    def ended(self) -> int:
        return sum(self.done.values())

    def eta_s(self) -> float | None:
        """Seconds to go at the pace so far; None before there is one."""
        left = self.total - self.ended
        return (time.monotonic() - self.started) / self.ended * left if self.ended else None


class View:
    """What a batch tells while it runs; each method does nothing here."""

    def begun(self, progress: Progress) -> None: ...

    def ended(self, unit: str, status: str, facts: dict[str, Any], progress: Progress) -> None: ...

    def said(self, unit: str, text: str) -> None: ...

    def tick(self, progress: Progress) -> None: ...

    def close(self) -> None: ...


class Result(NamedTuple):
    """`state`: "finished", "cancelled" or "refused" (`refusals` says by which gate)."""

    state: str
    number: int
    seconds: float
    counts: dict[str, int]
    steps: int
    cached: int
    retries: int
    regressions: list[Regression]
    refusals: list[str] = []


class Coordinator:
    def __init__(
        self,
        units: Iterable[Unit],
        ledger: Ledger,
        executor: Executor,
        view: View,
        *,
        payload: Callable[[Unit], dict[str, Any]],
        fingerprint: Callable[[Unit], str],
        retries: int,
        admit: Callable[[Unit], str | None] = lambda unit: None,
        spent: Callable[[Unit, float], None] = lambda unit, seconds: None,
        arrived: Callable[[Unit, dict[str, Any]], None] = lambda unit, facts: None,
        backoff_s: float = BACKOFF_S,
    ) -> None:
        """`payload` is what the executor's workers are given. `admit` answers why a unit may not start, or None;
        `spent` is told how many seconds each attempt took; `arrived` may change an outcome before it is noted."""
        self.ledger, self.executor, self.view = ledger, executor, view
        self._payload, self._fingerprint, self._retries = payload, fingerprint, retries
        self._admit, self._spent, self._backoff_s = admit, spent, backoff_s
        self._is_held, self._arrived = False, arrived
        self._titles: dict[str, deque[Unit]] = {}
        for unit in units:
            self._titles.setdefault(unit.title, deque()).append(unit)
        self.names = [unit.name for title in self._titles.values() for unit in title]
        self._ready = deque(self._titles)
        self._delayed: list[tuple[float, int, str]] = []
        self._active: dict[str, Unit] = {}
        self._attempts: dict[str, int] = {}
        self._cancel_path = os.path.join(ledger.folder, "cancel")
        self.progress = Progress(len(self.names), max(1, executor.capacity()))
        self._refusals: list[str] = []

    def run(self) -> Result:
        """Run every unit. Raises Interrupted after having cancelled what was under way."""
        if os.path.exists(self._cancel_path):
            os.unlink(self._cancel_path)
        self.view.begun(self.progress)
        try:
            while self._step():
                pass
            state = "refused" if self._refusals else "cancelled" if os.path.exists(self._cancel_path) else "finished"
        except Interrupted:
            self._cancel_all()
            raise
        finally:
            self.view.close()
        return self._result(state)

    def _step(self) -> bool:
        """One turn of the loop; False when there is nothing left to do."""
        if os.path.exists(self._cancel_path):
            self._cancel_all()
            return False
        now = time.monotonic()
        while self._delayed and self._delayed[0][0] <= now:
            self._ready.append(heapq.heappop(self._delayed)[2])
        self._is_held = False
        while self._ready and not self._refusals and not self._is_held and self.executor.capacity() > 0:
            self._start(self._ready.popleft())
        if not self._active and (self._refusals or not (self._ready or self._delayed)):
            return False
        wait = min(POLL_S, max(0.0, self._delayed[0][0] - now)) if self._delayed else POLL_S
        for event in self.executor.poll(wait):
            self._handle(event)
        self.view.tick(self.progress)
        return True

    # Starting

    def _start(self, title: str) -> None:
        unit = self._titles[title][0]
        if self._is_set_aside(unit):
            self._leave(unit, "needs_review", self.ledger.entries[unit.name])
            return
        refusal = self._admit(unit)
        if refusal is not None:
            self._ready.appendleft(title)
            self._is_held = bool(self._active)  # what runs now may cost less than the worst that was set aside for it
            if not self._is_held:
                self._refusals.append(f"{unit.name}: {refusal}")
            return
        attempt = self._attempts[unit.name] = self._attempts.get(unit.name, 0) + 1
        self._active[unit.name] = unit
        self.progress.running[unit.name] = ("", time.monotonic())
        self.ledger.set_unit(unit.name, status="running", attempt=attempt)
        self.executor.submit(Task(unit.name, attempt, self._payload(unit)))

    def _is_set_aside(self, unit: Unit) -> bool:
        """Whether it killed its workers the last time, and is still the same."""
        entry = self.ledger.entries.get(unit.name, {})
        if entry.get("status") != "needs_review" or self._attempts.get(unit.name):
            return False
        return entry.get("fingerprint") == self._fingerprint(unit)

    # What happens

    def _handle(self, event: Event) -> None:
        unit = self._active.get(event.task)
        if unit is None:
            return
        if event.kind == "stage":
            self.progress.running[unit.name] = (event.facts["stage"], self.progress.running[unit.name][1])
        elif event.kind == "step":
            self.progress.steps += 1
            self.progress.cached += event.facts["cache_hit"]
        elif event.kind == "ended":
            self._ended(unit, event.facts)
        elif event.kind == "died":
            self._died(unit, event.facts)

    def _ended(self, unit: Unit, facts: dict[str, Any]) -> None:
        self._settle(unit)
        if facts.get("exit_code") == 3:  # a gate on the worker refused: nothing of it ran
            self.ledger.set_unit(unit.name, status="pending", error=facts["error"])
            self._refusals.append(f"{unit.name}: {facts['error']}")
            return
        self._arrived(unit, facts)
        kept = {key: facts.get(key) for key in ("run_id", "error", "hint", "seconds", "artifacts", "page")}
        steps = facts.get("steps") or []
        cached = sum(step["cache_hit"] for step in steps)
        status = facts["status"]
        self.ledger.set_unit(unit.name, status=status, steps=[len(steps), cached], deaths=0, **kept)
        self._leave(unit, status, facts)

    def _died(self, unit: Unit, facts: dict[str, Any]) -> None:
        self._settle(unit)
        deaths = self.ledger.entries.get(unit.name, {}).get("deaths", 0) + (not facts.get("is_ours"))
        error = facts.get("error") or "its worker died"
        if deaths > self._retries:
            log = self.executor.logs(unit.name)[-2000:]
            error = f"set aside after {deaths} workers died of it: {error}"
            self.ledger.set_unit(
                unit.name, status="needs_review", error=error, deaths=0, log=log, fingerprint=self._fingerprint(unit),
                artifacts=[], page=None, steps=[0, 0],
            )  # fmt: skip
            self._leave(unit, "needs_review", {"error": error})
            return
        self.progress.retries += 1
        self.ledger.set_unit(unit.name, status="pending", error=error, deaths=deaths)
        wait = min(self._backoff_s * 2 ** max(0, deaths - 1), BACKOFF_LIMIT_S)
        self.view.said(unit.name, f"{error}; tried again in {wait:.3g} s")
        heapq.heappush(self._delayed, (time.monotonic() + wait, len(self._delayed), unit.title))

    def _settle(self, unit: Unit) -> None:
        self._spent(unit, time.monotonic() - self.progress.running[unit.name][1])
        self._forget(unit)

    def _forget(self, unit: Unit) -> None:
        del self._active[unit.name]
        self.progress.busy_s += time.monotonic() - self.progress.running.pop(unit.name)[1]

    def _leave(self, unit: Unit, status: str, facts: dict[str, Any]) -> None:
        """Done with a unit: its title's next one may go, after the other titles."""
        self.progress.done[status] += 1
        waiting = self._titles[unit.title]
        waiting.popleft()
        if waiting:
            self._ready.append(unit.title)
        self.view.ended(unit.name, status, facts, self.progress)

    def _cancel_all(self) -> None:
        for name in list(self._active):
            self.executor.cancel(name)
        until = time.monotonic() + CANCEL_GRACE_S
        while self._active and time.monotonic() < until:
            for event in self.executor.poll(POLL_S):
                if event.kind in ("ended", "died") and (unit := self._active.get(event.task)):
                    if event.kind == "ended":
                        self._ended(unit, event.facts)
                    else:
                        self._settle(unit)
                        self.ledger.set_unit(unit.name, status="pending")
        for name in list(self._active):
            self.ledger.set_unit(name, status="pending")

    def _result(self, state: str) -> Result:
        progress = self.progress
        seconds = time.monotonic() - progress.started
        statuses = [self.ledger.entries.get(name, {}).get("status", "pending") for name in self.names]
        counts = {s: statuses.count(s) for s in ("passed", "failed", "needs_review", "pending")}
        found = regressions(self.ledger.baseline, self.ledger.entries, self.names) if state == "finished" else []
        return Result(state, self.ledger.number, seconds, counts, progress.steps, progress.cached, progress.retries,
                      found, self._refusals)  # fmt: skip
