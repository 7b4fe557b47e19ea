"""Confinement by the kernel, where it has Landlock; elsewhere `confinement` must say that there is none."""

from __future__ import annotations

import os
from pathlib import Path

from recomp.engine.landlock import abi_version, confinement
from recomp.engine.process import Outcome, Program, run_program


def run_confined(folder: Path, script: str, read: tuple[str, ...], write: tuple[str, ...]) -> Outcome:
    bounds = confinement(read, write)
    assert (bounds is None) == (abi_version() == 0)
    program = Program(
        ["/bin/sh", "-c", script], cwd="/", env=dict(os.environ), confine=bounds,
        stdout_path=str(folder / "out"), stderr_path=str(folder / "err"),
    )  # fmt: skip
    return run_program(program)


def test_reads_and_writes_outside_of_the_bounds_are_refused(tmp_path: Path) -> None:
    given, own, other = tmp_path / "given", tmp_path / "own", tmp_path / "other"
    for folder in (given, own, other):
        folder.mkdir()
        (folder / "file").write_text(folder.name)
    script = f"""
        cat {given}/file; echo own > {own}/new; cat {own}/new
        cat {other}/file || echo 'no read'
        echo x > {other}/new || echo 'no write'
        echo x > {given}/file || echo 'no change'
        rm {other}/file || echo 'no removal'
    """
    run_confined(tmp_path, script, (str(given),), (str(own),))
    told = (tmp_path / "out").read_text()
    refused = "no read\nno write\nno change\nno removal\n" if abi_version() else "other"
    assert told == "givenown\n" + refused


def test_what_a_confined_program_starts_is_confined(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    run_confined(tmp_path, f"sh -c 'sh -c \"cat {secret}\"' || echo refused", (), ())
    assert (tmp_path / "out").read_text() == ("refused\n" if abi_version() else "secret")
