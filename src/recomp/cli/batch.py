"""`recomp batch run` and `retry`: a catalogue of titles, brought up to date."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from typing import Any

from recomp.batch.asking import Door
from recomp.batch.coordinator import Coordinator, Result
from recomp.batch.executor import Executor
from recomp.batch.ledger import Ledger, snapshot
from recomp.batch.local import LocalExecutor
from recomp.batch.local_work import local_work, stat_fingerprint
from recomp.batch.units import Unit, units
from recomp.cli.batch_table import STYLE, Table
from recomp.cli.interrupt import EXIT_INTERRUPTED, interruptible
from recomp.cli.text import duration, paint, print_error, printable, shown
from recomp.config.batch import Manifest, load
from recomp.engine.context import Interrupted
from recomp.engine.files import write_atomic
from recomp.engine.fingerprint import StatCache
from recomp.engine.lock import Lock
from recomp.errors import ConfigError, GateError, RecompError

MANIFEST_NAME = "batch-manifest.json"


def run(options: argparse.Namespace) -> int:
    return _run(options, lambda unit, ledger: True)


def retry(options: argparse.Namespace) -> int:
    """Only what failed or was set aside; a unit that was set aside gets its retries anew."""
    if not options.failed:
        raise ConfigError("batch retry: say what to try again", hint="recomp batch retry --failed MANIFEST")

    def chosen(unit: Unit, ledger: Ledger) -> bool:
        entry = ledger.entries.get(unit.name, {})
        if entry.get("status") not in ("failed", "needs_review"):
            return False
        entry["fingerprint"] = None
        return True

    return _run(options, chosen)


def _run(options: argparse.Namespace, chosen) -> int:
    manifest = load(options.manifest)
    check_toolchain(manifest)
    check_work_root(manifest)
    everything = list(units(manifest))
    by_name = {unit.name: unit for unit in everything}
    grouped: dict[str, list[Unit]] = {}
    for unit in everything:
        grouped.setdefault(unit.title, []).append(unit)
    wanted = _named(options, everything)
    folder = Ledger(manifest.work_root).folder
    os.makedirs(folder, exist_ok=True)
    lock = Lock(folder)
    lock.acquire(wait_s=24 * 3600.0 if options.wait else 0.0)
    try:
        ledger = Ledger(manifest.work_root)
        todo = [unit for unit in wanted if chosen(unit, ledger)]
        if not todo:
            nothing = "nothing to do: no title of the batch has failed or was set aside"
            print(json.dumps({"state": "finished", "units": []}) if options.json else nothing)
            return 0
        door = Door(manifest, ledger, StatCache(os.path.join(folder, "stat-cache")))
        door.check(todo)
        means = make_executor(options, manifest, by_name, ledger)
        result = _carry_out(options, manifest, todo, grouped, ledger, means, door)
        _say(options, manifest, todo, ledger, result)
        if result.state == "refused":
            raise GateError("\n    ".join(["batch: refused", *result.refusals[:5]]), hint="see docs/batch.md, Gates")
        return EXIT_INTERRUPTED if result.state == "cancelled" else 1 if result.regressions else 0
    finally:
        lock.release()


def _carry_out(
    options: argparse.Namespace, manifest: Manifest, todo: list[Unit], grouped: dict[str, list[Unit]], ledger: Ledger,
    means: tuple[Executor, Payload, Arrived], door: Door,
) -> Result:  # fmt: skip
    executor, payload, arrived = means
    ledger.begin()
    coordinator = Coordinator(
        todo,
        ledger,
        executor,
        Table(sys.stderr if options.json else sys.stdout),
        payload=lambda unit: {**payload(unit), **door.committed()},
        arrived=arrived,
        fingerprint=lambda unit: stat_fingerprint(manifest, unit),
        retries=manifest.defaults["retries"],
        admit=door.admit,
        spent=door.spent,
    )
    path = os.path.join(manifest.work_root, MANIFEST_NAME)
    try:
        with interruptible():
            result = coordinator.run()
        if result.state == "finished":
            facts = {"seconds": round(result.seconds, 3), "retries": result.retries,
                     "steps": [result.steps, result.cached],
                     "regressions": [regression._asdict() for regression in result.regressions]}  # fmt: skip
            statuses = [ledger.entries.get(u.name, {}).get("status", "pending") for us in grouped.values() for u in us]
            known = {state: statuses.count(state) for state in ("passed", "failed", "needs_review", "pending")}
            ledger.finish({"batch_id": manifest.raw["batch_id"], "counts": known, **facts})
        return result
    finally:
        write_atomic(path, snapshot(manifest.raw, grouped, ledger))
        ledger.close()


Payload = Callable[[Unit], dict[str, Any]]
Arrived = Callable[[Unit, dict[str, Any]], None]


def make_executor(
    options: argparse.Namespace, manifest: Manifest, by_name: dict[str, Unit], ledger: Ledger
) -> tuple[Executor, Payload, Arrived]:
    """Who carries the units out, what they are given of each, and what to do with an outcome that came from afar."""
    if options.cluster is not None or options.slurm is not None:
        from recomp.batch.remote_work import remote_executor

        return remote_executor(manifest, ledger, options.cluster, options.slurm, options.store, options.tls)
    for name in ("store", "tls"):
        if getattr(options, name) is not None:
            raise ConfigError(f"--{name}: belongs to --cluster or --slurm", hint="titles run on this machine without")
    from recomp.stages.tools import look_at_tools

    known = StatCache(os.path.join(ledger.folder, "tools-stat-cache"))
    look_at_tools(known)
    known.save()
    local = LocalExecutor(
        local_work(manifest, by_name.__getitem__, known),
        os.path.join(ledger.folder, "logs"),
        slots=options.jobs,
        memory_mb=options.memory,
        needs=manifest.defaults["memory_mb"],
    )
    return local, lambda unit: {}, lambda unit, facts: None


def check_toolchain(manifest: Manifest) -> None:
    """Raises ConfigError where the manifest wants other versions than those that are here."""
    from recomp import __version__
    from recomp.stages.tools import installed_version

    here = {"recomp_cli": __version__, "zig": installed_version("ziglang")}
    for name, wanted in manifest.raw["toolchain"].items():
        if wanted is not None and wanted != here[name]:
            raise ConfigError(
                f'{os.path.basename(manifest.path)}: toolchain.{name}: found {here[name]} here, expected "{wanted}"',
                hint="install that version, or change [toolchain]: results of another one are others",
            )


def check_work_root(manifest: Manifest) -> None:
    """Raises ConfigError where git would pick up what a batch makes."""
    from recomp.engine.separation import check_separation

    check_separation((manifest.work_root,))


def _named(options: argparse.Namespace, everything: list[Unit]) -> list[Unit]:
    """The units that were asked for by --title; all without."""
    if not options.title:
        return everything
    known = {unit.title for unit in everything}
    for title in options.title:
        if title not in known:
            from recomp.config.problems import nearest

            near = nearest(title, list(known))
            raise ConfigError(f'--title: there is no title "{title}" in the batch',
                              hint=f'did you mean "{near}"?' if near else None)  # fmt: skip
    return [unit for unit in everything if unit.title in options.title]


def _say(options: argparse.Namespace, manifest: Manifest, todo: list[Unit], ledger: Ledger, result: Result) -> None:
    if options.json:
        print(json.dumps(as_json(manifest, todo, ledger, result), indent=2))
        return
    counts = ", ".join(
        paint(f"{count} {state}", STYLE[state], sys.stdout) for state, count in result.counts.items() if count
    )
    share = f", {result.cached} of {result.steps} stages cached" if result.steps else ""
    print(f"\n{manifest.raw['batch_id']}: {counts or 'nothing done'} in {duration(result.seconds)}{share}")
    for regression in result.regressions:
        was = "is new" if regression.before == "new" else f"was {regression.before}"
        first = printable((regression.error or "").split("\n")[0])
        print(f"  {paint('regression', 'red', sys.stdout)}  {regression.unit} {was}, is {regression.after}: {first}")
        hint = ledger.entries.get(regression.unit, {}).get("hint")
        if hint:
            print(f"  {'':10}  hint: {printable(hint)}")
    print(f"  manifest   {shown(os.path.join(manifest.work_root, MANIFEST_NAME))}")
    print(f"  titles     {shown(os.path.join(manifest.work_root, 'titles'))}")
    if result.counts["failed"] or result.counts["needs_review"]:
        print(f"next: recomp batch report {shown(os.path.abspath(options.manifest))}")
    if result.state == "cancelled":
        print_error(RecompError("batch: cancelled; the next run goes on from here"))


def as_json(manifest: Manifest, todo: list[Unit], ledger: Ledger, result: Result) -> dict:
    kept = ("status", "error", "run_id", "page")
    return {
        "batch_id": manifest.raw["batch_id"],
        "run": result.number,
        "state": result.state,
        "seconds": round(result.seconds, 3),
        "counts": result.counts,
        "stages": {"settled": result.steps, "cached": result.cached},
        "retries": result.retries,
        "regressions": [regression._asdict() for regression in result.regressions],
        "units": [
            {"unit": u.name, **{k: ledger.entries.get(u.name, {}).get(k) for k in kept}}
            for u in todo
        ],
    }  # fmt: skip


def guarded(function):
    """`function` with an interrupt as the exit code that means it."""

    def call(options: argparse.Namespace) -> int:
        try:
            return function(options)
        except Interrupted:
            print("recomp: interrupted; the next run goes on from here", file=sys.stderr)
            return EXIT_INTERRUPTED

    return call


ACTIONS = {"run": guarded(run), "retry": guarded(retry)}


def command(options: argparse.Namespace) -> int:
    if options.action in ACTIONS:
        return ACTIONS[options.action](options)
    from recomp.cli import batch_init, batch_look, batch_sign

    actions = {"init": batch_init.init, **batch_look.ACTIONS, **batch_sign.ACTIONS}
    return actions[options.action](options)
