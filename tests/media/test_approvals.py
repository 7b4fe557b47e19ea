"""An approval lets exactly one thing pass: the scene that a person has looked at, as it was."""

from __future__ import annotations

import pytest

from recomp.errors import ConfigError, GateError
from recomp.media.approvals import Approval, accept, apply_approvals, read_approvals, scene_digests, write_approvals
from recomp.media.compare import HashLists, compare_exact
from recomp.media.determinism import compare_runs, nondeterministic_report

TIMELINE = {"start": 0, "end": 4, "events": [{"name": "title", "time": 0}, {"name": "door", "time": 2}]}
REFERENCE = HashLists([f"{k:064x}" for k in range(240)], [f"{k + 999:064x}" for k in range(240)])


def other(*ticks: int) -> HashLists:
    frames = list(REFERENCE.frames)
    for tick in ticks:
        frames[tick] = f"{tick + 5000:064x}"
    return HashLists(frames, REFERENCE.audio)


def compare(capture: HashLists) -> dict:
    return compare_exact(REFERENCE, capture, timeline=TIMELINE)


def approve(path, capture: HashLists, scene: str = "door", **options) -> Approval:
    return accept(path, compare(capture), capture, scene=scene, because="new door sprite", who="ada", **options)


def judged(path, capture: HashLists) -> dict:
    return apply_approvals(compare(capture), REFERENCE, capture, read_approvals(path))


def test_an_approved_scene_passes_and_says_why(tmp_path):
    path = tmp_path / "approvals.toml"
    approve(path, other(150))
    report = judged(path, other(150))
    assert (report["video"]["status"], report["failed"], report["passed"]) == ("passed", 0, 2)
    assert report["video"]["approvals"][0]["why"] == "new door sprite"
    assert report["cases"][0]["details"].startswith("approved for 'door': first divergence at frame 150")


@pytest.mark.parametrize("ticks", [(151,), (150, 151), (150, 30), (30,)])
def test_anything_else_still_fails(tmp_path, ticks):
    """Another frame of the scene, one more, or one in another scene."""
    path = tmp_path / "approvals.toml"
    approve(path, other(150))
    assert judged(path, other(*ticks))["video"]["status"] == "failed"


def test_a_scene_may_have_several_positives(tmp_path):
    path = tmp_path / "approvals.toml"
    for tick in (150, 160):
        approve(path, other(tick))
    assert len(read_approvals(path)) == 2
    for tick in (150, 160):
        assert judged(path, other(tick))["video"]["status"] == "passed"


def test_deciding_again_replaces_the_decision(tmp_path):
    path = tmp_path / "approvals.toml"
    approve(path, other(150))
    approve(path, other(150), status="negative")
    assert [a.status for a in read_approvals(path)] == ["negative"]
    assert judged(path, other(150))["video"]["failures"][0] == "scene 'door': known bad: new door sprite"


def test_approvals_hold_for_their_platform(tmp_path):
    path = tmp_path / "approvals.toml"
    approve(path, other(150), platform="docked")
    capture = other(150)
    for platform, status in (("docked", "passed"), ("handheld", "failed")):
        report = apply_approvals(compare(capture), REFERENCE, capture, read_approvals(path), platform=platform)
        assert report["video"]["status"] == status


def test_a_run_that_does_not_repeat_itself_is_refused(tmp_path):
    report = nondeterministic_report(compare_runs([REFERENCE, other(3)]))
    with pytest.raises(GateError, match="does not repeat itself"):
        accept(tmp_path / "a.toml", report, other(3), scene="door", because="x", who="ada")
    assert not (tmp_path / "a.toml").exists()


def test_a_decision_needs_a_scene_and_a_reason(tmp_path):
    report = compare(other(3))
    with pytest.raises(ConfigError, match="found no scene 'attic' in this run, expected one of title, door"):
        accept(tmp_path / "a.toml", report, other(3), scene="attic", because="x", who="ada")
    with pytest.raises(ConfigError, match="found no reason"):
        accept(tmp_path / "a.toml", report, other(3), scene="door", because="  ", who="ada")


def test_digests_cover_frames_and_sound_of_their_scene_only():
    before = scene_digests(REFERENCE, TIMELINE, 60)
    assert list(before) == ["title", "door"]
    after = scene_digests(HashLists(REFERENCE.frames, [*REFERENCE.audio[:-1], "f" * 64]), TIMELINE, 60)
    assert after["title"] == before["title"] and after["door"] != before["door"]
    assert list(scene_digests(REFERENCE, None, 60)) == ["*"]


def test_the_file_is_stable_and_survives_any_text(tmp_path):
    path = tmp_path / "approvals.toml"
    odd = Approval('a "b" \\ \n', "any", "0" * 64, "positive", "Zoë", "because\u2028\t'''")
    write_approvals(path, [odd])
    first = path.read_bytes()
    assert read_approvals(path) == [odd]
    write_approvals(path, read_approvals(path))
    assert path.read_bytes() == first


@pytest.mark.parametrize(
    "text, message",
    [
        ("schema_version = 1", "schema_version: found 1"),
        ('schema_version = "1"\nextra = 1', "expected schema_version and"),
        ('schema_version = "1"\n[[approvals]]\nscene = "x"', r"approvals\[0\]: expected the strings"),
        ("not toml", "cannot read"),
    ],
)
def test_a_broken_file_is_named(tmp_path, text, message):
    (tmp_path / "a.toml").write_text(text)
    with pytest.raises(ConfigError, match=message):
        read_approvals(tmp_path / "a.toml")
