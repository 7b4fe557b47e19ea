"""What a run tells while it runs: one method an event, each of which does nothing here."""

from __future__ import annotations

from typing import Any


class Reporter:
    """Subclasses override what they show. Times are seconds."""

    def run_started(self, run_id: str, stages: tuple[str, ...]) -> None: ...

    def round_started(self, number: int, reason: str) -> None: ...

    def stage_started(self, name: str, reason: str) -> None: ...

    def progress(self, name: str, done: float, total: float | None, text: str) -> None: ...

    def message(self, name: str, text: str) -> None: ...

    def stage_finished(self, step: dict[str, Any], found: str, reason: str) -> None: ...

    def run_finished(self, status: str) -> None: ...


class Tee(Reporter):
    """Tells several reporters the same."""

    def __init__(self, *reporters: Reporter) -> None:
        for name in [name for name in vars(Reporter) if not name.startswith("_")]:
            methods = [getattr(reporter, name) for reporter in reporters]
            setattr(self, name, _fan_out(methods))


def _fan_out(methods: list) -> Any:
    def call(*arguments: Any) -> None:
        for method in methods:
            method(*arguments)

    return call
