"""Guest and host programs for tests, made by the compiler that ships with the project."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ZIG = [sys.executable, "-m", "ziglang", "cc"]
GUEST = ["--target=aarch64-linux-musl", "-static", "-O2", "-g0", "-ffp-contract=off"]
HOST = ["--target=x86_64-linux-musl", "-static", "-O2", "-g0", "-ffp-contract=off"]


def compile_c(source: Path, output: Path, flags: list[str]) -> Path:
    _run([*ZIG, *flags, "-o", str(output), str(source), "-lm"])
    return output


def build_port(files: dict[str, bytes], folder: Path) -> Path:
    """Write an emitted project, with the tests' runtime, and build it."""
    for path, data in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    shutil.copy(HERE / "tiny_runtime.c", folder / "tiny_runtime.c")
    runtime = ("rt/src/dispatch.c", "rt/src/stubs.c")
    sources = [path for path in files if path.endswith(".c") and ("/" not in path or path in runtime)]
    flags = [
        *json.loads(files["manifest.json"])["flags"],
        "--target=x86_64-linux-musl",
        "-static",
        "-I.",
        "-Irt/include",
    ]
    _run([*ZIG, *flags, "-o", "port", *sources, "tiny_runtime.c", "-lm"], folder)
    return folder / "port"


def run(argv: list[str]) -> tuple[bytes, int]:
    """(stdout, exit code); what the program said on stderr must be nothing."""
    done = subprocess.run(argv, capture_output=True, timeout=120, check=False)
    assert done.stderr == b"", done.stderr.decode(errors="replace")
    return done.stdout, done.returncode


def _run(argv: list[str], folder: Path | None = None) -> None:
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
