"""contracts, section 6: reference, capture, validation."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from builders import ProjectFolder, capture_video, reference_video, toml
from recomp.cli.main import main
from recomp.config import video
from recomp.config.document import Document
from recomp.config.problems import ConfigProblems


def automate(folder: ProjectFolder) -> int:
    return main(["automate", "--config", str(folder.write())])


def report(folder: ProjectFolder) -> dict[str, Any]:
    return json.loads((folder.work_root / "validation/validation-report.json").read_text())


def load(values: dict[str, Any], loader: Any = video.load_reference) -> dict[str, Any]:
    document = Document("video.toml", toml(values).encode())
    found = loader(document)
    document.finish()
    return found


@pytest.fixture
def compared(folder: ProjectFolder) -> ProjectFolder:
    return folder.with_reference().with_commands("/usr/bin/true")


def set_reference(folder: ProjectFolder, **changes: Any) -> None:
    (folder.root / "reference_video.toml").write_text(toml(reference_video("reference.hashes", **changes)))


# The files


def test_thresholds_have_the_defaults_of_the_contract() -> None:
    thresholds = load(reference_video("list"))["validation"]["thresholds"]
    assert {key: thresholds[key] for key in list(thresholds)[:5]} == {
        "frame_match_ratio": 0.92, "audio_match_ratio": 0.90, "max_drift_frames": 3, "max_dropped_frames": 0,
        "max_audio_drift_chunks": None,
    }  # fmt: skip


def test_a_reference_may_say_all_that_the_contract_lists() -> None:
    found = load(reference_video(
        "list",
        normalization={"source_path": "raw.mp4", "normalized_path": "video.mkv", "notes": "cropped",
                       "profile": {"width": 1280, "height": 720, "fps": 60, "audio_sample_rate": 48000,
                                   "audio_channels": 2}},
        timeline={"start": "00:00:01.500", "end": 9, "events": [{"name": "title", "time": "00:00:02"}]},
        validation={"name": "v", "notes": "n", "require_audio": False, "thresholds": {"max_audio_drift_chunks": 2}},
        **{"hashes.audio": {"format": "file", "path": "sound.wav"}},
    ))  # fmt: skip
    assert found["timeline"] == {"start": 1.5, "end": 9.0, "events": [{"name": "title", "time": 2.0}]}
    assert found["normalization"]["profile"]["audio_channels"] == 2
    assert found["validation"]["thresholds"]["max_audio_drift_chunks"] == 2
    assert found["hashes"]["audio"] == {"format": "file", "path": "sound.wav", "kind": "bytes"}


@pytest.mark.parametrize(
    ("what", "forms", "other"), [("frames", ("list", "directory"), "file"), ("audio", ("list", "file"), "directory")]
)
def test_hashes_are_given_in_one_of_two_formats(what: str, forms: tuple[str, str], other: str) -> None:
    for form in forms:
        load(reference_video("list", **{f"hashes.{what}": {"format": form, "path": "x"}}))
    with pytest.raises(ConfigProblems, match=f'found "{other}"'):
        load(reference_video("list", **{f"hashes.{what}": {"format": other, "path": "x"}}))


@pytest.mark.parametrize(
    ("loader", "values", "version"),
    [
        (video.load_reference, reference_video("list"), "2"),
        (video.load_capture, capture_video("list"), "1"),
        (video.load_validation_config, {"schema_version": "1"}, "1"),
    ],
)
def test_each_file_has_its_schema_version(loader: Any, values: dict[str, Any], version: str) -> None:
    load({**values, "schema_version": version}, loader)
    with pytest.raises(ConfigProblems, match=f'expected "{version}", found "9"'):
        load({**values, "schema_version": "9"}, loader)


# What is compared


@pytest.mark.parametrize("form", ["{hash}", "{index} {hash}"])
def test_a_list_has_one_hash_a_line_or_an_index_before_it_and_comments(compared: ProjectFolder, form: str) -> None:
    hashes = (compared.root / "reference.hashes").read_text().split()
    lines = [form.format(index=index, hash=value) for index, value in enumerate(hashes)]
    text = "\n".join(["# frames of the original", lines[0], "", lines[1] + "  # the second", *lines[2:]])
    (compared.root / "reference.hashes").write_text(text + "\n")
    assert automate(compared) == 0
    assert report(compared)["video"]["frame_comparison"]["matched"] == 3


def test_a_frame_hash_is_that_of_the_files_bytes_in_name_order(compared: ProjectFolder) -> None:
    frames = compared.root / "frames"
    for name in sorted(path.name for path in frames.iterdir()):
        (frames / name).rename(frames / f"z{9 - int(name[:4])}.png")
    assert automate(compared) == 1  # the same files, in another order
    (compared.root / "reference.hashes").write_text(
        "".join(hashlib.sha256(path.read_bytes()).hexdigest() + "\n" for path in sorted(frames.iterdir()))
    )
    assert automate(compared) == 0


def with_audio(folder: ProjectFolder, data: bytes) -> None:
    (folder.root / "sound.wav").write_bytes(data)
    (folder.root / "reference.wav").write_bytes(data)
    folder.config["capture"]["audio_file"] = "sound.wav"
    folder.config["commands"]["extract_audio"] = ["true"]
    set_reference(folder, **{"hashes.audio": {"format": "file", "path": "reference.wav"}})


def test_audio_is_hashed_in_chunks_of_4096_bytes(compared: ProjectFolder) -> None:
    with_audio(compared, bytes(range(256)) * 33)
    assert automate(compared) == 0
    comparison = report(compared)["video"]["audio_comparison"]
    assert (comparison["reference_total"], comparison["capture_total"]) == (3, 3)
    lines = (compared.work_root / "validation/audio.hashes").read_text().split()
    data = (compared.root / "sound.wav").read_bytes()
    expected = [hashlib.sha256(data[at : at + 4096]).hexdigest() for at in range(0, len(data), 4096)]
    assert [line for line in lines if len(line) == 64] == expected


def test_audio_is_compared_only_where_an_audio_file_is_set(compared: ProjectFolder) -> None:
    assert automate(compared) == 0
    assert report(compared)["video"]["audio_comparison"] is None
    assert not {"extract_audio", "hash_audio"} & compared.steps().keys()
    with_audio(compared, b"sound")
    assert automate(compared) == 0
    assert {"extract_audio", "hash_audio"} <= compared.steps().keys()


def test_the_validation_config_overrides(compared: ProjectFolder) -> None:
    (compared.root / "frames/0000.png").write_bytes(b"another")
    assert automate(compared) == 1
    compared.config["reference"]["validation_config_toml"] = "validation_config.toml"
    (compared.root / "validation_config.toml").write_text(toml({
        "schema_version": "1", "name": "generous", "notes": "n",
        "thresholds": {"frame_match_ratio": 0.5, "max_dropped_frames": 3},
    }))  # fmt: skip
    assert automate(compared) == 0
    found = report(compared)["video"]
    assert found["validation_config"]["name"] == "generous"
    assert found["frame_comparison"]["threshold"] == 0.5


# The report


def test_the_report_has_the_keys_of_the_contract(compared: ProjectFolder) -> None:
    with_audio(compared, b"sound")
    automate(compared)
    found = report(compared)
    assert {"total", "passed", "failed", "cases", "video"} <= found.keys()
    assert found["total"] == found["passed"] + found["failed"] == len(found["cases"])
    assert all({"name", "status", "details"} <= case.keys() for case in found["cases"])
    shown = found["video"]
    assert {
        "status", "validation_config", "normalization", "triage", "reference", "capture", "timeline",
        "frame_comparison", "audio_comparison", "drift", "failures",
    } <= shown.keys()  # fmt: skip
    assert {"status", "categories", "findings", "suggestions"} <= shown["triage"].keys()
    for comparison in (shown["frame_comparison"], shown["audio_comparison"]):
        assert {
            "matched", "compared", "match_ratio", "threshold", "offset", "length_delta", "reference_total",
            "capture_total",
        } <= comparison.keys()  # fmt: skip
    assert {
        "frame_offset", "frame_offset_seconds", "length_delta_frames", "audio_offset_chunks",
        "audio_length_delta_chunks",
    } <= shown["drift"].keys()  # fmt: skip


def test_a_bad_verdict_is_written_and_exits_1(compared: ProjectFolder, capsys: pytest.CaptureFixture[str]) -> None:
    for path in (compared.root / "frames").iterdir():
        path.write_bytes(path.read_bytes() + b"!")
    assert automate(compared) == 1
    assert report(compared)["failed"] > 0
    assert report(compared)["video"]["failures"]
    assert "validation-report.json" in capsys.readouterr().err


def test_the_report_is_byte_identical_for_identical_inputs(compared: ProjectFolder) -> None:
    texts = []
    for _ in range(2):
        automate(compared)
        texts.append((compared.work_root / "validation/validation-report.json").read_bytes())
        compared.config["run"] = {"resume": False}
    assert texts[0] == texts[1]
