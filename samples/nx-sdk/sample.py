"""What the small samples' build scripts share: making the NRO and its provenance, and nothing twice."""

from __future__ import annotations

import argparse
import hashlib
import sys
from importlib.metadata import version
from pathlib import Path

import nxbuild

PROVENANCE = """\
# Written by build.py beside the program it describes.
schema_version = "1"

[title]
name = "{title}"
title_id = "{name}"
version = "{version}"
region = "all"

[collection]
device = "none: compiled from samples/{name}/src"
collected_at = "2026-11-23T00:00:00Z"
notes = "An original program under this project's licence; the date is that of its source."

[collection.tool]
name = "zig cc"
version = "{zig}"

[[inputs]]
path = "{name}.nro"
sha256 = "{sha256}"
size = {size}
format = "nro0"
role = "program"
"""


def build(program: nxbuild.Program, out: Path) -> Path:
    """Bring `out/NAME.nro` and `out/provenance.toml` up to date. Raises nxbuild.BuildError."""
    out.mkdir(parents=True, exist_ok=True)
    nro, stamp = out / f"{program.name}.nro", out / "stamp"
    key = _key(program)
    if nro.is_file() and stamp.is_file() and stamp.read_text(encoding="ascii") == f"{key} {_hash(nro)}\n":
        print(f"  {nro.name:<18} unchanged")
        return nro
    print(f"  {nro.name:<18} making", flush=True)
    nxbuild.build_nro(program, nro)
    text = PROVENANCE.format(
        title=program.title, name=program.name, version=program.version, zig=version("ziglang"), sha256=_hash(nro),
        size=nro.stat().st_size,
    )  # fmt: skip
    (out / "provenance.toml").write_text(text, encoding="utf-8")
    stamp.write_text(f"{key} {_hash(nro)}\n", encoding="ascii")
    return nro


def main(program: nxbuild.Program, here: Path) -> int:
    """The command line of a sample's build.py."""
    parser = argparse.ArgumentParser(description=f"Makes {program.name}.nro and provenance.toml.")
    parser.add_argument("--out", type=Path, default=here / "out", metavar="FOLDER")
    options = parser.parse_args()
    try:
        build(program, options.out)
    except (nxbuild.BuildError, OSError) as error:
        print(f"{program.name}: error: {error}", file=sys.stderr)
        return 1
    return 0


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _key(program: nxbuild.Program) -> str:
    facts = [
        program.title, program.author, program.version, version("ziglang"), *nxbuild.FLAGS, *nxbuild.LINK,
        *program.flags,         hashlib.sha256(program.icon).hexdigest(),
        *(f"{path} {hashlib.sha256(data).hexdigest()}" for path, data in sorted(program.files.items())),
        *(f"{path.name} {_hash(path)}" for path in nxbuild.inputs(program)),
    ]  # fmt: skip
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()
