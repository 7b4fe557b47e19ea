"""What a run would do, and why, without doing it.

Three answers are honest: a stage is cached; it will run; or it may run, because a stage before it will run and only the
bytes that come out of it decide. Behind a command nothing can be spared, so that what follows one will run.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from recomp.engine.cachekey import differences
from recomp.engine.decide import decide, describe
from recomp.engine.fingerprint import StatCache
from recomp.engine.outputs import damaged
from recomp.engine.plan import Keyed, Plan, Progress, find_record, learnt_before
from recomp.engine.stage import Stage
from recomp.engine.state import State
from recomp.engine.store import Store

CACHED, WILL_RUN, MAY_RUN = "cached", "will run", "may run"


class Forecast(NamedTuple):
    """What would happen to a stage. `changes` are the ingredients that differ from the last time, as
    (kind, name, old, new)."""

    name: str
    state: str
    reason: str
    key: str | None
    changes: list[tuple[str, str, Any, Any]]
    ingredients: dict[str, Any]


def forecast(
    plan: Plan, store: Store, hashes: StatCache, state: State, against: dict[str, dict[str, Any]] | None = None
) -> list[Forecast]:
    """One forecast a stage, in order. `against` gives other ingredients to compare with than the last ones, by step."""
    evidence, _ = learnt_before(plan, store, hashes)
    progress = Progress()
    unsettled: dict[str, str] = {}  # stage → the state it was given
    found = []
    for stage in plan.stages(evidence):
        keyed = progress.key(stage, hashes)
        previous = state.previous(stage.name)
        record = find_record(keyed, store)
        told = _tell(plan, stage, keyed, record, previous, progress, unsettled, store, hashes)
        other = against.get(stage.name) if against is not None else (previous or {}).get("ingredients")
        changes = differences(other, keyed.parts) if other else []
        reason = told[1] if against is None else _compared(other, changes)
        found.append(Forecast(stage.name, told[0], reason, keyed.key, changes, keyed.parts))
        if told[0] != CACHED:
            unsettled[stage.name] = told[0]
        placeholder = record or {"outputs": [], "again": False}
        progress.settle(keyed, placeholder, ran=told[0] == WILL_RUN)
    return found


def _tell(
    plan: Plan, stage: Stage, keyed: Keyed, record: dict[str, Any] | None, previous: dict[str, Any] | None,
    progress: Progress, unsettled: dict[str, str], store: Store, hashes: StatCache,
) -> tuple[str, str]:  # fmt: skip
    behind = next((name for name in stage.after if name in unsettled), None)
    decision = decide(stage, keyed.parts, record, previous, resume=plan.resume, ran_behind=progress.ran_behind(stage))
    if behind is not None and plan.resume:
        opaque = progress.ran_behind(stage) is not None or any(n in progress.opaque for n in stage.after)
        if opaque and unsettled[behind] == WILL_RUN:
            return WILL_RUN, f"{behind} will run, and behind a command that ran everything does"
        own = _own_changes(keyed, previous)
        if previous is None or "ingredients" not in previous:
            return WILL_RUN, "first time"
        if own and not _was_made_before(keyed, store):
            return WILL_RUN, "; ".join(describe(*change) for change in own[:3])
        return MAY_RUN, f"depends on what {behind} makes"
    if decision.reuse and record is not None:
        lost = damaged(stage, record["outputs"], plan.layout.roots, hashes, store)
        if lost:
            return WILL_RUN, f"{plan.layout.written(lost)} was changed or deleted, and the store has no copy"
    return (CACHED if decision.reuse else WILL_RUN), decision.reason


def _own_changes(keyed: Keyed, previous: dict[str, Any] | None) -> list[tuple[str, str, Any, Any]]:
    """What differs apart from the stages before."""
    if previous is None or "ingredients" not in previous:
        return []
    return [change for change in differences(previous["ingredients"], keyed.parts) if change[0] != "upstream"]


def _was_made_before(keyed: Keyed, store: Store) -> bool:
    """Whether the store has a result of this stage from the same ingredients behind some other upstream."""
    same = {**keyed.parts, "upstream": None}
    records = (record for record in store.actions() if record["step"] == keyed.stage.name)
    return any({**record["ingredients"], "upstream": None} == same for record in records)


def _compared(other: dict[str, Any] | None, changes: list[tuple[str, str, Any, Any]]) -> str:
    if other is None:
        return "that run had no such stage"
    return "; ".join(describe(*change) for change in changes) or "the same"
