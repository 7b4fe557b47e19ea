"""Reading recordings: whole, cut off, damaged."""

from __future__ import annotations

import struct
import zlib

import lz4.block
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recomp.errors import FormatError
from recomp.media.recording import (
    Exit,
    FrameReader,
    InputEvent,
    Miss,
    Recording,
    parse_inputs,
    parse_misses,
    parse_run,
)

KEY, DELTA, REPEAT, END = range(4)
SAME, ABOVE, DATA, XOR = range(4)
WIDTH, HEIGHT = 2, 4


def header(width: int = WIDTH, height: int = HEIGHT, version: int = 1) -> bytes:
    body = struct.pack("<8sIIIII", b"RCFRAMES", version, width, height, 60, 1)
    return body + struct.pack("<I", zlib.crc32(body))


def record(kind: int, tick: int, count: int, payload: bytes = b"") -> bytes:
    body = struct.pack("<4sIIII", b"FRAM", kind, tick, count, len(payload))
    return body + struct.pack("<I", zlib.crc32(payload, zlib.crc32(body))) + payload


def frame(kind: int, tick: int, rows: list[int], pixels: list[int]) -> bytes:
    """`pixels`: a number for each told row, which all of its bytes become."""
    plain = bytes(rows) + b"".join(bytes([value] * WIDTH * 4) for value in pixels)
    return record(kind, tick, 1, struct.pack("<I", len(plain)) + lz4.block.compress(plain, store_size=False))


WHOLE = (
    header()
    + record(REPEAT, 0, 2)
    + frame(KEY, 2, [DATA, ABOVE, ABOVE, DATA], [10, 20])
    + record(REPEAT, 3, 1)
    + frame(DELTA, 4, [SAME, XOR, DATA, ABOVE], [3, 40])
    + record(END, 5, 0)
)


def test_frames_of_a_whole_recording():
    reader = FrameReader(WHOLE)
    frames = list(reader)
    assert reader.complete
    assert (reader.width, reader.height, reader.rate) == (WIDTH, HEIGHT, 60)
    assert [(f.tick, f.is_repeat) for f in frames] == [(0, True), (1, True), (2, False), (3, True), (4, False)]
    assert frames[0].pixels.tolist() == [[[0, 0, 0, 255]] * WIDTH] * HEIGHT
    rows = [f.pixels[:, 0, 0].tolist() for f in frames[2:]]
    assert rows == [[10, 10, 10, 20], [10, 10, 10, 20], [10, 10 ^ 3, 40, 40]]
    assert frames[3].pixels is frames[2].pixels
    assert frames[4].pixels.dtype == np.uint8


@pytest.mark.parametrize("size", range(len(header()), len(WHOLE)))
def test_a_recording_that_was_cut_off_is_read_up_to_its_last_whole_record(size):
    reader = FrameReader(WHOLE[:size])
    frames = list(reader)
    assert not reader.complete
    assert [f.tick for f in frames] == list(range(len(frames)))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "x: file header: found 0 bytes, expected 32"),
        (b"X" * 32, "x: file offset 0x0: found b'XXXXXXXX', expected b'RCFRAMES'"),
        (header()[:-1] + b"\0", "x: file header: checksum differs"),
        (header(version=9), "x: found version 9, expected 1"),
        (header(width=0), "x: picture size 0x4: expected 1..16384 each"),
        (header(16384, 16384), "x: picture size 16384x16384: expected 1..16384 each"),
        (header() + b"?" * 24, "x: file offset 0x20: found b'????', expected b'FRAM'"),
        (header() + record(9, 0, 1), "x: file offset 0x20: record kind 9 with 0 bytes: expected kinds 0..3"),
        (header() + record(REPEAT, 1, 1), "x: file offset 0x20: found tick 1, expected 0"),
        (header() + record(REPEAT, 0, 0), "x: file offset 0x20: record kind 2 with count 0 and 0 bytes"),
        (header() + record(END, 0, 1), "x: file offset 0x20: record kind 3 with count 1 and 0 bytes"),
        (header() + record(KEY, 0, 1, b"abcd"), "x: file offset 0x20: frame of 1684234849 bytes: expected at least 4"),
        (header() + frame(KEY, 0, [4, 0, 0, 0], []), "x: file offset 0x20: frame of tick 0 is malformed"),
        (header() + frame(KEY, 0, [SAME] * 4, []), "x: file offset 0x20: key frame refers to the frame before"),
        (header() + frame(DELTA, 0, [DATA] * 4, [1]), "x: file offset 0x20: frame of 12 bytes: expected 4 rows of 8"),
        (
            header() + frame(DELTA, 0, [ABOVE] * 4, []),
            "x: file offset 0x20: the first row refers to a row above it",
        ),
    ],
)
def test_damage_is_named(data, message):
    with pytest.raises(FormatError) as caught:
        list(FrameReader(data, name="x"))
    assert caught.value.message == message


@pytest.mark.parametrize("at", range(len(WHOLE)))
def test_a_flipped_byte_is_noticed_or_cuts_the_recording_off(at):
    data = bytearray(WHOLE)
    data[at] ^= 0x55
    reader = None
    try:
        reader = FrameReader(bytes(data))
        assert len(list(reader)) <= 5
    except FormatError:
        return
    assert reader is not None
    assert not reader.complete


@settings(max_examples=300)
@given(st.binary(max_size=200), st.integers(0, len(WHOLE)))
def test_any_bytes_are_frames_or_a_format_error(data, keep):
    try:
        list(FrameReader(WHOLE[:keep] + data))
    except FormatError:
        pass


RUN = (
    b'{"exit":{"kind":"miss","code":125,"detail":"x"},"ticks":3,"frames":2,"video":{"width":4,"height":5,"rate":60},'
    b'"audio":null,"unknown_svcs":[{"number":7,"count":2}]}'
)


def test_run_json():
    run = parse_run(RUN)
    assert run.exit == Exit("miss", 125, "x")
    assert (run.ticks, run.frames, run.video, run.audio, run.unknown_svcs) == (3, 2, (4, 5, 60), None, {7: 2})


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b'"ticks":3,', b"", "x: key 'ticks' is missing"),
        (b'"miss"', b'"bad"', "x: not a run's record: found 'bad', expected one of exit, signal, trap, miss, limit"),
        (b'"ticks":3', b'"ticks":-3', "x: not a run's record: found -3, expected a whole number"),
        (b'"audio":null', b'"audio":1', "x: not a run's record: found 1, expected an object"),
    ],
)
def test_damage_of_run_json_is_named(old, new, message):
    with pytest.raises(FormatError) as caught:
        parse_run(RUN.replace(old, new), name="x")
    assert caught.value.message == message


@given(st.binary(max_size=60), st.integers(0, len(RUN)), st.integers(0, len(RUN)))
def test_any_bytes_are_a_run_or_a_format_error(data, start, end):
    try:
        parse_run(RUN[:start] + data + RUN[end:])
    except FormatError:
        pass


def test_lines_up_to_the_last_whole_one():
    events = b'{"tick":1,"type":1,"code":30,"value":-1}\n{"tick":2,"type":1,"co'
    assert parse_inputs(events) == [InputEvent(1, 1, 30, -1)]
    assert parse_misses(b'{"site":4,"target":8,"count":1}\n') == [Miss(4, 8, 1)]


@pytest.mark.parametrize(
    "line", [b"[]", b"{}", b'{"site":"4","target":8,"count":1}', b"x", b'{"site":1,"target":-1,"count":1}']
)
def test_a_damaged_line_is_named(line):
    with pytest.raises(FormatError) as caught:
        parse_misses(b'{"site":4,"target":8,"count":1}\n' + line + b"\n", name="x")
    assert caught.value.message.startswith("x:2: ")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FormatError) as caught:
        Recording(tmp_path).run()
    assert caught.value.message == f"{tmp_path / 'run.json'}: cannot be read: No such file or directory"
