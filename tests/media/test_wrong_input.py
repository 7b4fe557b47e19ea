"""Whatever is in a file: pictures and sound, or a FormatError that names it. Never a crash, a hang or a traceback."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from recomp.errors import FormatError, RecompError
from recomp.media import clip, hashing, video
from recomp.media.perceptual import compare_perceptual
from recomp.media.reference import Profile, normalize
from recomp.media.sound import has_sound, read_sound

MUTATIONS = 150


def originals(folder: Path) -> list[bytes]:
    """One small file of each container and codec that a reference may come in."""
    from clips import ENCODINGS, write_lossy

    frames = [np.full((36, 64, 4), 20 * k, np.uint8) for k in range(6)]
    sound = (3000 * np.sin(np.arange(4800) / 9)).astype(np.int16)[:, None].repeat(2, axis=1)
    paths = [write_lossy(folder / name, frames, name, sound) for name in ENCODINGS if name != "x264-crf32"]
    for codec in ("libx264rgb", "ffv1"):
        paths.append(folder / f"{codec}.mkv")
        video.write_lossless(paths[-1], frames, (64, 36), audio=(sound, 48000), codec=codec)
    return [path.read_bytes() for path in paths]


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Flip bytes, cut, repeat or blank a part; early bytes, where structure is, are hit more often."""
    out = bytearray(data)
    for _ in range(rng.choice([1, 1, 2, 8, 40])):
        at = min(int(rng.random() ** 2 * len(out)), len(out) - 1)
        kind = rng.randrange(5)
        if kind == 0:
            out[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            out[at : at + 4] = rng.randbytes(4)
        elif kind == 2:
            out[at : at + 4] = rng.choice([b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff"])
        elif kind == 3:
            del out[at : at + rng.randrange(1, 64)]
        else:
            out[at:at] = out[at : at + rng.randrange(1, 64)]
        if len(out) < 8:
            break
    return bytes(out)


def read_everything(path: Path, folder: Path) -> None:
    """Every reader, one after the other; only our own errors may come out, and they name the file."""

    def frames() -> None:
        for number, _ in enumerate(video.read_frames(path)):
            assert number < 1000

    def grid() -> None:
        facts = clip.read_facts(path)
        assert sum(1 for _ in clip.ticks(path, facts.rate)) < 1000

    def sound() -> None:
        if has_sound(path):
            assert len(read_sound(path)) < 48000 * 700

    def reference() -> None:
        normalize(path, folder / "out", Profile(width=32, height=18))

    for reader in (frames, grid, sound, lambda: video.key_frames(path), reference):
        try:
            reader()
        except RecompError as error:
            assert str(path) in error.message, error.message
            assert "\n" not in error.message


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
