"""capture: the recording → a lossless video with sound that ordinary players open."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from recomp.engine.context import Context
from recomp.engine.stage import Output, Result, Stage
from recomp.errors import StageError
from recomp.stages.job import AFTER, Job, command_stage


def stage(job: Job) -> Stage | None:
    if not job.has_capture():
        return None
    settings = job.settings
    watch = (settings.video_path, settings.frames_dir)
    replaced = command_stage(job, "capture", watch=watch)
    if replaced is not None:
        return replaced
    recording = job.recording_dir()

    container = "mov" if settings.video_path.lower().endswith(".mov") else "matroska"

    def run(context: Context) -> Result:
        return _run(context, recording, container)

    return Stage(
        name="capture",
        run=run,
        inputs=job.reads("run", "recording", recording),
        config={"container": container},
        tools=(*job.tools.recomp("media", "stages/capture.py"), *job.tools.library("av")),
        after=AFTER["capture"],
        outputs=(Output("video", settings.video_path, role="capture-video"),),
        timeout_s=settings.timeout_s("capture"),
    )


def _run(context: Context, recording: str, container: str) -> Result:
    if not os.path.exists(os.path.join(recording, "run.json")):
        raise StageError(
            f"capture: no recording at {recording}",
            hint="the built-in capture films what the built-in run recorded; beside [commands] run give capture, too",
        )
    from pathlib import Path

    from recomp.media.recording import Recording
    from recomp.media.video import write_lossless

    found = Recording(Path(recording))
    facts, sound = found.run(), found.audio()
    if facts.video is None or not facts.frames:
        raise StageError("capture: the guest showed no frame", hint="a program without pictures needs no [capture]")
    width, height, rate = facts.video

    def pictures() -> Iterator[Any]:
        for number, frame in enumerate(found.frames(), 1):
            if number % 30 == 0:
                context.progress(number, facts.frames, "frames")
            yield frame.pixels

    audio = (sound.samples, sound.rate) if sound else None
    size = (width, height)
    made = write_lossless(context.out("video"), pictures(), size, rate, audio=audio, container_name=container)
    seconds = made["frames"] / made["rate"]
    megabytes = os.path.getsize(context.out("video")) / 1e6
    return Result(
        found=f"{made['frames']:,} frames of {made['width']}x{made['height']}, {seconds:.1f} s, "
        f"{made['codec']}, {megabytes:.1f} MB"
    )
