"""Stage 0: the same program with the same input must do the same again, or nothing else can be said about it.

Two runs are compared hash by hash before any reference is looked at. Runs that differ are never compared perceptually:
a picture that is sometimes right would pass by luck.
"""

from __future__ import annotations

import filecmp
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from recomp.errors import FormatError
from recomp.media.compare import HashLists, scene_at, scenes_of
from recomp.media.triage import command_for

RECORD = "determinism.json"
"""What a repeated run leaves in its recording: the result of `compare_recordings`."""

_MEDIA = {"frames": "frame", "audio": "tick of sound", "recording": "tick"}
NEXT = "run again with the same seed and one thread more or less; look for uninitialised memory, clocks and threads"


def compare_runs(
    runs: Sequence[HashLists], *, fps: float = 60.0, timeline: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Compare the lists of two or more runs; return {"status", "runs", "first_divergence"}.

    Status is "deterministic" or "nondeterministic"; the first divergence is the earliest tick at which any run leaves
    the first one: {"medium", "tick", "run", "seconds", "scene"}, run counted from 0. A run that merely ends earlier
    leaves at its end.
    """
    if len(runs) < 2:
        raise FormatError(f"determinism: found {len(runs)} run, expected at least 2")
    splits = []
    for number, run in enumerate(runs[1:], start=1):
        if (run.audio is None) != (runs[0].audio is None):
            splits.append((0, "audio", number))
        for medium, ours, theirs in (
            ("frames", runs[0].frames, run.frames),
            ("audio", runs[0].audio or (), run.audio or ()),
        ):
            tick = first_difference(ours, theirs)
            if tick is not None:
                splits.append((tick, medium, number))
    if not splits:
        return {"status": "deterministic", "runs": len(runs), "first_divergence": None}
    tick, medium, number = min(splits, key=lambda split: (split[0], split[1] != "frames", split[2]))
    return {
        "status": "nondeterministic",
        "runs": len(runs),
        "first_divergence": {
            "medium": medium,
            "tick": tick,
            "run": number,
            "seconds": round(tick / fps, 3),
            "scene": scene_at(scenes_of(timeline, fps), tick),
        },
    }


def compare_recordings(folders: Sequence[Path | str], *, fps: float = 60.0) -> dict[str, Any]:
    """Compare the recordings of runs of one input; the result as of `compare_runs`.

    Equal files end it at once. Otherwise pictures and sound say where; where those are equal, or are no recording of a
    port, the files themselves differ: medium "recording", at the tick of the first input event that was read
    differently, or at the end.
    """
    others = [number for number in range(1, len(folders)) if not _equal_files(folders[0], folders[number])]
    if not others:
        return {"status": "deterministic", "runs": len(folders), "first_divergence": None}
    result = compare_runs([_lists(folder) for folder in folders], fps=fps)
    if result["status"] == "deterministic":
        tick = _input_difference(folders[0], folders[others[0]])
        split = {"medium": "recording", "tick": tick, "run": others[0], "seconds": round(tick / fps, 3), "scene": None}
        return {"status": "nondeterministic", "runs": len(folders), "first_divergence": split}
    return result


def read_result(path: Path | str) -> dict[str, Any]:
    """Read what a repeated run left. Raises FormatError for anything but the result of a comparison."""
    try:
        result = json.loads(Path(path).read_bytes())
        first = result["first_divergence"]
        if result["status"] == "nondeterministic":
            if first["medium"] not in _MEDIA or not isinstance(first["tick"], int):
                raise ValueError(f"first_divergence {first!r}")
        elif result["status"] != "deterministic":
            raise ValueError(f"status {result['status']!r}")
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise FormatError(f"{path}: is no comparison of runs: {error}") from error
    return dict(result)


def _equal_files(ours: Path | str, theirs: Path | str) -> bool:
    names = [sorted(name for name in os.listdir(folder) if name != RECORD) for folder in (ours, theirs)]
    if names[0] != names[1]:
        return False
    return filecmp.cmpfiles(ours, theirs, names[0], shallow=False)[0] == names[0]


def _lists(folder: Path | str) -> HashLists:
    """The hash lists of one recording; empty for a folder that no port wrote."""
    from recomp.media.hashing import hash_audio, hash_frames
    from recomp.media.recording import Recording

    if not os.path.exists(os.path.join(folder, "run.json")):
        return HashLists([])
    recording = Recording(Path(folder))
    frames = hash_frames(frame.pixels for frame in recording.frames()) if recording.run().video else []
    sound = recording.audio()
    return HashLists(frames, None if sound is None else hash_audio(sound.samples, sound.rate))


def _input_difference(ours: Path | str, theirs: Path | str) -> int:
    from recomp.media.recording import Recording, first_input_difference

    if not all(os.path.exists(os.path.join(folder, "run.json")) for folder in (ours, theirs)):
        return 0
    a, b = Recording(Path(ours)), Recording(Path(theirs))
    tick = first_input_difference(a.inputs(), b.inputs())
    return min(a.run().ticks, b.run().ticks) if tick is None else tick


def first_difference(ours: Sequence[str], theirs: Sequence[str]) -> int | None:
    """Return the first position at which two lists differ, the end of the shorter one included; None if equal."""
    for tick, (a, b) in enumerate(zip(ours, theirs, strict=False)):
        if a != b:
            return tick
    return None if len(ours) == len(theirs) else min(len(ours), len(theirs))


def nondeterministic_report(
    result: Mapping[str, Any],
    settings_name: str = "validation",
    *,
    fps: float = 60.0,
    timeline: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the validation report of a run that did not repeat itself: nothing else was compared.

    `timeline` names the scene where the comparison of the runs did not know it.
    """
    first = dict(result["first_divergence"])
    if first["scene"] is None:
        first["scene"] = scene_at(scenes_of(timeline, fps), first["tick"])
    unit = _MEDIA[first["medium"]]
    scene = f", scene {first['scene']!r}" if first["scene"] is not None else ""
    message = f"run {first['run'] + 1} leaves the first at {unit} {first['tick']} ({first['seconds']:.3f} s{scene})"
    finding = {
        "class": "nondeterministic-run",
        "first_tick": first["tick"],
        "ticks": 0,
        "message": message,
        "next": NEXT,
        "command": command_for("nondeterministic-run", first["tick"]),
        "scene": first["scene"],
    }
    empty = dict.fromkeys(("normalization", "frame_comparison", "audio_comparison", "first_divergence"))
    return {
        "schema_version": "1",
        "total": 1,
        "passed": 0,
        "failed": 1,
        "cases": [{"name": "determinism", "status": "failed", "details": message}],
        "video": {
            "status": "nondeterministic",
            "mode": "determinism",
            "validation_config": {"name": settings_name},
            "determinism": {**result, "first_divergence": first},
            "timeline": dict(timeline) if timeline else None,
            "triage": {
                "status": "needs_review",
                "categories": ["nondeterministic-run"],
                "findings": [finding],
                "suggestions": [NEXT],
            },
            "reference": {},
            "capture": {},
            **empty,
            "drift": None,
            "failures": [f"determinism: {message}"],
        },
    }
