"""Stage 0 through the real entry point: runs of the same input that differ are found out before anything is compared.

The port is a stand-in, a script that writes a recording: of one colour in the first run, and from tick 2 on of another
one where the test makes it misbehave.
"""

from __future__ import annotations

import base64
import json
import struct
import zlib

import lz4.block
import pytest

from builders import ProjectFolder, reference_video, toml
from recomp.cli.main import main
from recomp.media.hashing import hash_frame, write_hash_list
from recomp.media.recording import FrameReader

SIZE = (16, 16)
RUN = {
    "exit": {"kind": "exit", "code": 0, "detail": ""}, "ticks": 4, "frames": 4,
    "video": {"width": SIZE[0], "height": SIZE[1], "rate": 60}, "audio": None, "unknown_svcs": [],
}  # fmt: skip


def frames_rec(*levels: int) -> bytes:
    """A recording of one flat picture a level."""
    body = struct.pack("<8sIIIII", b"RCFRAMES", 1, *SIZE, 60, 1)
    out = body + struct.pack("<I", zlib.crc32(body))
    records = []
    for tick, level in enumerate(levels):
        plain = bytes([2] * SIZE[1]) + bytes([level, level, level, 255]) * (SIZE[0] * SIZE[1])
        packed = struct.pack("<I", len(plain)) + lz4.block.compress(plain, store_size=False)
        records.append((0, tick, 1, packed))
    for kind, tick, count, payload in [*records, (3, len(levels), 0, b"")]:
        head = struct.pack("<4sIIII", b"FRAM", kind, tick, count, len(payload))
        out += head + struct.pack("<I", zlib.crc32(payload, zlib.crc32(head))) + payload
    return out


STEADY, SHAKY = frames_rec(10, 20, 30, 40), frames_rec(10, 20, 99, 40)


def player(folder: str, again: bytes) -> str:
    """Shell lines that write STEADY into `folder`, `again` where the run is not the first one."""
    lines = [f"cd {folder}", f"printf '%s' '{json.dumps(RUN)}' > run.json", ": > inputs.jsonl", ": > misses.jsonl"]
    first, second = (base64.b64encode(data).decode() for data in (STEADY, again))
    return "\n".join([*lines, f'if $again; then data="{second}"; else data="{first}"; fi',
                      'printf "%s" "$data" | base64 -d > frames.rec'])  # fmt: skip


@pytest.fixture
def project(folder: ProjectFolder) -> ProjectFolder:
    hashes = [hash_frame(frame.pixels) for frame in FrameReader(STEADY)]
    write_hash_list(folder.root / "reference.hashes", hashes)
    reference = reference_video("reference.hashes")
    reference["hashes.frames"]["kind"] = "pixels"
    reference["timeline.events"] = [{"name": "late", "time": 0.03}]
    (folder.root / "reference_video.toml").write_text(toml(reference))
    folder.config["reference"] = {"reference_video_toml": "reference_video.toml"}
    return folder


def with_port(folder: ProjectFolder, again: bytes, **run: int) -> None:
    folder.script("port", 'case $RECOMP_RT_RECORD in */again-*) again=true;; *) again=false;; esac\n'
                  + player('"$RECOMP_RT_RECORD"', again))  # fmt: skip
    build = folder.script("build.sh", 'mkdir -p "$RECOMP_BUILD_DIR"; cp port "$RECOMP_BUILD_DIR/port"')
    folder.config["commands"] = {"build": [build]}
    folder.config["run"] = run


def automate(folder: ProjectFolder) -> int:
    return main(["automate", "--config", str(folder.write())])


def report(folder: ProjectFolder) -> dict:
    return json.loads((folder.work_root / "validation" / "validation-report.json").read_text())


def test_a_port_that_repeats_itself_is_compared_and_says_so(project, capsys):
    with_port(project, STEADY)
    assert automate(project) == 0
    assert "2 runs equal" in capsys.readouterr().out
    assert json.loads((project.work_root / "recording/determinism.json").read_text())["runs"] == 2
    assert automate(project) == 0
    assert project.ran() == []


def test_a_port_that_does_not_is_nondeterministic_from_its_first_other_tick(project, capsys):
    """Though its first run equals the reference."""
    with_port(project, SHAKY)
    assert automate(project) == 1
    said = capsys.readouterr()
    assert "nondeterministic, nothing was compared" in said.err and "frame 2 (0.033 s, scene 'late')" in said.err
    video = report(project)["video"]
    assert (video["status"], video["frame_comparison"]) == ("nondeterministic", None)
    assert video["determinism"]["first_divergence"]["tick"] == 2
    assert project.steps()["run"]["notes"] == ["nondeterministic: 2 runs of the same input differ from tick 2 on"]
    page = (project.work_root / "report.html").read_text()
    assert "Two runs differ" in page
    assert main(["accept", "--config", str(project.write()), "--scene", "late", "--because", "luck"]) == 3
    assert "cannot be approved" in capsys.readouterr().err
    assert not (project.root / "approvals.toml").exists()


def test_the_number_of_repetitions_is_a_part_of_the_run_alone(project):
    with_port(project, SHAKY, repeats=0)
    assert automate(project) == 0, "the first run equals the reference, and nobody looks at another"
    assert not (project.work_root / "recording/determinism.json").exists()
    project.config["run"] = {"repeats": 2}
    assert automate(project) == 1
    assert project.steps()["build"]["cache_hit"] and not project.steps()["run"]["cache_hit"]
    assert report(project)["video"]["determinism"]["runs"] == 3
    project.config["run"] = {"repeats": 0}
    assert automate(project) == 0
    assert report(project)["video"]["mode"] == "exact"


@pytest.mark.parametrize("again, code", [(STEADY, 0), (SHAKY, 1)], ids=["steady", "shaky"])
def test_a_command_is_given_again_where_it_is_asked_for(project, again, code):
    body = (
        'if [ -e "$(dirname "$0")/was-here" ]; then again=true; else again=false; fi\n: > "$(dirname "$0")/was-here"\n'
    )
    body += 'mkdir -p "$RECOMP_WORK_ROOT/recording"\n' + player('"$RECOMP_WORK_ROOT/recording"', again)
    project.config["commands"] = {"build": ["true"], "run": [project.script("play", body)]}
    project.config["run"] = {"repeats": 1}
    assert automate(project) == code
    status = json.loads((project.work_root / "recording/determinism.json").read_text())["status"]
    assert status == ("nondeterministic" if code else "deterministic")
    assert report(project)["video"]["status"] == ("nondeterministic" if code else "passed")


def test_a_command_without_a_recording_cannot_be_compared(project, capsys):
    project.config["commands"] = {"build": ["true"], "run": ["true"]}
    project.config["run"] = {"repeats": 1}
    assert automate(project) == 1
    assert "nothing to compare runs by" in capsys.readouterr().err
