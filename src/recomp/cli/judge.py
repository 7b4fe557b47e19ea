"""`recomp report` and `recomp accept`: look at the stored run, and decide about what it shows."""

from __future__ import annotations

import argparse
import getpass
import json
import os
from pathlib import Path

from recomp.cli.open import open_layout
from recomp.cli.report import history_of
from recomp.config import project as projects
from recomp.errors import ConfigError


def report(options: argparse.Namespace) -> int:
    """Write the page of the last run; nothing is run again."""
    from recomp.report import report_run

    project = projects.load(options.config)
    manifest = _manifest(options.config)
    history = history_of(open_layout(options.config))
    path = report_run(manifest, options.to, title=str(project.title["title"]), history=history)
    if options.json:
        print(json.dumps({"report": str(path)}))
    else:
        print(os.path.relpath(path))
    if options.open:
        import webbrowser

        webbrowser.open(path.resolve().as_uri())
    return 0


def accept(options: argparse.Namespace) -> int:
    """Write a decision about one scene of the last run beside its reference."""
    from recomp.media.approvals import accept as decide
    from recomp.report.from_run import lists_of_run, read_json, validation_of_run

    project = projects.load(options.config)
    if project.reference is None:
        raise ConfigError("accept: this project has no reference", hint="set [reference] reference_video_toml")
    manifest_path = _manifest(options.config)
    manifest = read_json(manifest_path)
    found = validation_of_run(manifest, manifest_path.parent)
    if found is None:
        raise ConfigError("accept: the last run compared nothing", hint="run recomp automate first")
    decision = decide(
        project.resolve("reference_video_toml", "approvals.toml"),
        found,
        lists_of_run(manifest, manifest_path.parent),
        scene=options.scene,
        because=options.because,
        who=options.who or getpass.getuser(),
        platform=options.platform,
        status="negative" if options.bad else "positive",
    )
    verb = "is known bad" if options.bad else "is approved"
    print(f"scene {decision.scene!r} {verb} as {decision.digest[:12]}: {decision.why}")
    return 0


def _manifest(config: str) -> Path:
    path = Path(open_layout(config).run_manifest)
    if not path.exists():
        raise ConfigError(f"{path}: there is no run yet", hint="run recomp automate first")
    return path
