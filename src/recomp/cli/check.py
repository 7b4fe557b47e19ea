"""`recomp check`: everything that can be known to be wrong without running anything."""

from __future__ import annotations

import argparse
import json

from recomp.cli.text import plain, print_error
from recomp.config import project as projects
from recomp.engine.fingerprint import StatCache
from recomp.errors import RecompError
from recomp.stages.archive import check_batch
from recomp.stages.preflight import check_folders, check_inputs, check_module, check_reference, check_secrets


def command(options: argparse.Namespace) -> int:
    """Configuration, inputs and folders; all problems of each kind at once."""
    found: list[RecompError] = []
    try:
        project = projects.load(options.config)
        tests = (
            lambda: check_secrets(project),
            lambda: check_inputs(project, StatCache()),
            lambda: check_folders(project),
            lambda: check_batch(project),
            lambda: check_module(project),
            lambda: check_reference(project),
        )
        for test in tests:
            try:
                test()
            except RecompError as error:
                found.append(error)
    except RecompError as error:
        found.append(error)
    if options.json:
        print(json.dumps({"ok": not found, "problems": [item for error in found for item in plain(error)]}, indent=2))
    else:
        for item in found:
            print_error(item)
        if not found:
            print(f"{options.config}: nothing is wrong")
    return found[0].exit_code if found else 0
