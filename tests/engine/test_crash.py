"""A hundred kills in CI; `python tests/engine/crash.py 1000` for the whole campaign."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.crash import campaign


@pytest.mark.slow
def test_kill_9_at_random_never_wedges_never_lies_and_loses_one_stage_at_most(tmp_path: Path) -> None:
    tally = campaign(100, seed=20, folder=tmp_path)
    assert tally.wedged == []
    assert tally.wrong == []
    assert tally.most_lost <= 1
