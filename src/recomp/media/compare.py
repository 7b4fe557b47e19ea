"""Reference and capture, list against list: `validation-report.json`.

Lists of decoded pixels and samples (`kind = "pixels"`) are judged in *exact* mode: every frame and every tick of sound
equal and nothing missing or extra; where not, patience anchors and edit distance say what is other, missing or extra,
and where it began. Lists of file bytes are judged as schema v1 did (*compatible* mode): the share of equal lines at
the best constant offset. That mode is blind by design (docs/validation.md): a frame lost in the middle halves the
ratio, and eight corrupt frames in a hundred pass.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recomp.errors import FormatError
from recomp.media.align import Alignment, Run, align
from recomp.media.triage import triage

_MAX_RUNS = 50
"""Edit runs listed in the report; their totals always cover all."""

_WHAT = {
    "substitute": "the capture shows another {unit}",
    "delete": "the capture lacks {count}",
    "insert": "the capture has {count} extra",
}


@dataclass(frozen=True)
class HashLists:
    """One side: a hash a frame, a hash a chunk of sound (None: no sound), what was hashed, and facts for the report."""

    frames: Sequence[str]
    audio: Sequence[str] | None = None
    kind: str = "pixels"
    info: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Settings:
    """`[validation]` of the reference with the overrides of `validation_config.toml` (contracts, section 6).

    Ratios are in [0, 1], `fps` in frames a second. The thresholds apply to the compatible mode only: exact mode has
    none. `max_audio_drift_chunks` None = `max_drift_frames`.
    """

    name: str = "validation"
    notes: str = ""
    require_audio: bool = False
    frame_match_ratio: float = 0.92
    audio_match_ratio: float = 0.90
    max_drift_frames: int = 3
    max_dropped_frames: int = 0
    max_audio_drift_chunks: int | None = None
    fps: float = 60.0


def compare_exact(
    reference: HashLists,
    capture: HashLists,
    settings: Settings | None = None,
    *,
    timeline: Mapping[str, Any] | None = None,
    normalization: Mapping[str, Any] | None = None,
    validation_config: Mapping[str, Any] | None = None,
    evidence: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Compare two sides and return the report, made of plain JSON values, the same for the same arguments.

    `timeline` is {"start", "end", "events": [{"name", "time"}]}, times in seconds; an event opens a scene.
    `evidence` helps to name a cause: {"inputs_equal": bool, "input_ticks": [tick of each input event]}.
    Raises FormatError if one side lists pixels and the other file bytes.
    """
    settings = settings or Settings()
    if reference.kind != capture.kind:
        raise FormatError(
            f"validation: found {reference.kind!r} hashes in the reference and {capture.kind!r} in the capture, "
            "expected one kind",
            hint='hash both sides alike: set kind = "pixels" in [hashes.frames] and [hashes.audio] of both files',
        )
    exact = reference.kind == "pixels"
    frames, frame_alignment = _compare(reference.frames, capture.frames, settings, exact=exact, audio=False)
    audio, audio_alignment = None, None
    if reference.audio is not None and capture.audio is not None:
        audio, audio_alignment = _compare(reference.audio, capture.audio, settings, exact=exact, audio=True)
    scenes = scenes_of(timeline, settings.fps)
    frame_first = _first_divergence(frame_alignment, scenes, settings.fps)
    audio_first = _first_divergence(audio_alignment, scenes, settings.fps)
    cases = [_frame_case(frames, frame_first, settings, exact)]
    cases += _audio_cases(reference, capture, audio, audio_first, settings, exact)
    failures = [f"{case['name']}: {case['details']}" for case in cases if case["status"] == "failed"]
    video = {
        "status": "failed" if failures else "passed",
        "mode": "exact" if exact else "compatible",
        "validation_config": dict(validation_config or {}) or {"name": settings.name, "notes": settings.notes},
        "normalization": dict(normalization) if normalization else None,
        "triage": triage(frames, audio, frame_alignment, audio_alignment, reference, capture, scenes, evidence or {}),
        "reference": {**reference.info, "kind": reference.kind, "frames": len(reference.frames)},
        "capture": {**capture.info, "kind": capture.kind, "frames": len(capture.frames)},
        "timeline": dict(timeline) if timeline else None,
        "frame_comparison": frames,
        "audio_comparison": audio,
        "first_divergence": frame_first,
        "first_audio_divergence": audio_first,
        "drift": _drift(frames, audio, settings.fps),
        "failures": failures,
    }
    return {
        "schema_version": "1",
        "total": len(cases),
        "passed": len(cases) - len(failures),
        "failed": len(failures),
        "cases": cases,
        "video": video,
    }


def write_json(path: Path | str, report: Mapping[str, Any]) -> None:
    """Write the report whole or not at all; the same report gives the same bytes."""
    path = Path(path)
    scratch = path.with_name(f".{path.name}.part")
    scratch.write_text(json.dumps(report, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
    os.replace(scratch, path)


def _compare(
    reference: Sequence[str], capture: Sequence[str], settings: Settings, *, exact: bool, audio: bool
) -> tuple[dict[str, Any], Alignment | None]:
    totals = {
        "length_delta": len(capture) - len(reference),
        "reference_total": len(reference),
        "capture_total": len(capture),
    }
    if exact:
        alignment = align(reference, capture)
        compared = max(len(reference), len(capture))
        counts = {
            "matched": alignment.matched,
            "compared": compared,
            "match_ratio": _ratio(alignment.matched, compared),
            "threshold": 1.0,
            "offset": _main_offset(alignment, len(reference)),
        }
        return {**counts, **totals, "edits": _edits(alignment)}, alignment
    drift = settings.max_drift_frames
    if audio and settings.max_audio_drift_chunks is not None:
        drift = settings.max_audio_drift_chunks
    offset, matched, compared = _best_offset(reference, capture, drift)
    counts = {
        "matched": matched,
        "compared": compared,
        "match_ratio": _ratio(matched, compared),
        "threshold": settings.audio_match_ratio if audio else settings.frame_match_ratio,
        "offset": offset,
    }
    return {**counts, **totals}, None


def _best_offset(reference: Sequence[str], capture: Sequence[str], limit: int) -> tuple[int, int, int]:
    """Return (offset, matched, compared) of the best constant offset within ±limit, the smallest where several are.

    A positive offset means that the capture is late: its frame k + offset is held against reference frame k.
    """
    best = (0, -1, 0)
    for offset in sorted(range(-limit, limit + 1), key=lambda k: (abs(k), k)):
        first = max(0, -offset)
        last = min(len(reference), len(capture) - offset)
        matched = sum(reference[k] == capture[k + offset] for k in range(first, last))
        if matched > best[1]:
            best = (offset, matched, max(0, last - first))
    return best


def _main_offset(alignment: Alignment, reference_total: int) -> int:
    """Return the offset (capture - reference position) that most matched frames share."""
    shares: dict[int, int] = {}
    offset = reached = 0
    for run in alignment.runs:
        shares[offset] = shares.get(offset, 0) + run.reference_start - reached
        reached = run.reference_start + (run.count if run.kind != "insert" else 0)
        offset += {"insert": run.count, "delete": -run.count}.get(run.kind, 0)
    shares[offset] = shares.get(offset, 0) + reference_total - reached
    return min(shares, key=lambda k: (-shares[k], abs(k), k))


def _edits(alignment: Alignment) -> dict[str, Any]:
    return {
        "substituted": alignment.count("substitute"),
        "missing": alignment.count("delete"),
        "extra": alignment.count("insert"),
        "runs_total": len(alignment.runs),
        "runs": [
            {
                "kind": run.kind,
                "reference_start": run.reference_start,
                "capture_start": run.capture_start,
                "count": run.count,
            }
            for run in alignment.runs[:_MAX_RUNS]
        ],
    }


def scenes_of(timeline: Mapping[str, Any] | None, fps: float) -> list[tuple[int, str]]:
    """Return (first tick, name) of each scene, in order."""
    start = float((timeline or {}).get("start") or 0)
    events = (timeline or {}).get("events") or ()
    return sorted((round((float(event["time"]) - start) * fps), str(event["name"])) for event in events)


def scene_at(scenes: Sequence[tuple[int, str]], tick: int) -> str | None:
    """Return the name of the scene that `tick` lies in; None before the first."""
    names = [name for first, name in scenes if first <= tick]
    return names[-1] if names else None


def _first_divergence(
    alignment: Alignment | None, scenes: Sequence[tuple[int, str]], fps: float
) -> dict[str, Any] | None:
    if alignment is None or not alignment.runs:
        return None
    run: Run = alignment.runs[0]
    return {
        "kind": run.kind,
        "reference_index": run.reference_start,
        "capture_index": run.capture_start,
        "count": run.count,
        "seconds": round(run.reference_start / fps, 3),
        "scene": scene_at(scenes, run.reference_start),
    }


def _sentence(first: Mapping[str, Any], unit: str) -> str:
    count = f"{first['count']} {unit}{'s' if first['count'] != 1 else ''}"
    scene = f", scene {first['scene']!r}" if first["scene"] is not None else ""
    what = _WHAT[first["kind"]].format(unit=unit, count=count)
    return f"first divergence at {unit} {first['reference_index']} ({first['seconds']:.3f} s{scene}): {what}"


def _frame_case(
    frames: Mapping[str, Any], first: Mapping[str, Any] | None, settings: Settings, exact: bool
) -> dict[str, Any]:
    if not frames["reference_total"]:
        return _case("frames", "the reference lists no frames, expected at least one")
    if exact:
        return _case(
            "frames", _exact_problem(frames, first, "frame"), f"{frames['matched']} of {frames['compared']} equal"
        )
    missing = -frames["length_delta"]
    if missing > settings.max_dropped_frames:
        problem = f"found {missing} frames fewer than in the reference, expected at most {settings.max_dropped_frames}"
        return _case("frames", problem)
    return _case("frames", *_ratio_problem(frames))


def _audio_cases(
    reference: HashLists,
    capture: HashLists,
    audio: Mapping[str, Any] | None,
    first: Mapping[str, Any] | None,
    settings: Settings,
    exact: bool,
) -> list[dict[str, Any]]:
    if audio is None:
        absent = [side for side, lists in (("reference", reference), ("capture", capture)) if lists.audio is None]
        if settings.require_audio:
            return [_case("audio", f"found no audio in the {' and the '.join(absent)}, expected it (require_audio)")]
        return []
    if exact:
        return [
            _case("audio", _exact_problem(audio, first, "tick"), f"{audio['matched']} of {audio['compared']} equal")
        ]
    return [_case("audio", *_ratio_problem(audio))]


def _exact_problem(comparison: Mapping[str, Any], first: Mapping[str, Any] | None, unit: str) -> str | None:
    if first is None:
        return None
    edits = comparison["edits"]
    totals = ", ".join(f"{edits[key]} {key}" for key in ("substituted", "missing", "extra") if edits[key])
    return f"{_sentence(first, unit)}; in all {totals} of {comparison['reference_total']}"


def _ratio_problem(comparison: Mapping[str, Any]) -> tuple[str | None, str]:
    found = f"{comparison['matched']} of {comparison['compared']} equal at offset {comparison['offset']:+d}"
    ok = comparison["compared"] > 0 and comparison["match_ratio"] >= comparison["threshold"]
    problem = f"{found}: found a ratio of {comparison['match_ratio']:.4f}, expected at least {comparison['threshold']}"
    return (None if ok else problem), found


def _case(name: str, problem: str | None, details: str = "") -> dict[str, Any]:
    return {"name": name, "status": "failed" if problem else "passed", "details": problem or details}


def _drift(frames: Mapping[str, Any], audio: Mapping[str, Any] | None, fps: float) -> dict[str, Any]:
    return {
        "frame_offset": frames["offset"],
        "frame_offset_seconds": round(frames["offset"] / fps, 6),
        "length_delta_frames": frames["length_delta"],
        "audio_offset_chunks": audio["offset"] if audio else None,
        "audio_length_delta_chunks": audio["length_delta"] if audio else None,
    }


def _ratio(matched: int, compared: int) -> float:
    return round(matched / compared, 6) if compared else 0.0
