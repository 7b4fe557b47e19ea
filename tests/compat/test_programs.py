"""The comparison behind `make compat`: Debian's arm64 programs, recompiled; the cases are in `*.toml` here.

The programs themselves are not part of this suite: building them takes longer than everything else together."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
import compat  # noqa: E402

PROGRAMS = {program.name: program for program in compat.load_programs()}


def test_control_the_emulator_agrees_with_itself() -> None:
    """Each case of zsh is deterministic: the emulator in the place of the port leaves no difference."""
    program = PROGRAMS["zsh"]
    qemu = shutil.which("qemu-aarch64")
    assert qemu
    command = [qemu, "-0", program.name, str(program.path)]
    different = [
        c.name for c in program.cases if compat.run_case(c, command, None).difference(compat.run_case(c, command, None))
    ]
    assert program.cases and not different


def test_control_a_port_that_answers_otherwise_is_found() -> None:
    """`true` stands in for a port of bash: every case must be told apart from it."""
    wrong = Path(shutil.which("true") or "/bin/true")
    cases = list(compat.compare(PROGRAMS["bash"], wrong))
    assert cases and all(why for _, why in cases)
