"""Compiling a project: what is in the store is not compiled again, also when it comes there meanwhile."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from recomp.engine.process import Program
from recomp.engine.stage import Tool
from recomp.engine.store import Store
from recomp.stages.compile import Build, _rotated

#: notes each unit that it compiles, and writes something as its object
COMPILER = """\
#!/bin/sh
for word in "$@"; do last=$word; case $word in *.c) echo "$word" >> {compiled};; esac; done
while [ $# -gt 1 ]; do [ "$1" = -o ] && out=$2; shift; done
echo "$out" > "$out"
"""


class Bench:
    """A project of five units, a store, and a compiler that is none."""

    def __init__(self, root: Path) -> None:
        self.root, self.compiled = root, root / "compiled"
        (root / "project").mkdir(parents=True)
        for number in range(5):
            (root / "project" / f"unit_{number}.c").write_text(f"int f{number};\n")
        self.compiler = root / "cc"
        self.compiler.write_text(COMPILER.format(compiled=self.compiled))
        self.compiler.chmod(0o755)

    def build(self, name: str) -> Build:
        scratch = self.root / name
        scratch.mkdir()
        context: Any = SimpleNamespace(
            scratch=str(scratch), store=Store(str(self.root / "store")), is_audit=False, env=dict(os.environ),
            message=lambda text: None, progress=lambda done, total, unit: None, check=lambda outcome, what: None,
            log_path=lambda stream: str(scratch / stream), out=lambda output: str(scratch / output),
        )  # fmt: skip
        config = {"optimisation": "0", "target": None, "processor": None}
        return Build(
            context, str(self.root / "project"), [str(self.compiler)], config, Tool("cc", "1", "a compiler"), 1
        )

    def names(self) -> list[str]:
        return sorted(self.compiled.read_text().split())


def test_a_unit_that_another_build_has_compiled_meanwhile_is_taken_from_it(tmp_path: Path) -> None:
    """Both begin with an empty store: only what was under way already is compiled twice."""
    bench = Bench(tmp_path)
    late, early = bench.build("late"), bench.build("early")
    start = late._start
    began: list[str] = []

    def start_after_the_other(name: str, running: dict[Program, str]) -> Program:
        if not began:
            early.run()
        began.append(name)
        return start(name, running)

    late._start = start_after_the_other  # type: ignore[method-assign]
    late.run()
    assert len(began) == 1
    assert bench.names() == sorted([f"unit_{number}.c" for number in range(5)] + began)
    assert late.done == 5 and len(os.listdir(late.objects)) == 5


def test_builds_that_begin_together_begin_far_apart() -> None:
    names = [f"u{number}" for number in range(60)]
    orders = [_rotated(names, pid) for pid in (1000, 1001)]
    assert all(sorted(order) == sorted(names) for order in orders)
    apart = (names.index(orders[0][0]) - names.index(orders[1][0])) % 60
    assert 15 <= apart <= 45
    assert _rotated([], 7) == []


def test_an_object_remembers_which_compiler_made_it(tmp_path: Path) -> None:
    """So that a bad one can be disowned with all that it made."""
    bench = Bench(tmp_path)
    bench.build("first").run()
    records = Store(str(tmp_path / "store")).actions()
    assert len(records) == 5
    assert all(record["ingredients"]["tools"] == {"cc": "a compiler"} for record in records)
    assert all(record["tool_versions"] == {"cc": "1"} for record in records)
