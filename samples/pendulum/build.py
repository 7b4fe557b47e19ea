#!/usr/bin/env python3
"""Makes out/pendulum.nro, which automation.toml takes to a port: `python build.py [--out FOLDER]`."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "nx-sdk")]

import nxbuild  # noqa: E402
import sample  # noqa: E402
from icon import draw_letters  # noqa: E402

ICON = ((0x0180, 0x0180, 0x0180, 0x0300, 0x0300, 0x0600, 0x0600, 0x0C00, 0x1E00, 0x3F00, 0x3F00, 0x1E00),)

PROGRAM = nxbuild.Program(
    name="pendulum",
    title="Pendulum",
    author="recomp samples",
    version="1.0",
    sources=(HERE / "src" / "main.c",),
    icon=draw_letters(ICON, (250, 220, 140), (30, 40, 90)),
)

if __name__ == "__main__":
    sys.exit(sample.main(PROGRAM, HERE))
