"""What the benchmarks make of their figures."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

import tests.samples.sample  # noqa: F401  (tools/ becomes importable)

import bench_guest  # isort: skip
import bench_report  # isort: skip
import bench_translation  # isort: skip


def test_growth_is_the_exponent_of_a_power_law() -> None:
    assert bench_translation.exponent([(n, 3.0 * n) for n in (1, 10, 500)]) == pytest.approx(1.0)
    assert bench_translation.exponent([(n, 0.1 * n * n) for n in (4, 9, 100)]) == pytest.approx(2.0)


def test_copies_of_assembly_have_names_of_their_own() -> None:
    text = "kernel:\n\tadrp x0, .L0\n\tbl sort\n\tbl memcpy\nsort:\n\tb .L0\n.L0:\n\t.local table\n"
    expected = "kernel_a_7:\n\tadrp x0, .L0_a_7\n\tbl sort_a_7\n\tbl memcpy\nsort_a_7:\n\tb .L0_a_7\n.L0_a_7:\n"
    assert bench_guest.renamed(text, "kernel", "kernel_a_7", "_a_7") == f"{expected}\t.local table_a_7\n"


def test_a_guest_of_copies_runs_and_a_change_is_of_one_function(tmp_path: Path) -> None:
    guests = bench_guest.Guests(tmp_path, dict(os.environ))
    one, changed = guests.make("one", 1), guests.make("changed", 1, ("-DSTEP=0x1000001b5",))
    said = [subprocess.run(["qemu-aarch64", path], capture_output=True, check=True).stdout for path in (one, changed)]
    assert len(said[0]) == len(said[1]) == 17 and said[0] != said[1]
    first, second = one.read_bytes(), changed.read_bytes()
    assert len(first) == len(second)
    assert 0 < sum(a != b for a, b in zip(first, second, strict=True)) <= 8


def test_goals_are_met_or_missed() -> None:
    assert bench_report.Goal("", 2.0, 3.0).met and not bench_report.Goal("", 3.1, 3.0).met
    assert bench_report.Goal("", 4.0, 3.0, True).met and not bench_report.Goal("", 2.0, 3.0, True).met
    lines = bench_report.goal_lines([bench_report.Goal("slower", 1.5, 1.25), bench_report.Goal("a", 9999.0, 4, True)])
    assert lines[0].split() == ["slower", "1.50", "goal", "<=", "1.25", "MISSED"]
    assert lines[1].split() == ["a", "9,999", "goal", ">=", "4", "met"]
