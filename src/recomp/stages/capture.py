"""capture: the recording → a lossless video with sound that ordinary players open."""

from __future__ import annotations

import json
import os

from recomp.engine.context import Context
from recomp.engine.stage import Output, Result, Stage
from recomp.errors import StageError
from recomp.stages.job import AFTER, Job, command_stage


def stage(job: Job) -> Stage | None:
    if not job.has_capture():
        return None
    settings = job.settings
    watch = (os.path.dirname(settings.video_path), settings.frames_dir)
    replaced = command_stage(job, "capture", watch=watch)
    if replaced is not None:
        return replaced
    recording = job.recording_dir()

    def run(context: Context) -> Result:
        return _run(context, recording)

    return Stage(
        name="capture",
        run=run,
        inputs=job.reads("run", "recording", recording),
        tools=(*job.tools.recomp("media", "stages/capture.py"), *job.tools.library("av")),
        after=AFTER["capture"],
        outputs=(Output("video", settings.video_path, role="capture-video"),),
        timeout_s=settings.timeout_s("capture"),
    )


def _run(context: Context, recording: str) -> Result:
    if not os.path.exists(os.path.join(recording, "run.json")):
        raise StageError(
            f"capture: no recording at {recording}",
            hint="the built-in capture films what the built-in run recorded; beside [commands] run give capture, too",
        )
    from recomp.media.recording import read_recording
    from recomp.media.video import write_lossless

    with open(os.path.join(recording, "run.json"), "rb") as file:
        total = json.load(file)["frames"]
    found = read_recording(recording)
    if not total:
        raise StageError("capture: the guest showed no frame", hint="a program without pictures needs no [capture]")

    def counted():
        for number, frame in enumerate(found.frames(), 1):
            if number % 30 == 0:
                context.progress(number, total, "frames")
            yield frame

    facts = write_lossless(context.out("video"), counted(), found.size, found.rate, audio=found.audio())
    seconds = facts["frames"] / facts["rate"]
    size = os.path.getsize(context.out("video"))
    return Result(
        found=f"{facts['frames']:,} frames of {facts['width']}x{facts['height']}, {seconds:.1f} s, "
        f"{facts['codec']}, {size / 1e6:.1f} MB"
    )
