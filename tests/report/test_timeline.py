"""The time axis puts every mark where it belongs, and none too small to see."""

from __future__ import annotations

from recomp.media.compare import HashLists, compare_exact
from recomp.report.timeline import draw_timeline

REFERENCE = [f"{k:064x}" for k in range(1000)]
EVENTS = [{"name": "late", "time": 10.0}, {"name": "title", "time": 0.0}, {"name": "beyond", "time": 99.0}]


def drawn(capture: list[str], **options) -> dict:
    timeline = {"start": 0.0, "end": 16.6, "events": EVENTS}
    lists = HashLists(REFERENCE, REFERENCE), HashLists(capture, REFERENCE)
    return draw_timeline(compare_exact(*lists, timeline=timeline)["video"], [5, 5, 2000, -1, 500], **options)


def test_one_wrong_frame_in_a_thousand_is_visible_where_it_is():
    capture = [*REFERENCE[:700], "f" * 64, *REFERENCE[701:]]
    (mark,) = drawn(capture)["lanes"][0]["marks"]
    assert mark["kind"] == "other" and mark["label"] == "1 other from 700"
    assert mark["x"] == 70.0 and mark["width"] >= 0.4


def test_kinds_of_edits_have_their_marks():
    capture = [*REFERENCE[:100], *REFERENCE[150:400], "f" * 64, *REFERENCE[400:]]
    marks = drawn(capture)["lanes"][0]["marks"]
    assert [(m["kind"], m["x"], m["width"]) for m in marks] == [("missing", 10.0, 5.0), ("extra", 40.0, 0.4)]


def test_scenes_are_in_order_and_within_the_axis():
    scenes = drawn(REFERENCE)["scenes"]
    assert [(s["name"], s["x"]) for s in scenes] == [("title", 0.0), ("late", 60.0)]
    assert sum(s["width"] for s in scenes) == 100.0


def test_inputs_are_drawn_once_a_tick_and_only_within_the_axis():
    (lane,) = [lane for lane in drawn(REFERENCE)["lanes"] if lane["name"] == "input"]
    assert [mark["label"] for mark in lane["marks"]] == ["input at 5", "input at 500"]


def test_loudness_is_a_mirrored_outline():
    lanes = {lane["name"]: lane for lane in drawn(REFERENCE, loudness=[0.0] * 999 + [1.0])["lanes"]}
    points = [tuple(map(float, point.split(","))) for point in lanes["sound"]["wave"].split()]
    assert len(points) == 1000
    assert points[0] == (0.0, 50.0) and points[499][1] == 2.0 and points[500][1] == 98.0
    assert lanes["picture"]["wave"] == ""


def test_the_axis_has_at_most_eleven_labels_for_any_length():
    for length in (1, 59, 61, 1000, 100_000):
        lists = HashLists([f"{k:064x}" for k in range(length)])
        seconds = draw_timeline(compare_exact(lists, lists)["video"], [])["seconds"]
        assert 1 <= len(seconds) <= 11
        assert all(0 <= second["x"] <= 100 for second in seconds)
