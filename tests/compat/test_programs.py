"""Debian's arm64 programs, recompiled: each case behaves as under the emulator. The cases are in `*.toml` here."""

from __future__ import annotations

import functools
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
import compat  # noqa: E402

PROGRAMS = {program.name: program for program in compat.load_programs()}


@functools.cache
def port_of(name: str) -> Path:
    return compat.build_port(PROGRAMS[name])


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_every_case_behaves_as_under_the_emulator(name: str) -> None:
    port = port_of(name)
    different = [f"{case.name}: {why}" for case, why in compat.compare(PROGRAMS[name], port) if why]
    assert not different, "\n".join(different)


def test_control_a_port_that_answers_otherwise_is_found() -> None:
    """`true` stands in for a port of bash: every case must be told apart from it."""
    wrong = Path(shutil.which("true") or "/bin/true")
    cases = list(compat.compare(PROGRAMS["bash"], wrong))
    assert cases and all(why for _, why in cases)
