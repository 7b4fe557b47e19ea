"""Stage 0: the same program with the same input must do the same again, or nothing else can be said about it.

Two runs are compared hash by hash before any reference is looked at. Runs that differ are never compared perceptually:
a picture that is sometimes right would pass by luck.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from recomp.errors import FormatError
from recomp.media.compare import HashLists, scene_at, scenes_of

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


def first_difference(ours: Sequence[str], theirs: Sequence[str]) -> int | None:
    """Return the first position at which two lists differ, the end of the shorter one included; None if equal."""
    for tick, (a, b) in enumerate(zip(ours, theirs, strict=False)):
        if a != b:
            return tick
    return None if len(ours) == len(theirs) else min(len(ours), len(theirs))


def nondeterministic_report(result: Mapping[str, Any], settings_name: str = "validation") -> dict[str, Any]:
    """Return the validation report of a run that did not repeat itself: nothing else was compared."""
    first = result["first_divergence"]
    unit = "frame" if first["medium"] == "frames" else "tick of sound"
    scene = f", scene {first['scene']!r}" if first["scene"] is not None else ""
    message = f"run {first['run'] + 1} leaves the first at {unit} {first['tick']} ({first['seconds']:.3f} s{scene})"
    finding = {
        "class": "nondeterministic-run",
        "first_tick": first["tick"],
        "ticks": 0,
        "message": message,
        "next": NEXT,
        "scene": first["scene"],
    }
    empty = dict.fromkeys(("normalization", "timeline", "frame_comparison", "audio_comparison", "first_divergence"))
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
            "determinism": dict(result),
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
