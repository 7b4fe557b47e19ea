"""Edits of every kind in any order: after each run, what ran is exactly what had to, and the outputs are those of a run
from scratch. The control plants a defect in the engine, which must be found and shrunk to the one edit that shows it.

The model knows results by what they were made from, in values: a built-in stage's by the bytes it reads, a command's
also by the very executions before it, because nobody declared what a command does.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from engine.toy import Toy
from recomp.engine import plan
from recomp.engine.store import Store

STAGES = 4
NUMBER = st.integers(0, STAGES - 1)
VALUE = st.integers(0, 2)
SETTINGS = settings(
    max_examples=12, stateful_step_count=10, deadline=None, derandomize=True, database=None,
    suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate, Phase.shrink],
)  # fmt: skip


class Cut(BaseException):
    pass


class Model(RuleBasedStateMachine):
    """A chain of stages, each with an input of its own, any of them a command."""

    @initialize(commands=st.sets(NUMBER, min_size=1, max_size=2))
    def start(self, commands: set[int]) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.toy = Toy(Path(self.folder.name))
        for number in range(STAGES):
            (self.toy.folder / f"in{number}").write_text("0\n")
            after = (f"s{number - 1}",) if number else ()
            kind = "command" if number in commands else "builtin"
            self.toy.add(f"s{number}", after=after, inputs=(f"in{number}",), kind=kind)
        self.toy.write()
        self.made: dict[Any, Any] = {}  # what a stage is made from → the result's identity
        self.executions = 0
        self.check()

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.folder.cleanup()

    @rule(number=NUMBER, value=VALUE)
    def edit_input(self, number: int, value: int) -> None:
        (self.toy.folder / f"in{number}").write_text(f"{value}\n")
        self.check()

    @rule(number=NUMBER, value=VALUE)
    def edit_config(self, number: int, value: int) -> None:
        self.toy.stages[number]["text"] = f"text {value}"
        self.check()

    @rule(number=NUMBER, value=VALUE)
    def change_tool(self, number: int, value: int) -> None:
        self.toy.stages[number]["tool"] = str(value)
        self.check()

    @rule(number=NUMBER, how=st.sampled_from(["delete", "edit", "touch"]))
    def meddle_with_output(self, number: int, how: str) -> None:
        product = self.toy.product(f"s{number}")
        if how == "delete":
            product.unlink()
        elif how == "edit":
            product.write_bytes(b"meddled")
        else:
            os.utime(product, (1, 1))
        self.check()

    @rule(number=NUMBER)
    def lose_record(self, number: int) -> None:
        self.lose(number)
        self.check()

    @rule(number=st.integers(0, STAGES - 2), further=st.integers(1, 2))
    def lose_record_then_be_cut_off(self, number: int, further: int) -> None:
        """By a kill just when the stage after it, or one further on, would run."""
        self.lose(number)
        self.check(cut=f"s{min(number + further, STAGES - 1)}")
        self.check()

    def lose(self, number: int) -> None:
        name = f"s{number}"
        store = Store(self.toy.plan().layout.store_dir)
        for record in store.actions():
            if record["step"] == name:
                store.drop_action(record["cache_key"])
        self.made = {key: value for key, value in self.made.items() if key[0] != name}

    def check(self, cut: str | None = None) -> None:
        expected, is_cut = self.foresee(cut)
        try:
            result = self.toy.run(stages=self.cutting(cut))
            assert result.status == "succeeded" and not is_cut
        except Cut:
            assert is_cut
        assert self.toy.ran() == expected
        for stage in self.toy.stages if not is_cut else ():
            assert self.toy.product(stage["name"]).read_bytes() == self.toy.expected(stage["name"])

    def foresee(self, cut: str | None) -> tuple[list[str], bool]:
        """What has to run now; whether the stage `cut` is among it, and ends it."""
        expected: list[str] = []
        upstream, opaque, behind_command = None, False, False
        for stage in self.toy.stages:
            name, is_command = stage["name"], stage["kind"] == "command"
            reads = (self.toy.folder / stage["inputs"][0]).read_bytes()
            key = (name, stage["text"], stage["tool"], reads, upstream)
            if behind_command or key not in self.made:
                if name == cut:
                    return expected, True
                expected.append(name)
                behind_command = behind_command or is_command
                self.executions += is_command
                made = (self.executions if is_command else None, upstream if opaque or is_command else None)
                self.made[key] = made
            opaque = opaque or is_command
            upstream = (
                self.toy.expected(name),
                self.made[key] if opaque else None,
                self.keys(name) if opaque else None,
            )
        return expected, False

    def keys(self, name: str) -> tuple:
        """What decides the key of a stage and of those before it: behind a command, these count and not bytes."""
        found = []
        for stage in self.toy.stages:
            found.append((stage["text"], stage["tool"], (self.toy.folder / stage["inputs"][0]).read_bytes()))
            if stage["name"] == name:
                break
        return tuple(found)

    def cutting(self, name: str | None) -> Any:
        def cut(context: Any) -> None:
            raise Cut

        stages = tuple(s._replace(run=cut) if s.name == name else s for s in self.toy.plan().stages(b""))
        return lambda evidence: stages


TestModel = Model.TestCase
TestModel.settings = SETTINGS


def without_tools(stage: Any, upstream: Any, hashes: Any, real: Any = plan.ingredients) -> dict[str, Any]:
    return {**real(stage, upstream, hashes), "tools": {}}


def without_executions(keyed: Any, lying: Any, store: Store) -> Any:
    """As it was once: any result with the right key will do."""
    return lying or (store.action_by_content(keyed.content) if keyed.content else None)


@pytest.mark.parametrize(
    ("name", "defect", "edit"),
    [("ingredients", without_tools, "change_tool"), ("usable", without_executions, "then_be_cut_off")],
)
def test_a_planted_defect_is_found_and_shrunk(
    monkeypatch: pytest.MonkeyPatch, name: str, defect: Any, edit: str
) -> None:
    from recomp.engine import runner

    for module in (plan, runner):
        if hasattr(module, name):
            monkeypatch.setattr(module, name, defect)
    with pytest.raises(AssertionError) as caught:
        run_state_machine_as_test(Model, settings=settings(SETTINGS, max_examples=60))
    steps = [line for note in caught.value.__notes__ for line in note.splitlines() if line.startswith("state.")]
    steps = [line for line in steps if not line.startswith(("state.start", "state.teardown"))]
    assert len(steps) == 1 and edit in steps[0], steps
