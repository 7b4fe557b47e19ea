"""`recomp explain` and `recomp automate --dry-run`: what would run, and why."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from recomp.cli.automate import Options
from recomp.cli.open import Opened, open_project
from recomp.cli.text import paint
from recomp.engine.decide import describe
from recomp.engine.explain import CACHED, MAY_RUN, WILL_RUN, Forecast, forecast
from recomp.engine.journal import list_runs, read_events, read_status
from recomp.errors import ConfigError

_STYLE = {CACHED: "green", MAY_RUN: "blue", WILL_RUN: "yellow"}


def command(options: argparse.Namespace) -> int:
    opened = open_project(options.config)
    against = _ingredients(opened, options.against) if options.against is not None else None
    found = forecast(opened.prepared.plan, opened.store, opened.prepared.hashes, opened.state, against)
    names = [item.name for item in found]
    if options.stage is not None and options.stage not in names:
        raise ConfigError(f"explain: found {options.stage!r}, expected one of {', '.join(names)}")
    chosen = [item for item in found if options.stage in (None, item.name)]
    if options.json:
        print(json.dumps([_plain(item) for item in chosen], indent=2))
    else:
        print_forecast(chosen, details=options.stage is not None)
    return 0


def dry_run(options: Options) -> int:
    """The forecast for `automate --dry-run`; with --exit-code 1 unless everything is cached."""
    opened = open_project(options.config)
    found = forecast(opened.prepared.plan, opened.store, opened.prepared.hashes, opened.state)
    if options.json:
        print(json.dumps([_plain(item) for item in found], indent=2))
    else:
        print_forecast(found, details=False)
    return 1 if options.exit_code and any(item.state != CACHED for item in found) else 0


def print_forecast(found: list[Forecast], *, details: bool) -> None:
    for item in found:
        state = paint(f"{item.state:<9}", _STYLE[item.state], sys.stdout)
        print(f"{item.name:<15} {state} {item.reason}")
        if details:
            for change in item.changes:
                print(f"    {describe(*change)}")
            for kind in ("command", "inputs", "config", "tools", "upstream"):
                _print_ingredient(kind, item.ingredients.get(kind))


def _print_ingredient(kind: str, value: Any) -> None:
    if isinstance(value, dict):
        for name, inner in sorted(value.items()):
            text = inner if isinstance(inner, str) else json.dumps(inner, sort_keys=True)
            print(f"    {kind:<9}{name:<28} {text if len(text) <= 64 else text[:63] + '…'}")
    elif value is not None:
        print(f"    {kind:<9}{json.dumps(value)}")


def _plain(item: Forecast) -> dict[str, Any]:
    changes = [{"kind": k, "name": n, "old": old, "new": new} for k, n, old, new in item.changes]
    return {
        "stage": item.name, "state": item.state, "reason": item.reason, "cache_key": item.key, "changes": changes,
        "ingredients": item.ingredients,
    }  # fmt: skip


def _is_key(value: Any) -> bool:
    return isinstance(value, str) and len(value) == 64 and value.isalnum()


def _ingredients(opened: Opened, run: str) -> dict[str, dict[str, Any]]:
    """What each stage of an earlier run was made from, however that ended."""
    runs_dir = opened.layout.runs_dir
    numbers = [n for n in list_runs(runs_dir) if run == str(n) or run == (read_status(runs_dir, n) or {}).get("run_id")]
    if not numbers:
        raise ConfigError(f"explain: no run {run} is remembered", hint="recomp runs lists them")
    done = [e for e in read_events(runs_dir, numbers[-1]) if e.get("event") == "recomp.run.stage.completed"]
    keys = {e["stage"]: e["cache_key"] for e in done if isinstance(e.get("stage"), str) and _is_key(e.get("cache_key"))}
    if not keys:
        raise ConfigError(f"explain: run {run} came to the end of no stage", hint="recomp runs lists others")
    records = {name: opened.store.action(key) for name, key in keys.items()}
    return {name: record["ingredients"] for name, record in records.items() if record is not None}
