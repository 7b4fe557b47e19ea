"""Runs a sample's native program and keeps what it showed and sounded: a lossless video and two hash lists.

The program takes SCRIPT FRAMES AUDIO, writes frames as raw RGBA and samples as s16le stereo, and is run twice: once for
the sound alone, which the video's writer wants whole, and once for the pictures, which pass through a pipe.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from recomp.errors import FormatError
from recomp.media.hashing import hash_audio, hash_frame, write_hash_list
from recomp.media.video import write_lossless

WIDTH, HEIGHT, FPS, SAMPLE_RATE = 1280, 720, 60, 48000
_FRAME_BYTES = WIDTH * HEIGHT * 4


def record(
    program: Path, script: Path, out: Path, progress: Callable[[int, int], None] | None = None
) -> dict[str, int]:
    """Write `reference.mkv`, `reference.frames`, `reference.audio` and `reference.log` into `out`.

    `progress` is called with (frames so far, frames in all). Returns {"frames", "samples"}.
    Raises FormatError if the program fails or writes something that is no whole number of frames.
    """
    samples, log = _run_for_sound(program, script)
    total = len(samples) * FPS // SAMPLE_RATE
    hashes: list[str] = []

    def pictures() -> Iterator[np.ndarray]:
        for frame in frames_of(program, script):
            hashes.append(hash_frame(frame))
            yield frame
            if progress:
                progress(len(hashes), total)

    partial = out / "reference.mkv.partial"
    write_lossless(partial, pictures(), (WIDTH, HEIGHT), FPS, (samples, SAMPLE_RATE))
    if len(hashes) != total:
        raise FormatError(
            f"{program}: found {len(hashes)} frames beside {len(samples)} samples, expected {total} frames"
        )
    partial.replace(out / "reference.mkv")
    write_hash_list(out / "reference.frames", hashes, comment="reference: one hash a frame, of its pixels")
    audio_hashes = hash_audio(samples, SAMPLE_RATE)
    write_hash_list(out / "reference.audio", audio_hashes, comment="reference: one hash a tick of samples")
    (out / "reference.log").write_text(log, encoding="utf-8")
    return {"frames": total, "samples": len(samples)}


def frames_of(program: Path, script: Path) -> Iterator[np.ndarray]:
    """Each picture the program presents, (720, 1280, 4) uint8, read through a pipe."""
    command = [str(program), str(script), "/dev/stdout", "-"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        while data := process.stdout.read(_FRAME_BYTES):
            if len(data) != _FRAME_BYTES:
                raise FormatError(
                    f"{program}: found {len(data)} bytes at the end, expected whole frames of {_FRAME_BYTES}"
                )
            yield np.frombuffer(data, np.uint8).reshape(HEIGHT, WIDTH, 4)
    _check_exit(program, process.returncode, "")


def _run_for_sound(program: Path, script: Path) -> tuple[np.ndarray, str]:
    with tempfile.TemporaryDirectory() as folder:
        sound = Path(folder) / "audio.pcm"
        done = subprocess.run(
            [str(program), str(script), "-", str(sound)], stderr=subprocess.PIPE, text=True, check=False
        )
        _check_exit(program, done.returncode, done.stderr)
        return np.fromfile(sound, "<i2").reshape(-1, 2), done.stderr


def _check_exit(program: Path, code: int, said: str) -> None:
    if code != 0:
        last = said.strip().splitlines()[-1:] or ["nothing"]
        raise FormatError(f"{program}: found exit code {code}, expected 0; it said: {last[0]}")
