"""`recomp report` and `recomp accept`: look at a stored run, and decide about what it shows."""

from __future__ import annotations

import argparse
import getpass
import json
import os

from recomp.cli.open import open_layout
from recomp.cli.report import history_of
from recomp.cli.run_files import stored_run
from recomp.config import project as projects
from recomp.engine.separation import check_separation
from recomp.errors import ConfigError


def report(options: argparse.Namespace) -> int:
    """Write the page of the last run, or of an earlier one; nothing is run again."""
    from recomp.report import report_run

    project = projects.load(options.config)
    layout = open_layout(options.config)
    out = options.to
    if out is None and options.run is not None:
        out = os.path.join(layout.work_root, f"report-{options.run:06d}.html")
    if out is not None and (os.path.isdir(out) or not os.path.isdir(os.path.dirname(os.path.abspath(out)))):
        what = "is a folder" if os.path.isdir(out) else "its folder is not there"
        raise ConfigError(f"--to: {out}: {what}, expected a file to write")
    if out is not None:
        check_separation((), (os.path.abspath(out),))  # it has pictures of the game
    with stored_run(options.config, options.run) as manifest:
        path = report_run(manifest, out, title=str(project.title["title"]), history=history_of(layout))
    if options.json:
        print(json.dumps({"report": str(path)}))
    else:
        print(os.path.relpath(path))
    if options.open:
        import webbrowser

        webbrowser.open(path.resolve().as_uri())
    return 0


def accept(options: argparse.Namespace) -> int:
    """Write a decision about one scene of a stored run beside its reference."""
    from recomp.media.approvals import accept as decide
    from recomp.report.from_run import lists_of_run, read_json, validation_of_run

    project = projects.load(options.config)
    if project.reference is None:
        raise ConfigError("accept: this project has no reference", hint="set [reference] reference_video_toml")
    with stored_run(options.config, options.run) as path:
        manifest = read_json(path)
        found = validation_of_run(manifest, path.parent)
        if found is None:
            which = "the last run" if options.run is None else f"run {options.run}"
            raise ConfigError(f"accept: {which} compared nothing", hint="run recomp automate first")
        decision = decide(
            project.resolve("reference_video_toml", "approvals.toml"),
            found,
            lists_of_run(manifest, path.parent),
            scene=options.scene,
            because=options.because,
            who=options.who or getpass.getuser(),
            platform=options.platform,
            status="negative" if options.bad else "positive",
        )
    verb = "is known bad" if options.bad else "is approved"
    print(f"scene {decision.scene!r} {verb} as {decision.digest[:12]}: {decision.why}")
    return 0
