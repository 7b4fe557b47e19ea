"""A damaged file of the engine's, or a damaged output, costs at most work: never a wrong result, never a traceback."""

from __future__ import annotations

import fcntl
import os
import random
from pathlib import Path

import pytest

from builders import ProjectFolder
from engine.crash import begun, differing, project, tree
from engine.damage import OWNED, STRANGE, call, flipped, paths, problems, sampled

#: other things that the file beside the lock may say
HOLDERS = (b'{"pid": 1, "host": 5, "started": "x"}', b'{"pid": 1, "host": "h", "started": 9999999999999999999}')
#: one case in so many is also shown to the commands that only look
LOOK_EVERY = 3


@pytest.fixture
def made(tmp_path: Path) -> ProjectFolder:
    folder = project(tmp_path / "project")
    assert call(folder, "automate")[0] == 0
    return folder


def test_every_file_of_the_engine_may_be_cut_flipped_or_replaced(made: ProjectFolder) -> None:
    expected = tree(made)
    found = []
    for number, case in enumerate(sampled(made, random.Random(5), per_pattern=6)):
        found += problems(made, case, expected, look=number % LOOK_EVERY == 0)
    assert found == []


def test_every_file_of_the_engine_is_of_a_known_kind(made: ProjectFolder) -> None:
    """So that a new one cannot escape the sweep."""
    owned = {path for pattern in OWNED for path in paths(made, pattern)}
    there = {path for path in (made.work_root / ".recomp").rglob("*") if path.is_file()}
    assert there - owned == set()


@pytest.mark.parametrize(
    "name", ["out/build/port.txt", "capture.mp4", "out/validation/frames.hashes", "frames/0001.png"]
)
def test_a_flipped_byte_in_an_output_with_its_times_kept_is_mended(made: ProjectFolder, name: str) -> None:
    expected = tree(made)
    path = made.root / name
    status = path.stat()
    path.write_bytes(flipped(path.read_bytes(), 3, 2))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    begun_before = begun(made)
    assert call(made, "automate")[0] == 0
    assert differing(tree(made), expected) == []
    assert begun(made) == begun_before


def test_a_flipped_byte_in_a_blob_is_mended_from_the_output(made: ProjectFolder) -> None:
    """On the ordinary run, which does not need the blob, and with the times kept."""
    blobs = paths(made, "out/.recomp/store/blobs/*/*")
    call(made, "automate")
    whole = {path: path.read_bytes() for path in blobs}
    artifacts = {artifact["sha256"] for artifact in made.manifest()["artifacts"]}
    kept = [path for path in blobs if path.parent.name + path.name in artifacts]
    for path in kept:
        status = path.stat()
        path.chmod(0o644)
        path.write_bytes(flipped(whole[path], 0, 0) if whole[path] else b"x")
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert call(made, "automate")[0] == 0
    assert [path for path in kept if path.read_bytes() != whole[path]] == []
    assert made.ran() == []


def test_an_output_that_lost_its_executable_bit_gets_it_back(made: ProjectFolder) -> None:
    script = made.script(
        "tool", 'mkdir -p "$RECOMP_BUILD_DIR"; cp stage "$RECOMP_BUILD_DIR/port"; cp stage "$RECOMP_BUILD_DIR/port.txt"'
    )
    made.config["commands"]["build"] = [script]
    made.write()
    call(made, "automate")
    (made.root / "out/build/port").chmod(0o644)
    call(made, "automate")
    assert os.access(made.root / "out/build/port", os.X_OK)


@pytest.mark.parametrize("strange", [*STRANGE, *HOLDERS])
def test_whatever_the_holders_file_says_the_lock_decides(made: ProjectFolder, strange: bytes) -> None:
    """Free, it is taken; held, the answer is exit code 4."""
    holder = made.work_root / ".recomp/lock-holder.json"
    holder.write_bytes(strange)
    assert call(made, "automate")[0] == 0
    with open(made.work_root / ".recomp/lock", "rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        holder.write_bytes(strange)
        code, said = call(made, "automate")
    assert code == 4
    assert "the work root is locked by" in said
