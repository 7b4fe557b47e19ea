"""The page of a stored run needs nothing but the files that the run left."""

from __future__ import annotations

import json
import wave

import numpy as np
import pytest
from test_page import MANIFEST, failing, outline

from recomp.errors import FormatError
from recomp.media import video
from recomp.report import report_run


@pytest.fixture
def run(tmp_path):
    """A project folder with a run in it, as `recomp automate` leaves one: paths relative to the project."""
    root = tmp_path / "project" / "run"
    for name in ("validation/pictures", "lift", "capture", "recording"):
        (root / name).mkdir(parents=True)
    report = failing(root / "validation" / "pictures")
    report["video"]["audio_comparison"] = report["video"]["frame_comparison"]
    (root / "validation" / "validation-report.json").write_text(json.dumps(report))
    summary = {"functions": 267, "instructions": 24162, "unresolved_sites": [1, 2], "evidence": {"call": 3}}
    (root / "lift" / "lift-summary.json").write_text(json.dumps(summary))
    (root / "recording" / "inputs.jsonl").write_text('{"tick": 4, "type": 1, "code": 30, "value": 1}\n')
    frames = [np.full((36, 64, 4), k, np.uint8) for k in range(250)]
    video.write_lossless(root / "capture" / "capture.mkv", frames, (64, 36))
    with wave.open(str(root / "capture" / "audio.wav"), "wb") as file:
        file.setparams((2, 2, 48000, 0, "NONE", ""))
        file.writeframes((np.arange(48000 * 2, dtype=np.int32) % 30000).astype("<i2").tobytes())
    roles = {
        "run/capture/audio.wav": "capture-audio",
        "run/lift/lift-summary.json": "lift-summary",
        "run/capture/capture.mkv": "capture-video",
        "run/recording/audio.pcm": "recording",
        "run/recording/inputs.jsonl": "recording",
        "run/validation/validation-report.json": "validation-report",
    }
    artifacts = [{"path": path, "sha256": "0" * 64, "size": 1, "role": role} for path, role in roles.items()]
    manifest = {**MANIFEST, "artifacts": artifacts, "validation_report": "run/validation/validation-report.json"}
    (root / "run-manifest.json").write_text(json.dumps(manifest))
    return root


def test_everything_the_run_left_is_on_the_page(run):
    path = report_run(run / "run-manifest.json", title="toy")
    assert path == run / "report.html"
    page = path.read_text()
    text = " ".join(outline(page).text)
    assert "Not equal to the reference" in text
    assert "24\u202f162" in text and "unresolved sites" not in text
    assert page.count('alt="Capture at frame') == 3
    assert "input at 4" in page
    assert page.count('class="wave"') == 1
    assert page.count('src="data:image/webp') == 2 + 3


def test_the_page_is_the_same_wherever_the_run_lies(run, tmp_path):
    first = report_run(run / "run-manifest.json").read_bytes()
    moved = tmp_path / "elsewhere"
    run.parent.rename(moved)
    assert report_run(moved / "run" / "run-manifest.json").read_bytes() == first


def test_a_run_that_left_little_has_a_page(tmp_path):
    (tmp_path / "run-manifest.json").write_text(json.dumps({"run_id": "run-00", "validation_report": "gone.json"}))
    page = report_run(tmp_path / "run-manifest.json", tmp_path / "out.html")
    assert "Nothing was compared" in page.read_text()


@pytest.mark.parametrize("data", [b"", b"[1]", b"{", b"\xff\xfe{}", b"[" * 100_000])
def test_a_broken_manifest_is_a_format_error(tmp_path, data):
    (tmp_path / "run-manifest.json").write_bytes(data)
    with pytest.raises(FormatError, match="run-manifest.json"):
        report_run(tmp_path / "run-manifest.json")
    with pytest.raises(FormatError, match="cannot read"):
        report_run(tmp_path / "absent.json")
