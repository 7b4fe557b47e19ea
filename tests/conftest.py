"""Fixtures that every test folder may use."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from builders import ProjectFolder

SOURCES = str(Path(__file__).resolve().parents[1] / "src")


@pytest.fixture
def folder(tmp_path: Path) -> ProjectFolder:
    """A project whose stages are commands, outside any repository."""
    return ProjectFolder(tmp_path / "project")


@pytest.fixture(autouse=True)
def no_outside_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the person who runs the tests has set must not matter."""
    for name in [name for name in os.environ if name.startswith("RECOMP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("NO_COLOR", "1")


def run_cli(
    *arguments: str, cwd: Path | None = None, timeout_s: float = 120, **environment: str
) -> subprocess.CompletedProcess[str]:
    """The real command line in a process of its own."""
    env = {**os.environ, "PYTHONPATH": SOURCES, **environment}
    command = [sys.executable, "-m", "recomp", *arguments]
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=timeout_s, check=False)
