"""The shared time axis as numbers for an SVG: scenes, what matched, edits, input; one unit is a tick."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from recomp.report.threads import steps_of

_NARROWEST = 0.004  # least width of a mark, as a share of the axis: one frame in 20,000 must be seen


def draw_timeline(
    video: Mapping[str, Any],
    input_ticks: Sequence[int],
    loudness: Sequence[float] = (),
    reference_loudness: Sequence[float] = (),
) -> dict[str, Any] | None:
    """Return lanes of marks {"x", "width", "kind", "label"} in percent of the reference; None without frames.

    `loudness` are the capture's peaks in [0, 1], one a tick, drawn behind the marks of its sound: the capture's hang
    down, the reference's stand up; without those of the reference both are the capture's.
    """
    frames = video["frame_comparison"]
    if not frames:
        return None
    total = max(frames["reference_total"], 1)
    fps = float((video.get("reference") or {}).get("fps") or 60)
    audio = video.get("audio_comparison")
    found = _finding_marks(video, total)
    lanes: list[dict[str, Any]] = [{"name": "picture", "marks": _edit_marks(frames, total) + found["picture"]}]
    if audio:
        # Sound is counted in ticks of its own; both lanes cover the same stretch of time.
        lanes.append({"name": "sound", "marks": _edit_marks(audio, max(audio["reference_total"], 1))})
    elif found["sound"] or (video.get("measurements") or {}).get("sound"):
        lanes.append({"name": "sound", "marks": found["sound"]})
    if input_ticks:
        ticks = sorted({tick for tick in input_ticks if 0 <= tick < total})
        lanes.append({"name": "input", "marks": [_mark(tick, 1, total, "input", f"input at {tick}") for tick in ticks]})
    for lane in lanes:
        lane["wave"] = _wave(reference_loudness or loudness, loudness, total) if lane["name"] == "sound" else ""
    return {
        "lanes": lanes,
        "scenes": _scenes(video.get("timeline"), total, fps),
        "seconds": [{"x": round(100 * s * fps / total, 3), "label": f"{s} s"} for s in _seconds(total / fps)],
        "total": total,
        "mirrored": bool(reference_loudness and loudness),
        "offset": _offset(video, total),
        "chart": _chart(video.get("measurements") or {}, total),
    }


def _wave(above: Sequence[float], below: Sequence[float], total: int) -> str:
    """Two outlines of at most 500 steps around one axis, each step as high as the loudest tick in it."""
    if not above or not below:
        return ""
    upper = [f"{x:.1f},{50 - 48 * peak:.1f}" for x, peak in _outline(above, total)]
    lower = [f"{x:.1f},{50 + 48 * peak:.1f}" for x, peak in _outline(below, total)]
    return " ".join(upper + lower[::-1])


def _outline(loudness: Sequence[float], total: int) -> list[tuple[float, float]]:
    step = -(-len(loudness) // 500)
    peaks = [max(loudness[start : start + step]) for start in range(0, len(loudness), step)]
    return [(min(1000.0, 1000 * k * step / total), peak) for k, peak in enumerate(peaks)]


def _offset(video: Mapping[str, Any], total: int) -> dict[str, Any] | None:
    """A staircase of how far the capture is behind the reference, in ticks; None where it never is.

    The sound's own offset is one number for the whole clip and goes into the label.
    """
    steps = steps_of(video)
    if not steps:
        return None
    levels, points, level = [0], [(0.0, 0)], 0
    for first, kind, count in steps:
        x = min(1000.0, 1000 * first / total)
        points.append((x, level))
        level += count if kind == "extra" else -count
        points.append((x, level))
        levels.append(level)
    points.append((1000.0, level))
    low, high = min(levels), max(levels)
    scale = 80 / max(1, high - low)
    line = " ".join(f"{x:.1f},{90 - scale * (y - low):.1f}" for x, y in points)
    sound = (video.get("measurements") or {}).get("sound") or {}
    skew = f"; the sound is {sound['skew_ms']:+.1f} ms against the picture" if sound else ""
    return {
        "line": line,
        "label": f"The capture is {low:+d} to {high:+d} frames behind{skew}",
        "range": f"{low:+d}…{high:+d}",
    }


def _finding_marks(video: Mapping[str, Any], total: int) -> dict[str, list[dict[str, Any]]]:
    """Marks of what perceptual mode found; exact mode draws its edits instead."""
    marks: dict[str, list[dict[str, Any]]] = {"picture": [], "sound": []}
    if video.get("mode") != "perceptual":
        return marks
    for finding in video["triage"]["findings"]:
        if finding["severity"] not in ("failed", "explained"):
            continue
        lane = "sound" if finding["class"].startswith("audio") else "picture"
        whole = not finding["ticks"]
        first, count = (0, total) if whole else (finding["first_tick"], finding["ticks"])
        kind = "missing" if finding["class"] == "capture-incomplete" else "other"
        marks[lane].append(_mark(first, count, total, kind, f"{finding['class']} from {finding['first_tick']}"))
    return marks


def _chart(measurements: Mapping[str, Any], total: int) -> dict[str, Any] | None:
    """Two lines of SSIM over time, at most 400 points, each the lowest of its stretch."""
    ticks, seen, null = (measurements.get(key) or [] for key in ("ticks", "ssim", "null_ssim"))
    if not ticks:
        return None
    lowest = max(0.0, min(min(seen), min(null)))
    scale = 90 / max(1 - lowest, 1e-6)
    step = -(-len(ticks) // 400)

    def line(values: Sequence[float]) -> str:
        points = []
        for start in range(0, len(ticks), step):
            value = max(0.0, min(values[start : start + step]))
            points.append(f"{1000 * ticks[start] / total:.1f},{5 + scale * (1 - value):.1f}")
        return " ".join(points)

    mean = sum(seen) / len(seen)
    band = f"0,5 1000,5 {' '.join(reversed(line(null).split()))}"
    return {"seen": line(seen), "null": line(null), "band": band, "mean": f"{mean:.3f}", "lowest": f"{min(seen):.3f}"}


def _edit_marks(comparison: Mapping[str, Any], total: int) -> list[dict[str, Any]]:
    names = {"substitute": "other", "delete": "missing", "insert": "extra"}
    marks = []
    for run in (comparison.get("edits") or {}).get("runs", ()):
        kind = names[run["kind"]]
        label = f"{run['count']} {kind} from {run['reference_start']}"
        marks.append(_mark(run["reference_start"], run["count"] if kind != "extra" else 1, total, kind, label))
    return marks


def _mark(tick: int, count: int, total: int, kind: str, label: str) -> dict[str, Any]:
    width = max(count / total, _NARROWEST)
    x = min(tick / total, 1 - width)
    return {"x": round(100 * max(x, 0.0), 3), "width": round(100 * min(width, 1.0), 3), "kind": kind, "label": label}


def _scenes(timeline: Mapping[str, Any] | None, total: int, fps: float) -> list[dict[str, Any]]:
    events = sorted((float(event["time"]), str(event["name"])) for event in (timeline or {}).get("events") or ())
    start = float((timeline or {}).get("start") or 0)
    places = [(max(0.0, (time - start) * fps / total), name) for time, name in events]
    ends = [x for x, _ in places[1:]] + [1.0]
    return [
        {"x": round(100 * x, 3), "width": round(100 * max(0.0, min(end, 1.0) - x), 3), "name": name}
        for (x, name), end in zip(places, ends, strict=False)
        if x < 1
    ]


def _seconds(length: float) -> list[int]:
    step = next((s for s in (1, 2, 5, 10, 30, 60, 120, 300, 600) if length / s <= 10), 3600)
    return list(range(0, int(length) + 1, step))
