"""Homebrew programs of the tests: built with the samples' SDK, turned into ports, played on either judge."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SDK = ROOT / "samples" / "nx-sdk"
GUESTS = Path(__file__).resolve().parent / "guests"
sys.path[:0] = [str(path) for path in (SDK, ROOT / "samples" / "tools") if str(path) not in sys.path]

import nxbuild  # noqa: E402


def guest_program(name: str, *sources: Path) -> nxbuild.Program:
    return nxbuild.Program(name, name, "tests", "1.0", sources or tuple(sorted(GUESTS.glob("*.c"))))


def make_port(nro: Path, port: Path) -> Path:
    """The NRO as an executable of this machine."""
    command = [sys.executable, "-m", "recomp", "port", str(nro), "-o", str(port)]
    done = subprocess.run(command, env=_environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return port


@dataclass(frozen=True)
class Run:
    """What a port left: its recording's folder, what it said, its storage."""

    recording: Path
    said: str
    files: Path

    @property
    def facts(self) -> dict:
        return json.loads((self.recording / "run.json").read_text(encoding="utf-8"))


def run_port(
    port: Path, folder: Path, script: str, ticks: int, environment: dict[str, str] | None = None, nice: int = 0
) -> Run:
    """Play a port into a new folder, with an empty SD card."""
    recording, files = folder / "recording", folder / "files"
    recording.mkdir(parents=True)
    files.mkdir()
    (folder / "input").write_text(script, encoding="ascii")
    wanted = {
        "PATH": "/usr/bin:/bin",
        "RECOMP_RT_RECORD": str(recording),
        "RECOMP_RT_INPUT": str(folder / "input"),
        "RECOMP_RT_ROOT": str(files),
        "RECOMP_RT_MAX_TICKS": str(ticks),
        "RECOMP_RT_REALTIME": "0",
    }
    command = ["nice", "-n", str(nice), str(port)] if nice else [str(port)]
    done = subprocess.run(command, env=wanted | (environment or {}), capture_output=True, text=True, check=False)
    return Run(recording, done.stderr, files)


def _environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT / "src")}
