"""Threads that wait in a loop without a call do not starve the others, and are named where nobody will end the loop."""

from __future__ import annotations

from pathlib import Path

from tests.homebrew.programs import guest_program, make_port, nxbuild, run_port

SOURCE = Path(__file__).resolve().parent / "spins" / "spins.c"


def test_a_loop_that_waits_lets_others_run(tmp_path: Path) -> None:
    """50 ms pass until the word is written and 50 ms until the lock is given: 6 ticks; then nobody writes any more."""
    nro = tmp_path / "spins.nro"
    nxbuild.build_nro(guest_program("spins", SOURCE), nro)
    port = make_port(nro, tmp_path / "spins.port")
    runs = [run_port(port, tmp_path / name, "", 30) for name in ("one", "two")]
    for run in runs:
        assert run.said.splitlines()[:3] == ["word 7", "lock", "alone"]
        ended = run.facts["exit"]
        assert (ended["kind"], run.facts["ticks"]) == ("limit", 30)
        assert "guest thread 1 spins, and nobody else can run" in ended["detail"]
    assert runs[0].facts == runs[1].facts
