"""A run: stages in order, rounds while there is something to learn, and a manifest that is true at every instant."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from recomp.engine import manifest as man
from recomp.engine.context import Interrupted
from recomp.engine.files import remove_leftovers, remove_tree
from recomp.engine.fingerprint import StatCache
from recomp.engine.gc import register
from recomp.engine.lock import Lock
from recomp.engine.outputs import places
from recomp.engine.plan import Plan, Progress, learnt_before, signature
from recomp.engine.reporter import Reporter
from recomp.engine.runner import Runner, Settled
from recomp.engine.stage import Stage
from recomp.engine.state import State
from recomp.engine.store import Store
from recomp.errors import GateError, RecompError, StageError


class RunResult(NamedTuple):
    """`encoded`: the manifest as it was written."""

    status: str
    manifest: dict[str, Any]
    error: RecompError | None
    encoded: bytes


def run(plan: Plan, reporter: Reporter, *, hashes: StatCache, until: str | None = None) -> RunResult:
    """Run a plan to its end. The caller holds the lock of the work root. Interrupts are recorded, then raised."""
    layout = plan.layout
    os.makedirs(layout.log_dir, exist_ok=True)
    if os.path.isdir(folder := os.path.dirname(layout.run_manifest)):
        remove_leftovers(folder, os.path.basename(layout.run_manifest))
    store = plan.open_store(layout.store_dir)
    store.share()
    try:
        return _run(plan, reporter, store, hashes, until)
    finally:
        store.release()


def _run(plan: Plan, reporter: Reporter, store: Store, hashes: StatCache, until: str | None) -> RunResult:
    layout = plan.layout
    register(store, layout.work_root, layout.run_manifest, layout.runs_dir)
    state = State(layout.engine_dir)
    evidence, number = learnt_before(plan, store, hashes)
    stages = plan.stages(evidence)
    run_id = man.run_id(plan.input_fingerprint, signature(plan.stages(b"")))
    origin = {"run_id": run_id, "host_fingerprint": man.host_fingerprint()}
    deadline = None if plan.deadline_s is None else time.monotonic() + plan.deadline_s
    runner = Runner(
        layout, store, hashes, state, reporter,
        origin=origin, env=plan.env, secrets=plan.secrets, resume=plan.resume, deadline=deadline, gate=plan.gate,
    )  # fmt: skip
    ledger = Ledger(plan, origin, number)
    reporter.run_started(run_id, tuple(stage.name for stage in stages))
    status, error = "interrupted", None
    try:
        error = _rounds(plan, runner, ledger, stages, evidence, number, until, reporter)
        status = "failed" if error else "succeeded"
    except Interrupted:
        if runner.cut is not None:
            ledger.add(*runner.cut)
        raise
    except GateError:
        status = "blocked"
        raise
    finally:
        manifest, encoded = ledger.write(status)
        state.save()
        hashes.save()
        reporter.run_finished(status)
    return RunResult(status, manifest, error, encoded)


def _rounds(
    plan: Plan, runner: Runner, ledger: Ledger, stages, evidence: bytes, number: int, until, reporter: Reporter
) -> RecompError | None:
    progress, position = Progress(), 0
    while position < len(stages):
        stage = stages[position]
        settled = runner.settle(stage, progress, ledger.settled)
        if settled.again:
            more = plan.learn(evidence, settled.record, runner.store)
            if more is None or more == evidence or number >= plan.max_rounds:
                return ledger.gave_up(stage, settled, number, learnt=more is not None and more != evidence)
            evidence, number = more, number + 1
            stages, progress, position = plan.stages(evidence), Progress(), 0
            ledger.restart(number)
            reporter.round_started(number, settled.record["found"])
            continue
        ledger.add(stage, settled)
        if settled.error is not None:
            return settled.error
        if not settled.step["cache_hit"]:
            ledger.write("running")
        if stage.name == until:
            break
        position += 1
    return None


class Ledger:
    """The manifest in the making."""

    def __init__(self, plan: Plan, origin: dict[str, Any], number: int) -> None:
        self._plan, self._origin, self._round = plan, origin, number
        #: each with its artifacts as the manifest lists them
        self._settled: list[tuple[Settled, list[dict[str, Any]]]] = []
        self._lines = man.Lines()

    def add(self, stage: Stage, settled: Settled) -> None:
        self._settled.append((settled, self._artifacts(stage, settled)))

    def restart(self, number: int) -> None:
        self._round = number
        self._settled.clear()

    def settled(self) -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
        """The record of each stage so far with its artifacts."""
        return [(settled.record, artifacts) for settled, artifacts in self._settled]

    def steps(self) -> list[dict[str, Any]]:
        return [settled.step for settled, _ in self._settled]

    def gave_up(self, stage: Stage, settled: Settled, rounds: int, *, learnt: bool) -> RecompError:
        error = StageError(
            f"{stage.name}: {settled.record['found']} in round {rounds}"
            + (f", the last of {rounds} allowed" if learnt else ", and nothing new was learnt from it"),
            hint="raise [run] rounds" if learnt else "see the stage's trace manifest; a name map may help",
        )
        step = {**settled.step, "status": "failed", "notes": [*settled.step.get("notes", []), error.message]}
        self.add(stage, Settled(step, settled.record, error))
        return error

    def write(self, status: str) -> tuple[dict[str, Any], bytes]:
        manifest = self.manifest(status)
        return manifest, man.write(self._plan.layout.run_manifest, manifest, self._lines)

    def manifest(self, status: str) -> dict[str, Any]:
        plan = self._plan
        versions = {tool.name: tool.version for tool in plan.tools}
        artifacts = {}
        for settled, made in self._settled:
            versions.update(settled.record["tool_versions"])
            artifacts.update({artifact["path"]: artifact for artifact in made})
        return {
            "schema_version": man.SCHEMA_VERSION,
            "run_id": self._origin["run_id"],
            "status": status,
            "execution_mode": plan.execution_mode,
            "host_fingerprint": self._origin["host_fingerprint"],
            "tool_versions": dict(sorted(versions.items())),
            "input_fingerprint": plan.input_fingerprint,
            "inputs": plan.inputs,
            "rounds": self._round,
            "steps": self.steps(),
            "artifacts": [artifacts[path] for path in sorted(artifacts)],
            **plan.extra,
            **{key: path for key, path in plan.named.items() if path in artifacts},
        }

    def _artifacts(self, stage: Stage, settled: Settled) -> list[dict[str, Any]]:
        layout, entries = self._plan.layout, settled.record["outputs"]
        return [
            {
                "path": layout.written(path), "sha256": entry["sha256"], "size": entry["size"], "role": entry["role"],
                "class": entry["class"], "step": stage.name,
            }
            for entry, path in zip(entries, places(stage, entries, layout.roots), strict=True)
        ]  # fmt: skip


def open_work_root(
    layout_engine_dir: str, *, wait_s: float = 0.0, waiting: Callable[[str], None] = lambda holder: None
) -> Lock:
    """Lock a work root and clear away what a killed run left in scratch. `waiting` is told who holds it, if anybody
    does and there is time to wait. Raises LockError."""
    os.makedirs(layout_engine_dir, exist_ok=True)
    lock = Lock(layout_engine_dir)
    lock.acquire(wait_s=wait_s, waiting=waiting)
    try:
        remove_tree(os.path.join(layout_engine_dir, "scratch"))
        remove_leftovers(layout_engine_dir)
    except OSError:
        lock.release()
        raise
    return lock
