"""The store: blobs prove themselves, records fail closed, garbage collection spares what manifests name."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from engine.toy import Toy
from recomp.engine import gc
from recomp.engine.files import read_sealed, remove_leftovers, seal, sync_files, unseal, write_atomic
from recomp.engine.fingerprint import StatCache
from recomp.engine.store import BlobMissing, Store
from recomp.errors import LockError


def test_a_blob_comes_back(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "store"))
    (tmp_path / "file").write_bytes(b"content")
    sha256, size = store.put_file(str(tmp_path / "file"))
    assert size == 7
    store.restore(sha256, str(tmp_path / "deep/copy"), 0o755)
    assert (tmp_path / "deep/copy").read_bytes() == b"content"
    assert (tmp_path / "deep/copy").stat().st_mode & 0o777 == 0o755


def test_a_damaged_blob_is_put_aside_and_never_served(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    sha256 = store.put_bytes(b"content")
    path = Path(store.blob_path(sha256))
    path.chmod(0o644)
    path.write_bytes(b"Content")
    with pytest.raises(BlobMissing, match="was damaged"):
        store.restore(sha256, str(tmp_path / "copy"), 0o644)
    assert not (tmp_path / "copy").exists()
    assert not store.has_blob(sha256)
    assert store.put_bytes(b"content") == sha256
    assert store.read_blob(sha256) == b"content"


def test_a_sealed_record_is_whole_or_none() -> None:
    data = seal({"a": [1, 2, 3]})
    assert unseal(data) == {"a": [1, 2, 3]}
    for offset in range(len(data)):
        assert unseal(data[:offset]) is None
        flipped = data[:offset] + bytes([data[offset] ^ 1]) + data[offset + 1 :]
        assert unseal(flipped) is None


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    write_atomic(str(path), b"old")

    def full(fd: int, data: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError):
        write_atomic(str(path), b"new")
    monkeypatch.undo()
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_what_a_killed_write_leaves_behind_is_removed_and_nothing_else(tmp_path: Path) -> None:
    for name in (".state.999999999.tmp", f".state.{os.getpid()}.tmp", ".other.999999999.tmp", ".state.tmp", "state"):
        (tmp_path / name).touch()
    remove_leftovers(str(tmp_path), "state")
    assert sorted(os.listdir(tmp_path)) == sorted([
        f".state.{os.getpid()}.tmp", ".other.999999999.tmp", ".state.tmp", "state",
    ])  # fmt: skip


def test_many_files_are_synced_each_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them, nothing else, and the first that cannot be is named."""
    paths = [str(tmp_path / str(number)) for number in range(40)]
    for path in paths:
        Path(path).write_bytes(b"x")
    inodes = {os.stat(path).st_ino for path in paths}
    synced = []
    monkeypatch.setattr(os, "fsync", lambda fd: synced.append(os.fstat(fd).st_ino))
    sync_files(paths)
    assert sorted(synced) == sorted(inodes)
    os.unlink(paths[17])
    with pytest.raises(FileNotFoundError, match="17"):
        sync_files(paths)


def test_the_stat_cache_sees_an_edit_that_puts_the_times_back(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"one")
    os.utime(path, (1, 1))
    hashes = StatCache()
    first = hashes.file(str(path))
    path.write_bytes(b"two")
    os.utime(path, (1, 1))
    assert hashes.file(str(path)) != first


def test_hashes_that_were_known_from_the_start_are_not_kept_again(tmp_path: Path) -> None:
    """A thousand titles each kept the hashes of the same four hundred files."""
    shared, own = tmp_path / "shared", tmp_path / "own"
    for path in (shared, own):
        path.write_text(path.name)
        os.utime(path, (1, 1))
    time.sleep(0.05)  # what changed within a clock tick is not remembered
    known = StatCache()
    known.file(str(shared))
    hashes = StatCache(str(tmp_path / "cache"), known)
    assert hashes.file(str(shared)) == known.file(str(shared))
    hashes.file(str(own))
    hashes.save()
    assert read_sealed(str(tmp_path / "cache")).keys() == {str(own)}
    assert StatCache(str(tmp_path / "cache"), known).remembered(str(own)) == hashes.file(str(own))


def test_a_tree_changes_with_any_name_mode_or_byte(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/file").write_bytes(b"x")
    found = {StatCache().tree(str(tmp_path))}
    (tmp_path / "sub/file").chmod(0o755)
    found.add(StatCache().tree(str(tmp_path)))
    (tmp_path / "sub/file").rename(tmp_path / "sub/other")
    found.add(StatCache().tree(str(tmp_path)))
    (tmp_path / "link").symlink_to("sub")
    found.add(StatCache().tree(str(tmp_path)))
    assert len(found) == 4


def sweep(toy: Toy, **options) -> gc.Sweep:
    settings = {"max_age_s": 0.0, "max_bytes": None, "dry_run": False, "now": 1e12, **options}
    return gc.collect(Store(toy.plan().layout.store_dir), **settings)


def test_garbage_collection_spares_what_the_manifest_names(tmp_path: Path) -> None:
    toy = Toy(tmp_path).add("a").add("b", after=("a",))
    toy.write()
    toy.run()
    toy.stages[1]["text"] = "other"
    toy.run()
    toy.ran()
    assert sweep(toy, dry_run=True).actions == 1
    assert sweep(toy).actions == 1
    assert sweep(toy).actions == 0
    toy.product("b").unlink()
    toy.run()
    assert toy.ran() == []
    toy.stages[1]["text"] = "b"
    toy.run()
    assert toy.ran() == ["b"]


def test_garbage_collection_without_limits_removes_orphans_only(tmp_path: Path) -> None:
    toy = Toy(tmp_path).add("a")
    toy.write()
    toy.run()
    store = Store(toy.plan().layout.store_dir)
    store.put_bytes(b"nobody's")
    first, second = sweep(toy, max_age_s=None), sweep(toy, max_age_s=None)
    assert (first.actions, first.blobs, first.freed) == (0, 1, 8)
    assert second == gc.Sweep(0, 0, 0, first.kept)


def test_garbage_collection_waits_for_nobody(tmp_path: Path) -> None:
    toy = Toy(tmp_path).add("a")
    toy.write()
    toy.run()
    running = Store(toy.plan().layout.store_dir)
    running.share()
    with pytest.raises(LockError, match="a run uses the store"):
        sweep(toy)
    running.release()
    sweep(toy)


def test_two_hundred_runs_do_not_grow(tmp_path: Path) -> None:
    from recomp.engine.journal import KEPT_RUNS, Journal, list_runs
    from recomp.engine.manifest import encode

    toy = Toy(tmp_path).add("a")
    toy.write()
    runs = toy.plan().layout.runs_dir
    sizes = []
    for number in range(200):
        toy.stages[0]["text"] = str(number % 2)
        result = toy.run()
        journal = Journal(runs)
        journal.finished("succeeded", None, encode(result.manifest))
        journal.close()
        if number in (99, 199):
            sizes.append(sum(1 for _ in Path(toy.plan().layout.engine_dir).rglob("*")))
    assert len(list_runs(runs)) == KEPT_RUNS
    assert sizes[0] == sizes[1]


def test_two_runs_at_once_on_one_store_are_both_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import subprocess
    import sys

    monkeypatch.setenv("RECOMP_CACHE_DIR", str(tmp_path / "store"))
    here = Path(__file__).resolve().parent
    env = {**os.environ, "PYTHONPATH": f"{here.parents[1] / 'src'}{os.pathsep}{here.parent}"}
    toys = []
    for name in ("one", "two"):
        toy = Toy(tmp_path / name).add("a").add("b", after=("a",)).add("c", after=("b",))
        toy.write()
        toys.append(toy)
    command = [sys.executable, str(here / "toy.py")]
    running = [subprocess.Popen([*command, str(toy.folder)], env=env) for toy in toys]
    assert [process.wait() for process in running] == [0, 0]
    for toy in toys:
        assert toy.product("c").read_bytes() == toy.expected("c")
