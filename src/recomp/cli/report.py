"""The page that every run leaves behind (`recomp report` is in judge.py)."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from recomp.engine.layout import Layout
from recomp.errors import RecompError


def page_path(layout: Layout) -> str:
    return os.path.join(layout.work_root, "report.html")


def history_of(layout: Layout) -> Callable[[Mapping[str, Any] | None, float], Mapping[str, Sequence[str]]]:
    """What asks the journal and the store of a project for the digests that scenes had before."""
    from recomp.engine.store import Store
    from recomp.report.history import digest_history

    return lambda timeline, fps: digest_history(layout.runs_dir, Store(layout.store_dir), timeline, fps)


def write_page(layout: Layout, title: str) -> str | None:
    """The page of the run that has just ended, or None where it cannot be made: a run does not fail for its page."""
    from recomp.report import report_run

    try:
        return str(report_run(layout.run_manifest, page_path(layout), title=title, history=history_of(layout)))
    except (RecompError, OSError):
        return None
