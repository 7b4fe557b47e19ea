#!/usr/bin/env python3
"""Makes what Ember Kite's automation.toml needs, in out/: the guest program, the native reference, its recording.

    python build.py [--out FOLDER] [--no-reference] [--homebrew]

With --homebrew also emberkite.nro, the same game for a console that runs homebrew (homebrew.toml).

All programs come from the same sources, with musl and its mathematics, and without contraction of multiply and add:
they do the same arithmetic to the last bit. Nothing is rebuilt whose inputs are unchanged (out/stamp.json).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE.parent / "tools"), str(ROOT / "src")]

from input_lines import input_lines  # noqa: E402

FLAGS = ["-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-O2", "-s", "-static", "-ffp-contract=off"]
PLATFORMS = {
    "emberkite": "platform_linux.c",
    "emberkite-native": "platform_native.c",
    "emberkite.nro": "platform_horizon.c",
}
RECORDING = ["reference.mkv", "reference.frames", "reference.audio", "reference.log", "input.txt"]

PROVENANCE = """\
# Written by build.py beside the program it describes.
schema_version = "1"

[title]
name = "Ember Kite"
title_id = "emberkite"
version = "1.0"
region = "all"

[collection]
device = "none: compiled from samples/emberkite/src"
collected_at = "2026-11-23T00:00:00Z"
notes = "An original game under this project's licence; the date is that of its source."

[collection.tool]
name = "zig cc"
version = "{zig}"

[[inputs]]
path = "{path}"
sha256 = "{sha256}"
size = {size}
format = "{format}"
role = "program"
"""


class BuildError(Exception):
    """Something a user can act on."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=HERE / "out", metavar="FOLDER")
    parser.add_argument(
        "--no-reference", action="store_true", help="only the programs and what says where they are from"
    )
    parser.add_argument("--homebrew", action="store_true", help="also emberkite.nro")
    options = parser.parse_args()
    try:
        build(options.out, reference=not options.no_reference, homebrew=options.homebrew)
    except (BuildError, ValueError, OSError) as error:
        print(f"emberkite: error: {error}", file=sys.stderr)
        return 1
    return 0


def build(out: Path, *, reference: bool = True, homebrew: bool = False) -> None:
    """Bring `out` up to date. Raises BuildError."""
    out.mkdir(parents=True, exist_ok=True)
    stamp = Stamp(out)
    host = {"AMD64": "x86_64", "arm64": "aarch64"}.get(platform.machine(), platform.machine())
    for program, target in (("emberkite", "aarch64"), ("emberkite-native", host)):
        sources = sources_of(program)
        key = key_of([program, target, *FLAGS, version("ziglang")], [*sources, *sorted((HERE / "src").glob("*.h"))])
        stamp.step(program, key, [program], lambda p=program, t=target, s=sources: compile_program(out / p, t, s))
    write_provenance(out, "emberkite", "elf", "provenance.toml")
    if homebrew:
        build_homebrew(out, stamp)
    if reference:
        tools = sorted((HERE.parent / "tools").glob("*.py"))
        media = [ROOT / "src/recomp/media" / name for name in ("hashing.py", "video.py")]
        key = key_of([version("av")], [out / "emberkite-native", HERE / "input_script.toml", *tools, *media])
        stamp.step("reference", key, RECORDING, lambda: record_reference(out))


def sources_of(program: str) -> list[Path]:
    """The C files of a program: everything but the other program's platform."""
    others = set(PLATFORMS.values()) - {PLATFORMS[program]}
    return sorted(path for path in (HERE / "src").glob("*.c") if path.name not in others)


def compile_program(path: Path, target: str, sources: list[Path]) -> None:
    environment = os.environ | {"SOURCE_DATE_EPOCH": "0"}
    environment.setdefault("ZIG_GLOBAL_CACHE_DIR", str(ROOT / ".cache" / "zig"))
    names = [str(source.relative_to(HERE)) for source in sources]
    command = [sys.executable, "-m", "ziglang", "cc", f"--target={target}-linux-musl", *FLAGS, *names, "-lm"]
    done = subprocess.run(
        [*command, "-o", str(path.resolve())], cwd=HERE, env=environment, stderr=subprocess.PIPE, text=True, check=False
    )
    if done.returncode != 0:
        raise BuildError(f"{path.name} cannot be compiled:\n{done.stderr.strip()}")


def build_homebrew(out: Path, stamp: Stamp) -> None:
    """The NRO, through the SDK of samples/nx-sdk."""
    sys.path.insert(0, str(HERE.parent / "nx-sdk"))
    import nxbuild
    from icon import draw_kite

    name = "emberkite.nro"
    program = nxbuild.Program(
        name="emberkite",
        title="Ember Kite",
        author="recomp samples",
        version="1.0",
        sources=tuple(sources_of(name)),
        icon=draw_kite(),
    )
    key = key_of([*nxbuild.FLAGS, *nxbuild.LINK, version("ziglang"), version("pillow")], nxbuild.inputs(program))
    try:
        stamp.step(name, key, [name], lambda: nxbuild.build_nro(program, out / name))
    except nxbuild.BuildError as error:
        raise BuildError(str(error)) from error
    write_provenance(out, name, "nro0", "provenance-homebrew.toml")


def write_provenance(out: Path, name: str, kind: str, file_name: str) -> None:
    program = out / name
    facts = {"path": name, "format": kind, "sha256": hash_file(program), "size": program.stat().st_size}
    text = PROVENANCE.format(zig=version("ziglang"), **facts)
    path = out / file_name
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def record_reference(out: Path) -> None:
    from record_reference import record

    from recomp.errors import RecompError

    (out / "input.txt").write_text(input_lines(HERE / "input_script.toml"), encoding="ascii")

    def progress(done: int, total: int) -> None:
        if sys.stderr.isatty() and (done % 20 == 0 or done == total):
            print(
                f"\r  reference  {done}/{total} frames", end="\n" if done == total else "", file=sys.stderr, flush=True
            )

    try:
        record(out / "emberkite-native", out / "input.txt", out, progress)
    except RecompError as error:
        raise BuildError(error.message) from error


def hash_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def key_of(words: list[str], files: list[Path]) -> str:
    """SHA-256 over words and the names and bytes of files."""
    parts = [*words, *(f"{path.name} {hash_file(path)}" for path in files)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


class Stamp:
    """Which inputs each step last saw, and what its outputs were then."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.path = out / "stamp.json"
        try:
            self.steps = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            self.steps = {}

    def step(self, name: str, key: str, outputs: list[str], action) -> None:
        """Run `action` unless it ran with this key and its outputs are still what they were."""
        if self.steps.get(name) == {"key": key, "outputs": self._hashes(outputs)}:
            print(f"  {name:<18} unchanged")
            return
        print(f"  {name:<18} making", flush=True)
        action()
        self.steps[name] = {"key": key, "outputs": self._hashes(outputs)}
        self.path.write_text(json.dumps(self.steps, indent=1, sort_keys=True) + "\n", encoding="utf-8")

    def _hashes(self, outputs: list[str]) -> dict[str, str | None]:
        paths = {name: self.out / name for name in outputs}
        return {name: hash_file(path) if path.is_file() else None for name, path in paths.items()}


if __name__ == "__main__":
    sys.exit(main())
