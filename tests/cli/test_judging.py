"""Reference, verdict, page and approval through the real entry point, on a project whose capture is a file."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from builders import ProjectFolder, toml
from recomp.cli.main import main
from recomp.media.video import write_lossless

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "media"))
from clips import SIZE, film, sound, write_lossy  # noqa: E402

TICKS = 60


@pytest.fixture
def project(folder: ProjectFolder) -> ProjectFolder:
    """Capture = a copy of `film.mkv`; no reference yet."""
    film_path = folder.root / "film.mkv"
    write_lossless(film_path, film(range(TICKS)), SIZE, audio=(sound(TICKS), 48000))
    folder.config["commands"] = {"build": ["true"], "run": ["true"], "capture": ["cp", "film.mkv", "capture.mkv"]}
    folder.config["capture"] = {"video_path": "capture.mkv", "frames_dir": "frames"}
    return folder


def run(project: ProjectFolder, *arguments: str) -> int:
    return main([*arguments, "--config", str(project.write())])


def use_reference(project: ProjectFolder, name: str) -> None:
    video = {"path": "capture.mkv", "width": SIZE[0], "height": SIZE[1], "fps": 60}
    lists = {"format": "list", "path": "absent.hashes", "kind": "pixels"}
    capture = {"schema_version": "1", "video": video, "hashes.frames": lists}
    (project.root / "capture_video.toml").write_text(toml(capture))
    project.config["reference"] = {
        "reference_video_toml": f"{name}/reference_video.toml",
        "capture_video_toml": "capture_video.toml",
    }


def make_golden(project: ProjectFolder) -> None:
    assert run(project, "automate") == 0
    assert run(project, "reference", "record", "--to", str(project.root / "golden")) == 0
    use_reference(project, "golden")


def spoil(project: ProjectFolder, *ticks: int) -> None:
    frames = [frame.copy() for frame in film(range(TICKS))]
    for tick in ticks:
        frames[tick][10:20, 30:40, :3] = 7
    write_lossless(project.root / "film.mkv", frames, SIZE, audio=(sound(TICKS), 48000))
    project.config["commands"]["run"] = ["true", *map(str, ticks)]  # another input: run again


def report_of(project: ProjectFolder) -> dict:
    return json.loads((project.work_root / "validation" / "validation-report.json").read_text())


def test_a_golden_reference_then_a_defect_then_its_approval(project, capsys):
    make_golden(project)
    assert run(project, "automate") == 0
    assert report_of(project)["video"]["mode"] == "exact"
    assert (project.root / "golden" / "reference.mkv").exists()
    assert run(project, "accept", "--scene", "*", "--because", "why not") == 2
    assert "there is nothing to approve" in capsys.readouterr().err

    spoil(project, 25)
    assert run(project, "automate") == 1
    assert "first divergence at frame 25" in capsys.readouterr().err
    assert run(project, "report") == 0
    page = (project.work_root / "report.html").read_text()
    assert "10×10 px at" in page and page.count('src="data:image/webp') >= 2

    assert run(project, "accept", "--scene", "*", "--because", "a new stamp", "--who", "ada") == 0
    assert "scene '*' is approved" in capsys.readouterr().out
    assert run(project, "automate") == 0
    assert report_of(project)["video"]["approvals"][0]["why"] == "a new stamp"

    spoil(project, 25, 26)
    assert run(project, "automate") == 1


def test_a_recording_is_judged_perceptually(project, capsys):
    source = write_lossy(project.root / "recorded", film(range(TICKS)), "hevc-crf30", sound(TICKS))
    arguments = ["--to", str(project.root / "footage"), "--size", "320x180", "--marker", "play=0.5"]
    assert run(project, "reference", "normalize", str(source), *arguments) == 0
    use_reference(project, "footage")
    assert run(project, "automate") == 0
    video = report_of(project)["video"]
    assert (video["mode"], video["status"]) == ("perceptual", "passed")
    assert {gate["scene"] for gate in video["gates"]} == {None, "play"}

    write_lossless(project.root / "film.mkv", film(range(TICKS), sprite=False), SIZE, audio=(sound(TICKS), 48000))
    project.config["commands"]["run"] = ["true", "again"]
    assert run(project, "automate") == 1
    assert "local-render" in capsys.readouterr().err
    assert report_of(project)["video"]["first_divergence"]["pictures"]["reference"] == "000000-reference.png"


def test_a_slow_recording_asks_once_how_often_the_game_draws(project, capsys):
    """A capture that shows each picture twice, against 30 a second: right for one game, half rate for another."""
    frames = film(range(TICKS))
    write_lossless(project.root / "film.mkv", [frames[k // 2 * 2] for k in range(TICKS)], SIZE)
    source = write_lossy(project.root / "recorded", frames, "x264-30fps")
    arguments = ["reference", "normalize", str(source), "--to", str(project.root / "f"), "--size", "320x180"]
    assert run(project, *arguments) == 0
    assert "--update-rate 30" in capsys.readouterr().err
    use_reference(project, "f")
    assert run(project, "automate") == 1
    said = capsys.readouterr().err
    assert "validate: inconclusive" in said and "update_rate_hz = 30 in [validation.thresholds]" in said
    for rate, code in (("30", 0), ("60", 1)):
        assert run(project, *arguments, "--update-rate", rate) == 0
        assert run(project, "automate") == code
    assert "frame-pacing" in capsys.readouterr().err


def test_two_scenes_may_each_have_several_approved_pictures(project):
    make_golden(project)
    reference = project.root / "golden/reference_video.toml"
    reference.write_text(
        reference.read_text().replace("[hashes", '[[timeline.events]]\nname = "late"\ntime = 0.5\n\n[hashes', 1)
    )
    for spoilt in ((10, 40), (11, 40)):
        spoil(project, *spoilt)
        assert run(project, "automate") == 1
        assert run(project, "accept", "--scene", "*", "--because", "one of two drivers") == 0
        if spoilt[0] == 10:
            assert run(project, "automate") == 1, "the other scene is undecided"
            assert run(project, "accept", "--scene", "late", "--because", "new stamp") == 0
        assert run(project, "automate") == 0
    spoil(project, 10, 40)
    assert run(project, "automate") == 0, "the first one stays approved beside the second"
    scenes = {scene["scene"]: scene["differs"] for scene in report_of(project)["video"]["scenes"]}
    assert scenes == {"*": True, "late": True}


def test_a_difference_from_a_recording_can_be_approved_for_its_scene(project):
    source = write_lossy(project.root / "recorded", film(range(TICKS)), "x264-crf23")
    arguments = ["--to", str(project.root / "f"), "--size", "320x180", "--marker", "late=0.5"]
    assert run(project, "reference", "normalize", str(source), *arguments) == 0
    use_reference(project, "f")
    frames = [*film(range(30)), *film(range(30, TICKS), sprite=False)]
    write_lossless(project.root / "film.mkv", frames, SIZE)
    assert run(project, "automate") == 1
    decisions = report_of(project)["video"]["approvals"]
    assert [(d["scene"], d["status"]) for d in decisions] == [("late", None)]
    assert run(project, "accept", "--scene", "late", "--because", "the sprite left the game") == 0
    assert run(project, "automate") == 0
    video = report_of(project)["video"]
    assert (video["status"], video["approvals"][0]["why"]) == ("passed", "the sprite left the game")
    frames[20] = frames[0]
    write_lossless(project.root / "film.mkv", frames, SIZE)
    project.config["commands"]["run"] = ["true", "again"]
    assert run(project, "automate") == 1, "nothing else passes under an approval"


@pytest.mark.parametrize("perceptual", [False, True], ids=["exact", "perceptual"])
def test_input_that_moved_is_named_with_its_tick(project, perceptual):
    """The reference keeps what was played for it; the run's own log says what the guest has read."""
    project.config["commands"]["run"] = [
        project.script(
            "play", 'mkdir -p "$RECOMP_WORK_ROOT/recording"; cp played.jsonl "$RECOMP_WORK_ROOT/recording/inputs.jsonl"'
        )
    ]
    event = '{{"tick":{},"type":1,"code":28,"value":1}}\n{{"tick":{},"type":0,"code":0,"value":0}}\n'
    (project.root / "played.jsonl").write_text(event.format(12, 12))
    if perceptual:
        source = write_lossy(project.root / "recorded", film(range(TICKS)), "x264-crf23")
        assert (
            run(project, "reference", "normalize", str(source), "--to", str(project.root / "f"), "--size", "320x180")
            == 0
        )
        with open(project.root / "f/reference_video.toml", "a") as file:
            file.write('[inputs]\npath = "../script.txt"\n')
        (project.root / "script.txt").write_text("12 1 28 1\n")
        use_reference(project, "f")
    else:
        make_golden(project)
    assert run(project, "automate") == 0
    (project.root / "played.jsonl").write_text(event.format(15, 15))
    frames = [*film(range(20)), *film(range(20, TICKS), sprite=False)]
    write_lossless(project.root / "film.mkv", frames, SIZE, audio=(sound(TICKS), 48000))
    project.config["commands"]["run"] = ["./play", "later"]
    assert run(project, "automate") == 1
    finding = report_of(project)["video"]["triage"]["findings"][0]
    assert finding["class"] == "input-misalignment" and "from tick 12 on" in finding["message"]


def test_limits_are_overridden_in_the_validation_config(project):
    source = write_lossy(project.root / "recorded", film(range(TICKS)), "x264-crf23")
    assert (
        run(project, "reference", "normalize", str(source), "--to", str(project.root / "f"), "--size", "320x180") == 0
    )
    use_reference(project, "f")
    strict = {"schema_version": "1", "thresholds": {"instant_deficit": 0.0001}}
    (project.root / "strict.toml").write_text(toml(strict))
    project.config["reference"]["validation_config_toml"] = "strict.toml"
    assert run(project, "automate") == 1
    gates = {gate["gate"]: gate["limit"] for gate in report_of(project)["video"]["gates"]}
    assert gates["tile deficit instant"] == 0.0001


def test_config_knows_each_limit_by_name():
    from dataclasses import fields

    from recomp.config.video import PERCEPTUAL_LIMITS
    from recomp.media.gates import Limits

    assert sorted(PERCEPTUAL_LIMITS) == sorted(field.name for field in fields(Limits))


@pytest.mark.parametrize(
    "arguments, code, message",
    [
        (["report"], 2, "there is no run yet"),
        (["report", "--to", "."], 2, "--to: .: is a folder"),
        (["report", "--to", "gone/page.html"], 2, "its folder is not there"),
        (["accept", "--scene", "x", "--because", "y"], 2, "this project has no reference"),
        (["reference", "normalize", "--to", "x"], 2, "found no VIDEO"),
        (["reference", "normalize", "absent.mp4", "--to", "x", "--start", "soon"], 2, "--start: found 'soon'"),
        (["reference", "normalize", "absent.mp4", "--to", "x", "--size", "big"], 2, "--size: found 'big'"),
        (["reference", "normalize", "absent.mp4", "--to", "x", "--marker", "=3"], 2, "--marker: found '=3'"),
        (["reference", "normalize", "absent.mp4", "--to", "x", "--crop", "1,2,3"], 2, "--crop: found '1,2,3'"),
        (["reference", "normalize", "absent.mp4", "--to", "x"], 1, "absent.mp4: found no file"),
        (["reference", "record", "--to", "x"], 1, "run-manifest.json: cannot read"),
    ],
)
def test_what_is_missing_or_wrong_is_named(project, capsys, monkeypatch, arguments, code, message):
    monkeypatch.chdir(project.root)
    assert run(project, *arguments) == code
    assert message in capsys.readouterr().err


def test_an_earlier_run_can_be_looked_at_and_decided_about(project, capsys):
    """From the store: what lies in the work root by now is a later run's."""
    make_golden(project)
    spoil(project, 25)
    assert run(project, "automate") == 1
    spoil(project, 40)
    assert run(project, "automate") == 1
    assert run(project, "report", "2") == run(project, "report") == 0
    pages = [(project.work_root / name).read_text() for name in ("report-000002.html", "report.html")]
    assert ["Frame 25," in page for page in pages] == [True, False]
    assert all(page.count('src="data:image/webp') >= 2 and "Capture at frame" in page for page in pages)
    assert run(project, "accept", "2", "--scene", "*", "--because", "a new stamp") == 0
    assert run(project, "automate") == 1
    spoil(project, 25)
    assert run(project, "automate") == 0
    capsys.readouterr()
    for command in (["report", "99"], ["accept", "99", "--scene", "*", "--because", "x"]):
        assert run(project, *command) == 2
        assert "no run 99 is remembered" in capsys.readouterr().err


def test_a_part_of_the_picture_that_differs_to_the_end_is_no_other_state(project):
    make_golden(project)
    spoil(project, *range(20, TICKS))
    assert run(project, "automate") == 1
    finding = report_of(project)["video"]["triage"]["findings"][0]
    assert (finding["class"], finding["first_tick"], finding["box"]["width"]) == ("local-render", 20, 10)
    write_lossless(project.root / "film.mkv", [*film(range(20)), *film(range(90, 90 + TICKS - 20))], SIZE,
                   audio=(sound(TICKS), 48000))  # fmt: skip
    project.config["commands"]["run"] = ["true", "another state"]
    assert run(project, "automate") == 1
    assert report_of(project)["video"]["triage"]["categories"] == ["state-divergence"]


def test_the_terminal_says_what_to_try_in_at_most_ten_lines(project, capsys):
    make_golden(project)
    spoil(project, *range(5, 60, 10))
    assert run(project, "automate") == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) <= 10
    text = "\n".join(lines)
    assert "glitch from tick 5" in text and "try: recomp play --replay --from 0" in text and "and 4 more" in text
    findings = report_of(project)["video"]["triage"]["findings"]
    assert [bool(f.get("pictures")) for f in findings] == [True] * 4 + [False] * 2
    for finding in findings[:4]:
        assert (project.work_root / "validation" / "pictures" / finding["pictures"]["difference"]).exists()
        assert finding["box"] == {"x": 30, "y": 10, "width": 10, "height": 10}


def test_a_page_is_the_same_for_the_same_run(project):
    make_golden(project)
    assert run(project, "automate") == 0
    pages = []
    for name in ("a.html", "b.html"):
        assert run(project, "report", "--to", str(project.root / name)) == 0
        pages.append((project.root / name).read_bytes())
    assert pages[0] == pages[1]
    assert str(project.root).encode() not in pages[0]


def test_a_validation_that_broke_off_shows_no_earlier_verdict(project, capsys):
    make_golden(project)
    assert run(project, "automate") == 0
    (project.root / "golden" / "frames.hashes").write_text("garbage\n")
    assert run(project, "automate") == 1
    assert run(project, "report") == 0
    page = (project.work_root / "report.html").read_text()
    assert "Stage validate failed" in page and "Equal to the reference" not in page
    assert "validation_report" not in project.manifest()
    assert run(project, "accept", "--scene", "*", "--because", "it was right") == 2
    assert "the last run compared nothing" in capsys.readouterr().err
