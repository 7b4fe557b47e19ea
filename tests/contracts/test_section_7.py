"""contracts, section 7: `input_script.toml`."""

from __future__ import annotations

from typing import Any

import pytest

from builders import toml
from recomp.config.document import Document
from recomp.config.input_script import CONTROLS, compile_script, end_tick, load
from recomp.config.problems import ConfigProblems


def script(mode: str = "frames", **more: Any) -> dict[str, Any]:
    return {
        "schema_version": "1",
        "metadata": {"title": "t", "controller": "pad", "timing_mode": mode},
        **more,
    }


def loaded(values: dict[str, Any]) -> dict[str, Any]:
    document = Document("input_script.toml", toml(values).encode())
    found = load(document)
    document.finish()
    return found


def lines(values: dict[str, Any]) -> list[str]:
    """What the port reads, without the reports that end a tick."""
    return [line for line in compile_script(loaded(values)).decode().splitlines() if not line.endswith(" 0 0 0")]


def event(**more: Any) -> dict[str, Any]:
    return {"control": "A", "value": 1, **more}


@pytest.mark.parametrize(("mode", "key"), [("ms", "time_ms"), ("frames", "frame")])
def test_times_are_in_the_unit_of_the_timing_mode(mode: str, key: str) -> None:
    other = {"time_ms": "frame", "frame": "time_ms"}[key]
    assert loaded(script(mode, events=[event(**{key: 100})]))["events"][0]["tick"] == (6 if mode == "ms" else 100)
    with pytest.raises(ConfigProblems) as caught:
        loaded(script(mode, events=[event(**{other: 100})]))
    assert f'does not belong to timing_mode "{mode}"' in [problem.message for problem in caught.value.problems]
    with pytest.raises(ConfigProblems, match='expected "ms" or "frames", found "seconds"'):
        loaded(script("seconds"))


@pytest.mark.parametrize("key", ["title", "controller", "timing_mode"])
def test_metadata_is_whole(key: str) -> None:
    values = script()
    del values["metadata"][key]
    with pytest.raises(ConfigProblems, match=f"metadata.{key}: is missing"):
        loaded(values)


def test_when_it_was_recorded_and_notes_are_optional() -> None:
    values = script()
    values["metadata"] |= {"recorded_at": "2026-01-01T00:00:00Z", "notes": "a full game"}
    note = {"note": "jump"}
    values |= {"events": [event(frame=1, **note)], "markers": [{"name": "end", "frame": 2, **note}]}
    assert loaded(values)["metadata"]["notes"] == "a full game"


@pytest.mark.parametrize("name", sorted(CONTROLS))
def test_a_control_is_a_name_or_an_integer_code(name: str) -> None:
    kind, code = CONTROLS[name]
    assert lines(script(events=[event(frame=0, control=name)])) == [f"0 {kind} {code} 1"]
    if kind == 1:
        assert lines(script(events=[event(frame=0, control=code)])) == [f"0 1 {code} 1"]


def test_an_unknown_control_is_shown_with_the_nearest() -> None:
    with pytest.raises(ConfigProblems) as caught:
        loaded(script(events=[event(frame=0, control="LSTIK_X")]))
    assert caught.value.hint == 'did you mean "LSTICK_X"?'


def test_events_at_the_same_time_keep_file_order() -> None:
    events = [event(frame=5, control=code) for code in (9, 3, 7)] + [event(frame=1, control=8)]
    assert lines(script(events=events)) == ["1 1 8 1", "5 1 9 1", "5 1 3 1", "5 1 7 1"]


def test_a_marker_has_a_name_of_its_own() -> None:
    markers = [{"name": "title", "frame": 1}, {"name": "end", "frame": 9}]
    assert end_tick(loaded(script(markers=markers))) == 9
    with pytest.raises(ConfigProblems, match='a second marker "end"'):
        loaded(script(markers=[*markers, {"name": "end", "frame": 10}]))


def test_the_schema_version_is_1() -> None:
    with pytest.raises(ConfigProblems, match='expected "1", found "2"'):
        loaded({**script(), "schema_version": "2"})
