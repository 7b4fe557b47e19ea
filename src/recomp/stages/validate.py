"""validate: capture against reference. The verdict is a file either way; a bad one names the first divergent frame."""

from __future__ import annotations

import json
import os
from typing import Any

from recomp.config.video import PERCEPTUAL_LIMITS
from recomp.engine.context import Context
from recomp.engine.stage import Input, Output, Result, Stage
from recomp.errors import StageError
from recomp.stages.hash import hash_kind
from recomp.stages.job import AFTER, REPEATS_RECORD, Job

_THRESHOLDS = (
    "frame_match_ratio", "audio_match_ratio", "max_drift_frames", "max_dropped_frames", "max_audio_drift_chunks",
)  # fmt: skip


def stage(job: Job) -> Stage | None:
    reference = job.project.reference
    if reference is None:
        return None
    settings = job.settings
    facts = _facts(job)
    report = job.report_path()

    def run(context: Context) -> Result:
        return _run(context, job, facts)

    folder = settings.dirs["validation_dir"]
    return Stage(
        name="validate",
        run=run,
        inputs=_inputs(job),
        config=facts,
        tools=(*job.tools.recomp("media", "stages/validate.py"), *job.tools.library("av")),
        after=AFTER["validate"],
        outputs=(
            Output("report", report, role="validation-report", asset_class="generated"),
            Output("pictures", os.path.join(folder, "pictures"), tree=True, role="divergence", optional=True),
        ),
        timeout_s=settings.timeout_s("validate"),
    )


def _facts(job: Job) -> dict[str, Any]:
    """What decides the verdict beside the hashes: thresholds with their overrides, times, names."""
    reference, override = job.project.reference, job.project.validation_config or {}
    assert reference is not None
    own = reference["validation"]
    settings = {
        key: own[key] if override.get(key) is None else override[key] for key in ("name", "notes", "require_audio")
    }
    changed = override.get("thresholds") or {}
    for key in _THRESHOLDS:
        settings[key] = own["thresholds"][key] if changed.get(key) is None else changed[key]
    limits = {key: changed[key] for key in PERCEPTUAL_LIMITS if changed.get(key) is not None}
    limits = {key: own["thresholds"][key] for key in PERCEPTUAL_LIMITS if own["thresholds"][key] is not None} | limits
    return {
        "mode": own["mode"],
        "limits": limits,
        "settings": {**settings, "fps": reference["video"]["fps"]},
        "override": bool(override),
        "timeline": reference["timeline"],
        "normalization": reference["normalization"],
        "reference": {key: reference["video"][key] for key in ("width", "height", "fps")},
        "kinds": {
            "reference_frames": reference["hashes"]["frames"]["kind"],
            "reference_audio": (reference["hashes"]["audio"] or {}).get("kind"),
            "frames": hash_kind(job, "frames"),
            "audio": hash_kind(job, "audio") if job.has_audio() else None,
        },
    }


def _inputs(job: Job) -> tuple[Input, ...]:
    repeats = _repeats_path(job)
    found = [*_media_inputs(job), Input("approvals", approvals_path(job), True)]
    if repeats:
        found += job.reads("run", "repeats", repeats, optional=True)
    if (log := _reference_log(job)) is not None:
        found += [Input("reference inputs", log), *job.reads("run", "inputs", _applied_log(job), optional=True)]
    return tuple(found)


def _media_inputs(job: Job) -> tuple[Input, ...]:
    reference = job.project.reference
    assert reference is not None
    if _perceptual(job):
        paths = {"reference video": _video(job), "capture video": job.settings.video_path, "source": _source(job)}
        return tuple(Input(name, path, name == "source") for name, path in paths.items() if path is not None)
    found = [Input("reference frames", _reference_path(job, "frames"))]
    if reference["hashes"]["audio"] is not None and job.has_audio():
        found.append(Input("reference audio", _reference_path(job, "audio")))
    found.append(Input("reference video", _video(job), True))
    return tuple(found)


def approvals_path(job: Job) -> str:
    """Where decisions about this reference lie: beside it."""
    return job.project.resolve("reference_video_toml", "approvals.toml")


def _perceptual(job: Job) -> bool:
    return job.project.reference is not None and job.project.reference["validation"]["mode"] == "perceptual"


def _video(job: Job) -> str:
    assert job.project.reference is not None
    return job.project.resolve("reference_video_toml", job.project.reference["video"]["path"])


def _source(job: Job) -> str | None:
    """The recording that a normalised reference was made of, where it still is."""
    assert job.project.reference is not None
    named = (job.project.reference["normalization"] or {}).get("source_path")
    path = job.project.resolve("reference_video_toml", named) if named else None
    return path if path is not None and os.path.exists(path) else None


def _reference_path(job: Job, what: str) -> str:
    reference = job.project.reference
    assert reference is not None
    return job.project.resolve("reference_video_toml", reference["hashes"][what]["path"])


def _run(context: Context, job: Job, facts: dict[str, Any]) -> Result:
    report = _judge_repeats(job, facts)
    if report is None:
        report = _judge_videos(job, facts) if _perceptual(job) else _judge_lists(job, facts)
        _add_pictures(context, job, report)
    report["video"]["reference"]["path"] = os.path.relpath(_video(job), job.settings.folder)
    context.write("report", json.dumps(report, indent=2).encode() + b"\n")
    return _verdict(job, report)


def _judge_repeats(job: Job, facts: dict[str, Any]) -> dict[str, Any] | None:
    """The report of a run that did not repeat itself: nothing else is compared then. None where it did, or was not
    repeated."""
    path = _repeats_path(job)
    if path is None or not os.path.exists(path):
        return None
    from recomp.media.determinism import nondeterministic_report, read_result

    found, settings = read_result(path), facts["settings"]
    if found["status"] == "deterministic":
        return None
    return nondeterministic_report(found, settings["name"], fps=settings["fps"], timeline=facts["timeline"])


def _repeats_path(job: Job) -> str | None:
    """Where the run left what its repetitions showed; None where none were asked for."""
    repeats = job.settings.raw["run"]["repeats"]
    wanted = repeats if repeats is not None else job.command("run") is None
    return os.path.join(job.recording_dir(), REPEATS_RECORD) if wanted else None


def _judge_videos(job: Job, facts: dict[str, Any]) -> dict[str, Any]:
    from recomp.media.approvals import apply_approvals, read_approvals
    from recomp.media.compare import HashLists, Settings
    from recomp.media.gates import Limits
    from recomp.media.hashing import read_hash_list
    from recomp.media.perceptual import compare_perceptual

    report = compare_perceptual(
        _video(job),
        job.settings.video_path,
        Settings(**facts["settings"]),
        limits=Limits().override(facts["limits"]),
        source=_source(job),
        timeline=facts["timeline"],
        normalization=facts["normalization"],
        evidence=_evidence(job),
    )
    audio = read_hash_list(job.hash_list("audio")) if job.has_audio() else None
    capture = HashLists(read_hash_list(job.hash_list("frames")), audio)
    return apply_approvals(report, None, capture, read_approvals(approvals_path(job)))


def _judge_lists(job: Job, facts: dict[str, Any]) -> dict[str, Any]:
    from recomp.media.approvals import apply_approvals, read_approvals
    from recomp.media.compare import HashLists, Settings, compare_exact
    from recomp.media.hashing import read_hash_list

    kinds = facts["kinds"]
    has_audio = job.has_audio()
    wants_audio = has_audio and kinds["reference_audio"] is not None
    reference = HashLists(
        frames=_reference_hashes(job, "frames"),
        audio=_reference_hashes(job, "audio") if wants_audio else None,
        kind=kinds["reference_frames"],
        info=facts["reference"],
    )
    capture = HashLists(
        frames=read_hash_list(job.hash_list("frames")),
        audio=read_hash_list(job.hash_list("audio")) if has_audio else None,
        kind=kinds["frames"],
    )
    report = compare_exact(
        reference,
        capture,
        Settings(**facts["settings"]),
        timeline=facts["timeline"],
        normalization=facts["normalization"],
        evidence=_evidence(job),
    )
    return apply_approvals(report, reference, capture, read_approvals(approvals_path(job)))


def _reference_hashes(job: Job, what: str) -> list[str]:
    from recomp.media import hashing

    reference = job.project.reference
    assert reference is not None
    path, form = _reference_path(job, what), reference["hashes"][what]["format"]
    if form == "list":
        return hashing.read_hash_list(path)
    return hashing.hash_frame_files(path) if form == "directory" else hashing.hash_audio_file(path)


def _evidence(job: Job) -> dict[str, Any]:
    """What was played on both sides, to tell a late input from a wrong picture."""
    from recomp.media.recording import first_input_difference, read_input_log

    script, log, applied = job.project.script, _reference_log(job), _applied_log(job)
    evidence: dict[str, Any] = {}
    if script:
        evidence["input_ticks"] = [event["tick"] for event in script["events"]]
    if log is not None and os.path.exists(applied):
        tick = first_input_difference(read_input_log(log), read_input_log(applied))
        evidence |= {"inputs_equal": tick is None, "first_input_difference": tick}
    return evidence


def _reference_log(job: Job) -> str | None:
    """What was played while the reference was made, where it says so."""
    assert job.project.reference is not None
    inputs = job.project.reference["inputs"]
    return job.project.resolve("reference_video_toml", inputs["path"]) if inputs else None


def _applied_log(job: Job) -> str:
    """What the guest read in this run."""
    return os.path.join(job.recording_dir(), "inputs.jsonl")


def _add_pictures(context: Context, job: Job, report: dict[str, Any]) -> None:
    """The pictures of the first divergent frame, where both videos are there to show it."""
    if not report["failed"] or report["video"].get("first_divergence") is None:
        return
    reference = job.project.reference
    assert reference is not None
    path = _video(job)
    if not (os.path.exists(path) and os.path.exists(job.settings.video_path)):
        return
    from recomp.media.pairs import add_pictures
    from recomp.media.video import FrameReader

    add_pictures(report, context.out("pictures"), FrameReader(path), FrameReader(job.settings.video_path))


def _verdict(job: Job, report: dict[str, Any]) -> Result:
    video = report["video"]
    if video["status"] == "nondeterministic":
        advice = video["triage"]["suggestions"][0]
        error = StageError(f"validate: nondeterministic, nothing was compared: {video['failures'][0]}", hint=advice)
        return Result(found="runs differ", failure=error)
    frames, audio = video["frame_comparison"], video["audio_comparison"]
    alike = "alike" if video["mode"] == "perceptual" else "equal"
    found = f"{frames['matched']:,} of {frames['compared']:,} frames {alike}"
    if audio:
        found += f", {audio['matched']:,} of {audio['compared']:,} audio chunks equal"
    if not report["failed"]:
        return Result(found=found)
    error = StageError("\n    ".join(verdict_lines(report, job)), hint=f"see {job.report_path()}")
    return Result(found=found, failure=error)


def verdict_lines(report: dict[str, Any], job: Job) -> list[str]:
    """What failed, in at most nine lines: the causes in order, each with the command to try next."""
    video = report["video"]
    if video["status"] == "inconclusive":
        advice = dict.fromkeys(video["triage"]["suggestions"])
        return ["validate: inconclusive: the reference cannot decide", *video["failures"][:3], *list(advice)[:3]]
    lines = [f"validate: {report['failed']} of {report['total']} cases failed"]
    causes = [f for f in video["triage"]["findings"] if f.get("severity", "failed") == "failed"]
    if video["mode"] != "perceptual" or not causes:
        lines += video["failures"][:2]
    most = 3 if len(lines) == 1 else 2
    for finding in causes[:most]:
        scene = f", scene {finding['scene']!r}" if finding["scene"] is not None else ""
        lines.append(f"{finding['class']} from tick {finding['first_tick']}{scene}: {finding['message']}")
        lines.append(f"  try: {finding['command']}")
    pictures = (video.get("first_divergence") or {}).get("pictures") or {}
    folder = os.path.join(job.settings.dirs["validation_dir"], "pictures")
    shown = [pictures[side] for side in ("reference", "capture") if pictures.get(side)]
    if shown:
        lines.append(f"pictures: {', '.join(shown)} in {folder}")
    if len(causes) > most:
        lines.append(f"and {len(causes) - most} more")
    return lines
