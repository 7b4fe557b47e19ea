"""Console guests made by hand: how they end, what is said about them, and servers inside the program."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.runtime.conftest import RUNTIME, TARGET

HERE = Path(__file__).parent
ZIG = [sys.executable, "-m", "ziglang", "cc", "-target", TARGET, "-std=gnu2x", "-O1", "-g0", "-fno-sanitize=undefined",
       "-Wall", "-Wextra", "-Werror", f"-I{RUNTIME / 'include'}"]  # fmt: skip


def compile_c(*arguments: str) -> None:
    done = subprocess.run([*ZIG, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def console(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """`console("ends")` links guests/ends.c with the runtime, once."""
    folder = tmp_path_factory.mktemp("console")
    sources = [*(RUNTIME / "src").glob("*.c"), *(RUNTIME / "src" / "horizon").glob("**/*.c")]
    objects = []
    for source in sorted(sources):
        out = folder / ("_".join(source.relative_to(RUNTIME / "src").parts) + ".o")
        compile_c("-c", str(source), "-o", str(out))
        objects.append(str(out))
    made: dict[str, Path] = {}

    def make(name: str) -> Path:
        if name not in made:
            made[name] = folder / name
            compile_c(str(HERE / "guests" / f"{name}.c"), *objects, "-lpthread", "-lm", "-o", str(made[name]))
        return made[name]

    return make


def play(port: Path, folder: Path, **env: str) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    done = subprocess.run(
        [str(port)], capture_output=True, text=True, timeout=60, env={"RECOMP_RT_RECORD": str(folder), **env}
    )
    return done, json.loads((folder / "run.json").read_text())


@pytest.mark.parametrize(
    ("ending", "kind", "code", "detail"),
    [
        ("return", "exit", 0, "returned to the loader: success"),
        ("result", "exit", 1, "returned to the loader: 2001-0114 (invalid handle)"),
        ("exit", "exit", 0, "ExitProcess"),
        ("break", "signal", 134, "the program aborted: Break, reason 0 (panic), result 2345-0013 (buffer producer)"),
        ("deadlock", "limit", 124, "every guest thread waits for something that cannot happen any more"),
        ("gpu", "trap", 125, "this program draws with the GPU; not supported: it submitted work to /dev/nvhost-gpu"),
        ("panic", "trap", 125, 'set:10: its stub is "panic"'),
    ],
)
def test_how_it_ends(
    console: Callable[[str], Path], tmp_path: Path, ending: str, kind: str, code: int, detail: str
) -> None:
    done, run = play(console("ends"), tmp_path, ENDING=ending)
    assert run["exit"] == {"kind": kind, "code": code, "detail": detail}, done.stderr
    assert done.returncode == code


def test_what_nobody_implemented_is_listed_and_steered(console: Callable[[str], Path], tmp_path: Path) -> None:
    done, run = play(console("ends"), tmp_path, ENDING="unknowns")
    assert run["exit"]["detail"] == "returned to the loader: success", done.stderr
    assert run["unknown_commands"] == [
        {"name": "service nothing", "count": 2},
        {"name": "service gone", "count": 1},
        {"name": "set:4000", "count": 2},
        {"name": "set:9", "count": 1},
        {"name": "stub:7", "count": 1},
    ]
    assert run["unknown_svcs"] == [{"number": 0x7E, "count": 1}]
    assert "stub:7(0x1234, 0x0)" in done.stderr


def test_a_program_serves_its_own_sessions_and_ports(console: Callable[[str], Path], tmp_path: Path) -> None:
    done, run = play(console("sessions"), tmp_path)
    assert done.stdout == "sessions answered\n", done.stderr
    assert run["exit"]["kind"] == "exit"


def test_real_time_is_refused(console: Callable[[str], Path]) -> None:
    done = subprocess.run(
        [str(console("ends"))], capture_output=True, text=True, timeout=60,
        env={"ENDING": "return", "RECOMP_RT_REALTIME": "1"},
    )  # fmt: skip
    assert (done.returncode, done.stderr.strip()) == (
        125,
        "recomp-rt: RECOMP_RT_REALTIME: a console program runs in virtual time",
    )
