"""hash_frames and hash_audio: one hash a frame, one hash a chunk of sound.

What the built-in stages made is hashed as decoded pixels and samples, which no encoder setting can change; what
commands made is hashed as file bytes (schema v1), unless capture_video.toml says `kind = "pixels"`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from recomp.engine.context import Context
from recomp.engine.stage import Input, Output, Result, Stage
from recomp.errors import StageError
from recomp.stages.job import AFTER, Job


def frames_stage(job: Job) -> Stage | None:
    if not job.has_capture():
        return None
    settings = job.settings
    kind = hash_kind(job, "frames")
    ready = ready_made(job, "frames")
    from_files = job.command("extract_frames") is not None
    source = settings.frames_dir if from_files else settings.video_path
    inputs = (Input("frames", source, True),) if from_files else job.reads("capture", "video", source)
    if ready:
        inputs += (Input("ready-made hashes", ready),)

    def run(context: Context) -> Result:
        if from_files and not _files(source) and (found := ready or _written(job, "frames")):
            return _take_ready(context, found, "frame")
        if kind == "pixels":
            from recomp.media.hashing import iter_hashes
            from recomp.media.video import read_for_hashing

            pictures = _read_pictures(source) if from_files else read_for_hashing(source)
            return _write(context, list(_counted(context, iter_hashes(pictures))), "frame", kind)
        from recomp.media.hashing import hash_frame_files

        if not _files(source):
            if job.project.reference is None:  # nothing to compare with: no frames are fine
                return _write(context, [], "frame", kind)
            raise StageError(
                f"hash_frames: no frame files in {source}", hint="the extract_frames command must write them"
            )
        return _write(context, hash_frame_files(source), "frame", kind)

    return Stage(
        name="hash_frames",
        run=run,
        inputs=inputs,
        config={"kind": kind},
        tools=_tools(job),
        after=AFTER["hash_frames"],
        outputs=(Output("hashes", job.hash_list("frames"), role="frame-hashes", asset_class="generated"),),
        timeout_s=settings.timeout_s("hash_frames"),
    )


def audio_stage(job: Job) -> Stage | None:
    audio = job.settings.audio_file
    if audio is None:
        return None
    kind = hash_kind(job, "audio")
    ready = ready_made(job, "audio")
    inputs = job.reads("extract_audio", "audio", audio, optional=True)
    if ready:
        inputs += (Input("ready-made hashes", ready),)

    def run(context: Context) -> Result:
        if not os.path.exists(audio) and (found := ready or _written(job, "audio")):
            return _take_ready(context, found, "chunk")
        if kind == "pixels":
            from recomp.media.hashing import hash_audio

            samples, rate = _read_wave(audio)
            return _write(context, hash_audio(samples, rate), "chunk", kind)
        from recomp.media.hashing import hash_audio_file

        return _write(context, hash_audio_file(audio), "chunk", kind)

    return Stage(
        name="hash_audio",
        run=run,
        inputs=inputs,
        config={"kind": kind},
        tools=_tools(job),
        after=AFTER["hash_audio"],
        outputs=(Output("hashes", job.hash_list("audio"), role="audio-hashes", asset_class="generated"),),
        timeout_s=job.settings.timeout_s("hash_audio"),
    )


def hash_kind(job: Job, what: str) -> str:
    capture = job.project.capture
    hashes = capture["hashes"][what] if capture else None
    if hashes is not None:
        return hashes["kind"]
    return "bytes" if job.command("extract_frames" if what == "frames" else "extract_audio") else "pixels"


def ready_made(job: Job, what: str) -> str | None:
    """The list that capture_video.toml names, if someone has written it already."""
    named = job.named_list(what)
    return named if named and named != job.hash_list(what) and os.path.exists(named) else None


def _written(job: Job, what: str) -> str | None:
    """The list in our own place, if a command has put one there."""
    path = job.hash_list(what)
    return path if os.path.exists(path) else None


def _tools(job: Job):
    return (*job.tools.recomp("media", "stages/hash.py"), *job.tools.library("av"))


def _files(folder: str) -> bool:
    try:
        return any(entry.is_file() and not entry.name.startswith(".") for entry in os.scandir(folder))
    except OSError:
        return False


def _take_ready(context: Context, path: str, unit: str) -> Result:
    from recomp.media.hashing import read_hash_list

    hashes = read_hash_list(path)
    return _write(context, hashes, unit, "ready-made")


def _write(context: Context, hashes: Sequence[str], unit: str, kind: str) -> Result:
    from recomp.media.hashing import write_hash_list

    write_hash_list(context.out("hashes"), hashes)
    distinct = len(set(hashes))
    return Result(found=f"{len(hashes):,} {unit}s, {distinct:,} different ({kind})")


def _counted(context: Context, hashes: Iterator[str]) -> Iterator[str]:
    for number, value in enumerate(hashes, 1):
        if number % 60 == 0:
            context.progress(number, None, "frames")
        yield value


def _read_pictures(folder: str):
    import numpy as np
    from PIL import Image

    for name in sorted(
        entry.name for entry in os.scandir(folder) if entry.is_file() and not entry.name.startswith(".")
    ):
        with Image.open(os.path.join(folder, name)) as image:
            yield np.asarray(image.convert("RGBA")).copy()


def _read_wave(path: str):
    import wave

    import numpy as np

    try:
        with wave.open(path, "rb") as file:
            if file.getsampwidth() != 2:
                raise StageError(f"{path}: found {8 * file.getsampwidth()}-bit samples, expected 16-bit PCM")
            data = np.frombuffer(file.readframes(file.getnframes()), "<i2")
            return data.reshape(-1, file.getnchannels()), file.getframerate()
    except (wave.Error, EOFError, OSError) as error:
        raise StageError(f"{path}: is not a WAV file of 16-bit PCM: {error}") from error
