"""Builds a homebrew program (NRO) from C sources and this SDK, with title, author, icon and files of its own.

The samples' build scripts use it; it needs zig cc, and Pillow for the icon. Same sources, same bytes: no time, no path.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

SDK = Path(__file__).resolve().parent
ROOT = SDK.parents[1]
sys.path[:0] = [str(ROOT / "src")]

from recomp.errors import FormatError  # noqa: E402
from recomp.formats.assets import Assets, write_assets  # noqa: E402
from recomp.formats.nacp import write_nacp  # noqa: E402
from recomp.formats.nro import nro_of_elf  # noqa: E402
from recomp.formats.romfs import write_romfs  # noqa: E402

# Musl's mathematics, the same as of the other builds; no contraction, so that every build computes the same.
FLAGS = [
    *("-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-O2", "-s"),
    *("-ffp-contract=off", "-fPIE", "-fno-builtin-printf"),
]
LINK = ["-Wl,--gc-sections", "-Wl,--eh-frame-hdr", "-Wl,-e,nx_start"]
TARGET = "aarch64-linux-musl"


class BuildError(Exception):
    """Something a user can act on."""


@dataclass(frozen=True)
class Program:
    """What an NRO is made of. `files` are the RomFS: path within it → bytes."""

    name: str
    title: str
    author: str
    version: str
    sources: tuple[Path, ...]
    includes: tuple[Path, ...] = ()
    flags: tuple[str, ...] = ()
    icon: bytes = b""
    files: dict[str, bytes] = field(default_factory=dict)


def sdk_sources() -> list[Path]:
    return sorted((SDK / "src").glob("*.[cS]"))


def inputs(program: Program) -> list[Path]:
    """The files that decide what the program is, for a key."""
    headers = [*(SDK / "include").rglob("*.h"), *(SDK / "src").glob("*.h"), SDK / "nro.ld", SDK / "nxbuild.py"]
    headers += [ROOT / "src/recomp/formats" / f"{name}.py" for name in ("assets", "image", "nacp", "nro", "romfs")]
    for folder in program.includes:
        headers += folder.glob("*.h")
    return [*program.sources, *sdk_sources(), *sorted(headers)]


def build_nro(program: Program, path: Path) -> None:
    """Write the NRO. Raises BuildError with what the compiler said."""
    with tempfile.TemporaryDirectory() as folder:
        elf = Path(folder) / f"{program.name}.elf"
        compile_elf(program, elf)
        data = make_nro(elf.read_bytes(), program)
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(data)
    partial.replace(path)


def compile_elf(program: Program, elf: Path) -> None:
    environment = os.environ | {"SOURCE_DATE_EPOCH": "0"}
    environment.setdefault("ZIG_GLOBAL_CACHE_DIR", str(ROOT / ".cache" / "zig"))
    base = Path(os.path.commonpath([SDK, *program.sources, *program.includes]))
    command = [
        *(sys.executable, "-m", "ziglang", "cc", f"--target={TARGET}", *FLAGS, *program.flags, *LINK),
        *_include_flags([SDK / "include", *program.includes], base),
        f"-Wl,-T,{os.path.relpath(SDK / 'nro.ld', base)}",
        *_relative([*program.sources, *sdk_sources()], base),
        *("-lm", "-o", str(elf.resolve())),
    ]
    done = subprocess.run(command, cwd=base, env=environment, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise BuildError(f"{program.name}.nro cannot be compiled:\n{done.stderr.strip()}")


def _relative(paths: Iterable[Path], base: Path) -> list[str]:
    return [os.path.relpath(path, base) for path in paths]


def _include_flags(folders: Iterable[Path], base: Path) -> list[str]:
    return [f"-I{path}" for path in _relative(folders, base)]


def make_nro(elf: bytes, program: Program) -> bytes:
    romfs = write_romfs(program.files) if program.files else b""
    nacp = write_nacp(program.title, program.author, program.version)
    try:
        return nro_of_elf(elf, write_assets(Assets(program.icon, nacp, romfs)))
    except FormatError as error:
        raise BuildError(error.message) from error
