"""Threads join what belongs together, on both kinds of report."""

from __future__ import annotations

import json

from recomp.engine.store import Store
from recomp.media.approvals import scene_digests
from recomp.media.compare import HashLists, compare_exact
from recomp.media.hashing import write_hash_list
from recomp.report.history import digest_history
from recomp.report.threads import Step, capture_place, draw_threads, steps_of

FRAMES = [f"{k:064x}" for k in range(200)]


def video(capture: list[str]) -> dict:
    return compare_exact(HashLists(FRAMES), HashLists(capture))["video"]


def test_hash_lists_and_measurements_tell_the_same_steps():
    capture = ["a" * 64, *FRAMES[:50], *FRAMES[53:120], "b" * 64, *FRAMES[120:]]
    expected = [Step(0, "extra", 1), Step(50, "missing", 3), Step(120, "extra", 1)]
    assert steps_of(video(capture)) == expected
    measured = {"measurements": {"lead": 1, "missing": [[50, 3]], "extra": [[118, 1]]}}
    assert steps_of(measured) == expected


def test_a_tick_leads_to_the_frame_that_shows_it():
    capture = ["a" * 64, *FRAMES[:50], *FRAMES[53:120], "b" * 64, *FRAMES[120:]]
    steps = steps_of(video(capture))
    for tick in [0, 10, 49, 53, 80, 119, 121, 199]:
        assert capture[capture_place(steps, tick)] == FRAMES[tick]
    assert capture[capture_place(steps, 51)] == FRAMES[53], "a missing one leads to the frame behind the gap"


def test_equal_clips_hang_upright_and_nothing_is_drawn_of_nothing():
    found = draw_threads(video(FRAMES))
    assert found["wedges"] == [] and all(line["x1"] == line["x2"] for line in found["lines"])
    assert draw_threads({"frame_comparison": None}) is None
    assert draw_threads(compare_exact(HashLists(FRAMES), HashLists([]))["video"]) is None


def test_a_drop_closes_downwards_and_a_repeat_opens():
    missing, extra = draw_threads(video([*FRAMES[:100], *FRAMES[110:150], "c" * 64, *FRAMES[150:]]))["wedges"]
    assert missing["kind"] == "missing" and missing["points"] == "500.0,0 550.0,0 500.0,100 500.0,100"
    assert extra["kind"] == "extra" and extra["points"] == "750.0,0 750.0,0 705.0,100 700.0,100"


def manifest(sha256: str) -> str:
    return json.dumps({"artifacts": [{"role": "frame-hashes", "sha256": sha256}]})


def test_the_past_of_a_scene_is_read_from_runs_and_store(tmp_path):
    store, runs = Store(str(tmp_path / "store")), tmp_path / "runs"
    timeline = {"events": [{"name": "late", "time": 1.0}]}
    digests = []
    lists = [FRAMES, FRAMES, [*FRAMES[:100], *FRAMES[101:]], FRAMES]
    for number, frames in enumerate(lists, 1):
        write_hash_list(tmp_path / "list", frames)
        sha, _ = store.put_file(str(tmp_path / "list"))
        (runs / f"{number:06d}").mkdir(parents=True)
        (runs / f"{number:06d}" / "manifest.json").write_text(manifest(sha))
        digests.append(scene_digests(HashLists(frames), timeline, 60))
    (runs / "000005").mkdir()
    (runs / "000005" / "manifest.json").write_text("torn")
    (runs / "000006").mkdir()
    (runs / "000006" / "manifest.json").write_text(manifest("0" * 64))
    found = digest_history(str(runs), store, timeline, 60)
    assert found["*"] == [digests[0]["*"]], "what stays equal is one entry"
    assert found["late"] == [digests[k]["late"] for k in (0, 2, 3)]
