"""Video and sound come back as they went in, and the same input gives the same bytes."""

from __future__ import annotations

import hashlib

import av
import numpy as np
import pytest

from recomp.errors import FormatError, ToolError
from recomp.media import hashing, video
from recomp.media.hashing import hash_frame, hash_frames


def noise(count: int, width: int, height: int, seed: int = 1) -> list[np.ndarray]:
    """Pictures of noise, alpha included: the hardest thing to keep."""
    rng = np.random.default_rng(seed)
    return list(rng.integers(0, 256, (count, height, width, 4), dtype=np.uint8))


def tone(samples: int, channels: int = 2) -> np.ndarray:
    phase = np.arange(samples)[:, None] * (np.arange(channels) + 1)
    return (12000 * np.sin(phase / 17)).astype(np.int16)


@pytest.mark.parametrize("codec", ["libx264rgb", "ffv1", "qtrle"])
@pytest.mark.parametrize("size", [(64, 36), (33, 17), (1, 1), (2, 1), (127, 3)])
def test_pictures_round_trip_whatever_their_size(tmp_path, codec, size):
    """Odd widths and heights keep every pixel; alpha is ignored and comes back as 255."""
    frames = noise(5, *size)
    name = "v.mov" if codec == "qtrle" else "v.mkv"
    video.write_lossless(tmp_path / name, frames, size=size, codec=codec)
    back = list(video.read_frames(tmp_path / name))
    assert len(back) == 5
    for ours, theirs in zip(frames, back, strict=True):
        assert np.array_equal(ours[..., :3], theirs[..., :3])
        assert (theirs[..., 3] == 255).all()
    assert hash_frames(video.read_for_hashing(tmp_path / name)) == hash_frames(frames)


@pytest.mark.parametrize("suffix", ["mkv", "mov"])
def test_repeated_pictures_keep_their_number(tmp_path, suffix):
    """A run of the same picture, by identity or by content, is that many frames when read."""
    a, b = noise(2, 32, 16)
    frames = [a, a, a.copy(), b, a, a]
    info = video.write_lossless(tmp_path / f"v.{suffix}", iter(frames), size=(32, 16))
    assert info["frames"] == 6
    back = list(video.read_frames(tmp_path / f"v.{suffix}"))
    assert [np.array_equal(x[..., :3], a[..., :3]) for x in back] == [True, True, True, False, True, True]


def test_repeats_that_the_file_tells_of_hash_like_the_pictures_they_repeat(tmp_path):
    """Also at the next key picture, which is written whole."""
    a, b = noise(2, 32, 16)
    frames = [a, a, b, *([a] * 130), b]
    video.write_lossless(tmp_path / "v.mov", frames, size=(32, 16))
    given = list(video.read_for_hashing(tmp_path / "v.mov"))
    assert [number for number, frame in enumerate(given) if frame is not None] == [0, 2, 3, 120, 133]
    assert hash_frames(video.read_for_hashing(tmp_path / "v.mov")) == [hash_frame(frame) for frame in frames]


def test_transparent_pictures_hash_as_if_they_were_not(tmp_path):
    frames = noise(3, 33, 17)
    with av.open(str(tmp_path / "v.mov"), "w") as container:
        stream = container.add_stream("qtrle", rate=60)
        stream.width, stream.height, stream.pix_fmt = 33, 17, "argb"
        for frame in frames:
            argb = np.ascontiguousarray(np.roll(frame, 1, axis=2))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(argb, format="argb")))
        container.mux(stream.encode())
    assert hash_frames(video.read_for_hashing(tmp_path / "v.mov")) == hash_frames(frames)


def test_a_capture_is_hashed_where_it_is_decoded(tmp_path, monkeypatch):
    """A view of the last picture that is still held has the decoder copy it: half of what reading a capture cost."""
    places = []
    monkeypatch.setattr(hashing, "hash_frame", lambda frame: places.append(frame.ctypes.data) or "")
    video.write_lossless(tmp_path / "v.mov", noise(5, 64, 36), size=(64, 36))
    hash_frames(video.read_for_hashing(tmp_path / "v.mov"))
    assert len(places) == 5 and len(set(places)) == 1


def test_a_damaged_video_reads_the_same_each_time(tmp_path):
    """Threads conceal damage by whatever picture is ready."""
    path, frames = tmp_path / "v.mkv", [np.full((36, 64, 4), 20 * k, np.uint8) for k in range(6)]
    video.write_lossless(path, frames, size=(64, 36), codec="ffv1")
    whole = path.read_bytes()
    for place in range(len(whole) // 2, len(whole), 16):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x40]) + whole[place + 1 :])
        assert len({outcome(path) for _ in range(4)}) == 1, place


def outcome(path):
    try:
        return tuple(hash_frames(video.read_frames(path)))
    except FormatError as error:
        return error.message


@pytest.mark.parametrize("suffix", ["mkv", "mov"])
@pytest.mark.parametrize(
    "rate, channels, samples", [(48000, 2, 4801), (44100, 1, 1000), (22050, 6, 777), (48000, 2, 9)]
)
def test_sound_round_trips(tmp_path, suffix, rate, channels, samples):
    """Sound shorter and longer than the pictures keeps every sample."""
    sound = tone(samples, channels)
    video.write_lossless(tmp_path / f"v.{suffix}", noise(3, 16, 16), size=(16, 16), audio=(sound, rate))
    back, back_rate = video.read_audio(tmp_path / f"v.{suffix}")
    assert back_rate == rate
    assert np.array_equal(back, sound)


@pytest.mark.parametrize("suffix", ["mkv", "mov"])
def test_same_input_gives_the_same_bytes(tmp_path, suffix):
    """No date, no random id, no folder in the file."""
    digests = set()
    for folder in ("one", "another place"):
        (tmp_path / folder).mkdir()
        path = tmp_path / folder / f"{folder}.{suffix}"
        video.write_lossless(path, noise(8, 40, 24), size=(40, 24), audio=(tone(6400), 48000))
        digests.add(hashlib.sha256(path.read_bytes()).hexdigest())
    assert len(digests) == 1


def test_a_picture_of_another_size_is_refused_and_leaves_nothing(tmp_path):
    path = tmp_path / "v.mkv"
    with pytest.raises(FormatError, match=r"frame 1: found uint8 of shape \(8, 9, 4\), expected uint8 of \(8, 8, 4\)"):
        video.write_lossless(path, [*noise(1, 8, 8), *noise(1, 9, 8)], size=(8, 8))
    assert not path.exists()


def test_unknown_codec_is_named(tmp_path):
    with pytest.raises(ToolError, match="unknown lossless codec 'mpeg1'"):
        video.write_lossless(tmp_path / "v.mkv", noise(1, 8, 8), size=(8, 8), codec="mpeg1")


def test_read_frame_counts_from_zero_and_names_what_is_missing(tmp_path):
    frames = noise(4, 20, 10)
    video.write_lossless(tmp_path / "v.mkv", frames, size=(20, 10))
    assert np.array_equal(video.read_frame(tmp_path / "v.mkv", 2)[..., :3], frames[2][..., :3])
    with pytest.raises(FormatError, match="found 4 frames, expected frame 4"):
        video.read_frame(tmp_path / "v.mkv", 4)


def test_a_reader_goes_on_from_where_it_is_and_back(tmp_path):
    frames = noise(4, 20, 10)
    video.write_lossless(tmp_path / "v.mkv", frames, size=(20, 10))
    read = video.FrameReader(tmp_path / "v.mkv")
    for index in (1, 1, 3, 0):
        assert np.array_equal(read(index)[..., :3], frames[index][..., :3])
    with pytest.raises(FormatError, match="found 4 frames, expected frame 4"):
        read(4)


@pytest.mark.parametrize("suffix", ["mkv", "mov"])
def test_key_frames_are_numbered_by_their_place(tmp_path, suffix):
    """Every 120th picture of our own captures, whatever the container rounds."""
    frames = [np.full((16, 16, 4), k % 256, np.uint8) for k in range(300)]
    video.write_lossless(tmp_path / f"v.{suffix}", frames, size=(16, 16))
    found = video.key_frames(tmp_path / f"v.{suffix}")
    assert [number for number, _ in found] == [0, 120, 240]
    assert [int(picture[3, 3, 0]) for _, picture in found] == [0, 120, 240]


def test_what_is_not_a_video_is_a_format_error(tmp_path):
    for name, data in {"empty.mkv": b"", "text.mkv": b"hello\n" * 99, "zeros.mp4": bytes(4096)}.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(FormatError, match=name):
            list(video.read_frames(tmp_path / name))
    with pytest.raises(FormatError, match="found no file"):
        list(video.read_frames(tmp_path / "absent.mkv"))


def test_no_audio_is_named(tmp_path):
    video.write_lossless(tmp_path / "v.mkv", noise(1, 8, 8), size=(8, 8))
    with pytest.raises(FormatError, match="found no audio stream"):
        video.read_audio(tmp_path / "v.mkv")


def test_pngs_are_written_in_order_without_alpha(tmp_path):
    from PIL import Image

    frames = noise(3, 12, 7)
    assert video.write_pngs(frames, tmp_path / "png") == 3
    names = sorted(p.name for p in (tmp_path / "png").iterdir())
    assert names == ["000000.png", "000001.png", "000002.png"]
    assert np.array_equal(np.asarray(Image.open(tmp_path / "png" / names[1])), frames[1][..., :3])
