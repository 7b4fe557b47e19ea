"""Whatever is in a file: pictures and sound, or a FormatError that names it. Never a crash, a hang or a traceback."""

from __future__ import annotations

import os
import random
from fractions import Fraction

import numpy as np
import pytest
from mutations import mutated, originals, read_everything

from recomp.errors import FormatError
from recomp.media import hashing, video
from recomp.media.perceptual import compare_perceptual
from recomp.media.reference import Plan, Profile, normalize

MUTATIONS = 300


@pytest.mark.parametrize("seed", range(6))
def test_mutated_files_are_read_or_refused(tmp_path, seed):
    rng = random.Random(seed)
    files = originals(tmp_path)
    path = tmp_path / "mutated.bin"
    for number in range(MUTATIONS // 6):
        path.write_bytes(mutated(files[number % len(files)], rng))
        read_everything(path, tmp_path)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.05, 0.5, 0.9, 0.999])
def test_truncated_files_are_read_or_refused(tmp_path, share):
    for data in originals(tmp_path):
        path = tmp_path / "cut.bin"
        path.write_bytes(data[: int(len(data) * share)])
        read_everything(path, tmp_path)


def test_a_last_picture_that_claims_to_last_an_hour_is_refused(tmp_path):
    """A time stamp is believed; what a damaged length promises would fill the disk."""
    import av

    path = tmp_path / "long.mp4"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264rgb", rate=60, options={"qp": "0"})
        stream.width, stream.height, stream.pix_fmt = 64, 36, "bgr0"
        packets = []
        for number in range(3):
            grey = np.full((36, 64, 4), 40 * number, np.uint8)
            picture = av.VideoFrame.from_ndarray(grey, format="rgba").reformat(format="bgr0")
            picture.pts, picture.time_base = number, Fraction(1, 60)
            packets += stream.encode(picture)
        packets += stream.encode()
        packets[-1].duration = round(3600 / packets[-1].time_base)
        for packet in packets:
            out.mux(packet)
    profile = Profile(width=64, height=36)
    with pytest.raises(FormatError, match=r"long\.mp4: found a picture that lasts 3600 s, expected 60 s"):
        normalize(path, tmp_path / "out", profile)
    normalize(path, tmp_path / "out", profile, Plan(end=1.0))
    assert sum(1 for _ in video.read_frames(tmp_path / "out" / "reference.mkv")) == 60


def test_a_picture_is_no_video_of_a_huge_size(tmp_path):
    """A header that promises 16383x16383 pixels is refused before memory is taken for them."""
    with pytest.raises(FormatError, match="found a size of 16383x16383"):
        video.write_lossless(tmp_path / "v.mkv", [], (16383, 16383))


def test_text_pictures_and_folders_are_no_video(tmp_path, monkeypatch):
    from PIL import Image

    Image.new("RGB", (8, 8)).save(tmp_path / "still.png")
    (tmp_path / "list.txt").write_text("ffconcat version 1.0\nfile /etc/passwd\n")
    (tmp_path / "list.m3u8").write_text("#EXTM3U\n#EXTINF:1,\n/etc/passwd\n")
    (tmp_path / "folder").mkdir()
    for name in ("list.txt", "list.m3u8", "folder"):
        with pytest.raises(FormatError, match=name):
            list(video.read_frames(tmp_path / name))
        with pytest.raises(FormatError, match=name):
            compare_perceptual(tmp_path / name, tmp_path / "still.png")


def test_a_playlist_cannot_fetch_what_it_names(tmp_path):
    """Formats that only name other files or addresses are no videos, whatever stands at those."""
    video.write_lossless(tmp_path / "secret.mkv", [np.zeros((16, 16, 4), np.uint8)] * 3, (16, 16))
    lists = {
        "a.ffconcat": "ffconcat version 1.0\nfile secret.mkv\n",
        "a.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nsecret.mkv\n#EXT-X-ENDLIST\n",
        "a.sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nm=video 9 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
    }
    for name, text in lists.items():
        (tmp_path / name).write_text(text)
        with pytest.raises(FormatError, match=name):
            list(video.read_frames(tmp_path / name))


@pytest.mark.parametrize(
    "name",
    ["concat:a|b.mkv", "pipe:0", "%03d.mkv", "spaß – 映像 \u202e.mkv", "two\nlines.mkv", "-i.mkv", "subfile,,.mkv"],
)
def test_a_name_is_a_name(tmp_path, monkeypatch, name):
    """Not a protocol, a pattern or an option, in whatever language."""
    video.write_lossless(tmp_path / "v.mkv", [np.zeros((16, 16, 4), np.uint8)] * 3, (16, 16))
    os.rename(tmp_path / "v.mkv", tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert sum(1 for _ in video.read_frames(name)) == 3


@pytest.mark.parametrize("size", [0, 1, 4096, 1 << 40], ids=["empty", "a byte", "a page", "a terabyte"])
def test_zeros_are_no_video_however_many(tmp_path, size):
    path = tmp_path / "zeros.mp4"
    with open(path, "wb") as file:
        file.truncate(size)
    with pytest.raises(FormatError, match=r"zeros\.mp4"):
        list(video.read_frames(path))


@pytest.mark.parametrize("label", ["mp4", "mkv", "png", "txt", "m3u8", "wav"])
def test_a_wrong_ending_does_not_hide_what_a_file_is(tmp_path, label):
    frames = [np.full((16, 16, 4), k, np.uint8) for k in range(3)]
    for suffix in ("mov", "mkv"):
        video.write_lossless(tmp_path / f"v.{suffix}", frames, (16, 16))
        os.replace(tmp_path / f"v.{suffix}", tmp_path / f"v.{label}")
        assert sum(1 for _ in video.read_frames(tmp_path / f"v.{label}")) == 3


def test_a_long_recording_is_refused_with_a_way_out():
    from recomp.media.registration import register

    with pytest.raises(FormatError, match="found 20000 ticks of reference and 20000 frames of capture") as caught:
        register(np.zeros((20000, 1, 1), np.uint8), np.zeros((20000, 1, 1), np.uint8))
    assert "in parts" in (caught.value.hint or "")


def test_hash_lists_of_any_bytes_are_read_or_refused(tmp_path):
    rng = random.Random(1)
    whole = "".join(f"{k} {k:064x}\n" for k in range(20)).encode()
    for _ in range(500):
        (tmp_path / "l").write_bytes(mutated(whole, rng))
        try:
            assert len(hashing.read_hash_list(tmp_path / "l")) <= 40
        except FormatError as error:
            assert error.message.startswith(f"{tmp_path / 'l'}:")
