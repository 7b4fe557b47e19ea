"""The programs of this folder, built once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.homebrew.programs import Run, guest_program, make_port, nxbuild, run_port
from tests.oracle.__main__ import run_on_card
from tests.oracle.run import Options, Report

#: A is held from tick 1 on, Up from tick 3
CHECKS_SCRIPT = ((1, 1, 44, 1), (3, 1, 103, 1))
CHECKS_TICKS = 600


@pytest.fixture(scope="session")
def checks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The NRO of the check program."""
    path = tmp_path_factory.mktemp("checks") / "checks.nro"
    nxbuild.build_nro(guest_program("checks"), path)
    return path


@pytest.fixture(scope="session")
def checks_port(checks: Path) -> Path:
    return make_port(checks, checks.with_suffix(".port"))


@pytest.fixture(scope="session")
def checks_on_the_oracle(checks: Path, tmp_path_factory: pytest.TempPathFactory) -> Report:
    return play_checks(checks.read_bytes(), tmp_path_factory.mktemp("card"))


@pytest.fixture(scope="session")
def checks_on_the_port(checks_port: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    script = "".join(f"{' '.join(map(str, event))}\n" for event in CHECKS_SCRIPT)
    return run_port(checks_port, tmp_path_factory.mktemp("port"), script, CHECKS_TICKS)


def play_checks(nro: bytes, card: Path) -> Report:
    return run_on_card(nro, card, Options(CHECKS_SCRIPT, CHECKS_TICKS, argv="sdmc:/switch/checks.nro"))
