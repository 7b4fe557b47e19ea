"""The runtime, compiled once per session, and guests made by hand to run on it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

HERE = Path(__file__).parent
RUNTIME = HERE.parents[1] / "src" / "recomp" / "runtime"
FLAGS = ["-std=c11", "-O2", "-g0", "-fno-sanitize=undefined", "-Wall", "-Wextra", "-Werror"]
TARGET = "x86_64-linux-musl" if os.uname().machine == "x86_64" else "aarch64-linux-musl"


def compile_c(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "ziglang", "cc", "-target", TARGET, *FLAGS, f"-I{RUNTIME / 'include'}"]
    result = subprocess.run([*command, f"-I{RUNTIME / 'src'}", *arguments], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


@dataclass(frozen=True)
class Guest:
    """A guest linked with the runtime."""

    port: Path

    def __call__(
        self, *arguments: str, stdin: bytes = b"", timeout: float = 20, argv0: str | None = None, **environment: str
    ) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [argv0 or "guest", *arguments],
            executable=self.port,
            input=stdin,
            capture_output=True,
            timeout=timeout,
            env=environment,
        )


@pytest.fixture(scope="session")
def runtime_objects(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("runtime")
    sources = sorted([*(RUNTIME / "src").glob("*.c"), *(RUNTIME / "src" / "linux").glob("*.c")])
    objects = []
    for source in sources:
        out = folder / ("_".join(source.relative_to(RUNTIME / "src").parts) + ".o")
        compile_c(["-c", str(source), "-o", str(out)])
        objects.append(str(out))
    return objects


@pytest.fixture(scope="session")
def guest(runtime_objects: list[str], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Guest]:
    """`guest("start")` compiles and links guests/start.c, once."""
    folder = tmp_path_factory.mktemp("guests")
    made: dict[str, Guest] = {}

    def make(name: str) -> Guest:
        if name not in made:
            port = folder / name
            compile_c([str(HERE / "guests" / f"{name}.c"), *runtime_objects, "-lpthread", "-o", str(port)])
            made[name] = Guest(port)
        return made[name]

    return make
