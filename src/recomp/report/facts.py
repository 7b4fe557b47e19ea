"""What the page says, as plain values: the verdict in a sentence, and the rows of its tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_VERDICTS = {
    "passed": ("pass", "✓", "Equal to the reference"),
    "failed": ("fail", "✗", "Not equal to the reference"),
    "inconclusive": ("open", "?", "The reference cannot decide"),
    "nondeterministic": ("fail", "≠", "Two runs differ"),
}


def verdict(validation: Mapping[str, Any] | None, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return {"tone", "sign", "headline", "sentence"}: "pass", "fail" or "open", for the top of the page."""
    failed = [step["name"] for step in manifest.get("steps", []) if step.get("status") == "failed"]
    compared = "video" in (validation or {})
    broken = [name for name in failed if name != "validate" or not compared]
    if broken:
        return _verdict("fail", "✗", f"Stage {broken[0]} failed", "Nothing after it ran. Its log says why.")
    if not validation or not compared:
        return _verdict("open", "–", "Nothing was compared", "This run has no reference.")
    video = validation["video"]
    tone, sign, headline = _VERDICTS.get(video["status"], ("open", "?", str(video["status"])))
    if video["status"] == "passed" and video.get("mode") == "compatible":
        headline = "Close enough to the reference"
    elif video["status"] == "passed" and video.get("mode") == "perceptual":
        headline = "Looks and sounds like the reference"
    elif video["status"] == "failed" and video.get("mode") == "perceptual":
        headline = "Differs from the reference"
    if video["failures"]:
        sentence = str(video["failures"][0])
        sentence = sentence[:1].upper() + sentence[1:] + "."
    else:
        sentence = ", ".join(_shares(video)) + "."
    return _verdict(tone, sign, headline, sentence)


def _verdict(tone: str, sign: str, headline: str, sentence: str) -> dict[str, Any]:
    return {"tone": tone, "sign": sign, "headline": headline, "sentence": sentence}


def _shares(video: Mapping[str, Any]) -> Iterator[str]:
    for key, unit in (("frame_comparison", "frames"), ("audio_comparison", "ticks of sound")):
        comparison = video.get(key)
        if comparison:
            yield f"{grouped(comparison['matched'])} of {grouped(comparison['compared'])} {unit}"
    if not video.get("audio_comparison"):
        yield "sound not compared"


def comparison_rows(video: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One row a medium: what was compared, and how it came out."""
    rows = []
    for key, medium in (("frame_comparison", "Picture"), ("audio_comparison", "Sound")):
        comparison = video.get(key)
        if not comparison:
            continue
        edits = comparison.get("edits") or {}
        rows.append(
            {
                "medium": medium,
                "matched": grouped(comparison["matched"]),
                "compared": grouped(comparison["compared"]),
                "ratio": f"{100 * comparison['match_ratio']:.2f} %",
                "wanted": f"{100 * comparison['threshold']:.0f} %",
                "offset": f"{comparison['offset']:+d}" if comparison["offset"] else "0",
                "other": grouped(edits["substituted"]) if edits else "–",
                "missing": grouped(edits["missing"]) if edits else "–",
                "extra": grouped(edits["extra"]) if edits else "–",
                "ok": comparison["match_ratio"] >= comparison["threshold"] and not (edits and edits["runs_total"]),
            }
        )
    return rows


def scene_rows(video: Mapping[str, Any], history: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    """One row a scene: its place, its digest now and before (each as a dot of the same letter for the same digest), and
    what was decided about it. `command` is what a person would type to approve it, where that is still open."""
    decided = {decision["scene"]: decision for decision in video.get("approvals") or ()}
    rows = []
    for scene in video.get("scenes") or ():
        past = [digest for digest in history.get(scene["scene"], ())]
        if not past or past[-1] != scene["digest"]:
            past.append(scene["digest"])
        letters: dict[str, str] = {}
        for digest in past:
            letters.setdefault(digest, "abcdefgh"[len(letters) % 8])
        decision = decided.get(scene["scene"]) or {}
        status = "equal" if not scene["differs"] else decision.get("status") or "differs"
        rows.append({
            "name": scene["scene"],
            "first": scene["first"],
            "ticks": scene["ticks"],
            "digest": scene["digest"],
            "dots": [{"letter": letters[d], "digest": d, "now": k == len(past) - 1} for k, d in enumerate(past)],
            "status": {"positive": "approved", "negative": "known bad"}.get(status, status),
            "tone": {"equal": "yes", "positive": "yes"}.get(status, "no"),
            "why": decision.get("why") or "",
            "who": decision.get("who") or "",
            "command": _accept_command(scene["scene"]) if status == "differs" else "",
        })  # fmt: skip
    return rows


def _accept_command(scene: str) -> str:
    quoted = "'" + scene.replace("'", "'\\''") + "'"
    return f'recomp accept --scene {quoted} --because "…"'


def stage_rows(steps: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One row a step, with its share of the longest one for the bar."""
    longest = max((float(step.get("duration_ms") or 0) for step in steps), default=0) or 1
    return [
        {
            "name": step["name"],
            "status": step.get("status", ""),
            "cached": bool(step.get("cache_hit")),
            "duration": duration(float(step.get("duration_ms") or 0)),
            "share": round(100 * float(step.get("duration_ms") or 0) / longest, 1),
            "key": str(step.get("cache_key", "")),
            "notes": _text(step.get("notes")),
        }
        for step in steps
    ]


def coverage_rows(coverage: Mapping[str, Any]) -> list[dict[str, str]]:
    """Flatten the lift's summary to rows, one level deep: nested names are joined with a dot."""
    rows = []
    for key, value in coverage.items():
        if isinstance(value, Mapping):
            rows += [{"name": f"{key} · {inner}", "value": _text(leaf)} for inner, leaf in value.items()]
        else:
            rows.append({"name": str(key), "value": _text(value)})
    return [{"name": row["name"].replace("_", " "), "value": row["value"]} for row in rows]


def measured_rows(video: Mapping[str, Any]) -> list[dict[str, str]]:
    """What perceptual mode measured of the whole clip, with units: nothing that was calibrated away is hidden."""
    found = video.get("measurements") or {}
    place, sound = found.get("calibration") or {}, found.get("sound") or {}
    rows = [
        ("SSIM, Y U V", [found.get("ssim_mean"), found.get("ssim_mean_u"), found.get("ssim_mean_v")], ""),
        ("PSNR", found.get("psnr_mean_db"), " dB"),
        ("XPSNR, Y U V", found.get("xpsnr_mean_db"), " dB"),
        ("lead, tail", [found.get("lead"), found.get("tail")], " ticks"),
        ("pictures a second", found.get("updates_hz"), ""),
        ("reference's clock", found.get("reference_clock"), ""),
        ("shift", [place.get("shift_x"), place.get("shift_y")], " px"),
        ("scale", [place.get("scale_x"), place.get("scale_y")], ""),
        ("gain, offset, bend", [place.get("gain"), place.get("offset"), place.get("bend")], ""),
        ("sound's offset, skew", [sound.get("offset_ms"), sound.get("skew_ms")], " ms"),
        ("sound's drift", sound.get("drift_ppm"), " ppm"),
        ("loudness, momentary", [sound.get("loudness_lu"), sound.get("momentary_lu")], " LU"),
        ("spectral distance, median, p99", [sound.get("lsd_median_db"), sound.get("lsd_p99_db")], " dB"),
    ]
    known = [(name, [v for v in value if v is not None] if isinstance(value, list) else value, unit)
             for name, value, unit in rows]  # fmt: skip
    return [
        {"name": name, "value": _text(value) + unit} for name, value, unit in known if value is not None and value != []
    ]


def duration(milliseconds: float) -> str:
    """Milliseconds as a person would say them."""
    if milliseconds < 1000:
        return f"{milliseconds:.0f} ms"
    if milliseconds < 60_000:
        return f"{milliseconds / 1000:.1f} s"
    return f"{int(milliseconds // 60_000)} min {milliseconds % 60_000 / 1000:.0f} s"


def grouped(value: int) -> str:
    """An integer in groups of three, apart by a narrow space that does not break."""
    return f"{value:,}".replace(",", "\u202f")


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return grouped(value)
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, (list, tuple)):
        more = f", … {grouped(len(value) - 12)} more" if len(value) > 12 else ""
        return ", ".join(_text(item) for item in value[:12]) + more
    return str(value)
