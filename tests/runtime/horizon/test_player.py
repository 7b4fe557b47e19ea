"""Sound buffers in sample frames: when each is over, and what plays."""

from __future__ import annotations

import ctypes

NEVER = (1 << 64) - 1


class Player:
    def __init__(self, parts: ctypes.CDLL) -> None:
        self.parts, self.player = parts, ctypes.c_void_p(parts.player_new())

    def append(self, tag: int, frames: int, now: int, first: int = 0) -> bool:
        return bool(self.parts.player_append(self.player, ctypes.c_uint64(tag), first, frames, ctypes.c_uint64(now)))

    def start(self, now: int) -> None:
        self.parts.hz_player_start(self.player, ctypes.c_uint64(now))

    def stop(self, now: int) -> None:
        self.parts.hz_player_stop(self.player, ctypes.c_uint64(now))

    def next(self) -> int:
        return self.parts.hz_player_next(self.player)

    def advance(self, now: int) -> int:
        return self.parts.hz_player_advance(self.player, ctypes.c_uint64(now))

    def released(self, room: int) -> list[int]:
        tags = (ctypes.c_uint64 * room)()
        count = self.parts.hz_player_take_released(self.player, tags, room)
        return list(tags)[:count]

    def runs(self, room: int) -> list[tuple[int, int]]:
        """(first sample, length) of what plays, in portions of at most `room`."""
        found, frames = [], ctypes.c_uint32()
        while (first := self.parts.player_run(self.player, room, ctypes.byref(frames))) >= 0:
            found.append((first, frames.value))
        return found


def test_buffers_follow_each_other_without_a_gap(parts: ctypes.CDLL) -> None:
    """1024 frames from 100 on are over at 1124, the next 1024 at 2148, although they were queued at 500."""
    player = Player(parts)
    player.start(0)
    assert player.next() == NEVER
    assert player.append(1, 1024, 100) and player.next() == 1124
    assert player.append(2, 1024, 500) and player.next() == 1124
    assert player.advance(1123) == 0
    assert player.advance(1124) == 1 and player.next() == 2148
    assert player.advance(9000) == 1 and player.next() == NEVER
    assert player.released(8) == [1, 2]


def test_after_silence_a_buffer_begins_when_it_is_queued(parts: ctypes.CDLL) -> None:
    player = Player(parts)
    player.start(0)
    player.append(1, 800, 0)
    player.advance(800)
    player.append(2, 800, 1000)
    assert player.next() == 1800


def test_nothing_plays_before_the_start(parts: ctypes.CDLL) -> None:
    player = Player(parts)
    player.append(1, 480, 10)
    player.append(2, 480, 20)
    assert player.next() == NEVER and player.advance(5000) == 0 and player.runs(1000) == []
    player.start(1000)
    assert player.next() == 1480
    assert player.advance(1960) == 2


def test_a_stop_keeps_what_has_not_been_played(parts: ctypes.CDLL) -> None:
    """After 100 of 480 frames 380 are left: started again at 1000 they are over at 1380, the next buffer at 1860."""
    player = Player(parts)
    player.start(0)
    player.append(1, 480, 0)
    player.append(2, 480, 0)
    player.stop(100)
    assert player.next() == NEVER
    player.start(1000)
    assert player.next() == 1380
    assert player.advance(1380) == 1 and player.next() == 1860


def test_samples_come_in_order_and_in_portions(parts: ctypes.CDLL) -> None:
    player = Player(parts)
    player.start(0)
    player.append(1, 10, 0, first=100)
    player.append(2, 5, 0, first=200)
    assert player.runs(4) == [(100, 4), (104, 4), (108, 2), (200, 4), (204, 1)]
    assert player.runs(4) == []


def test_released_tags_stay_until_they_are_taken(parts: ctypes.CDLL) -> None:
    player = Player(parts)
    player.start(0)
    for tag in range(1, 6):
        player.append(tag, 10, 0)
    player.advance(50)
    assert player.released(2) == [1, 2] and player.released(2) == [3, 4] and player.released(2) == [5]
    assert player.released(2) == []


def test_thirty_two_buffers_wait_at_most(parts: ctypes.CDLL) -> None:
    player = Player(parts)
    assert all(player.append(tag, 1, 0) for tag in range(32))
    assert not player.append(99, 1, 0)
    assert parts.hz_player_has(player.player, ctypes.c_uint64(31)) & 0xFF
    assert not parts.hz_player_has(player.player, ctypes.c_uint64(99)) & 0xFF
