"""The benchmark kernels compute the same everywhere, from inputs that matter; the table says what was measured."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import tests.samples.sample  # noqa: F401  (tools/ becomes importable)

import bench  # isort: skip

SMALL = {"allocation": 5000, "indirect": 5000, "integer": 500, "nbody": 200, "calls": 20}


def checksum(command: list[str | Path]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert re.fullmatch(r"[0-9a-f]{16}\n", done.stdout)
    return done.stdout


@pytest.mark.parametrize("name", sorted(bench.SIZES))
def test_a_kernel_computes_the_same_on_both_architectures(name: str, tmp_path: Path) -> None:
    (program,) = bench.programs([name])
    bench.compile_program(tmp_path / "guest", "aarch64", [], program.sources)
    bench.compile_program(tmp_path / "native", bench.os.uname().machine, [], program.sources)
    size = str(SMALL.get(name, 12))
    results = {seed: checksum([tmp_path / "native", size, seed]) for seed in ("1", "2", "77")}
    assert len(set(results.values())) == 3, "the seed must matter"
    assert checksum([tmp_path / "native", str(int(size) * 2), "1"]) != results["1"], "the size must matter"
    assert checksum(["qemu-aarch64", tmp_path / "guest", size, "77"]) == results["77"]


def test_every_kernel_is_measured_and_described() -> None:
    kernels = {path.stem for path in bench.KERNELS.glob("*.c")} - {"main"}
    readme = (bench.KERNELS / "README.md").read_text(encoding="utf-8")
    assert kernels == set(bench.SIZES)
    assert kernels == set(re.findall(r"^\| (\w+) \|", readme, re.M)) - {"kernel"}


def test_sides_that_disagree_are_an_error() -> None:
    program = bench.Program("odd", (), ())
    commands = {"port": ["echo", "1"], "native": ["echo", "1"], "qemu": ["echo", "2"]}
    with pytest.raises(bench.BenchError, match=r"odd: qemu printed '2\\n', expected '1\\n' as the port did"):
        bench.measure(program, commands, 1)


def test_a_side_that_fails_is_an_error() -> None:
    commands = {side: ["false"] for side in bench.SIDES}
    with pytest.raises(bench.BenchError, match="odd: false ended with 1, expected 0"):
        bench.measure(bench.Program("odd", (), ()), commands, 1)


def test_processor_time_counts_not_waiting() -> None:
    busy, _ = bench.timed([sys.executable, "-c", "sum(range(20_000_000))"], "busy")
    idle, output = bench.timed(["sh", "-c", "sleep 0.3; echo done"], "idle")
    assert output == "done\n"
    assert idle < busy


def test_ratios_and_their_mean() -> None:
    rows = [bench.Row("a", port=2.0, native=1.0, qemu=8.0), bench.Row("b", port=1.0, native=2.0, qemu=1.0)]
    assert bench.line_of(rows[0]) == "a                  1.000    2.000    8.000         2.00       4.00"
    assert bench.mean_of(rows, "slowdown") == pytest.approx(1.0)
    assert bench.mean_of(rows, "gain") == pytest.approx(2.0)


def test_an_unknown_program_is_named(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["bench.py", "nbdoy"])
    assert bench.main() == 1
    assert capsys.readouterr().err.startswith("bench: error: unknown program nbdoy, expected allocation, callbacks")
