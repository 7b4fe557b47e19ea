"""What a batch shows while it runs: a live table on a terminal, a line for each unit that ended elsewhere."""

from __future__ import annotations

import sys
import time
from typing import Any, TextIO

from recomp.batch.coordinator import Progress, View
from recomp.cli.text import duration, has_colour, paint, printable, terminal_width

LIVE_EVERY_S = 0.2
HEARTBEAT_S = 60.0
STYLE = {"passed": "green", "failed": "red", "needs_review": "yellow", "running": "blue", "pending": "dim"}
#: rows of running units that are shown
MOST_ROWS = 12


class Table(View):
    """`stream` gets a line for each unit that did not pass from cache (all of them where there is no terminal); the
    table is drawn on stderr, below them."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._live = sys.stderr.isatty()
        self._rows = 0
        self._next = self._beat = 0.0

    def begun(self, progress: Progress) -> None:
        self._beat = time.monotonic() + HEARTBEAT_S
        units = f"{progress.total} unit{'s'[: progress.total != 1]}"
        self._line(f"{units}, {progress.slots} at once")

    def ended(self, unit: str, status: str, facts: dict[str, Any], progress: Progress) -> None:
        steps = facts.get("steps") or []
        if steps and isinstance(steps[0], dict):
            cached = sum(step["cache_hit"] for step in steps)
            share = f"{cached} of {len(steps)} cached"
            is_quiet = self._live and status == "passed" and cached == len(steps)
        else:
            share, is_quiet = "", False
        if is_quiet:
            return
        took = duration(facts["seconds"]) if isinstance(facts.get("seconds"), int | float) else ""
        word = paint(f"{status:<13}", STYLE[status], self._stream)
        what = (facts.get("error") or share).splitlines()[:1]
        self._line(f"{word}{took:>9}  {unit}  {printable(what[0]) if what else ''}")

    def said(self, unit: str, text: str) -> None:
        self._line(f"{'…':<13}{'':>9}  {unit}  {printable(text)}")

    def tick(self, progress: Progress) -> None:
        now = time.monotonic()
        if self._live and now >= self._next:
            self._next = now + LIVE_EVERY_S
            self._draw(progress, now)
        elif not self._live and now >= self._beat:
            self._beat = now + HEARTBEAT_S
            self._line(summary(progress))

    def close(self) -> None:
        self._clear()

    def _line(self, text: str) -> None:
        self._clear()
        print(text.rstrip(), file=self._stream, flush=True)

    def _draw(self, progress: Progress, now: float) -> None:
        self._clear()
        width = max(terminal_width() - 1, 20)
        rows = [summary(progress)]
        oldest = sorted(progress.running.items(), key=lambda item: item[1][1])
        for unit, (stage, since) in oldest[:MOST_ROWS]:
            rows.append(f"  {stage or 'starting':<15}{duration(now - since):>9}  {unit}")
        if len(oldest) > MOST_ROWS:
            rows.append(f"  and {len(oldest) - MOST_ROWS} more")
        bold = has_colour(sys.stderr)
        for number, row in enumerate(rows):
            text = printable(row)[:width]
            sys.stderr.write((f"\x1b[1m{text}\x1b[0m" if bold and not number else text) + "\n")
        sys.stderr.flush()
        self._rows = len(rows)

    def _clear(self) -> None:
        if self._rows:
            sys.stderr.write(f"\x1b[{self._rows}A\x1b[J")
            sys.stderr.flush()
            self._rows = 0


def summary(progress: Progress) -> str:
    """Units by state, the share of stages that were cached, and how long it will take."""
    done = ", ".join(f"{count} {state}" for state, count in progress.done.items() if count or state == "passed")
    parts = [f"{progress.ended} of {progress.total} done: {done}, {len(progress.running)} running"]
    if progress.steps:
        parts.append(f"{100 * progress.cached // progress.steps} % of stages cached")
    if progress.retries:
        parts.append(f"{progress.retries} tried again")
    left = progress.eta_s()
    if left is not None and progress.ended < progress.total:
        parts.append(f"{duration(left)} left")
    return "; ".join(parts)
