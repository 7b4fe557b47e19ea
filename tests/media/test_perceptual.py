"""The defect matrix, one encoding a defect in turn (`matrix.py` runs every pair), and the verdicts around it."""

from __future__ import annotations

import json
import tomllib
from fractions import Fraction

import numpy as np
import pytest
from clips import ENCODINGS, SIZE, film, scene, sound, write_lossy
from defects import DEFECTS, at_speed, clean
from matrix import judge
from PIL import Image

from recomp.errors import ConfigError, FormatError
from recomp.media.compare import Settings
from recomp.media.gates import Limits
from recomp.media.pairs import add_pictures
from recomp.media.perceptual import compare_perceptual
from recomp.media.reference import Profile, normalize
from recomp.media.video import read_frame, write_lossless
from recomp.report.page import render

NAMES = list(ENCODINGS)


@pytest.fixture(scope="module")
def references(tmp_path_factory):
    folder = tmp_path_factory.mktemp("references")
    frames, samples = clean()
    return {name: write_lossy(folder / name, frames, name, samples) for name in NAMES}


@pytest.fixture(scope="module")
def capture(tmp_path_factory):
    path = tmp_path_factory.mktemp("capture") / "clean.mkv"
    frames, samples = clean()
    write_lossless(path, frames, SIZE, audio=(samples, 48000))
    return path


@pytest.mark.parametrize("encoding", NAMES)
def test_no_clean_capture_fails(references, capture, encoding):
    """The codec's own loss is never held against the capture, down to x264 at crf 32."""
    report = compare_perceptual(references[encoding], capture)
    assert report["video"]["status"] == "passed", report["video"]["failures"]
    assert report["video"]["triage"]["categories"] == []
    assert all(gate["margin"] >= 0 for gate in report["video"]["gates"])
    if encoding.startswith("x264"):
        assert abs(report["video"]["measurements"]["null_quality"] - int(ENCODINGS[encoding][1]["crf"])) <= 2


SEEN = [defect for defect in DEFECTS if set(defect.missed) != set(NAMES)]


@pytest.mark.parametrize("number", range(len(SEEN)), ids=[defect.name for defect in SEEN])
def test_each_defect_is_found_and_named(references, tmp_path, number):
    defect = SEEN[number]
    encodings = [name for name in NAMES if name not in {*defect.unseen, *defect.edge, *defect.missed}]
    encoding = encodings[number % len(encodings)]
    frames, samples = defect.plant(*clean())
    write_lossless(tmp_path / "c.mkv", frames, SIZE, audio=(samples, 48000))
    report = compare_perceptual(references[encoding], tmp_path / "c.mkv", evidence=defect.evidence)
    wanted = "noted" if defect.expected == "late-start" else "found"
    assert judge(report, defect) == wanted, (encoding, report["video"]["failures"])
    assert report["video"]["status"] == ("passed" if wanted == "noted" else "failed")
    assert report["video"]["triage"]["categories"] == ([] if wanted == "noted" else [defect.expected]), "one cause"


@pytest.mark.parametrize("defect", [d for d in DEFECTS if d.unseen], ids=lambda d: d.name)
def test_what_cannot_be_seen_is_known(references, tmp_path, defect):
    """A reference that cannot decide asks; told, it decides. If the defect is found one day, the table is wrong."""
    frames, samples = defect.plant(*clean())
    write_lossless(tmp_path / "c.mkv", frames, SIZE, audio=(samples, 48000))
    for number, encoding in enumerate(defect.unseen):
        report = compare_perceptual(references[encoding], tmp_path / "c.mkv")
        assert judge(report, defect) == "open" and report["video"]["status"] == "inconclusive"
        assert "update_rate_hz = 30" in report["video"]["triage"]["suggestions"][0]
        if number:
            continue
        for rate, status in ((60, "failed"), (30, "passed")):
            known = compare_perceptual(references[encoding], tmp_path / "c.mkv", limits=Limits(update_rate_hz=rate))
            assert known["video"]["status"] == status, rate


@pytest.mark.parametrize("defect", [d for d in DEFECTS if d.missed], ids=lambda d: d.name)
def test_what_is_missed_is_known(references, tmp_path, defect):
    """The table says so; if it is found one day, the table is wrong."""
    frames, samples = defect.plant(*clean())
    write_lossless(tmp_path / "c.mkv", frames, SIZE, audio=(samples, 48000))
    assert judge(compare_perceptual(references[defect.missed[0]], tmp_path / "c.mkv"), defect) == "missed"


def test_a_televisions_clock_is_no_fault_of_the_capture(capture, tmp_path):
    """59.94 a second, pictures and sound: the same pictures in a thousandth more time."""
    frames, samples = clean()
    slow = Fraction(1001, 1000)
    reference = write_lossy(tmp_path / "r", frames, "x264-crf23", at_speed(samples, float(1 / slow)), slow)
    video = compare_perceptual(reference, capture)["video"]
    assert (video["status"], video["triage"]["categories"]) == ("passed", []), video["failures"]
    assert video["measurements"]["reference_clock"] == 1.001 and not video["measurements"]["missing"]
    path = normalize(reference, tmp_path / "out", Profile(*SIZE))
    made = tomllib.loads(path.read_text())["normalization"]
    again = compare_perceptual(tmp_path / "out" / "reference.mkv", capture, source=reference, normalization=made)
    assert (again["video"]["status"], again["video"]["triage"]["findings"]) == ("passed", []), again["video"][
        "failures"
    ]


def test_a_lead_is_noted_and_fails_where_none_is_allowed(references, tmp_path):
    frames, samples = next(d for d in DEFECTS if d.name == "late by one").plant(*clean())
    write_lossless(tmp_path / "c.mkv", frames, SIZE, audio=(samples, 48000))
    report = compare_perceptual(references["x264-crf23"], tmp_path / "c.mkv", limits=Limits(lead_ticks=0))
    assert report["video"]["triage"]["categories"] == ["late-start"]


def test_the_report_has_the_keys_of_the_contract_and_equal_bytes(references, capture):
    timeline = {"start": 0, "end": 2, "events": [{"name": "title", "time": 0}, {"name": "play", "time": 1}]}
    reports = [compare_perceptual(references["vp9"], capture, timeline=timeline) for _ in range(2)]
    assert json.dumps(reports[0], allow_nan=False) == json.dumps(reports[1])
    video = reports[0]["video"]
    common = {"matched", "compared", "match_ratio", "threshold", "offset", "length_delta"}
    assert common | {"reference_total", "capture_total"} <= set(video["frame_comparison"])
    assert {gate["scene"] for gate in video["gates"]} == {None, "title", "play"}
    assert set(video["triage"]) == {"status", "categories", "findings", "suggestions"}


def test_the_pair_of_a_finding_is_the_pictures_of_its_tick(references, tmp_path):
    """Also where the reference has a picture for every second tick only."""
    defect = next(d for d in DEFECTS if d.name == "missing sprite from 60")
    frames, _ = defect.plant(*clean())
    write_lossless(tmp_path / "c.mkv", frames, SIZE)
    report = compare_perceptual(references["x264-30fps"], tmp_path / "c.mkv")
    pictures = add_pictures(
        report,
        tmp_path / "pictures",
        lambda index: read_frame(references["x264-30fps"], index),
        lambda index: read_frame(tmp_path / "c.mkv", index),
    )
    first = report["video"]["first_divergence"]
    tick = first["reference_index"]
    assert 60 <= tick <= 64 and (first["reference_picture"], first["capture_index"]) == (tick // 2, tick)
    shown = np.asarray(Image.open(tmp_path / "pictures" / pictures["reference"]))
    assert np.abs(shown.astype(int) - scene(tick)[..., :3]).mean() < 4
    box = pictures["box"]
    sprite = (scene(tick) != scene(tick, sprite=False)).any(axis=2)
    assert sprite[box["y"] : box["y"] + box["height"], box["x"] : box["x"] + box["width"]].sum() == sprite.sum()
    page = render({}, report, folder=tmp_path / "pictures")
    assert "Gates" in page and 'class="chart"' in page
    assert "XPSNR, Y U V" in page and "shift" in page


def test_a_reference_that_shows_nothing_decides_nothing(tmp_path):
    """An empty picture, and a clip too short: inconclusive, never passed."""
    blank = [np.full((180, 320, 4), 40, np.uint8)] * 60
    reference = write_lossy(tmp_path / "r", blank, "x264-crf23")
    write_lossless(tmp_path / "c.mkv", blank, SIZE)
    report = compare_perceptual(reference, tmp_path / "c.mkv")
    assert report["video"]["status"] == "inconclusive"
    assert report["video"]["failures"] == ["picture: the reference shows an empty picture throughout"]
    short = write_lossy(tmp_path / "s", film(range(10)), "x264-crf23")
    write_lossless(tmp_path / "s.mkv", film(range(10)), SIZE)
    assert compare_perceptual(short, tmp_path / "s.mkv")["video"]["status"] == "inconclusive"


def test_sound_is_required_only_where_it_is_asked_for(references, tmp_path):
    write_lossless(tmp_path / "c.mkv", clean()[0], SIZE)
    assert compare_perceptual(references["x264-crf23"], tmp_path / "c.mkv")["video"]["status"] == "passed"
    strict = compare_perceptual(references["x264-crf23"], tmp_path / "c.mkv", Settings(require_audio=True))
    assert strict["video"]["triage"]["categories"] == ["audio-missing"]


def test_limits_are_overridden_by_name():
    limits = Limits().override({"shift_px": 2, "frame_match_ratio": 0.5})
    assert limits.shift_px == 2 and limits.gain_error == Limits().gain_error
    with pytest.raises(ConfigError, match="thresholds: shift_px: found 'wide', expected a number"):
        Limits().override({"shift_px": "wide"})


@pytest.mark.parametrize("name, data", [("empty.mp4", b""), ("text.mp4", b"not a video\n" * 50), ("cut.mp4", None)])
def test_what_cannot_be_decoded_is_a_format_error(references, capture, tmp_path, name, data):
    whole = references["x264-crf23"].read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) // 3] if data is None else data)
    with pytest.raises(FormatError, match=name):
        compare_perceptual(tmp_path / name, capture)


def test_another_size_is_scaled_and_judged(capture, tmp_path):
    """A reference of half the size is compared at its own size."""
    half = [frame[::2, ::2] for frame in film(range(60))]
    reference = write_lossy(tmp_path / "r", half, "x264-crf23", sound(60))
    report = compare_perceptual(reference, capture)
    assert report["video"]["reference"]["width"] == 160
    assert report["video"]["drift"]["frame_offset"] == 0
