"""Python's search for garbage cycles, paused while a program is translated.

Translation makes millions of small objects that nearly all live until it is done, and some hundred cycles: looking for
those again and again took a seventh of the time.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    """For the time of a `with`, or of the function that it decorates."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
