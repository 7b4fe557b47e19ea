"""`recomp batch status`, `cancel` and `report`."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time

from recomp.batch.ledger import Ledger, counts, title_status
from recomp.batch.units import units
from recomp.cli.batch_table import STYLE
from recomp.cli.text import duration, paint, printable, shown
from recomp.config.batch import load
from recomp.engine.lock import Lock
from recomp.errors import ConfigError, LockError

CANCEL_WAIT_S = 60.0


def status(options: argparse.Namespace) -> int:
    manifest = load(options.manifest)
    ledger = Ledger(manifest.work_root)
    is_running = _is_locked(ledger)
    found: dict[str, dict[str, str]] = {}
    for unit in units(manifest):
        state = ledger.status_of(unit)
        # what a killed coordinator left "running" is not
        found.setdefault(unit.title, {})[unit.variant] = "pending" if state == "running" and not is_running else state
    titles = {title: title_status(list(variants.values())) for title, variants in found.items()}
    if options.json:
        rows = [{"title_id": title, "status": titles[title], "variants": found[title]} for title in titles]
        print(json.dumps({"batch_id": manifest.raw["batch_id"], "running": is_running, "titles": rows}, indent=2))
        return 0
    total = counts(list(titles.values()))
    words = ", ".join(paint(f"{n} {state}", STYLE[state], sys.stdout) for state, n in total.items() if n)
    print(f"{manifest.raw['batch_id']}{' (a run is under way)' if is_running else ''}: {words or 'no titles'}")
    for title, variants in found.items():
        for variant, state in variants.items():
            name = title if variant == "default" else f"{title}/{variant}"
            if state in ("failed", "needs_review", "running") or options.all:
                entry = ledger.entries.get(name, {})
                error = (entry.get("error") or "").split("\n")[0]
                print(f"  {paint(f'{state:<13}', STYLE[state], sys.stdout)} {name}  {printable(error)}".rstrip())
                if error and entry.get("hint"):
                    print(f"  {'':13} hint: {printable(entry['hint'])}")
    return 0


def _is_locked(ledger: Ledger) -> bool:
    if not os.path.isdir(ledger.folder):
        return False
    lock = Lock(ledger.folder)
    try:
        lock.acquire()
    except LockError:
        return True
    lock.release()
    return False


def cancel(options: argparse.Namespace) -> int:
    """Ask the coordinator to stop; what is under way is ended, what is done stays done."""
    manifest = load(options.manifest)
    ledger = Ledger(manifest.work_root)
    if not _is_locked(ledger):
        raise ConfigError(f"batch cancel: no run of {manifest.raw['batch_id']} is under way",
                          hint="recomp batch status says where it stands")  # fmt: skip
    with open(os.path.join(ledger.folder, "cancel"), "w", encoding="ascii"):
        pass
    started = time.monotonic()
    while _is_locked(ledger):
        if time.monotonic() - started > CANCEL_WAIT_S:
            raise LockError("batch cancel: the run has been asked to stop and has not yet", hint="wait for it")
        time.sleep(0.05)
    print(f"{manifest.raw['batch_id']}: cancelled after {duration(time.monotonic() - started)}")
    return 0


def report(options: argparse.Namespace) -> int:
    from recomp.report.batch import write_batch_report

    manifest = load(options.manifest)
    ledger = Ledger(manifest.work_root)
    if not ledger.entries:
        raise ConfigError("batch report: the batch has not run yet", hint="recomp batch run MANIFEST")
    path = options.to or os.path.join(manifest.work_root, "batch-report.html")
    facts = [{"unit": u.name, "title": u.entry["title_name"], **ledger.entries.get(u.name, {"status": "pending"})}
             for u in units(manifest)]  # fmt: skip
    write_batch_report(path, manifest.raw["batch_id"], facts, ledger.history())
    print(shown(os.path.abspath(path)))
    if options.open:
        import webbrowser

        webbrowser.open(f"file://{os.path.abspath(path)}")
    return 0


ACTIONS = {"status": status, "cancel": cancel, "report": report}
