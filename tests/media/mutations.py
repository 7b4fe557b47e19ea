"""Media files, what may happen to them, and every reader that they may meet; for the tests and tools/fuzz_media.py.

A reader gives pictures or sound, or raises one of our own errors, which names the file. Never a crash or a hang.
"""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np

from recomp.errors import RecompError
from recomp.media import clip, video
from recomp.media.hashing import hash_frames
from recomp.media.null import read_packets
from recomp.media.reference import Profile, normalize
from recomp.media.sound import has_sound, read_sound

ENCODED = ("x264-crf23", "hevc-crf30", "vp9", "x264-30fps")


def originals(folder: Path) -> list[bytes]:
    """One small file of each container and codec that a reference may come in."""
    from clips import write_lossy

    frames = [np.full((36, 64, 4), 20 * min(k, 4), np.uint8) for k in range(6)]
    sound = (3000 * np.sin(np.arange(4800) / 9)).astype(np.int16)[:, None].repeat(2, axis=1)
    paths = [write_lossy(folder / name, frames, name, sound) for name in ENCODED]
    for codec in ("libx264rgb", "ffv1", "qtrle"):
        paths.append(folder / f"{codec}.{'mov' if codec == 'qtrle' else 'mkv'}")
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


def read_everything(path: Path, folder: Path) -> list[str]:
    """Every reader, one after the other; only our own errors may come out, and they name the file. Returns what each
    did, such as "frames: read"."""

    def frames() -> None:
        for number, _ in enumerate(video.read_frames(path)):
            assert number < 1000

    def hashes() -> None:
        """Where pictures are hashed in place, and repeats are the file's word."""
        assert hash_frames(video.read_for_hashing(path)) == hash_frames(video.read_frames(path))

    def grid() -> None:
        facts = clip.read_facts(path)
        assert sum(1 for _ in clip.ticks(path, facts.rate)) < 1000

    def sound() -> None:
        if has_sound(path):
            assert len(read_sound(path)) < 48000 * 700

    def keys() -> None:
        video.key_frames(path)

    def packets() -> None:
        read_packets(path)

    def reference() -> None:
        normalize(path, folder / "out", Profile(width=32, height=18))

    done = []
    for reader in (frames, hashes, grid, sound, keys, packets, reference):
        try:
            reader()
            done.append(f"{reader.__name__}: read")
        except RecompError as error:
            assert str(path) in error.message, error.message
            assert "\n" not in error.message
            done.append(f"{reader.__name__}: refused")
    return done
