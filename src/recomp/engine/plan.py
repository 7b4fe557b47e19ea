"""What a run is asked to do, and which of it is already done: keys and records, without touching any output."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from recomp.engine.cachekey import cache_key, content_key, ingredients
from recomp.engine.canonical import digest
from recomp.engine.fingerprint import StatCache
from recomp.engine.layout import Layout
from recomp.engine.outputs import contents_digest
from recomp.engine.stage import Stage, Tool
from recomp.engine.store import Store


class Plan(NamedTuple):
    """A run as it was frozen when it started. `stages` makes the stages for what earlier rounds learnt (bytes, empty in
    the first round); `learn` answers with more of it, or None when there is nothing new to learn from that record.
    `extra` stands in the manifest as it is, of `named` (key → path) what this run made. `secrets` are taken out of
    every log. `gate` is asked with the run's id before the first stage that runs, and may raise GateError; `open_store`
    makes a store of its folder."""

    layout: Layout
    execution_mode: str
    inputs: list[dict[str, Any]]
    input_fingerprint: str
    env: dict[str, str]
    stages: Callable[[bytes], tuple[Stage, ...]]
    learn: Callable[[bytes, dict[str, Any], Store], bytes | None]
    max_rounds: int = 4
    resume: bool = True
    tools: tuple[Tool, ...] = ()
    extra: dict[str, Any] = {}
    named: dict[str, str] = {}
    deadline_s: float | None = None
    secrets: tuple[bytes, ...] | None = None
    gate: Callable[[str], None] = lambda run_id: None
    open_store: Callable[[str], Store] = Store


class Keyed(NamedTuple):
    """A stage with its ingredients, its key and, if everything upstream is declared, its content key. `made_from` tells
    the results that it reads from others with the same keys: what a declared stage made, which execution of a command
    it was."""

    stage: Stage
    parts: dict[str, Any]
    key: str
    content: str | None
    made_from: dict[str, str]


class Progress:
    """The keys and contents of the stages that are settled so far in this round."""

    def __init__(self) -> None:
        self.keys: dict[str, str] = {}
        self.contents: dict[str, str] = {}
        self.made: dict[str, str] = {}  # stage → the identity of the very result that is used in this run
        self.opaque: set[str] = set()  # stages that are commands, or behind one
        self.ran_commands: dict[str, str] = {}  # stage → the command at or above it that ran in this run
        self.moved: set[str] = set()  # stages whose inputs moved while they ran, and what follows them

    def key(self, stage: Stage, hashes: StatCache) -> Keyed:
        parts = ingredients(stage, self.keys, hashes)
        known = [name for name in stage.after if name in self.keys]
        content = None if any(name in self.opaque for name in known) else content_key(parts, self.contents)
        return Keyed(stage, parts, cache_key(parts), content, {name: self.made[name] for name in known})

    def settle(self, keyed: Keyed, record: dict[str, Any], *, ran: bool) -> None:
        stage = keyed.stage
        known = [name for name in stage.after if name in self.keys]
        self.keys[stage.name] = keyed.key
        self.contents[stage.name] = contents_digest(record["outputs"])
        self.made[stage.name] = self.contents[stage.name]
        if stage.command is not None or any(name in self.opaque for name in known):
            self.opaque.add(stage.name)
            execution = record.get("execution") if stage.command is not None else None
            self.made[stage.name] = digest([self.contents[stage.name], execution, keyed.made_from])
        behind = next((self.ran_commands[name] for name in known if name in self.ran_commands), None)
        if ran and stage.command is not None:
            behind = stage.name
        if behind is not None:
            self.ran_commands[stage.name] = behind

    def ran_behind(self, stage: Stage) -> str | None:
        return next((self.ran_commands[name] for name in stage.after if name in self.ran_commands), None)


def find_record(keyed: Keyed, store: Store) -> dict[str, Any] | None:
    """The finished result with this key, or one that was made from the same bytes."""
    return usable(keyed, store.action(keyed.key), store)


def usable(keyed: Keyed, record: dict[str, Any] | None, store: Store) -> dict[str, Any] | None:
    """`record`, which lies in the store under the stage's key, if it can be used; if there is none, one that was made
    from the same bytes.

    One that was made from another result than the one upstream now is, is none: a stage whose record was lost runs
    again under its old key, and what it makes then may differ, also if the run is killed before the next stage.
    """
    if record is None and keyed.content is not None:
        record = store.action_by_content(keyed.content)
    return record if record is not None and record.get("made_from") == keyed.made_from else None


def signature(stages: tuple[Stage, ...]) -> str:
    """What is asked for, apart from the inputs."""
    return digest([[s.name, list(s.command or ()), s.config, [[t.name, t.identity] for t in s.tools]] for s in stages])


def learnt_before(plan: Plan, store: Store, hashes: StatCache) -> tuple[bytes, int]:
    """Follow the rounds whose results are all known, without putting any of them in place.

    Returns what they learnt and the number of the round to begin with, so that a run which needed three rounds is
    later found complete by looking at its last one alone.
    """
    evidence, number = b"", 1
    while plan.resume and number < plan.max_rounds:
        record = _last_again(plan.stages(evidence), store, hashes)
        more = plan.learn(evidence, record, store) if record else None
        if more is None or more == evidence:
            break
        evidence, number = more, number + 1
    return evidence, number


def _last_again(stages: tuple[Stage, ...], store: Store, hashes: StatCache) -> dict[str, Any] | None:
    progress = Progress()
    for stage in stages:
        keyed = progress.key(stage, hashes)
        record = find_record(keyed, store)
        if record is None:
            return None
        if record["again"]:
            return record
        progress.settle(keyed, record, ran=False)
    return None
