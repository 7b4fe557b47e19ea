"""The product in one tuple: each entry makes a stage from a `Job`, or None where it does not apply."""

from __future__ import annotations

from recomp.stages import analysis, build, capture, extract, hash, intake, lift, pipeline, run, validate

STAGES = (
    intake.stage,
    analysis.stage,
    lift.stage,
    pipeline.stage,
    build.stage,
    run.stage,
    capture.stage,
    extract.frames_stage,
    extract.audio_stage,
    hash.frames_stage,
    hash.audio_stage,
    validate.stage,
)
"""`archive`, which follows them all, is added by `recomp.stages.setup`."""
