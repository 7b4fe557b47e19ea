#!/usr/bin/env python3
"""Makes out/notebook.nro, which automation.toml takes to a port: `python build.py [--out FOLDER]`."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "nx-sdk")]

import nxbuild  # noqa: E402
import sample  # noqa: E402
from icon import draw_letters  # noqa: E402

ICON = ((0x7FFE, 0x4002, 0x5FFA, 0x4002, 0x5FF2, 0x4002, 0x5FFA, 0x4002, 0x5FC2, 0x4002, 0x4002, 0x7FFE),)
ROMFS = HERE / "romfs"

PROGRAM = nxbuild.Program(
    name="notebook",
    title="Notebook",
    author="recomp samples",
    version="1.0",
    sources=(HERE / "src" / "main.c",),
    icon=draw_letters(ICON, (240, 240, 225), (60, 90, 60)),
    files={path.relative_to(ROMFS).as_posix(): path.read_bytes() for path in sorted(ROMFS.rglob("*.txt"))},
)

if __name__ == "__main__":
    sys.exit(sample.main(PROGRAM, HERE))
