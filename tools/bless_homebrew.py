#!/usr/bin/env python3
"""Writes golden.frames of the small homebrew samples with the oracle: `python tools/bless_homebrew.py [--check]`.

With --check nothing is written, and the exit code is 1 if a golden differs.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import tomllib
from importlib import util
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src"), str(ROOT / "samples" / "nx-sdk"), str(ROOT / "samples" / "tools")]

from input_lines import input_lines  # noqa: E402
from tests.oracle.__main__ import run_on_card  # noqa: E402
from tests.oracle.run import Options, Report  # noqa: E402

SAMPLES = ("notebook", "pendulum")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    differ = []
    for name in SAMPLES:
        golden = ROOT / "samples" / name / "golden.frames"
        text = golden_text(play(name))
        if not golden.exists() or golden.read_text(encoding="ascii") != text:
            differ.append(name)
            if not options.check:
                golden.write_text(text, encoding="ascii")
    print(f"differ: {', '.join(differ) or 'none'}")
    return 1 if differ and options.check else 0


def play(name: str, card: Path | None = None) -> Report:
    """One sample on the oracle, with its input script."""
    here = ROOT / "samples" / name
    import sample

    nro = sample.build(load_program(name), here / "out")
    events = [tuple(map(int, line.split())) for line in input_lines(here / "input_script.toml").splitlines()]
    script = tomllib.loads((here / "input_script.toml").read_text(encoding="utf-8"))
    end = max(marker["frame"] for marker in script["markers"])
    wanted = Options(tuple(events), end, argv=f"sdmc:/switch/{name}.nro")  # type: ignore[arg-type]
    if card:
        return run_on_card(nro.read_bytes(), card, wanted)
    with tempfile.TemporaryDirectory() as folder:
        return run_on_card(nro.read_bytes(), Path(folder), wanted)


def load_program(name: str) -> Any:
    spec = util.spec_from_file_location(f"{name}_build", ROOT / "samples" / name / "build.py")
    assert spec and spec.loader
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.PROGRAM


def golden_text(report: Report) -> str:
    head = "# The oracle's frames, one hash a tick, of its pixels.\n"
    return head + "".join(f"{frame}\n" for frame in report.frames)


if __name__ == "__main__":
    sys.exit(main())
