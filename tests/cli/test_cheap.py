"""What is called most often imports nothing that it does not need: a run with nothing to do, and `--help`."""

from __future__ import annotations

import os
import subprocess
import sys

from builders import ProjectFolder
from conftest import SOURCES

#: each costs a run with nothing to do more than a hundredth of its time
HEAVY = {
    "argparse", "asyncio", "av", "capstone", "ctypes", "dataclasses", "decimal", "difflib", "hashlib", "inspect",
    "jinja2", "logging", "lzma", "msgspec", "numpy", "PIL", "pathlib", "random", "shutil", "socket", "subprocess",
    "tempfile", "threading", "tomlkit", "unicodedata", "urllib", "zlib", "recomp.a64", "recomp.emit", "recomp.lift",
    "recomp.media", "recomp.report", "recomp.semantics", "recomp.formats",
}  # fmt: skip
SHOW = """
import sys
before = set(sys.modules)
from recomp.cli.main import main
code = main(sys.argv[1:])
print(*sorted(set(sys.modules) - before), file=sys.stderr)
sys.exit(code)
"""


def imported(*arguments: str) -> set[str]:
    """The modules that a call loads beyond those of a bare interpreter."""
    env = {**os.environ, "PYTHONPATH": SOURCES}
    done = subprocess.run(
        [sys.executable, "-I", "-c", _isolated(), *arguments], env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return set(done.stderr.splitlines()[-1].split())


def _isolated() -> str:
    return f"import sys; sys.path.insert(0, {SOURCES!r})\n{SHOW}"


def test_a_run_with_nothing_to_do(folder: ProjectFolder) -> None:
    folder.with_reference().with_commands("/usr/bin/true")
    config = str(folder.write())
    imported("automate", "--config", config)
    imported("automate", "--config", config)  # remembers hashes of files that were too fresh
    again = imported("automate", "--config", config)
    assert all(step["cache_hit"] for step in folder.manifest()["steps"])
    assert again & HEAVY == set()
    assert "json" in again  # the probe sees what is loaded


def test_a_name_that_is_spelt_twice_to_save_an_import() -> None:
    from recomp.media.determinism import RECORD
    from recomp.stages.job import REPEATS_RECORD

    assert REPEATS_RECORD == RECORD


def test_help() -> None:
    assert imported("--help") & (HEAVY - {"argparse", "shutil", "zlib", "lzma"}) == set()
