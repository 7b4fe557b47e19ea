"""Two runs that differ are found out, at the first tick, before anything is compared with a reference."""

from __future__ import annotations

import pytest

from recomp.errors import FormatError
from recomp.media.compare import HashLists
from recomp.media.determinism import compare_runs, nondeterministic_report
from recomp.report.page import render

FRAMES = [f"{k:064x}" for k in range(300)]
AUDIO = [f"{k + 9000:064x}" for k in range(300)]
TIMELINE = {"events": [{"name": "title", "time": 0}, {"name": "play", "time": 2}]}


def run(frame: int | None = None, tick: int | None = None, length: int = 300) -> HashLists:
    frames, audio = FRAMES[:length], list(AUDIO)
    if frame is not None:
        frames = [*frames[:frame], "f" * 64, *frames[frame + 1 :]]
    if tick is not None:
        audio[tick] = "e" * 64
    return HashLists(frames, audio)


def test_equal_runs_are_deterministic():
    assert compare_runs([run(), run(), run()]) == {"status": "deterministic", "runs": 3, "first_divergence": None}


@pytest.mark.parametrize(
    "runs, medium, tick, number",
    [
        ([run(), run(frame=150)], "frames", 150, 1),
        ([run(), run(), run(tick=7)], "audio", 7, 2),
        ([run(), run(frame=200), run(frame=140, tick=150)], "frames", 140, 2),
        ([run(), run(frame=50, tick=50)], "frames", 50, 1),
        ([run(), run(length=290)], "frames", 290, 1),
        ([run(), HashLists(FRAMES)], "audio", 0, 1),
    ],
    ids=["frame", "audio", "earliest-run", "picture-first", "shorter", "no-sound"],
)
def test_the_first_divergent_tick_is_named(runs, medium, tick, number):
    result = compare_runs(runs, timeline=TIMELINE)
    assert result["status"] == "nondeterministic"
    first = result["first_divergence"]
    assert (first["medium"], first["tick"], first["run"]) == (medium, tick, number)
    assert first["scene"] == ("play" if tick >= 120 else "title")


def test_the_report_says_so_and_has_a_page():
    report = nondeterministic_report(compare_runs([run(), run(frame=150)], timeline=TIMELINE))
    assert report["video"]["failures"] == ["determinism: run 2 leaves the first at frame 150 (2.500 s, scene 'play')"]
    assert report["video"]["triage"]["categories"] == ["nondeterministic-run"]
    assert "Two runs differ" in render({}, report)


def test_one_run_cannot_be_compared():
    with pytest.raises(FormatError, match="found 1 run, expected at least 2"):
        compare_runs([run()])
