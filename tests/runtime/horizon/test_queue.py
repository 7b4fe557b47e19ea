"""The buffer queue: which slot comes next, and what a vsync does."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator

import pytest

EMPTY, FREE, DEQUEUED, QUEUED, SHOWN = range(5)
WOULD_BLOCK, NOT_CONNECTED, BAD_VALUE, INVALID_OPERATION = -11, -19, -22, -38
CPU = 2


class Queue:
    def __init__(self, parts: ctypes.CDLL, slots: int) -> None:
        self.parts, self.queue = parts, ctypes.c_void_p(parts.queue_new())
        assert parts.hz_queue_connect(self.queue, CPU) == 0
        for slot in range(slots):
            assert parts.hz_queue_set_buffer(self.queue, slot, b"buffer", 6) == 0

    def dequeue(self) -> int:
        return self.parts.queue_dequeue(self.queue)

    def queue_slot(self, slot: int, interval: int = 1) -> int:
        return self.parts.queue_queue(self.queue, slot, interval)

    def vsync(self) -> bool:
        return bool(self.parts.hz_queue_vsync(self.queue) & 0xFF)

    def states(self, count: int) -> list[int]:
        return [self.parts.queue_state(self.queue, slot) for slot in range(count)]

    @property
    def shown(self) -> int:
        return self.parts.queue_shown(self.queue)


@pytest.fixture
def double(parts: ctypes.CDLL) -> Iterator[Queue]:
    yield Queue(parts, 2)


def test_two_slots_go_at_the_pace_of_the_display(double: Queue) -> None:
    """0 and 1 come at once; then every vsync shows one and frees the one before."""
    assert double.dequeue() == 0 and double.queue_slot(0) == 0
    assert double.dequeue() == 1 and double.queue_slot(1) == 0
    assert double.dequeue() == WOULD_BLOCK
    assert not double.vsync() and double.shown == 0  # nothing was shown before: nothing becomes free
    assert double.dequeue() == WOULD_BLOCK
    assert double.vsync() and double.shown == 1
    assert double.states(2) == [FREE, SHOWN]
    assert double.dequeue() == 0 and double.queue_slot(0) == 0
    assert double.dequeue() == WOULD_BLOCK
    assert double.vsync() and double.shown == 0
    assert double.dequeue() == 1


def test_a_picture_stays_until_another_one_is_queued(double: Queue) -> None:
    double.queue_slot(double.dequeue())
    double.vsync()
    assert not double.vsync() and double.shown == 0 and double.states(2) == [SHOWN, FREE]


def test_an_interval_of_two_keeps_a_picture_for_two_vsyncs(double: Queue) -> None:
    double.queue_slot(double.dequeue(), 2)
    double.queue_slot(double.dequeue(), 1)
    shown = []
    for _ in range(4):
        double.vsync()
        shown.append(double.shown)
    assert shown == [0, 0, 1, 1]


def test_with_three_slots_the_one_queued_longest_ago_comes_first(parts: ctypes.CDLL) -> None:
    queue = Queue(parts, 3)
    order = []
    for _ in range(7):
        slot = queue.dequeue()
        order.append(slot)
        queue.queue_slot(slot)
        queue.vsync()
    assert order == [0, 1, 2, 0, 1, 2, 0]


def test_a_single_slot_is_drawn_into_while_it_is_shown(parts: ctypes.CDLL) -> None:
    queue = Queue(parts, 1)
    assert queue.dequeue() == 0 and queue.queue_slot(0) == 0
    assert queue.dequeue() == WOULD_BLOCK  # not shown yet
    queue.vsync()
    assert queue.dequeue() == 0 and queue.shown == 0
    assert queue.queue_slot(0) == 0
    assert not queue.vsync() and queue.shown == 0


def test_misuse(parts: ctypes.CDLL, double: Queue) -> None:
    assert double.queue_slot(0) == BAD_VALUE  # nobody dequeued it
    assert double.queue_slot(64) == BAD_VALUE and double.queue_slot(-1) == BAD_VALUE
    assert [double.dequeue(), double.dequeue()] == [0, 1]
    assert double.dequeue() == INVALID_OPERATION  # the program holds them all: waiting would be for ever
    assert parts.hz_queue_cancel(double.queue, 1) == 0 and double.dequeue() == 1
    assert parts.hz_queue_connect(double.queue, CPU) == BAD_VALUE
    assert parts.hz_queue_disconnect(double.queue, 1) == BAD_VALUE
    assert parts.hz_queue_disconnect(double.queue, CPU) == 0
    assert double.dequeue() == NOT_CONNECTED and double.states(2) == [EMPTY, EMPTY]


def test_detaching_takes_the_buffer_away(parts: ctypes.CDLL, double: Queue) -> None:
    double.queue_slot(double.dequeue())
    double.vsync()
    assert parts.hz_queue_detach(double.queue, 0) == 0 and double.shown == -1
    assert parts.hz_queue_detach(double.queue, 0) == BAD_VALUE
    assert double.states(2) == [EMPTY, FREE]
