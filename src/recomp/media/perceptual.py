"""Perceptual mode: judge a capture against a recording of real hardware, in the structure of validation-report.json.

A recording is never equal: it is lossy, starts at another time, may lack or repeat frames. What is asked instead: does
every tick of the reference have its picture and sound in the capture, in place, in step, with the right levels and
channels, and with no more difference than the reference's own codec makes (docs/validation.md)? Where the reference
cannot tell, the answer is "inconclusive", never "passed".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recomp.media.compare import Settings, scene_at, scenes_of
from recomp.media.diagnosis import NEXT, diagnose_picture, diagnose_sound
from recomp.media.gates import Limits, picture_gates, sound_gates
from recomp.media.triage import command_for

if TYPE_CHECKING:
    from recomp.media.measure import Measurement
    from recomp.media.sound import SoundMeasurement

_MIN_TICKS = 30
_WORST_NULL = 0.60  # mean SSIM of the codec against itself: below it nothing small can be seen
_NO_SOURCE = "the recording that the reference was made of is not there, and what its codec cost cannot be told"
_FIND_SOURCE = "put the recording where source_path says that it is, or make the reference again from it"
_BY_TILES = ("local-render", "glitch", "state-divergence")
_UNSHOWN = ("frame-pacing", "late-start", "capture-incomplete", "input-misalignment")  # no pair of pictures shows these
_MIN_CONTRAST = 4.0  # standard deviation of luma: a reference that shows nothing


def compare_perceptual(
    reference: Path | str,
    capture: Path | str,
    settings: Settings | None = None,
    *,
    limits: Limits | None = None,
    source: Path | str | None = None,
    timeline: Mapping[str, Any] | None = None,
    normalization: Mapping[str, Any] | None = None,
    validation_config: Mapping[str, Any] | None = None,
    evidence: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Compare two video files and return the report; arguments as in `compare.compare_exact`.

    `source` is the recording that a normalised reference was made of, if it was: the codec to allow for.
    `video.status` is "passed", "failed" or "inconclusive". Raises FormatError for what cannot be decoded.
    """
    from recomp.media.measure import measure
    from recomp.media.sound import has_sound, measure_sound, read_sound

    settings, limits = settings or Settings(), limits or Limits()
    named = normalization or {}
    m = measure(reference, capture, source, named.get("source_fps"), named.get("source_start") or 0.0)
    doubts = [] if source or not named.get("source_path") else [f"{_NO_SOURCE}: {named['source_path']}"]
    scenes = scenes_of(timeline, m.rate / m.slow)
    gates = picture_gates(m, scenes, limits)
    findings = diagnose_picture(m, limits, evidence or {})
    sides = [has_sound(reference), has_sound(capture)]
    s, skew_ms = None, 0.0
    if all(sides):
        s = measure_sound(read_sound(reference, m.slow), read_sound(capture))
        skew_ms = 1000 * (s.offset_s - m.registration.lead / m.rate)
        gates += sound_gates(s, skew_ms, limits)
        findings += diagnose_sound(s, skew_ms, limits, m.rate)
    elif sides[0] or settings.require_audio:
        side = "capture" if sides[0] else "reference"
        findings.append(_missing_sound(side, "failed" if settings.require_audio else "note"))
    for finding in findings:
        if doubts and finding["class"] in _BY_TILES:
            finding |= {"severity": "open", "next": _FIND_SOURCE}
        finding["scene"] = scene_at(scenes, finding["first_tick"])
        finding |= _shown_at(m, finding)
    return _report(m, s, skew_ms, gates, findings, doubts, settings, limits, timeline, normalization, validation_config)


def _report(
    m: Measurement,
    s: SoundMeasurement | None,
    skew_ms: float,
    gates: Sequence[Mapping[str, Any]],
    findings: Sequence[dict[str, Any]],
    doubts: Sequence[str],
    settings: Settings,
    limits: Limits,
    timeline: Mapping[str, Any] | None,
    normalization: Mapping[str, Any] | None,
    validation_config: Mapping[str, Any] | None,
) -> dict[str, Any]:
    questions = [f["message"] for f in findings if f["severity"] == "open"]
    doubt = next(iter([*filter(None, [undecidable(m)]), *doubts, *questions]), None)
    cases = [
        _case("picture", [f for f in findings if not f["class"].startswith("audio")], _failed(gates, "picture"), doubt)
    ]
    if s is not None or any(f["class"].startswith("audio") and f["severity"] == "failed" for f in findings):
        about = [f for f in findings if f["class"].startswith("audio")]
        cases.append(_case("sound", about, _failed(gates, "sound"), None))
    failures = [f"{case['name']}: {case['details']}" for case in cases if case["status"] == "failed"]
    open_cases = [f"{case['name']}: {case['details']}" for case in cases if case["status"] == "inconclusive"]
    status = "failed" if failures else "inconclusive" if open_cases else "passed"
    bad = [f for f in findings if f["severity"] == "failed"]
    categories = list(dict.fromkeys(f["class"] for f in bad))
    video = {
        "status": status,
        "mode": "perceptual",
        "validation_config": dict(validation_config or {}) or {"name": settings.name, "notes": settings.notes},
        "normalization": dict(normalization) if normalization else None,
        "triage": {
            "status": "needs_review" if bad or questions else "clean",
            "categories": categories,
            "findings": [*bad, *(f for f in findings if f["severity"] != "failed")],
            "suggestions": [NEXT[name] for name in categories]
            or [f["next"] for f in findings if f["severity"] == "open"],
        },
        "reference": _side(m.reference, len(m.registration.capture_of)),
        "capture": _side(m.capture, m.captured),
        "timeline": dict(timeline) if timeline else None,
        "frame_comparison": _frame_comparison(m, limits),
        "audio_comparison": None,
        "first_divergence": _first(m, [f for f in findings if f["severity"] in ("failed", "explained")]),
        "first_audio_divergence": None,
        "drift": _drift(m, s),
        "gates": list(gates),
        "measurements": _measurements(m, s, skew_ms),
        "failures": failures or open_cases,
    }
    passed = sum(case["status"] == "passed" for case in cases)
    return {
        "schema_version": "1",
        "total": len(cases),
        "passed": passed,
        "failed": len(cases) - passed,
        "cases": cases,
        "video": video,
    }


def undecidable(m: Measurement) -> str | None:
    """Say why the reference cannot decide; None if it can."""
    judged = len(m.ticks)
    if judged < _MIN_TICKS:
        return f"only {judged} ticks can be judged, expected at least {_MIN_TICKS}"
    if float(m.contrast[:, 0].max()) < _MIN_CONTRAST:
        return "the reference shows an empty picture throughout"
    null = float(m.null.mean())
    if null < _WORST_NULL:
        return f"the reference is too lossy: its codec alone brings SSIM down to {null:.2f}"
    return None


def _case(
    name: str, findings: Sequence[Mapping[str, Any]], failed: Sequence[Mapping[str, Any]], doubt: str | None
) -> dict[str, Any]:
    bad = [f for f in findings if f["severity"] == "failed"]
    if bad:
        first = bad[0]
        scene = f", scene {first['scene']!r}" if first["scene"] is not None else ""
        return {
            "name": name,
            "status": "failed",
            "details": f"{first['class']} from tick {first['first_tick']}{scene}: {first['message']}",
        }
    if doubt:
        return {"name": name, "status": "inconclusive", "details": doubt}
    if failed:
        gate = failed[0]
        text = f"{gate['gate']}: found {gate['value']}, expected {gate['sense']} {gate['limit']}"
        return {"name": name, "status": "failed", "details": text}
    return {"name": name, "status": "passed", "details": "every gate passed"}


def _failed(gates: Sequence[Mapping[str, Any]], medium: str) -> list[Mapping[str, Any]]:
    return [gate for gate in gates if gate["status"] == "failed" and gate["medium"] == medium]


def _missing_sound(side: str, severity: str) -> dict[str, Any]:
    return {
        "class": "audio-missing",
        "severity": severity,
        "first_tick": 0,
        "ticks": 0,
        "message": f"the {side} has no sound",
        "next": NEXT["audio-missing"],
        "command": command_for("audio-missing", 0),
    }


def _side(facts: Any, frames: int) -> dict[str, Any]:
    return {
        "kind": "video",
        "frames": frames,
        "width": facts.width,
        "height": facts.height,
        "fps": round(facts.rate, 3),
        "codec": facts.codec,
        "pixel_format": facts.pixel_format,
    }


def _frame_comparison(m: Measurement, limits: Limits) -> dict[str, Any]:
    """Ticks without a failed tile count as matched: the same keys as in exact mode, of the same meaning to a reader."""
    recorded = int(m.registration.recorded.sum())
    good = 0
    if len(m.ticks):
        bad = (m.deficit > limits.instant_deficit) | (m.lasting > limits.persistent_deficit)
        good = int((~bad.any(axis=(1, 2))).sum())
    return {
        "matched": good,
        "compared": recorded,
        "match_ratio": round(good / recorded, 6) if recorded else 0.0,
        "threshold": limits.coverage_share,
        "offset": m.registration.lead,
        "length_delta": m.captured - len(m.registration.capture_of),
        "reference_total": len(m.registration.capture_of),
        "capture_total": m.captured,
    }


def _first(m: Measurement, bad: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """The tick to look at first: the earliest failure that a pair of pictures can show. Of those that none can, such
    as a missing frame, the earliest, past it to the next tick that is shown."""
    import numpy as np

    seen = [f for f in bad if not f["class"].startswith("audio")]
    if not seen or not len(m.ticks):
        return None
    shown = [f for f in seen if f["class"] not in _UNSHOWN]
    first = min(shown or seen, key=lambda f: f["first_tick"])
    tick = int(m.ticks[min(int(np.searchsorted(m.ticks, first["first_tick"])), len(m.ticks) - 1)])
    return {
        "kind": first["class"],
        "reference_index": tick,
        "capture_index": int(m.registration.capture_of[tick]),
        "reference_picture": int(m.pictured[:tick].sum()),
        "count": first["ticks"],
        "seconds": round(tick / m.rate, 3),
        "scene": first["scene"],
        **({"box": first["box"]} if "box" in first else {}),
    }


def _shown_at(m: Measurement, finding: Mapping[str, Any]) -> dict[str, int]:
    """Where a finding of the picture is to be seen: which frame of the capture, which picture of the reference."""
    tick = finding["first_tick"]
    if finding["class"].startswith("audio") or finding["class"] in _UNSHOWN or tick >= len(m.pictured):
        return {}
    frame = int(m.registration.capture_of[tick])
    if frame < 0 or not m.registration.recorded[tick]:
        return {}
    return {"capture_index": frame, "reference_picture": int(m.pictured[:tick].sum())}


def _drift(m: Measurement, s: SoundMeasurement | None) -> dict[str, Any]:
    return {
        "frame_offset": m.registration.lead,
        "frame_offset_seconds": round(m.registration.lead / m.rate, 6),
        "length_delta_frames": m.captured - len(m.registration.capture_of),
        "audio_offset_chunks": round(s.offset_s * m.rate) if s else None,
        "audio_length_delta_chunks": None,
        "frame_ppm": m.registration.slope_ppm,
        "audio_ppm": s.drift_ppm if s else None,
    }


def _measurements(m: Measurement, s: SoundMeasurement | None, skew_ms: float) -> dict[str, Any]:
    """Series for the page, rounded: SSIM of capture and null by judged tick, worst tile deficit; and single values."""
    r = m.registration
    worst = m.deficit.max(axis=(1, 2)) if len(m.ticks) else m.ssim
    return {
        "matrix": m.matrix,
        "reference_clock": round(m.slow, 6),
        "null_quality": m.quality,
        "lead": r.lead,
        "tail": r.tail,
        "missing": [list(run) for run in r.missing[:200]],
        "extra": [list(run) for run in r.extra[:200]],
        "ambiguous_ticks": int(r.ambiguous.sum()),
        "calibration": m.calibration.facts() if m.calibration else None,
        "ssim_mean": round(float(m.ssim.mean()), 4) if len(m.ssim) else None,
        "ssim_mean_u": round(float(m.ssim_colour[:, 0].mean()), 4) if len(m.ssim) else None,
        "ssim_mean_v": round(float(m.ssim_colour[:, 1].mean()), 4) if len(m.ssim) else None,
        "psnr_mean_db": round(float(m.psnr.mean()), 2) if len(m.psnr) else None,
        "xpsnr_mean_db": [round(float(x), 2) for x in m.xpsnr.mean(axis=0)] if len(m.xpsnr) else None,
        "updates_hz": None if m.updates_hz is None else round(m.updates_hz, 2),
        "ticks": m.ticks.tolist(),
        "ssim": [round(float(x), 4) for x in m.ssim],
        "null_ssim": [round(float(x), 4) for x in m.null.mean(axis=(1, 2))] if len(m.ticks) else [],
        "worst_deficit": [round(float(x), 3) for x in worst],
        "sound": _sound_facts(s, skew_ms) if s else None,
    }


def _sound_facts(s: SoundMeasurement, skew_ms: float) -> dict[str, Any]:
    return {
        "offset_ms": round(1000 * s.offset_s, 2),
        "skew_ms": round(skew_ms, 2),
        "prominence": round(s.prominence, 1),
        "drift_ppm": s.drift_ppm,
        "loudness_lu": round(s.loudness_db, 2),
        "momentary_lu": round(s.momentary_db, 2),
        "lsd_median_db": round(s.lsd_median, 2),
        "lsd_p99_db": round(s.lsd_p99, 2),
        "crest_db": round(s.crest_db, 2),
        "channels": [list(row) for row in s.channels],
        "dropouts": [list(run) for run in s.dropouts[:50]],
        "tone": list(s.tone) if s.tone else None,
    }
