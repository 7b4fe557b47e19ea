"""The samples as homebrew: the game equals its native build, the small ones equal what the oracle saw."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from recomp.formats.assets import read_assets
from recomp.formats.nacp import read_nacp
from recomp.formats.nro import read_nro
from recomp.media.hashing import hash_frame, read_hash_list
from recomp.media.recording import Recording
from tests.conftest import run_cli
from tests.homebrew.programs import make_port, run_port
from tests.oracle.__main__ import run_on_card
from tests.oracle.run import Options
from tests.samples.sample import ROOT, SAMPLE, load_build

import bless_homebrew  # isort: skip  (found through tests.samples.sample)
from input_lines import input_lines  # isort: skip
from record_reference import frames_of  # isort: skip

ORACLE_TICKS, PORT_TICKS = 24, 420
SCRIPT = input_lines(SAMPLE / "input_script.toml")
SMALL = ("notebook", "pendulum")


@pytest.fixture(scope="session")
def game(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with emberkite.nro, the native program and what says where they are from."""
    out = tmp_path_factory.mktemp("homebrew")
    load_build(SAMPLE).build(out, reference=False, homebrew=True)
    (out / "input.txt").write_text(SCRIPT, encoding="ascii")
    return out


@pytest.fixture(scope="session")
def native_frames(game: Path) -> list[str]:
    """The hashes of the native program's first pictures."""
    hashes = []
    for frame in frames_of(game / "emberkite-native", shortened(game)):
        hashes.append(hash_frame(frame))
    return hashes


def shortened(game: Path) -> Path:
    """The script up to PORT_TICKS, where Escape ends the play."""
    path = game / "short.txt"
    lines = [line for line in SCRIPT.splitlines() if int(line.split()[0]) < PORT_TICKS]
    path.write_text("\n".join([*lines, f"{PORT_TICKS} 1 1 1"]) + "\n", encoding="ascii")
    return path


def test_the_game_on_the_oracle_is_the_native_game(game: Path, native_frames: list[str], tmp_path: Path) -> None:
    """Another CPU and another system, both not ours: the SDK is right."""
    nro = (game / "emberkite.nro").read_bytes()
    report = run_on_card(nro, tmp_path, Options(ticks=ORACLE_TICKS))
    assert report.frames == native_frames[:ORACLE_TICKS]
    assert len(report.samples) == ORACLE_TICKS * 800
    assert np.abs(report.samples).max() > 100
    assert report.unknown == {}


@pytest.mark.slow
def test_the_game_as_a_port_is_the_native_game(game: Path, native_frames: list[str], tmp_path: Path) -> None:
    """Each picture and each sample of the first seconds; `make demo-homebrew` plays the whole."""
    port = make_port(game / "emberkite.nro", tmp_path / "port")
    run = run_port(port, tmp_path / "run", shortened(game).read_text(encoding="ascii"), PORT_TICKS + 10)
    assert run.facts["exit"] == {"kind": "exit", "code": 0, "detail": "returned to the loader: success"}
    assert "unknown_commands" not in run.facts
    hashes = [hash_frame(frame.pixels) for frame in Recording(run.recording).frames()]
    assert hashes == native_frames
    assert len(set(hashes)) > 300
    native = native_samples(game, tmp_path)
    assert (run.recording / "audio.pcm").read_bytes() == native
    assert run.said.splitlines() == [
        "emberkite: tick 0: scene title",
        "emberkite: tick 167: scene level-1",
        f"emberkite: tick {PORT_TICKS}: leaving",
    ]


def native_samples(game: Path, folder: Path) -> bytes:
    command = [game / "emberkite-native", shortened(game), "-", folder / "native.pcm"]
    subprocess.run(command, stderr=subprocess.DEVNULL, check=True)
    return (folder / "native.pcm").read_bytes()


def test_the_game_s_file_says_what_it_is(game: Path) -> None:
    data = (game / "emberkite.nro").read_bytes()
    nro = read_nro(data)
    assets = read_assets(data[nro.assets_offset :])
    title = read_nacp(assets.nacp).title
    assert title is not None
    assert (title.name, title.publisher) == ("Ember Kite", "recomp samples")
    assert assets.icon[:3] == b"\xff\xd8\xff"
    assert assets.romfs == b""
    assert nro.image.name == "nx-sdk"


def test_homebrew_is_not_made_twice(game: Path, capsys: pytest.CaptureFixture[str]) -> None:
    load_build(SAMPLE).build(game, reference=False, homebrew=True)
    assert set(capsys.readouterr().out.split()) == {"emberkite", "emberkite-native", "emberkite.nro", "unchanged"}


@pytest.fixture(scope="session")
def outs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Where the small samples are built, apart from what a person built."""
    return {name: tmp_path_factory.mktemp(name) for name in SMALL}


@pytest.mark.parametrize("name", SMALL)
def test_a_golden_is_what_the_oracle_sees(name: str, outs: dict[str, Path]) -> None:
    golden = read_hash_list(ROOT / "samples" / name / "golden.frames")
    report = bless_homebrew.play(name, out=outs[name])
    assert report.frames == golden
    assert (report.exit.kind, report.exit.code) == ("return", 0)
    assert report.unknown == {}


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALL)
def test_a_small_sample_passes_its_loop(name: str, tmp_path: Path) -> None:
    """From the NRO to the verdict: every frame is the golden's."""
    project = tmp_path / name
    shutil.copytree(ROOT / "samples" / name, project, ignore=shutil.ignore_patterns("out", "run"))
    import sample

    sample.build(bless_homebrew.load_program(name), project / "out")
    done = run_cli("automate", "--config", "automation.toml", cwd=project, timeout_s=600)
    assert done.returncode == 0, done.stderr
    golden = read_hash_list(project / "golden.frames")
    report = json.loads((project / "run" / "validation" / "validation-report.json").read_text(encoding="utf-8"))
    found = report["video"]["frame_comparison"]
    assert (found["matched"], found["compared"], found["offset"]) == (len(golden), len(golden), 0)
    if name == "notebook":
        notes = project / "run" / "files" / "sdmc" / "notebook"
        assert (notes / "visits.txt").read_text(encoding="ascii") == "a visit\n"
        assert (notes / "report.txt").read_text(encoding="ascii") == count_poems()


def count_poems() -> str:
    """What Notebook writes, counted here a second time."""
    lines = []
    for path in sorted((ROOT / "samples" / "notebook" / "romfs" / "poems").iterdir()):
        text = path.read_text(encoding="ascii")
        letters = sum(not char.isspace() for char in text)
        lines.append(f"{path.name:<12} {text.count(chr(10)):3} lines {len(text.split()):3} words {letters:4} letters\n")
    return "".join(lines)


def test_the_card_remembers_a_visit(tmp_path: Path, outs: dict[str, Path]) -> None:
    """A second run on the same card finds the first one's file."""
    for visit in (1, 2):
        bless_homebrew.play("notebook", card=tmp_path, out=outs["notebook"])
        assert (tmp_path / "notebook" / "visits.txt").read_text(encoding="ascii") == "a visit\n" * visit


def test_a_source_that_does_not_compile_is_one_message(tmp_path: Path) -> None:
    import nxbuild

    (tmp_path / "main.c").write_text("int main(void) { return nothing; }\n", encoding="ascii")
    program = nxbuild.Program("broken", "Broken", "tests", "1.0", (tmp_path / "main.c",))
    with pytest.raises(nxbuild.BuildError, match="broken.nro cannot be compiled:\n.*undeclared identifier 'nothing'"):
        nxbuild.build_nro(program, tmp_path / "broken.nro")
    assert not (tmp_path / "broken.nro").exists()


def test_no_call_of_another_system_is_linked_in(game: Path) -> None:
    """The C library's functions that ask a Linux kernel (svc 0) must not be there."""
    nro = read_nro((game / "emberkite.nro").read_bytes())
    words = np.frombuffer(nro.image.text.data, "<u4")
    calls = {int(word) >> 5 & 0xFFFF for word in words[words & 0xFFE0001F == 0xD4000001]}
    assert 0x21 in calls
    assert 0 not in calls
