"""Settles one stage: reuse what is there, restore it, or run it in a scratch folder and keep what it made."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from recomp.engine import outputs as out
from recomp.engine.context import Context, Interrupted
from recomp.engine.decide import Decision, decide
from recomp.engine.files import naming, remove_tree
from recomp.engine.fingerprint import StatCache
from recomp.engine.layout import Layout
from recomp.engine.plan import Keyed, Progress, usable
from recomp.engine.reporter import Reporter
from recomp.engine.stage import Result, Stage
from recomp.engine.state import State
from recomp.engine.store import BlobMissing, Store
from recomp.errors import RecompError, StageError, system_error, system_hint

COMMAND_GRACE_S = 10.0


class Settled(NamedTuple):
    """A stage that is done in this run. `error` is set when it failed; `again` asks for another round. `record` is of
    another run if that was `beaten_to_it`."""

    step: dict[str, Any]
    record: dict[str, Any]
    error: RecompError | None = None
    beaten_to_it: bool = False

    @property
    def again(self) -> bool:
        return bool(self.record.get("again"))


class Runner:
    def __init__(
        self,
        layout: Layout,
        store: Store,
        hashes: StatCache,
        state: State,
        reporter: Reporter,
        *,
        origin: dict[str, Any],
        env: dict[str, str],
        secrets: tuple[bytes, ...] | None,
        resume: bool,
        deadline: float | None,
        gate: Callable[[str], None],
    ) -> None:
        self.layout, self.store, self.hashes, self.state, self.reporter = layout, store, hashes, state, reporter
        self.origin, self.env, self.resume, self.deadline = origin, env, resume, deadline
        self.secrets = secrets
        self.gate, self._gate_passed = gate, False
        #: the stage that an interrupt cut short
        self.cut: tuple[Stage, Settled] | None = None

    def settle(self, stage: Stage, progress: Progress, steps: Callable[[], list]) -> Settled:
        """Bring one stage up to date. Raises only what is not the stage's own failure (an interrupt, a full disk)."""
        keyed = progress.key(stage, self.hashes)
        tainted = any(name in progress.moved for name in stage.after)
        lying = self.store.action(keyed.key)
        record = None if tainted else usable(keyed, lying, self.store)
        previous = self.state.previous(stage.name)
        decision = decide(
            stage, keyed.parts, record, previous, resume=self.resume, ran_behind=progress.ran_behind(stage)
        )
        if tainted:
            decision = Decision(False, "upstream inputs moved during this run")
        if decision.reuse and record is not None:
            reused = self._reuse(keyed, record, decision)
            if reused is not None:
                progress.settle(keyed, reused.record, ran=False)
                return reused
            decision = Decision(False, "a recorded output was changed or deleted, and the store has no copy")
        settled = self._run(keyed, decision, progress, steps, tainted, lying)
        if settled.error is None:
            progress.settle(keyed, settled.record, ran=not settled.beaten_to_it)
        return settled

    # Reuse

    def _reuse(self, keyed: Keyed, record: dict[str, Any], decision: Decision) -> Settled | None:
        stage = keyed.stage
        try:
            written = out.put_in_place(stage, record["outputs"], self.layout.roots, self.store, self.hashes, None)
        except BlobMissing:
            self.store.drop_action(record["cache_key"])
            return None
        if record["cache_key"] != keyed.key:  # found by content: known by this key too from now on
            record = {**record, "cache_key": keyed.key, "content_key": keyed.content, "ingredients": keyed.parts}
            self.store.put_action(record)
        self._restore_logs(stage, record)
        self.state.settled(stage.name, keyed.parts, made=_made(stage, record))
        step = self._step(keyed, record, duration_s=0.0, hit=True)
        reason = decision.reason + (f"; restored {len(written)} output{'s'[: len(written) > 1]}" if written else "")
        self.reporter.stage_finished(step, record["found"], reason)
        return Settled(step, record)

    def _restore_logs(self, stage: Stage, record: dict[str, Any]) -> None:
        for stream, sha256 in record["logs"].items():
            path = self._log_path(stage, stream)
            if not os.path.exists(path):
                try:
                    self.store.restore(sha256, path, 0o644)
                except BlobMissing:
                    pass

    # Run

    def _run(
        self, keyed: Keyed, decision: Decision, progress: Progress, steps, tainted: bool, lying: dict[str, Any] | None
    ) -> Settled:
        stage = keyed.stage
        if not self._gate_passed:
            self.gate(self.origin["run_id"])
            self._gate_passed = True
        attempt = self.state.started(stage.name)
        self.reporter.stage_started(stage.name, decision.reason)
        started, beaten_to_it = time.monotonic(), False
        scratch = os.path.join(self.layout.scratch_dir, stage.name)
        try:
            record, failure = self._make(keyed, scratch, attempt, steps)
            if failure is not None:
                failure.message = self.layout.worded(failure.message)
            scratch_used: str | None = scratch
            if failure is not None:
                pass  # never cached
            elif tainted or self._inputs_moved(keyed):
                progress.moved.add(stage.name)
            else:
                kept = self.store.publish(record, lying)
                beaten_to_it = kept is not record
                if kept["outputs"] != record["outputs"]:  # another run was first, and made other bytes: they count
                    note = "made other bytes than the result that was published first, which is kept"
                    record, scratch_used = {**kept, "notes": [*kept["notes"], note]}, None
                elif beaten_to_it:
                    record = {**record, "execution": kept.get("execution")}
            out.put_in_place(stage, record["outputs"], self.layout.roots, self.store, self.hashes, scratch_used)
        except Interrupted:
            error: RecompError = StageError(f"{stage.name}: interrupted")
            record = self._record(keyed, attempt, Result(), [])
            step = self._step(keyed, record, duration_s=time.monotonic() - started, hit=False, error=error)
            self.cut = (stage, Settled(step, record, error))
            raise
        except Exception as raised:
            error = self._explain(stage, raised)
            record = self._record(keyed, attempt, Result(), [])
            self.state.settled(stage.name, keyed.parts, failed=True)
            step = self._step(keyed, record, duration_s=time.monotonic() - started, hit=False, error=error)
            self.reporter.stage_finished(step, error.message.splitlines()[0], decision.reason)
            return Settled(step, record, error)
        finally:
            remove_tree(scratch)
        if stage.name not in progress.moved:
            made = _made(stage, record) if failure is None else None
            self.state.settled(stage.name, keyed.parts, failed=failure is not None, made=made)
        step = self._step(keyed, record, duration_s=time.monotonic() - started, hit=False, error=failure)
        found = record["found"]
        if stage.name in progress.moved:
            found += " (inputs moved meanwhile: not cached)"
        self.reporter.stage_finished(step, found, decision.reason)
        return Settled(step, record, failure, beaten_to_it)

    def _make(self, keyed: Keyed, scratch: str, attempt: int, steps) -> tuple[dict[str, Any], RecompError | None]:
        stage = keyed.stage
        remove_tree(scratch)
        os.makedirs(scratch)
        for stream in ("stdout", "stderr"):
            remove_tree(self._log_path(stage, stream))
        watch = stage.watch
        skip = (self.layout.engine_dir, self.layout.log_dir, self.layout.run_manifest)
        before = out.snapshot(watch, skip) if stage.command else {}
        env = {
            **self.env,
            "RECOMP_RUN_ID": self.origin["run_id"],
            "RECOMP_STAGE": stage.name,
            "RECOMP_STAGE_ATTEMPT": str(attempt),
            "RECOMP_CACHE_KEY": keyed.key,
        }
        context = Context(
            stage,
            scratch=scratch,
            log_dir=self.layout.log_dir,
            cwd=self.layout.config_dir,
            env=env,
            store=self.store,
            reporter=self.reporter,
            settled=steps,
            secrets=self.secrets,
            limit_s=(limit := self._limit(stage)),
        )
        # a command is ended by who runs it, who can say what it wrote last
        hard_limit = limit + COMMAND_GRACE_S if limit is not None and stage.command else limit
        with time_limit(stage.name, hard_limit), naming(scratch):
            result = stage.run(context)
        if stage.command:
            after = out.snapshot(watch, skip)
            earlier = self.state.made(stage.name)
            entries = out.collect_written(stage, before, after, self.layout.roots, self.store, earlier, self.hashes)
        else:
            entries = out.collect(stage, scratch, self.store)
        return self._record(keyed, attempt, result, entries, context.confinement), result.failure

    def _limit(self, stage: Stage) -> float | None:
        left = None if self.deadline is None else max(self.deadline - time.monotonic(), 0.01)
        limits = [limit for limit in (stage.timeout_s, left) if limit is not None]
        return min(limits) if limits else None

    def _inputs_moved(self, keyed: Keyed) -> bool:
        now = {item.name: self.hashes.any(item.path) for item in keyed.stage.inputs}
        return now != keyed.parts["inputs"]

    def _explain(self, stage: Stage, raised: Exception) -> RecompError:
        """What a stage raised, as an error a user can act on; for a bug, the traceback goes to the stage's log."""
        if isinstance(raised, RecompError):
            raised.message = self.layout.worded(raised.message)
            return raised
        if isinstance(raised, OSError):
            message = self.layout.worded(f"{stage.name}: {system_error(raised)}")
            return StageError(message, hint=system_hint(raised))
        import traceback

        path = self._log_path(stage, "stderr")
        with open(path, "a", encoding="utf-8") as file:
            traceback.print_exception(raised, file=file)
        return StageError(
            f"{stage.name}: {type(raised).__name__}: {raised} [this is a bug]", hint=f"the traceback is in {path}"
        )

    # What is written down

    def _record(
        self, keyed: Keyed, attempt: int, result: Result, entries: list[out.Entry], confinement: str | None = None
    ) -> dict[str, Any]:
        logs = {}
        for stream in ("stdout", "stderr"):
            path = self._log_path(keyed.stage, stream)
            if os.path.exists(path):
                logs[stream] = self.store.put_file(path)[0]
        return {
            "schema_version": "1",
            "step": keyed.stage.name,
            "cache_key": keyed.key,
            "content_key": keyed.content,
            "ingredients": keyed.parts,
            "made_from": keyed.made_from,
            "execution": os.urandom(8).hex() if keyed.stage.command else None,
            "tool_versions": {tool.name: tool.version for tool in keyed.stage.tools if not tool.internal},
            "outputs": entries,
            "found": self.layout.worded(result.found),
            "notes": [self.layout.worded(note) for note in result.notes],
            "again": result.again,
            "logs": logs,
            "confinement": confinement,
            "origin": {**self.origin, "stage_attempt": attempt},
        }

    def _step(
        self, keyed: Keyed, record: dict[str, Any], *, duration_s: float, hit: bool, error: RecompError | None = None
    ) -> dict[str, Any]:
        stage = keyed.stage
        step: dict[str, Any] = {
            "name": stage.name,
            "status": "failed" if error else "succeeded",
            "duration_ms": round(duration_s * 1000),
            "stage_attempt": max(self.state.attempts(stage.name), 1),
            "cache_hit": hit,
            "cache_key": keyed.key,
        }
        if stage.command:
            step["command"] = list(stage.command)
        for stream in ("stdout", "stderr"):
            if stream in record["logs"]:
                step[f"{stream}_path"] = self.layout.written(self._log_path(stage, stream))
        paths = out.places(stage, record["outputs"], self.layout.roots)
        trees = tuple(output.path for output in stage.outputs if output.tree)
        named = {next((tree for tree in trees if path.startswith(tree + "/")), path) for path in paths}
        step["outputs"] = sorted(self.layout.written(path) for path in named)
        if record.get("confinement"):
            step["confinement"] = record["confinement"]
        notes = [*record["notes"], *([error.message] if error else [])]
        if notes:
            step["notes"] = notes
        step["origin"] = dict(sorted(record["origin"].items()))  # read back or new, in the same order
        return step

    def _log_path(self, stage: Stage, stream: str) -> str:
        return os.path.join(self.layout.log_dir, f"{stage.name}.{stream}.log")


def _made(stage: Stage, record: dict[str, Any]) -> list[list[str]] | None:
    """What `State` keeps of a command's outputs."""
    return [[e["base"], e["path"], e["sha256"]] for e in record["outputs"]] if stage.command else None


class time_limit:
    """Raise StageError in the main thread once a stage's time is up; `None` is no limit."""

    def __init__(self, name: str, seconds: float | None) -> None:
        self._name, self._seconds = name, seconds

    def __enter__(self) -> None:
        if self._seconds is not None:
            import signal

            self._before = signal.signal(signal.SIGALRM, self._expire)
            # again every second: Python drops what is raised inside some of its own callbacks
            signal.setitimer(signal.ITIMER_REAL, self._seconds, 1.0)

    def __exit__(self, *_: object) -> None:
        if self._seconds is not None:
            import signal

            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self._before)

    def _expire(self, number: int, frame: object) -> None:
        raise StageError(
            f"{self._name}: ran into its time limit of {self._seconds:.3g} s",
            hint="raise the stage's limit in [run.timeouts] or policy.max_runtime_minutes",
        )
