"""Guest programs from source, by the compiler that ships with the project."""

from __future__ import annotations

import functools
import subprocess
import sys
import tempfile
from pathlib import Path

ZIG = [sys.executable, "-m", "ziglang", "cc", "--target=aarch64-linux-musl", "-static", "-g0"]


@functools.cache
def build(source: str, suffix: str, *flags: str) -> bytes:
    """The ELF of one source file; `suffix` (".c", ".s") says what it is."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "guest" + suffix)
        path.write_text(source, encoding="utf-8")
        done = subprocess.run(
            [*ZIG, *flags, "-o", "guest.elf", path.name], cwd=folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return Path(folder, "guest.elf").read_bytes()


def compile_c(source: str, *flags: str) -> bytes:
    """A C program with musl."""
    return build(source, ".c", "-O2", *flags, "-lm")


def assemble(source: str) -> bytes:
    """A program of nothing but this assembly; `_start` is its entry. Symbols are kept."""
    return build(source, ".s", "-nostdlib", "-Wl,-z,norelro")
