"""The page that every run leaves behind (`recomp report` is in judge.py)."""

from __future__ import annotations

import os

from recomp.engine.layout import Layout
from recomp.errors import RecompError


def page_path(layout: Layout) -> str:
    return os.path.join(layout.work_root, "report.html")


def write_page(layout: Layout, title: str) -> str | None:
    """The page of the run that has just ended, or None where it cannot be made: a run does not fail for its page."""
    from recomp.report import report_run

    try:
        return str(report_run(layout.run_manifest, page_path(layout), title=title))
    except (RecompError, OSError):
        return None
