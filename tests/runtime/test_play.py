"""`recomp play` with SDL's dummy drivers: what hands do is recorded as a script that replays bit-exactly headless."""

from __future__ import annotations

import ctypes
import sys

import numpy as np
import pytest

from recomp.cli import play as playing
from recomp.cli.main import main
from recomp.cli.window import Window, load_sdl
from recomp.config import input_script
from recomp.config.document import Document
from recomp.media.live import rgba
from recomp.media.recording import Recording

A, RIGHT, F8, F9, F10 = 4, 79, 65, 66, 67  # SDL scancodes
ESCAPE, SPACE, LEFT, HOME = 41, 44, 80, 74


class Hands(Window):
    """A window whose keys are pressed through SDL's own queue: `keys[n]` before the n-th look, as (scancode, down)."""

    keys: dict[int, list[tuple[int, bool]]] = {}
    log: list = []

    def poll(self, *, replay: bool = False):
        sdl = self._sdl
        for scancode, is_down in self.keys.get(len(self.log), ()):
            event = sdl.SDL_Event()
            event.type = sdl.SDL_KEYDOWN if is_down else sdl.SDL_KEYUP
            event.key.keysym.scancode = scancode
            sdl.SDL_PushEvent(ctypes.byref(event))
        if "quit" in self.keys and self.keys["quit"] == len(self.log):
            event = sdl.SDL_Event()
            event.type = sdl.SDL_QUIT
            sdl.SDL_PushEvent(ctypes.byref(event))
        found = super().poll(replay=replay)
        self.log.append(found)
        return found

    pictures: list = []

    def show(self, picture):
        if picture is not None:
            self.pictures.append(rgba(picture))
        elif self.pictures:
            self.pictures.append(self.pictures[-1])
        super().show(picture)


@pytest.fixture
def hands(monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    monkeypatch.setenv("SDL_AUDIODRIVER", "dummy")
    monkeypatch.setattr("recomp.cli.window.Window", Hands)
    Hands.keys, Hands.log, Hands.pictures = {}, [], []
    return Hands


def headless(guest, script, folder) -> Recording:
    document = Document.load(str(script))
    checked = input_script.load(document)
    document.finish()
    folder.mkdir()
    (folder / "lines").write_bytes(input_script.compile_script(checked))
    end = str(input_script.end_tick(checked))
    guest(RECOMP_RT_RECORD=str(folder), RECOMP_RT_INPUT=str(folder / "lines"), RECOMP_RT_MAX_TICKS=end)
    return Recording(folder)


def test_what_is_played_replays_bit_exactly(guest, hands, tmp_path, capsys):
    """Keys, a marker, a pause with a key in it, two single steps, and the window closed at tick 47."""
    hands.keys = {
        3: [(A, True)], 9: [(A, False), (RIGHT, True)], 10: [(F8, True), (F8, False)],
        20: [(F9, True), (F9, False)], 22: [(A, True), (A, False)], 25: [(F10, True)], 27: [(F10, True)],
        30: [(F9, True)], "quit": 56,
    }  # fmt: skip
    game, script = guest("game"), tmp_path / "played.toml"
    assert main(["play", str(game.port), "--record", str(script), "--speed", "0"]) == 0
    assert "4 events" not in capsys.readouterr().err
    events = [(e["frame"], e["control"], e["value"]) for e in _script(script)["events"]]
    assert events[:3] == [(3, "X", 1), (9, "X", 0), (9, "RIGHT", 1)]
    assert [value for _, control, value in events[3:]] == [1, 0], "a key in the pause is played with the first step"
    recording = headless(game, script, tmp_path / "headless")
    frames = [frame.pixels for frame in recording.frames()]
    shown = [picture for k, picture in enumerate(hands.pictures) if k not in _paused(hands)]
    assert len(shown) == len(frames) == recording.run().ticks
    assert all(np.array_equal(a, b) for a, b in zip(shown, frames, strict=True))
    read = [(e.tick, e.code, e.value) for e in recording.inputs() if e.type]
    assert [tick for tick, _, _ in read] == [tick for tick, _, _ in events]


def _script(path):
    import tomllib

    return tomllib.loads(path.read_text())


def _paused(hands) -> set[int]:
    """Which looks passed no tick: those between F9 and F9 that told no step. The look that quits shows nothing."""
    out, paused = set(), False
    for number, (_, told) in enumerate(hands.log):
        if "pause" in told:
            paused = not paused
        if paused and "step" not in told:
            out.add(number)
    return out


def test_a_replay_pauses_steps_and_seeks_both_ways(guest, hands, tmp_path):
    """Left at tick 20 goes back to the start, and the second time shows the same pictures."""
    script = tmp_path / "script.toml"
    script.write_text(playing_script({5: [(1, 30, 1)]}, end=60))
    hands.keys = {20: [(SPACE, True)], 21: [(LEFT, True)], 22: [(46, True)], 23: [(SPACE, True)], "quit": 40}
    names = []
    monkey = hands.name
    hands.name = lambda self, text: (names.append(text), monkey(self, text))
    try:
        assert main(["play", str(guest("game").port), "--replay", str(script), "--speed", "0"]) == 0
    finally:
        hands.name = monkey
    assert any("tick 20, 0.3 s, paused" in name for name in names)
    assert any("tick 0, 0.0 s, paused" in name for name in names)
    first = hands.pictures[:10]
    again = [picture for picture in hands.pictures[22:] if np.array_equal(picture, first[3])]
    assert again, "tick 3 was shown again"


def playing_script(events, end):
    from recomp.config.input_writer import script_text

    return script_text(events, title="t", controller="c", end=end)


def test_a_replay_can_begin_anywhere(guest, hands, tmp_path, capsys):
    script = tmp_path / "script.toml"
    script.write_text(playing_script({5: [(1, 30, 1)]}, end=30))
    assert main(["play", str(guest("game").port), "--replay", str(script), "--from", "25", "--speed", "0"]) == 0
    assert "30 ticks (0.5 s) played" in capsys.readouterr().out
    assert len(hands.pictures) == 1 + 5


def test_game_pads_and_lost_focus_are_events_of_controls(hands):
    with Hands("pads") as window:
        sdl = window._sdl
        played: list = []
        window._press("A", True, played)
        window._press("A", True, played)
        window._move(0, 20000, played)
        window._move(0, 20100, played)
        window._move(0, 500, played)
        window._move(4, 30000, played)
        window._move(9, 1, played)
        assert played == [(1, 44, 1), (3, 0, 20000), (3, 0, 0), (1, 2, 1)]
        event = sdl.SDL_Event()
        event.type, event.window.event = sdl.SDL_WINDOWEVENT, sdl.SDL_WINDOWEVENT_FOCUS_LOST
        sdl.SDL_PushEvent(ctypes.byref(event))
        assert window.poll()[0] == [(1, 44, 0), (1, 2, 0)]


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["absent"], "there is no such file"),
        (["."], "holds neither an automation.toml nor a run-manifest.json"),
        (["notes.txt"], "is no port: it cannot be executed"),
        (["/bin/true", "--from", "3"], "only a replay can start elsewhere"),
        (["/bin/true", "--replay"], "has no input script of its own"),
        (["/bin/true", "--record", "notes.txt"], "is there already"),
        (["/bin/true"], "ended before it could be played"),
        (["/bin/true", "--speed", "-1"], "expected a number from 0 to 1000"),
    ],
)
def test_what_cannot_be_played_is_named(hands, tmp_path, monkeypatch, capsys, arguments, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text("hello")
    assert main(["play", *arguments]) in (1, 2)
    assert said in capsys.readouterr().err


def test_without_sdl_the_error_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "sdl2", None)
    assert main(["play", "/bin/true"]) == 1
    said = capsys.readouterr().err
    assert "SDL is not installed" in said and "make setup-play" in said


def test_without_a_display_the_error_says_so(monkeypatch, capsys):
    load_sdl()
    monkeypatch.setenv("SDL_VIDEODRIVER", "none-such")
    assert main(["play", "/bin/true"]) == 1
    assert "no window can be opened" in capsys.readouterr().err


def test_a_window_that_nobody_can_see_is_none(monkeypatch, capsys):
    """Where there is no display SDL draws into memory, and says nothing; asked for by name, it may."""
    sdl = load_sdl()
    monkeypatch.delenv("SDL_VIDEODRIVER", raising=False)
    sdl.SDL_SetHint(b"SDL_VIDEODRIVER", b"dummy")
    try:
        assert main(["play", "/bin/true"]) == 1
    finally:
        sdl.SDL_SetHint(b"SDL_VIDEODRIVER", b"")
    assert "there is no display" in capsys.readouterr().err


def test_a_project_and_a_run_name_their_port(folder, tmp_path):
    port = folder.work_root / "build" / "port"
    with pytest.raises(playing.ConfigError, match="no port yet"):
        playing.find_target(str(folder.write()))
    port.parent.mkdir(parents=True)
    port.write_text("#!/bin/sh\n")
    port.chmod(0o755)
    assert playing.find_target(str(folder.root)).port == str(port)
    (folder.work_root / "run-manifest.json").write_text('{"run_id": "run-1", "artifacts": []}')
    with pytest.raises(playing.ConfigError, match="made no port"):
        playing.find_target(str(folder.work_root))
