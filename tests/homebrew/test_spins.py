"""Threads that wait in a loop without a call do not starve the others, and are named where nobody will end the loop."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.homebrew.programs import guest_program, make_port, nxbuild, run_port

SOURCE = Path(__file__).resolve().parent / "spins" / "spins.c"


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Path:
    nro = tmp_path_factory.mktemp("spins") / "spins.nro"
    nxbuild.build_nro(guest_program("spins", SOURCE), nro)
    return make_port(nro, nro.with_suffix(".port"))


def test_a_loop_that_waits_lets_others_run(port: Path, tmp_path: Path) -> None:
    """50 ms pass until the word is written and 50 ms until the lock is given: 6 ticks; then nobody writes any more."""
    runs = [run_port(port, tmp_path / name, "", 30) for name in ("one", "two")]
    for run in runs:
        assert run.said.splitlines()[:3] == ["word 7", "lock", "alone"]
        ended = run.facts["exit"]
        assert (ended["kind"], run.facts["ticks"]) == ("limit", 30)
        assert "guest thread 1 spins, and nobody else can run" in ended["detail"]
    assert runs[0].facts == runs[1].facts


def test_an_access_to_nothing_ends_the_run_and_is_named(port: Path, tmp_path: Path) -> None:
    """A second later, by the other thread; the recording is whole."""
    run = run_port(port, tmp_path / "run", "", 300)
    assert (run.facts["exit"]["kind"], run.facts["ticks"]) == ("signal", 66)
    assert "guest accessed address 0x10 (not mapped)" in run.facts["exit"]["detail"]
