"""`recomp report`: the page of the last run, made from the files that it left."""

from __future__ import annotations

import argparse
import os

from recomp.cli.open import open_layout
from recomp.cli.text import shown
from recomp.engine.layout import Layout
from recomp.errors import ConfigError, RecompError


def command(options: argparse.Namespace) -> int:
    from recomp.report import report_run

    layout = open_layout(options.config)
    if not os.path.exists(layout.run_manifest):
        raise ConfigError("report: there is no run yet", hint="recomp automate starts one")
    print(shown(str(report_run(layout.run_manifest, options.out or page_path(layout)))))
    return 0


def page_path(layout: Layout) -> str:
    return os.path.join(layout.work_root, "report.html")


def write_page(layout: Layout, title: str) -> str | None:
    """The page of the run that has just ended, or None where it cannot be made: a run does not fail for its page."""
    from recomp.report import report_run

    try:
        return str(report_run(layout.run_manifest, page_path(layout), title=title))
    except (RecompError, OSError):
        return None
