"""What carries out the work of a batch: five methods, whoever stands behind them.

An executor is given tasks and tells what became of them. It owns no order, no retries and no cache: those are the
coordinator's and the store's, so that any engine can carry a task, and one that dies takes nothing with it.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

#: the kinds of worker that a stage may need
RESOURCES = ("build", "capture", "gpu")


class Task(NamedTuple):
    """One attempt at a unit. `payload` is plain JSON: what it holds is between the executor and its workers."""

    name: str
    attempt: int
    payload: dict[str, Any]


class Event(NamedTuple):
    """`kind`: "started", "stage" (one began), "step" (one is settled), "ended" (the attempt is over, `facts` is its
    outcome) or "died" (its worker is gone without a word, or the executor is)."""

    task: str
    kind: str
    facts: dict[str, Any]


class Executor(Protocol):
    def submit(self, task: Task) -> None: ...

    def poll(self, timeout_s: float) -> list[Event]:
        """What happened since, waiting up to `timeout_s` seconds for something to happen."""
        ...

    def cancel(self, name: str) -> None:
        """End a task and everything that it started; it is then reported as "died" unless it had ended before."""
        ...

    def logs(self, name: str) -> str:
        """The end of what a task and its worker wrote last."""
        ...

    def capacity(self) -> int:
        """How many more tasks it can use now."""
        ...


def passed(facts: dict[str, Any]) -> bool:
    return facts.get("status") == "passed"
