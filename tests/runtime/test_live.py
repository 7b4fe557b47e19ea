"""A port that is played: each tick is told as it is recorded, and what was played makes the same run as a script."""

from __future__ import annotations

import random
import subprocess

import numpy as np
import pytest

from recomp.errors import FormatError, ToolError
from recomp.media.live import LivePort, rgba
from recomp.media.recording import Recording


def play(port, events: dict[int, list], seed: int = 0) -> tuple[list[np.ndarray], np.ndarray | None, int]:
    """(picture of each tick, sound, exit code) of a run that is played."""
    pictures, sounds, last = [], [], np.zeros((720, 1280, 4), np.uint8)
    last[..., 3] = 255
    with LivePort(str(port), seed=seed) as live:
        while (tick := live.step(events.get(live.next_tick, ()))) is not None:
            assert tick.number == len(pictures)
            if tick.picture is not None:
                last = rgba(tick.picture)
            pictures.append(last)
            if tick.sound is not None:
                sounds.append(tick.sound)
        code = live.close()
    return pictures, np.concatenate(sounds) if sounds else None, code


def replay(guest, events: dict[int, list], folder) -> Recording:
    """The same events as an input script, without a player."""
    lines = [f"{tick} {t} {c} {v}\n" for tick in sorted(events) for t, c, v in events[tick]]
    (folder / "script").write_text("".join(lines))
    result = guest(RECOMP_RT_RECORD=str(folder), RECOMP_RT_INPUT=str(folder / "script"))
    assert result.returncode == 0, result.stderr
    return Recording(folder)


def assert_same(played, recording: Recording) -> None:
    pictures, sound, code = played
    frames = [frame.pixels for frame in recording.frames()]
    assert (code, len(pictures)) == (0, len(frames))
    for tick, (ours, theirs) in enumerate(zip(pictures, frames, strict=True)):
        assert np.array_equal(ours, theirs), f"tick {tick}"
    recorded = recording.audio()
    assert (sound is None) == (recorded is None)
    if sound is not None:
        assert np.array_equal(sound, recorded.samples[: len(sound)])


def test_a_game_that_is_played_is_what_its_script_replays(guest, tmp_path):
    events = {0: [(1, 30, 1)], 3: [(1, 30, 0)], 50: [(1, 31, 1), (1, 32, 1)]}
    game = guest("game")
    assert_same(play(game.port, events), replay(game, events, tmp_path))


@pytest.mark.parametrize("seed", range(4))
def test_waiting_for_input_that_nobody_knows_yet_is_waiting_for_a_script(guest, tmp_path, seed):
    """A thread that waits by poll and by read, beside one that yields: the turns are the same either way."""
    chance = random.Random(seed)
    events = {
        tick: [(1, chance.randrange(1, 200), chance.randrange(2)) for _ in range(chance.randrange(1, 4))]
        for tick in sorted(chance.sample(range(60), 12))
    }
    waiter = guest("waiter")
    played = play(waiter.port, events)
    assert_same(played, replay(waiter, events, tmp_path))
    reads, timeouts = (int.from_bytes(bytes(played[0][-1][0, k, [2, 1, 0]]), "little") for k in (0, 1))
    assert reads >= 12 and timeouts >= 1, "both ways of waiting were taken"


def test_a_port_ends_when_its_player_goes(guest):
    live = LivePort(str(guest("game").port), stderr=subprocess.DEVNULL)
    assert live.step().number == 0
    assert live.close() == 124


def test_what_is_no_socket_and_real_time_are_refused(guest):
    assert b"RECOMP_RT_LIVE: descriptor 77" in guest("game")(RECOMP_RT_LIVE="77").stderr
    assert b"expected a descriptor" in guest("game")(RECOMP_RT_LIVE="5000").stderr
    result = guest("game")(RECOMP_RT_LIVE="77", RECOMP_RT_REALTIME="1")
    assert (result.returncode, b"expected a deterministic port" in result.stderr) == (125, True)


def test_what_is_no_port_is_an_error(tmp_path):
    with pytest.raises(ToolError, match="cannot be started"):
        LivePort(str(tmp_path / "absent"))
    with pytest.raises(ToolError, match="ended before it could be played"):
        LivePort("/bin/true")


def test_too_many_events_for_a_tick_are_refused(guest):
    with LivePort(str(guest("game").port), stderr=subprocess.DEVNULL) as live:
        with pytest.raises(FormatError, match="1025 events"):
            live.step([(1, 30, 1)] * 1025)
