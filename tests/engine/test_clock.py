"""A clock that jumps, between runs and during them: nothing is wrong, nothing is wedged, nothing is forgotten."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest

from builders import ProjectFolder
from engine.crash import begun, differing, edit, project, tree
from engine.damage import call
from recomp.engine import gc
from recomp.engine.fingerprint import StatCache
from recomp.engine.journal import list_runs, read_status
from recomp.engine.store import Store

YEAR_S = 365 * 86400
JUMPS_S = (0, 3600, -3600, 10 * YEAR_S, -10 * YEAR_S, -30 * YEAR_S)


class Clock:
    """The time of day, off by `offset` seconds, or by another of JUMPS_S at each look."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.offset, self.chance = 0.0, None
        real = {name: getattr(time, name) for name in ("time", "time_ns", "gmtime", "localtime")}

        def now() -> float:
            return real["time"]() + (self.chance.choice(JUMPS_S) if self.chance else self.offset)

        monkeypatch.setattr(time, "time", now)
        monkeypatch.setattr(time, "time_ns", lambda: int(now() * 1e9))
        monkeypatch.setattr(time, "gmtime", lambda seconds=None: real["gmtime"](now() if seconds is None else seconds))
        monkeypatch.setattr(
            time, "localtime", lambda seconds=None: real["localtime"](now() if seconds is None else seconds)
        )


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def made(tmp_path: Path) -> ProjectFolder:
    return project(tmp_path / "project")


def test_between_runs(made: ProjectFolder, clock: Clock) -> None:
    """Nothing runs again for it, and a change is seen whichever way the clock went."""
    assert call(made, "automate")[0] == 0
    expected = tree(made)
    for offset in JUMPS_S:
        clock.offset = offset
        before = begun(made)
        assert call(made, "automate")[0] == 0
        assert begun(made) == before
        assert differing(tree(made), expected) == []
        (made.root / "out/build/port.txt").write_bytes(b"meddled")
        assert call(made, "automate")[0] == 0
        assert differing(tree(made), expected) == []
    edit(made)
    assert call(made, "automate")[0] == 0
    assert begun(made)[-6:][0] == "run"


def test_during_runs(made: ProjectFolder, clock: Clock, tmp_path: Path) -> None:
    """Another time at each look at the clock."""
    calm = project(tmp_path / "calm")
    assert call(calm, "automate")[0] == 0
    clock.chance = random.Random(11)
    for _ in range(4):
        assert call(made, "automate")[0] == 0
    assert differing(tree(made), tree(calm)) == []
    assert sorted(begun(made)) == sorted(set(begun(made)))
    for command in (["status"], ["runs"], ["explain"], ["gc"], ["log", "build"]):
        code, said = call(made, *command)
        assert code == 0 and "this is a bug" not in said, said
    numbers = list_runs(str(made.work_root / ".recomp/runs"))
    states = [(read_status(str(made.work_root / ".recomp/runs"), number) or {})["state"] for number in numbers]
    assert states == ["succeeded"] * 4


def test_collection_by_age_after_a_jump_spares_what_manifests_name(made: ProjectFolder, clock: Clock) -> None:
    assert call(made, "automate")[0] == 0
    expected = tree(made)
    store = Store(str(made.work_root / ".recomp/store"))
    for offset in JUMPS_S:
        clock.offset = offset
        gc.collect(store, max_age_s=30 * 86400, max_bytes=None, dry_run=False)
        assert call(made, "automate")[0] == 0
        assert differing(tree(made), expected) == []
    assert len(begun(made)) == len(set(begun(made)))


def test_a_hash_is_remembered_for_a_file_whose_time_lies_in_the_future(tmp_path: Path) -> None:
    """An input of gigabytes that somebody dated 2037 is not read at every run; and an edit of it is seen."""
    path = tmp_path / "input"
    path.write_bytes(b"content")
    os.utime(path, (2_114_377_200, 2_114_377_200))
    hashes = StatCache()
    for _ in range(200):  # until it is no longer fresh
        hashes.file(str(path))
        if hashes.remembered(str(path)):
            break
        time.sleep(0.005)
    assert hashes.remembered(str(path)) is not None
    path.write_bytes(b"Content")
    os.utime(path, (2_114_377_200, 2_114_377_200))
    assert hashes.remembered(str(path)) is None


def test_a_clock_that_was_put_back_is_not_trusted(tmp_path: Path, clock: Clock) -> None:
    """A file written in what is now the future may be written again at that very time: read, not remembered."""
    path = tmp_path / "input"
    path.write_bytes(b"content")
    clock.offset = -3600
    hashes = StatCache()
    hashes.file(str(path))
    assert hashes.remembered(str(path)) is None
