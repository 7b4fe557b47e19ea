"""extract_frames and extract_audio: what the capture video holds.

The built-in extraction of frames reads the container and proves that frame k lies at k/rate, no matter how many there
are; pictures are written only where `[capture] pictures` asks for them. Sound becomes a WAV file.
"""

from __future__ import annotations

import json
import os
from typing import Any

from recomp.engine.context import Context
from recomp.engine.stage import Output, Result, Stage
from recomp.errors import StageError
from recomp.stages.job import AFTER, Job, command_stage


def frames_stage(job: Job) -> Stage | None:
    if not job.has_capture():
        return None
    settings = job.settings
    replaced = command_stage(job, "extract_frames", watch=(settings.frames_dir,))
    if replaced is not None:
        return replaced
    wants_pictures = settings.raw["capture"]["pictures"]
    video = settings.video_path
    outputs = [Output("index", os.path.join(os.path.dirname(video), "frames.json"), role="frame-index")]
    if wants_pictures:
        outputs.append(Output("frames", settings.frames_dir, tree=True, role="frame"))

    def run(context: Context) -> Result:
        return _run_frames(context, video, wants_pictures)

    return Stage(
        name="extract_frames",
        run=run,
        inputs=job.reads("capture", "video", video),
        config={"pictures": wants_pictures},
        tools=(*job.tools.recomp("media", "stages/extract.py"), *job.tools.library("av")),
        after=AFTER["extract_frames"],
        outputs=tuple(outputs),
        timeout_s=settings.timeout_s("extract_frames"),
    )


def audio_stage(job: Job) -> Stage | None:
    if not job.has_audio():
        return None
    settings = job.settings
    audio = settings.audio_file
    assert audio is not None
    replaced = command_stage(job, "extract_audio", watch=(audio,))
    if replaced is not None:
        return replaced
    video = settings.video_path

    def run(context: Context) -> Result:
        return _run_audio(context, video)

    return Stage(
        name="extract_audio",
        run=run,
        inputs=job.reads("capture", "video", video),
        tools=(*job.tools.recomp("media", "stages/extract.py"), *job.tools.library("av")),
        after=AFTER["extract_audio"],
        outputs=(Output("audio", audio, role="capture-audio"),),
        timeout_s=settings.timeout_s("extract_audio"),
    )


def _run_frames(context: Context, video: str, wants_pictures: bool) -> Result:
    from recomp.media.video import read_frames, write_pngs

    index = _read_index(video)
    context.write("index", json.dumps(index, indent=2, sort_keys=True).encode() + b"\n")
    found = f"{index['frames']:,} frames at {index['rate']} a second"
    if wants_pictures:
        write_pngs(read_frames(video), context.out("frames"))
        found += ", written as pictures"
    return Result(found=found)


def _read_index(video: str) -> dict[str, Any]:
    """What the container says: size, rate, and how many frames, each proven to lie where its number says."""
    import av

    try:
        with av.open(video) as container:
            stream = container.streams.video[0]
            rate, unit = stream.average_rate, stream.time_base
            if not rate or not unit:
                raise StageError(f"{video}: found no constant frame rate, expected one")
            times = sorted(p.pts * unit for p in container.demux(stream) if p.pts is not None)
            facts = {"width": stream.width, "height": stream.height, "codec": stream.codec_context.name}
    except (av.FFmpegError, IndexError) as error:
        raise StageError(f"{video}: is no video that can be read: {error}") from error
    for number, time in enumerate(times):
        if abs(time - times[0] - number / rate) > unit:  # Matroska counts in milliseconds
            raise StageError(
                f"{video}: frame {number}: found at {float(time):.3f} s, expected {float(number / rate):.3f} s",
                hint="a frame was dropped or repeated when the video was made",
            )
    return {**facts, "frames": len(times), "rate": float(rate)}


def _run_audio(context: Context, video: str) -> Result:
    import wave

    from recomp.media.video import read_audio

    samples, rate = read_audio(video)
    with wave.open(context.out("audio"), "wb") as file:
        file.setnchannels(samples.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.astype("<i2").tobytes())
    return Result(
        found=f"{len(samples):,} samples, {samples.shape[1]} channels at {rate:,} Hz, {len(samples) / rate:.1f} s"
    )
