"""Planted defects fail, at the right index, with the right name; equal inputs give equal reports."""

from __future__ import annotations

import json

import numpy as np
import pytest

from recomp.errors import FormatError
from recomp.media import compare, hashing
from recomp.media.compare import HashLists, Settings, compare_exact

TIMELINE = {"start": 0.0, "end": 4.0, "events": [{"name": "title", "time": 0.0}, {"name": "door_open", "time": 2.0}]}


def film(count: int = 240) -> list[np.ndarray]:
    """A dot that moves over a still ground, 64x36."""
    ground = np.random.default_rng(7).integers(0, 256, (36, 64, 4), dtype=np.uint8)
    frames = []
    for k in range(count):
        frame = ground.copy()
        frame[k % 36, k % 64, :3] = k
        frames.append(frame)
    return frames


def sound(ticks: int = 240) -> np.ndarray:
    n = np.arange(ticks * 800)
    return np.stack([9000 * np.sin(n / 31), 9000 * np.sin(n / 17.3 + n * n / 1e9)], axis=1).astype(np.int16)


def lists(frames: list[np.ndarray], samples: np.ndarray | None = None, kind: str = "pixels") -> HashLists:
    audio = None if samples is None else hashing.hash_audio(samples, 48000)
    return HashLists(hashing.hash_frames(frames), audio, kind)


REFERENCE = lists(film(), sound())


def check(frames: list[np.ndarray], samples: np.ndarray | None = None) -> dict:
    report = compare_exact(REFERENCE, lists(frames, sound() if samples is None else samples), timeline=TIMELINE)
    assert report["total"] == report["passed"] + report["failed"] == len(report["cases"])
    return report["video"]


def test_equal_is_passed_and_has_the_keys_of_the_contract():
    report = compare_exact(REFERENCE, lists(film(), sound()), timeline=TIMELINE)
    assert (report["total"], report["passed"], report["failed"]) == (2, 2, 0)
    assert [set(case) for case in report["cases"]] == [{"name", "status", "details"}] * 2
    video = report["video"]
    assert video["status"] == "passed" and video["failures"] == []
    assert video["triage"] == {"status": "clean", "categories": [], "findings": [], "suggestions": []}
    common = {"matched", "compared", "match_ratio", "threshold", "offset", "length_delta"}
    totals = {"reference_total", "capture_total"}
    assert common | totals <= set(video["frame_comparison"]) and common | totals <= set(video["audio_comparison"])
    assert video["drift"] == {
        "frame_offset": 0,
        "frame_offset_seconds": 0.0,
        "length_delta_frames": 0,
        "audio_offset_chunks": 0,
        "audio_length_delta_chunks": 0,
    }
    for key in ("validation_config", "normalization", "reference", "capture", "timeline"):
        assert key in video


def test_one_pixel_by_one_level_fails_at_its_frame():
    frames = film()
    frames[150][3, 4, 1] ^= 1
    video = check(frames)
    assert video["status"] == "failed"
    assert video["first_divergence"] == {
        "kind": "substitute",
        "reference_index": 150,
        "capture_index": 150,
        "count": 1,
        "seconds": 2.5,
        "scene": "door_open",
    }
    assert video["failures"] == [
        "frames: first divergence at frame 150 (2.500 s, scene 'door_open'): the capture shows another frame; "
        "in all 1 substituted of 240"
    ]
    assert video["frame_comparison"]["match_ratio"] == round(239 / 240, 6)
    assert video["triage"]["categories"] == ["glitch"]


def test_one_missing_frame_fails_and_the_rest_still_matches():
    frames = film()
    del frames[77]
    video = check(frames)
    assert video["first_divergence"]["kind"] == "delete"
    assert video["first_divergence"]["reference_index"] == 77
    assert video["frame_comparison"]["matched"] == 239
    assert video["frame_comparison"]["length_delta"] == -1
    assert video["triage"]["categories"] == ["frame-pacing"]


def test_one_extra_frame_fails_where_it_is():
    frames = film()
    frames.insert(100, frames[99])
    video = check(frames)
    assert (video["first_divergence"]["kind"], video["first_divergence"]["reference_index"]) == ("insert", 100)
    assert video["drift"]["length_delta_frames"] == 1
    assert video["drift"]["frame_offset"] == 1, "140 of 240 frames come one later"


def test_two_swapped_ticks_of_sound_fail_at_the_first():
    samples = sound()
    samples[800 * 60 : 800 * 62] = np.concatenate([samples[800 * 61 : 800 * 62], samples[800 * 60 : 800 * 61]])
    video = check(film(), samples)
    assert video["status"] == "failed"
    assert video["first_divergence"] is None
    assert video["first_audio_divergence"]["reference_index"] == 60
    assert video["failures"][0].startswith("audio: first divergence at tick 60 (1.000 s, scene 'title')")


def test_one_sample_by_one_step_fails():
    samples = sound()
    samples[800 * 30 + 5, 1] += 1
    video = check(film(), samples)
    assert video["first_audio_divergence"]["reference_index"] == 30
    assert video["triage"]["categories"] == ["audio-dropout"]


@pytest.mark.parametrize(
    "change, category, tick",
    [
        (lambda f: f[:200], "capture-incomplete", 200),
        (lambda f: f[:-1], "capture-incomplete", 239),
        (lambda f: [*f, f[-1]], "capture-overlong", 240),
        (lambda f: f[:90] + [f[89]] * 150, "black-or-frozen", 90),
        (lambda f: f[:90] + [255 - x for x in f[90:]], "state-divergence", 90),
        (lambda f: f[:90] + [255 - x for x in f[90:120]] + f[120:], "render-difference", 90),
        (lambda f: [255 - x for x in f], "other-content", 0),
        (lambda f: f[:1] + f, "frame-pacing", 1),
        (lambda f: f[:237] + f[238:], "frame-pacing", 237),
    ],
    ids=["cut", "cut-one", "long", "frozen", "diverged", "a-while", "other", "late-by-one", "late-drop"],
)
def test_causes_are_named(change, category, tick):
    video = check(change(film()))
    assert video["status"] == "failed"
    assert video["triage"]["findings"][0]["class"] == category
    assert video["triage"]["findings"][0]["first_tick"] == tick
    assert len(video["triage"]["suggestions"]) == len(video["triage"]["categories"])


def test_other_input_is_the_cause_where_it_is_known():
    video = compare_exact(REFERENCE, lists(film()[:200], sound()), evidence={"inputs_equal": False})["video"]
    assert video["triage"]["categories"] == ["input-misalignment"]


def test_audio_is_required_only_where_the_configuration_says_so():
    silent = lists(film())
    assert compare_exact(REFERENCE, silent)["video"]["status"] == "passed"
    video = compare_exact(REFERENCE, silent, Settings(require_audio=True))["video"]
    assert video["failures"] == ["audio: found no audio in the capture, expected it (require_audio)"]
    assert video["triage"]["categories"] == ["audio-missing"]


def test_nothing_against_nothing_fails():
    video = compare_exact(HashLists([]), HashLists([]))["video"]
    assert video["failures"] == ["frames: the reference lists no frames, expected at least one"]


def test_kinds_do_not_mix():
    with pytest.raises(FormatError, match="found 'pixels' hashes in the reference and 'files' in the capture"):
        compare_exact(REFERENCE, lists(film(), kind="files"))


def files(count: int, first: int = 0) -> HashLists:
    return HashLists([f"{k:064x}" for k in range(first, first + count)], kind="files")


def test_compatible_mode_finds_a_constant_offset_within_the_drift():
    video = compare_exact(files(100), files(102, first=-2 + 10**6), Settings())["video"]
    assert video["status"] == "failed"
    late = HashLists(["f" * 64] * 2 + list(files(100).frames), kind="files")
    video = compare_exact(files(100), late)["video"]
    assert (video["status"], video["mode"], video["frame_comparison"]["offset"]) == ("passed", "compatible", 2)
    assert video["drift"]["frame_offset_seconds"] == round(2 / 60, 6)
    assert compare_exact(files(100), late, Settings(max_drift_frames=1))["video"]["status"] == "failed"


def test_compatible_mode_has_the_thresholds_of_schema_v1():
    """92 of 100 pass, 91 do not; a missing frame fails unless it is allowed."""
    for wrong, status in ((8, "passed"), (9, "failed")):
        capture = HashLists(["f" * 64] * wrong + list(files(100).frames)[wrong:], kind="files")
        assert compare_exact(files(100), capture)["video"]["status"] == status
    short = HashLists(list(files(100).frames)[:99], kind="files")
    video = compare_exact(files(100), short)["video"]
    assert video["failures"] == ["frames: found 1 frames fewer than in the reference, expected at most 0"]
    assert compare_exact(files(100), short, Settings(max_dropped_frames=1))["video"]["status"] == "passed"


def test_compatible_mode_never_passes_an_empty_overlap():
    assert compare_exact(files(2), files(0), Settings(max_dropped_frames=2))["video"]["status"] == "failed"


def test_a_loop_of_equal_pictures_makes_plain_json():
    """Where no hash is unique edit distance decides, and numpy's integers must not leak into the report."""
    reference = HashLists([f"{k % 7:064x}" for k in range(70)])
    capture = HashLists([*reference.frames[:20], "f" * 64, *reference.frames[23:]])
    json.dumps(compare_exact(reference, capture), allow_nan=False)


def test_reports_are_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        frames = film()
        del frames[5], frames[100]
        compare.write_json(tmp_path / name, compare_exact(REFERENCE, lists(frames, sound()), timeline=TIMELINE))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert json.loads((tmp_path / "a").read_bytes())["video"]["frame_comparison"]["edits"]["missing"] == 2
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b"]
