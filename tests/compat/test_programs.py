"""Programs nobody here wrote, recompiled: every case of `*.toml` here ends as it does under `qemu-aarch64`.

Each port is built once and found in the cache by whichever worker needs it next. What a case misses is lifted in a
second round, which must miss nothing. `make compat` writes the table.
"""

from __future__ import annotations

import functools
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
import compat  # noqa: E402

PROGRAMS = {program.name: program for program in compat.load_programs()}
#: What takes more than 150 CPU-seconds to build is compared by `make compat` alone.
CASES = [(program, case) for program in PROGRAMS.values() if not program.heavy for case in program.cases]


@functools.cache
def port_of(name: str) -> Path:
    return compat.build_port(PROGRAMS[name]).path


@pytest.mark.slow
@pytest.mark.parametrize(("program", "case"), CASES, ids=[f"{program.name}-{case.name}" for program, case in CASES])
def test_the_port_ends_as_the_program_does_under_an_emulator(
    program: compat.Program, case: compat.Case, tmp_path: Path
) -> None:
    missed, missed_again = tmp_path / "misses.jsonl", tmp_path / "again.jsonl"
    difference = compat.compare(program, case, port_of(program.name), missed)
    if missed.exists():
        port = compat.build_port(program, missed, output=tmp_path / "port").path
        difference = compat.compare(program, case, port, missed_again)
    assert difference == ""
    assert not missed_again.exists(), missed_again.read_text()


def test_control_the_emulator_agrees_with_itself(tmp_path: Path) -> None:
    """Each case of zsh is deterministic: the emulator in the place of the port leaves no difference."""
    program = PROGRAMS["zsh"]
    qemu = shutil.which("qemu-aarch64")
    assert qemu and program.cases
    command = [qemu, "-0", program.name, str(program.path)]
    for number, case in enumerate(program.cases):
        folder = tmp_path / str(number)
        compat.prepare(case, folder)
        one, two = (compat.run_case(case, folder, command, None) for _ in range(2))
        assert one.difference(two) == "", case.name


def test_control_a_port_that_answers_otherwise_is_found() -> None:
    """`true` stands in for a port of bash: every case must be told apart from it."""
    wrong = Path(shutil.which("true") or "/bin/true")
    program = PROGRAMS["bash"]
    assert program.cases and all(compat.compare(program, case, wrong) for case in program.cases)
