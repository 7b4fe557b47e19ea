"""`recomp status`, `recomp runs` and `recomp log`: what runs did and do."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from typing import Any

from recomp.cli.open import open_layout
from recomp.cli.text import paint, printable
from recomp.config.automation import STEPS
from recomp.config.problems import nearest
from recomp.engine.journal import ACTIVE, current, list_runs, read_events, read_status
from recomp.errors import ConfigError

_STYLE = {"succeeded": "green", "failed": "red", "blocked": "red", "interrupted": "red", "running": "yellow"}
FOLLOW_EVERY_S = 0.2


def status(options: argparse.Namespace) -> int:
    layout = open_layout(options.config)
    number = options.run if options.run is not None else current(layout.runs_dir)
    found = None if number is None else read_status(layout.runs_dir, number)
    if found is None and options.run is not None:
        raise ConfigError(f"status: no run {number} is remembered", hint="recomp runs lists them")
    if found is None:
        raise ConfigError("status: no run is remembered", hint="recomp automate starts one")
    if options.json:
        print(json.dumps(found, indent=2))
        return 0
    state = paint(found["state"], _STYLE.get(found["state"], "dim"), sys.stdout)
    print(f"run {found['run']} ({found['run_id'] or 'not started'}): {state}, since {found['requested_at']}")
    if found["stage"]:
        print(f"  stage      {found['stage']}")
    print(f"  done       {found['stages_done']} of {len(found['stages'])} stages, {found['stages_cached']} cached")
    if found["error"]:
        print(f"  error      {printable(found['error'])}")
    for event in read_events(layout.runs_dir, found["run"]):
        if event.get("event") == "recomp.run.stage.completed":
            word = "reuse" if event["cache_hit"] else "run" if event["status"] == "succeeded" else "failed"
            print(f"  {event['stage']:<15} {word:<7} {printable(event['found'])}")
    return 0


def runs(options: argparse.Namespace) -> int:
    layout = open_layout(options.config)
    found = [read_status(layout.runs_dir, number) for number in list_runs(layout.runs_dir)]
    known: list[dict[str, Any]] = [item for item in found if item is not None]
    if options.json:
        print(json.dumps(known, indent=2))
        return 0
    for item in known:
        state = paint(f"{item['state']:<12}", _STYLE.get(item["state"], "dim"), sys.stdout)
        share = f"{item['stages_cached']} of {item['stages_done']} cached"
        print(f"{item['run']:>6}  {item['requested_at']}  {state} {item['run_id'] or '-':<21} {share}")
    return 0


def log(options: argparse.Namespace) -> int:
    """Print (and with -f follow) what a stage wrote to stdout and stderr."""
    layout = open_layout(options.config)
    streams = ["stdout", "stderr"] if options.stream == "both" else [options.stream]
    paths = [os.path.join(layout.log_dir, f"{options.stage}.{stream}.log") for stream in streams]
    if not options.follow and not any(os.path.exists(path) for path in paths):
        if options.stage not in STEPS:
            near = nearest(options.stage, list(STEPS))
            hint = f"did you mean {near}?" if near else None
            raise ConfigError(f"log: found {options.stage!r}, expected a stage: {', '.join(STEPS)}", hint=hint)
        raise ConfigError(
            f"log: stage {options.stage!r} has no log: it has not run, or is built in and starts no program",
            hint=f"logs are in {layout.log_dir}; recomp status says what the stage made",
        )
    offsets = dict.fromkeys(paths, 0)
    while True:
        for path in paths:
            offsets[path] = _print_from(path, offsets[path])
        if not options.follow or not _is_running(layout.runs_dir):
            return 0
        time.sleep(FOLLOW_EVERY_S)


def _print_from(path: str, offset: int) -> int:
    try:
        with open(path, "rb") as file:
            file.seek(offset)
            data = file.read()
    except FileNotFoundError:
        return 0
    sys.stdout.write(printable_log(data.decode("utf-8", "replace")))
    sys.stdout.flush()
    return offset + len(data)


def printable_log(text: str) -> str:
    """A log as it may be shown on a terminal; tabs stay."""
    return "\t".join(printable(part) for part in text.split("\t"))


def _is_running(runs_dir: str) -> bool:
    number = current(runs_dir)
    found = None if number is None else read_status(runs_dir, number)
    return found is not None and found["state"] in ACTIVE
