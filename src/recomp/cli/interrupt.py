"""Signals that ask a program to end, as an exception."""

from __future__ import annotations

import signal

from recomp.engine.context import Interrupted

EXIT_INTERRUPTED = 130
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class interruptible:
    """Within, the signals that ask a program to end raise Interrupted, once: what follows is the way out, which a
    second one does not cut short."""

    def __enter__(self) -> None:
        self._is_ending = False
        self._before = {number: signal.signal(number, self._interrupt) for number in ENDING}

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _interrupt(self, number: int, frame: object) -> None:
        if not self._is_ending:
            self._is_ending = True
            raise Interrupted
