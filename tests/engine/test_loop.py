"""What runs, what is reused, and what a damaged file does, on a toy pipeline."""

from __future__ import annotations

import hashlib
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from engine.toy import Toy
from recomp.engine.explain import CACHED, MAY_RUN, WILL_RUN, forecast
from recomp.engine.fingerprint import StatCache
from recomp.engine.state import State
from recomp.engine.store import Store
from recomp.errors import StageError


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    """a → b → c, and d beside them; a reads `input`, d reads `other`."""
    (tmp_path / "input").write_text("input\n")
    (tmp_path / "other").write_text("other\n")
    toy = Toy(tmp_path).add("a", inputs=("input",)).add("b", after=("a",)).add("c", after=("b",))
    toy.add("d", inputs=("other",))
    toy.write()
    return toy


def test_a_second_run_executes_nothing(toy: Toy) -> None:
    toy.run()
    assert toy.ran() == ["a", "b", "c", "d"]
    result = toy.run()
    assert toy.ran() == []
    assert all(step["cache_hit"] for step in result.manifest["steps"])


def test_a_manifest_reads_the_same_whether_stages_ran_or_were_reused(toy: Toy) -> None:
    """Byte for byte, in the order of its keys too."""
    fresh, cached = toy.run().manifest, toy.run().manifest
    for step in (*fresh["steps"], *cached["steps"]):
        del step["duration_ms"], step["cache_hit"]
    assert json.dumps(fresh) == json.dumps(cached)


def test_a_changed_input_reruns_what_reads_it_and_what_follows(toy: Toy) -> None:
    toy.run()
    toy.ran()
    (toy.folder / "input").write_text("other input\n")
    toy.run()
    assert toy.ran() == ["a", "b", "c"]
    assert toy.product("c").read_bytes() == toy.expected("c")


def test_a_touched_input_reruns_nothing(toy: Toy) -> None:
    toy.run()
    toy.ran()
    os.utime(toy.folder / "input", (1, 1))
    toy.run()
    assert toy.ran() == []


def test_a_stage_that_makes_the_same_again_spares_what_follows(toy: Toy) -> None:
    toy.run()
    toy.ran()
    toy.stages[0]["tool"] = "2"
    result = toy.run()
    assert toy.ran() == ["a"]
    assert [step["cache_hit"] for step in result.manifest["steps"]] == [False, True, True, True]


def test_going_back_is_a_hit(toy: Toy) -> None:
    toy.run()
    toy.stages[1]["text"] = "changed"
    toy.run()
    toy.ran()
    toy.stages[1]["text"] = "b"
    toy.run()
    assert toy.ran() == []
    assert toy.product("c").read_bytes() == toy.expected("c")


def test_two_work_roots_share_a_store(toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECOMP_CACHE_DIR", str(tmp_path / "shared"))
    toy.run()
    second = Toy(tmp_path / "second")
    second.folder.mkdir()
    for name in ("input", "other"):
        (second.folder / name).write_bytes((toy.folder / name).read_bytes())
    second.stages = toy.stages
    second.write()
    second.run()
    assert second.ran() == []
    assert second.product("c").read_bytes() == toy.product("c").read_bytes()


@pytest.mark.parametrize("keep_times", [False, True])
def test_a_flipped_byte_in_an_output_is_mended(toy: Toy, keep_times: bool) -> None:
    toy.run()
    toy.ran()
    product = toy.product("b")
    before = product.stat()
    data = bytearray(product.read_bytes())
    data[1] ^= 1
    product.write_bytes(data)
    if keep_times:
        os.utime(product, ns=(before.st_atime_ns, before.st_mtime_ns))
    toy.run()
    assert product.read_bytes() == toy.expected("b")
    assert toy.ran() == []


def test_a_flipped_byte_in_a_blob_is_noticed_and_the_stage_runs(toy: Toy) -> None:
    toy.run()
    toy.ran()
    blobs = [path for path in (toy.folder / "out/.recomp/store/blobs").rglob("*") if path.is_file()]
    for path in blobs:
        data = bytearray(path.read_bytes())
        data[0] ^= 1
        path.chmod(0o644)
        path.write_bytes(data)
    toy.product("b").unlink()
    toy.run()
    assert toy.ran() == ["b"]
    assert toy.product("b").read_bytes() == toy.expected("b")


def test_a_failure_ends_the_run_and_is_never_cached(toy: Toy) -> None:
    (toy.folder / "input").unlink()
    result = toy.run()
    assert result.status == "failed"
    assert [(s["name"], s["status"]) for s in result.manifest["steps"]] == [("a", "failed")]
    (toy.folder / "input").write_text("back\n")
    assert toy.run().status == "succeeded"


def test_an_input_that_moves_while_it_is_read_is_not_cached(toy: Toy) -> None:
    """Neither the stage nor what follows it in that run."""
    plan = toy.plan()
    stages = list(plan.stages(b""))
    inner = stages[0].run

    def meddle(context):
        result = inner(context)
        (toy.folder / "input").write_text("moved\n")
        return result

    stages[0] = stages[0]._replace(run=meddle)
    toy.run(stages=lambda evidence: tuple(stages))
    assert toy.ran() == ["a", "b", "c", "d"]
    toy.run()
    assert toy.ran() == ["a", "b", "c"]
    assert toy.product("c").read_bytes() == toy.expected("c")


def test_an_unexpected_exception_is_a_failed_stage_and_no_traceback(toy: Toy) -> None:
    stage = toy.plan().stages(b"")[0]._replace(run=lambda context: 1 / 0)
    result = toy.run(stages=lambda evidence: (stage,))
    assert isinstance(result.error, StageError)
    assert result.error.message == "a: ZeroDivisionError: division by zero [this is a bug]"


def test_rounds_go_on_while_something_is_learnt_and_are_remembered(toy: Toy) -> None:
    """The stage asks for another round until its evidence has three lines."""
    from recomp.engine.stage import Result

    def stages(evidence: bytes):
        first, *rest = toy.plan().stages(b"")
        lines = evidence.count(b"\n")

        def go(context):
            result = first.run(context)
            return result if lines == 3 else Result(found="more to learn", again=True)

        return (first._replace(config={"evidence": evidence.decode()}, run=go), *rest)

    def learn(evidence: bytes, record, store) -> bytes:
        return evidence + b"line\n"

    result = toy.run(stages=stages, learn=learn)
    assert result.manifest["rounds"] == 4
    assert toy.ran() == ["a", "a", "a", "a", "b", "c", "d"]
    assert toy.run(stages=stages, learn=learn).manifest == _all_cached(result.manifest)
    assert toy.ran() == []


def _all_cached(manifest: dict) -> dict:
    steps = [{**step, "cache_hit": True, "duration_ms": 0} for step in manifest["steps"]]
    return {**manifest, "steps": steps}


def test_rounds_end_at_their_limit(toy: Toy) -> None:
    from recomp.engine.stage import Result

    stage = toy.plan().stages(b"")[0]._replace(run=lambda c: c.write("file", b"") or Result("a miss", again=True))

    def stages(evidence: bytes):
        return (stage._replace(config={"evidence": evidence.decode()}),)

    result = toy.run(stages=stages, learn=lambda evidence, record, store: evidence + b"x\n", max_rounds=3)
    assert result.error is not None
    assert result.error.message == "a: a miss in round 3, the last of 3 allowed"


def test_forecasts_are_honest(toy: Toy) -> None:
    def states() -> dict[str, str]:
        plan = toy.plan()
        engine_dir = plan.layout.engine_dir
        found = forecast(plan, Store(plan.layout.store_dir), StatCache(), State(engine_dir))
        return {item.name: item.state for item in found}

    toy.run()
    assert set(states().values()) == {CACHED}
    toy.stages[0]["tool"] = "2"
    assert states() == {"a": WILL_RUN, "b": MAY_RUN, "c": MAY_RUN, "d": CACHED}
    toy.stages[2]["text"] = "new"
    assert states() == {"a": WILL_RUN, "b": MAY_RUN, "c": WILL_RUN, "d": CACHED}
    toy.ran()
    toy.run()
    assert toy.ran() == ["a", "c"]
    store = Store(toy.plan().layout.store_dir)
    digest = hashlib.sha256(toy.product("d").read_bytes()).hexdigest()
    os.chmod(store.blob_path(digest), 0o644)
    Path(store.blob_path(digest)).write_bytes(b"damaged")
    assert states()["d"] == CACHED, "it is where it belongs"
    toy.product("d").unlink()
    assert states()["d"] == WILL_RUN, "and now the store cannot give it back"
    assert Path(store.blob_path(digest)).read_bytes() == b"damaged", "a forecast moves nothing"


def test_fifty_runs_at_once_execute_each_stage_once(tmp_path: Path) -> None:
    toy = Toy(tmp_path).add("a").add("b", after=("a",), kind="command")
    toy.write()
    here = Path(__file__).resolve().parent
    env = {**os.environ, "PYTHONPATH": f"{here.parents[1] / 'src'}{os.pathsep}{here.parent}"}
    command = [sys.executable, str(here / "toy.py"), str(tmp_path)]
    running = [subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True) for _ in range(50)]
    answers = [(process.communicate()[1], process.returncode) for process in running]
    assert sorted(toy.ran()) == ["a", "b"]
    for error, code in answers:
        assert code == 0 or (code == 4 and "locked by process" in error)
    assert any(code == 0 for _, code in answers)


def _owned_files(toy: Toy) -> list[Path]:
    engine = toy.folder / "out/.recomp"
    files = [path for path in engine.rglob("*") if path.is_file() and "blobs" not in path.parts]
    return sorted([*files, toy.folder / "out/run-manifest.json"])


@pytest.mark.parametrize("damage", ["truncate", "flip"])
def test_damage_to_any_file_of_the_engine_is_never_wrong_and_never_a_traceback(toy: Toy, damage: str) -> None:
    """At offsets sampled over every file; the run after it ends well and its outputs are right."""
    chance = random.Random(4)
    toy.run()
    for path in _owned_files(toy):
        data = path.read_bytes()
        for offset in {0, len(data) // 2, max(len(data) - 1, 0), chance.randrange(max(len(data), 1))}:
            path.write_bytes(_damaged(data, offset, damage))
            assert toy.run().status == "succeeded"
            for stage in toy.stages:
                assert toy.product(stage["name"]).read_bytes() == toy.expected(stage["name"])
            assert json.loads((toy.folder / "out/run-manifest.json").read_text())["status"] == "succeeded"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)


def _damaged(data: bytes, offset: int, damage: str) -> bytes:
    if damage == "truncate" or not data:
        return data[:offset]
    return data[:offset] + bytes([data[offset] ^ 0x20]) + data[offset + 1 :]
