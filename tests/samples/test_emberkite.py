"""Ember Kite: the script is data, the play reaches its scenes, and all builds of the game are the same game."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

from recomp.media.hashing import hash_frames, read_hash_list
from recomp.media.video import read_frames
from tests.samples.sample import SAMPLE, load_build

from input_lines import input_lines  # isort: skip  (found through tests.samples.sample)
from record_reference import frames_of, record  # isort: skip

ENTER, ESC, Z = 28, 1, 44
PLATFORMS = ("platform_linux.c", "platform_native.c", "platform_horizon.c")
SCRIPT = tomllib.loads((SAMPLE / "input_script.toml").read_text(encoding="utf-8"))


def write_script(path: Path, *events: tuple[int, int, int]) -> Path:
    """events: (tick, key, value)."""
    path.write_text("".join(f"{tick} 1 {key} {value}\n" for tick, key, value in events), encoding="ascii")
    return path


def play(program: Path, script: Path) -> list[str]:
    """What the program says, played without pictures and sound."""
    done = subprocess.run([program, script, "-", "-"], stderr=subprocess.PIPE, text=True, check=True, timeout=120)
    return done.stderr.splitlines()


def ticks_of(log: list[str]) -> dict[str, int]:
    """Scene → the tick it was entered at."""
    found = (re.fullmatch(r"emberkite: tick (\d+): (?:scene )?([\w-]+).*", line) for line in log)
    return {match[2]: int(match[1]) for match in found if match}


def compile_c(out: Path, *arguments: str | Path) -> Path:
    command = [sys.executable, "-m", "ziglang", "cc", "-std=c11", "-D_GNU_SOURCE", "-O2", "-ffp-contract=off"]
    subprocess.run([*command, *map(str, arguments), "-lm", "-o", str(out)], check=True, timeout=300)
    return out


def sources_without(*names: str) -> list[Path]:
    return [path for path in sorted((SAMPLE / "src").glob("*.c")) if path.name not in names]


# ---- the input script ----------------------------------------------------------------------------------------------


def test_the_script_plays_at_least_22_seconds_and_leaves() -> None:
    lines = input_lines(SAMPLE / "input_script.toml").splitlines()
    ticks = [int(line.split()[0]) for line in lines]
    assert ticks == sorted(ticks)
    assert lines[-1] == f"{ticks[-1]} 1 {ESC} 1"
    assert ticks[-1] >= 1320


def test_every_key_that_goes_down_comes_up() -> None:
    held: dict[str, int] = {}
    for event in SCRIPT["events"]:
        assert held.get(event["control"], 0) != event["value"], event
        held[event["control"]] = event["value"]
    assert {control for control, value in held.items() if value} == {"KEY_ESC"}


def test_an_unknown_control_is_named(tmp_path: Path) -> None:
    script = (SAMPLE / "input_script.toml").read_text(encoding="utf-8").replace('"START"', '"STRAT"', 1)
    (tmp_path / "script.toml").write_text(script, encoding="utf-8")
    with pytest.raises(ValueError, match="event 0: unknown control 'STRAT'"):
        input_lines(tmp_path / "script.toml")


def test_the_reference_s_timeline_is_the_script_s_markers() -> None:
    reference = tomllib.loads((SAMPLE / "reference_video.toml").read_text(encoding="utf-8"))
    markers = {marker["name"]: marker["frame"] for marker in SCRIPT["markers"]}
    ends = markers.pop("leave")
    assert markers.pop("end") > ends
    times = {event["name"]: event["time"] for event in reference["timeline"]["events"]}
    assert {name: round(float(time.rsplit(":", 1)[1]) * 60) for name, time in times.items()} == markers
    assert reference["timeline"]["end"] == f"00:00:{ends / 60:06.3f}"


# ---- the play ------------------------------------------------------------------------------------------------------


def test_the_play_reaches_each_marker_s_scene(built: Path, tmp_path: Path) -> None:
    (tmp_path / "input.txt").write_text(input_lines(SAMPLE / "input_script.toml"), encoding="ascii")
    reached = ticks_of(play(built / "emberkite-native", tmp_path / "input.txt"))
    reached["leave"] = reached.pop("leaving")
    assert reached == {marker["name"]: marker["frame"] for marker in SCRIPT["markers"] if marker["name"] != "end"}


def test_a_kite_nobody_flies_falls(built: Path, tmp_path: Path) -> None:
    script = write_script(tmp_path / "idle.txt", (30, ENTER, 1), (36, ENTER, 0), (2600, ESC, 1))
    reached = ticks_of(play(built / "emberkite-native", script))
    assert reached["level-1"] < reached["the"] < reached["lose"]  # "the kite is falling"


def test_the_autopilot_wins_and_the_script_is_its_play(tmp_path: Path) -> None:
    """The checked-in script is what tools/make_play.c writes for this game; played to the end, it wins."""
    tool = compile_c(tmp_path / "make_play", *sources_without("main.c", *PLATFORMS), SAMPLE / "tools" / "make_play.c")
    script = subprocess.run([tool, "1860"], capture_output=True, text=True, check=True, timeout=120)
    assert script.stdout == (SAMPLE / "input_script.toml").read_text(encoding="utf-8")
    whole = subprocess.run([tool, "4000"], capture_output=True, text=True, check=True, timeout=120)
    assert re.findall(r"scene ([\w-]+)", whole.stderr)[:6] == ["title", "level-1", "clear", "level-2", "clear", "win"]


def test_start_pauses_and_goes_on(built: Path, tmp_path: Path) -> None:
    script = write_script(tmp_path / "s.txt", (30, Z, 1), (34, Z, 0), (90, ENTER, 1), (94, ENTER, 0), (130, ESC, 1))
    frames = [hashlib.sha256(frame).hexdigest() for frame in frames_of(built / "emberkite-native", script)]
    assert len(frames) == 130
    assert len(set(frames[91:])) == 1
    assert len(set(frames[80:91])) == 11


# ---- all builds are one game ---------------------------------------------------------------------------------------


def test_two_runs_show_and_sound_the_same(built: Path, tmp_path: Path) -> None:
    script = write_script(tmp_path / "s.txt", (40, ENTER, 1), (46, ENTER, 0), (70, Z, 1), (300, ESC, 1))
    digests = []
    for run in range(2):
        command = [built / "emberkite-native", script, "/dev/stdout", tmp_path / f"{run}.pcm"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
            digests.append(hashlib.file_digest(process.stdout, "sha256").hexdigest())
        assert process.returncode == 0
    assert digests[0] == digests[1]
    sound = (tmp_path / "0.pcm").read_bytes()
    assert len(sound) == 300 * 800 * 4
    assert sound == (tmp_path / "1.pcm").read_bytes()
    assert np.abs(np.frombuffer(sound, "<i2")).max() > 3000


def test_the_guest_computes_what_the_native_build_does(built: Path) -> None:
    """Pictures, sound and score of the demonstration, to the last bit, on the other architecture."""
    native = subprocess.run([built / "emberkite-native", "--bench", "90"], capture_output=True, text=True, check=True)
    guest = subprocess.run(
        ["qemu-aarch64", built / "emberkite", "--bench", "90"], capture_output=True, text=True, check=True, timeout=300
    )
    assert re.fullmatch(r"[0-9a-f]{16} score \d+\n", native.stdout)
    assert guest.stdout == native.stdout


def test_a_copy_elsewhere_builds_to_the_same_bytes(built: Path, tmp_path: Path) -> None:
    tree = tmp_path / "a folder" / "samples"
    shutil.copytree(SAMPLE.parent / "tools", tree / "tools")
    shutil.copytree(SAMPLE, tree / "emberkite", ignore=shutil.ignore_patterns("out", "run"))
    copy = load_build(tree / "emberkite")
    copy.compile_program(tree / "emberkite.elf", "aarch64", copy.sources_of("emberkite"))
    assert (tree / "emberkite.elf").read_bytes() == (built / "emberkite").read_bytes()
    provenance = tomllib.loads((built / "provenance.toml").read_text(encoding="utf-8"))
    guest = (built / "emberkite").read_bytes()
    assert provenance["inputs"][0]["sha256"] == hashlib.sha256(guest).hexdigest()
    assert provenance["inputs"][0]["size"] == len(guest)


def test_a_source_that_does_not_compile_is_one_message(tmp_path: Path) -> None:
    tree = tmp_path / "samples"
    shutil.copytree(SAMPLE.parent / "tools", tree / "tools")
    shutil.copytree(SAMPLE, tree / "emberkite", ignore=shutil.ignore_patterns("out", "run"))
    for source in (tree / "emberkite" / "src").glob("*.c"):
        source.unlink()
    (tree / "emberkite" / "src" / "rng.c").write_text("int broken = ;\n", encoding="ascii")
    command = [sys.executable, tree / "emberkite" / "build.py", "--no-reference"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "emberkite: error: emberkite cannot be compiled:\nsrc/rng.c:1:14: error: expected expression" in done.stderr
    assert "Traceback" not in done.stderr


def test_nothing_is_made_twice(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    load_build(SAMPLE).build(built, reference=False)
    assert capsys.readouterr().out.split() == ["emberkite", "unchanged", "emberkite-native", "unchanged"]


def test_the_recording_holds_what_was_shown(built: Path, tmp_path: Path) -> None:
    script = write_script(tmp_path / "s.txt", (24, ENTER, 1), (60, ESC, 1))
    assert record(built / "emberkite-native", script, tmp_path) == {"frames": 60, "samples": 48000}
    hashes = read_hash_list(tmp_path / "reference.frames")
    assert hashes == hash_frames(frames_of(built / "emberkite-native", script))
    assert hashes == hash_frames(read_frames(tmp_path / "reference.mkv"))
    assert len(read_hash_list(tmp_path / "reference.audio")) == 60


# ---- the real devices' interfaces ----------------------------------------------------------------------------------

CALLS = ("open", "ioctl", "mmap", "munmap", "read", "write", "close")
CONSOLES = {
    "as the port's": {},
    "one page, padded rows": {"FAKE_PAGES": "1", "FAKE_PADDING": "192"},
    "blue first, in the upper bits": {"FAKE_RED": "8", "FAKE_GREEN": "16", "FAKE_BLUE": "24"},
    "a laptop's": {"FAKE_WIDTH": "1366", "FAKE_HEIGHT": "768", "FAKE_PADDING": "40"},
}


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The game on a console made of memory (fake_console.c)."""
    out = tmp_path_factory.mktemp("console")
    renamed = [f"-D{name}=fake_{name}" for name in CALLS]
    subprocess.run(
        [sys.executable, "-m", "ziglang", "cc", "-std=c11", "-D_GNU_SOURCE", "-O2", "-c", *renamed]
        + [str(SAMPLE / "src" / "platform_linux.c"), "-o", str(out / "platform.o")],
        check=True,
        timeout=300,
    )
    others = sources_without(*PLATFORMS)
    return compile_c(out / "game", *others, Path(__file__).with_name("fake_console.c"), out / "platform.o")


@pytest.mark.parametrize("like", CONSOLES.values(), ids=CONSOLES)
def test_a_console_shows_and_plays_what_the_reference_does(
    built: Path, console: Path, tmp_path: Path, like: dict[str, str]
) -> None:
    script = write_script(tmp_path / "s.txt", (30, ENTER, 1), (33, ENTER, 0), (60, ESC, 1))
    environment = like | {"FAKE_SCRIPT": str(script), "FAKE_SOUND": str(tmp_path / "console.pcm")}
    done = subprocess.run([console], env=environment, capture_output=True, check=True, timeout=120)
    width, height = int(like.get("FAKE_WIDTH", 1280)), int(like.get("FAKE_HEIGHT", 720))
    words = np.frombuffer(done.stdout, "<u4").reshape(-1, height, width)
    left, top = (width - 1280) // 2, (height - 720) // 2
    inner = words[:, top : top + 720, left : left + 1280]
    offsets = [int(like.get(name, bit)) for name, bit in (("FAKE_RED", 16), ("FAKE_GREEN", 8), ("FAKE_BLUE", 0))]
    count = 0
    for count, expected in enumerate(frames_of(built / "emberkite-native", script), start=1):
        for channel, offset in enumerate(offsets):
            assert np.array_equal(inner[count - 1] >> offset & 255, expected[..., channel]), (count, channel)
    assert count == len(inner) == 60
    command = [built / "emberkite-native", script, "-", tmp_path / "native.pcm"]
    subprocess.run(command, stderr=subprocess.DEVNULL, check=True)
    assert (tmp_path / "console.pcm").read_bytes() == (tmp_path / "native.pcm").read_bytes()


def test_without_sound_the_game_goes_on(console: Path, tmp_path: Path) -> None:
    script = write_script(tmp_path / "s.txt", (5, ESC, 1))
    done = subprocess.run([console], env={"FAKE_SCRIPT": str(script)}, capture_output=True, check=True, timeout=60)
    assert b"emberkite: /dev/dsp: no sound: No such file or directory" in done.stderr
    assert len(done.stdout) == 5 * 1280 * 720 * 4


def test_without_a_screen_it_says_so(built: Path) -> None:
    done = subprocess.run(
        ["qemu-aarch64", "-E", "EMBERKITE_FB=/nowhere/fb", built / "emberkite"], capture_output=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr == b"emberkite: /nowhere/fb: cannot open the screen: No such file or directory\n"
