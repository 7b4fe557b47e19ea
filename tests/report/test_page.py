"""The report page: deterministic, offline, escaped, within its size, whatever it is given."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from recomp.errors import FormatError
from recomp.media import hashing, pairs
from recomp.media.compare import HashLists, compare_exact
from recomp.report import write_report
from recomp.report.page import Frame, render

MANIFEST = {
    "schema_version": "1",
    "run_id": "run-0123456789abcdef",
    "execution_mode": "local",
    "host_fingerprint": "a" * 64,
    "input_fingerprint": "b" * 64,
    "tool_versions": {"recomp_cli": "0.1.0", "ffmpeg": None},
    "inputs": [{"name": "elf", "path": "game.elf", "sha256": "c" * 64, "size": 123456}],
    "artifacts": [{"path": "build/port", "sha256": "d" * 64, "size": 1234567, "role": "port"}],
    "steps": [
        {"name": "lift", "status": "succeeded", "duration_ms": 812, "cache_hit": False, "cache_key": "e" * 64},
        {"name": "build", "status": "succeeded", "duration_ms": 20412, "cache_hit": True, "cache_key": "f" * 64},
    ],
}
COVERAGE = {"functions": 412, "instructions": 48123, "undefined_words": 0, "found_by": {"calls": 380, "pointers": 32}}


class Outline(HTMLParser):
    """Tags, headings and anything that could leave the file."""

    def __init__(self) -> None:
        super().__init__()
        self.open, self.headings, self.loads, self.text = [], [], [], []

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "link", "img", "input", "br"):
            self.open.append(tag)
        if tag in ("h1", "h2"):
            self.headings.append(tag)
        self.loads += [value for name, value in attrs if name in ("src", "href", "action", "srcset")]
        assert not [name for name, _ in attrs if name.startswith("on")], "no handlers in attributes"

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def outline(page: str) -> Outline:
    parser = Outline()
    parser.feed(page)
    parser.close()
    assert parser.open == []
    assert all(value.startswith("data:") for value in parser.loads)
    return parser


def failing(tmp_path, size=(90, 160), count=60) -> dict:
    rng = np.random.default_rng(5)
    reference = [rng.integers(0, 255, (*size, 4), dtype=np.uint8) // 32 * 32 for _ in range(count)]
    capture = [frame.copy() for frame in reference]
    capture[33][20:30, 40:70, :3] = 255
    timeline = {"start": 0.0, "end": 1.0, "events": [{"name": "title", "time": 0.0}, {"name": "door", "time": 0.5}]}
    report = compare_exact(
        HashLists(hashing.hash_frames(reference)), HashLists(hashing.hash_frames(capture)), timeline=timeline
    )
    pairs.add_pictures(report, tmp_path, reference.__getitem__, capture.__getitem__)
    return report


def test_a_failure_shows_the_pair_the_place_and_the_way_to_look(tmp_path):
    page = render(MANIFEST, failing(tmp_path), folder=tmp_path, coverage=COVERAGE, input_ticks=[3, 30])
    parser = outline(page)
    text = re.sub(r"[ \n]+", " ", " ".join(parser.text))
    assert "Not equal to the reference" in text
    assert "Frame 33, 0.550 s, scene door" in text
    assert "30×10 px at (40, 20)" in text
    assert parser.headings[0] == "h1" and set(parser.headings[1:]) == {"h2"}
    assert page.count('src="data:image/webp;base64,') == 2
    assert page.count("data-mode=") == 8
    assert "48\u202f123" in text


def test_a_success_says_so_and_shows_the_film(tmp_path):
    hashes = HashLists([f"{k:064x}" for k in range(1200)])
    strip = [Frame(k, "title", np.full((72, 128, 4), k, np.uint8)) for k in range(0, 250, 50)]
    page = render(MANIFEST, compare_exact(hashes, hashes), strip=strip)
    text = " ".join(outline(page).text)
    assert "Equal to the reference" in text
    assert "1\u202f200 of 1\u202f200 frames" in text
    assert page.count('alt="Capture at frame') == 5


def test_the_same_run_gives_the_same_bytes(tmp_path):
    report = failing(tmp_path)
    for name in ("one.html", "two.html"):
        write_report(tmp_path / name, MANIFEST, report, folder=tmp_path, coverage=COVERAGE)
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "two.html").read_bytes()
    assert str(tmp_path) not in (tmp_path / "one.html").read_text()


def test_noise_stays_within_two_megabytes(tmp_path):
    """Pictures that no lossless coder can shrink are shown with loss, and the page says so."""
    rng = np.random.default_rng(1)
    a, b = rng.integers(0, 256, (2, 720, 1280, 4), dtype=np.uint8)
    report = compare_exact(HashLists(hashing.hash_frames([a])), HashLists(hashing.hash_frames([b])))
    pairs.add_pictures(report, tmp_path, [a].__getitem__, [b].__getitem__)
    strip = [Frame(k, "", a, k, b) for k in range(12)]
    page = render(MANIFEST, report, folder=tmp_path, strip=strip)
    assert len(page.encode()) <= 2_000_000
    assert "the file is exact" in page


@pytest.mark.parametrize(
    "evil", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "</style><b>", "{{ 7*7 }}"]
)
def test_everything_is_escaped(tmp_path, evil):
    manifest = {
        **MANIFEST,
        "run_id": evil,
        "inputs": [{"name": evil, "path": evil, "sha256": evil, "size": 1}],
        "tool_versions": {evil: evil},
        "steps": [{"name": evil, "status": evil, "cache_key": evil, "duration_ms": 1}],
    }
    report = failing(tmp_path)
    report["video"]["failures"] = [evil]
    report["video"]["first_divergence"]["scene"] = evil
    report["video"]["timeline"]["events"][0]["name"] = evil
    report["video"]["triage"]["findings"][0]["message"] = evil
    clean = render(MANIFEST, failing(tmp_path), folder=tmp_path, coverage={"a": 1}, title="t")
    page = render(manifest, report, folder=tmp_path, coverage={evil: evil}, title=evil)
    if "<" in evil:
        assert evil not in page
    assert "49" not in re.sub(r"base64,[A-Za-z0-9+/=]+", "", page) or "{{" not in evil
    for tag in ("<script", "<img", "<b>", "</style>"):
        assert page.count(tag) == clean.count(tag)
    outline(page)


def test_a_failed_stage_and_a_run_without_reference_have_their_page():
    broken = {**MANIFEST, "steps": [{"name": "build", "status": "failed", "duration_ms": 3}]}
    assert "Stage build failed" in " ".join(outline(render(broken, None)).text)
    assert "Nothing was compared" in " ".join(outline(render(MANIFEST, None)).text)
    outline(render({}, None))


def test_pictures_are_only_read_from_the_folder(tmp_path):
    report = failing(tmp_path)
    report["video"]["first_divergence"]["pictures"]["capture"] = "../outside.png"
    with pytest.raises(FormatError, match="expected a file name without a folder"):
        render(MANIFEST, report, folder=tmp_path)
    report["video"]["first_divergence"]["pictures"]["capture"] = "absent.png"
    with pytest.raises(FormatError, match="absent.png: cannot read picture"):
        render(MANIFEST, report, folder=tmp_path)
