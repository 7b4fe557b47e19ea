"""One line a stage. On a terminal a second, live line tells how far the running stage is; elsewhere there are only
plain lines, and one more a minute so that a long stage does not look dead."""

from __future__ import annotations

import sys
import time
from typing import Any, TextIO

from recomp.cli.text import duration, has_colour, paint, printable, terminal_width
from recomp.engine.reporter import Reporter

LIVE_EVERY_S = 0.1
HEARTBEAT_S = 60.0
NAME_WIDTH = 15


class Lines(Reporter):
    """`stream` gets the finished lines; the live line is drawn on stderr, and only on a terminal."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._live = sys.stderr.isatty()
        self._colour = has_colour(stream)
        self._drawn = False
        self._next_draw = self._next_beat = 0.0
        self._started = 0.0
        self._begun: float | None = None

    def round_started(self, number: int, reason: str) -> None:
        self._line(f"{'':<{NAME_WIDTH}} round {number}: {reason}; lifting what was missed")

    def stage_started(self, name: str, reason: str) -> None:
        self._started = time.monotonic()
        self._next_beat = self._started + HEARTBEAT_S
        self._draw(name, reason)

    def progress(self, name: str, done: float, total: float | None, text: str) -> None:
        now = time.monotonic()
        shown = f"{done:,.0f} of {total:,.0f} {text}" if total else f"{done:,.0f} {text}"
        if total and done:
            left = (now - self._started) * (total - done) / done
            shown += f", {duration(left)} left"
        if self._live and now >= self._next_draw:
            self._next_draw = now + LIVE_EVERY_S
            self._draw(name, shown)
        elif not self._live and now >= self._next_beat:
            self._next_beat = now + HEARTBEAT_S
            self._line(f"{name:<{NAME_WIDTH}} …    {duration(now - self._started):>8}  {shown}")

    def message(self, name: str, text: str) -> None:
        self._line(f"{name:<{NAME_WIDTH}} …              {text}")

    def stage_finished(self, step: dict[str, Any], found: str, reason: str) -> None:
        state, style = ("failed", "red") if step["status"] == "failed" else ("run", "yellow")
        took = duration(step["duration_ms"] / 1000)
        if step["cache_hit"]:
            state, style, took = "reuse", "green", "cached"
        if reason not in ("first time", "nothing changed"):
            found = f"{found} ({reason})" if found else reason
        state = paint(f"{state:<7}", style, self._stream)
        self._line(f"{step['name']:<{NAME_WIDTH}} {state}{took:>8}  {printable(found)}")

    def close(self) -> None:
        self._clear()

    def _line(self, text: str) -> None:
        self._clear()
        print(text.rstrip(), file=self._stream, flush=True)

    def _draw(self, name: str, text: str) -> None:
        if not self._live:
            return
        width = terminal_width() - 1
        age = duration(time.monotonic() - self._started)
        line = printable(f"{name:<{NAME_WIDTH}} …    {age:>8}  {text}")[: max(width, 1)]
        sys.stderr.write(f"\r\x1b[K{line}")
        sys.stderr.flush()
        self._drawn = True

    def _clear(self) -> None:
        if self._drawn:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._drawn = False
