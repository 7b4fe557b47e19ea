"""A hash depends on pixels and samples, and on nothing else; lists are read strictly."""

from __future__ import annotations

import hashlib
import struct

import numpy as np
import pytest

from recomp.errors import FormatError
from recomp.media import hashing

A, B = "a" * 64, "b" * 64


def picture(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (5, 7, 4), dtype=np.uint8)


def test_a_frame_hash_is_descriptor_then_pixels():
    """The definition of ARCHITECTURE.md, spelled out a second time."""
    frame = picture()
    opaque = frame.copy()
    opaque[..., 3] = 255
    expected = hashlib.sha256(b"rgba8888\0" + struct.pack("<II", 7, 5) + opaque.tobytes()).hexdigest()
    assert hashing.hash_frame(frame) == hashing.hash_frame(opaque) == expected


def test_strides_do_not_matter_but_shape_does():
    wide = np.zeros((5, 14, 4), np.uint8)
    wide[:, ::2] = picture()
    assert hashing.hash_frame(wide[:, ::2]) == hashing.hash_frame(picture())
    flat = np.full((4, 6, 4), 255, np.uint8)
    assert hashing.hash_frame(flat) != hashing.hash_frame(flat.reshape(6, 4, 4))


def test_one_pixel_changes_only_its_frame():
    frames = [picture(0), picture(0), picture(0)]
    changed = [frame.copy() for frame in frames]
    changed[1][4, 6, 2] ^= 1
    before, after = hashing.hash_frames(frames), hashing.hash_frames(changed)
    assert [x == y for x, y in zip(before, after, strict=True)] == [True, False, True]


def test_repeats_hash_like_first_times():
    a, b = picture(1), picture(2)
    assert hashing.hash_frames(iter([a, a, b, b.copy(), a])) == [hashing.hash_frame(x) for x in (a, a, b, b, a)]
    assert hashing.hash_frames([a, None, b, None, a]) == [hashing.hash_frame(x) for x in (a, a, b, b, a)]


def test_argb_hashes_like_the_rgba_that_it_is():
    """Alpha first instead of last, whatever it is: the same pixels a byte further on."""
    frame = picture()
    argb = np.roll(frame, 1, axis=2).view("<u4")[..., 0]
    assert hashing.hash_frame(argb) == hashing.hash_frame(frame)
    assert hashing.hash_frame(argb[::-1]) == hashing.hash_frame(frame[::-1])


def test_one_transparent_pixel_is_found_wherever_it_is():
    """A picture is looked at in pieces."""
    frame = np.full((300, 1000, 4), 255, np.uint8)
    opaque = hashing.hash_frame(frame)
    for place in (0, 1, (1 << 17) - 1, 1 << 17, (1 << 18) + 1, 299_999):
        clear = frame.copy()
        clear.reshape(-1, 4)[place, 3] = 0
        assert hashing.hash_frame(clear) == opaque


def test_an_audio_hash_is_descriptor_then_one_tick():
    samples = np.arange(2 * 1700, dtype=np.int16).reshape(-1, 2)
    prefix = b"s16le\0" + struct.pack("<II", 48000, 2)
    parts = [samples[:800], samples[800:1600], samples[1600:]]
    assert hashing.hash_audio(samples, 48000) == [hashlib.sha256(prefix + p.tobytes()).hexdigest() for p in parts]


def test_ticks_follow_the_clock_where_the_rate_is_no_multiple():
    """22,050 Hz is 367.5 samples a tick: 367 and 368 in turn, so that no error adds up."""
    samples = np.arange(22050, dtype=np.int16)[:, None]
    hashes = hashing.hash_audio(samples, 22050)
    assert len(hashes) == 60
    prefix = b"s16le\0" + struct.pack("<II", 22050, 1)
    assert hashes[1] == hashlib.sha256(prefix + samples[367:735].tobytes()).hexdigest()


def test_wrong_shapes_are_format_errors():
    with pytest.raises(FormatError, match="expected uint8 of"):
        hashing.hash_frame(np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(FormatError, match="expected int16 of"):
        hashing.hash_audio(np.zeros(100, np.int16), 48000)


def test_schema_v1_hashes_files_in_name_order_and_audio_in_chunks(tmp_path):
    for name, data in {"b.png": b"two", "a.png": b"one", ".hidden": b"no"}.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "folder").mkdir()
    assert hashing.hash_frame_files(tmp_path) == [hashlib.sha256(x).hexdigest() for x in (b"one", b"two")]
    audio = tmp_path / "a.wav"
    audio.write_bytes(bytes(4096) + b"tail")
    assert hashing.hash_audio_file(audio) == [hashlib.sha256(x).hexdigest() for x in (bytes(4096), b"tail")]
    with pytest.raises(FormatError, match="cannot list frame files"):
        hashing.hash_frame_files(tmp_path / "absent")
    with pytest.raises(FormatError, match="cannot read audio"):
        hashing.hash_audio_file(tmp_path / "absent")


def test_lists_round_trip(tmp_path):
    path = tmp_path / "frames.txt"
    hashing.write_hash_list(path, [A, B, A], comment="kind = pixels\ntwo lines")
    assert path.read_text() == f"# kind = pixels\n# two lines\n{A}\n{B}\n{A}\n"
    assert hashing.read_hash_list(path) == [A, B, A]


@pytest.mark.parametrize(
    "text",
    [f"{A}\r\n{B}\r\n", f"0 {A}\n1 {B}", f"1\t{A}  # first\n\n2   {B}\n# end", f"\ufeff{A}\n{B}\n"],
    ids=["crlf", "from-0", "from-1-comments", "byte-order-mark"],
)
def test_lists_are_read_in_each_form(tmp_path, text):
    path = tmp_path / "list.txt"
    path.write_bytes(text.encode())
    assert hashing.read_hash_list(path) == [A, B]


@pytest.mark.parametrize(
    "text, message",
    [
        (f"{A}\n{A.upper()}\n", "list.txt:2: found 'AAAA"),
        (f"{A[:-1]}\n", "list.txt:1: found 'aaa"),
        (f"0 {A}\n2 {B}\n", "list.txt:2: found index 2, expected 1"),
        (f"7 {A}\n", "list.txt:1: found index 7, expected the first to be 0 or 1"),
        (f"0 {A}\n{B}\n", "list.txt:2: found no index, expected 1"),
        (f"{A}\n1 {B}\n", "list.txt:2: found index 1, expected none, as above"),
        ("\0\xff\n", "list.txt:1: found"),
        (f"{'9' * 9000} {A}\n", "list.txt:1: found index"),
    ],
)
def test_bad_lines_are_named(tmp_path, text, message):
    path = tmp_path / "list.txt"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(FormatError) as caught:
        hashing.read_hash_list(path)
    assert message in str(caught.value)
    assert len(str(caught.value)) < 400 + len(str(tmp_path))
