"""A hundred kills here; `make crash` for a thousand, and for one at every single call that changes a file."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("seed", [20, 21, 22, 23])
def test_kill_9_at_random_never_wedges_never_lies_and_loses_one_stage_at_most(seed: int) -> None:
    """In a process of its own, because the campaign forks. Twenty-five kills a seed."""
    command = [sys.executable, str(ROOT / "tools/crash.py"), "25", "--seed", str(seed), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    tally = json.loads(done.stdout)
    assert tally["trials"] == 25
    assert tally["problems"] == []
    assert tally["most_repeated"] <= 1
