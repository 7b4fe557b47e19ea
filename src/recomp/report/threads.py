"""Which tick of the reference is which frame of the capture, as threads between two film strips on one time axis.

Where both run in step the threads stand upright; a drop is a wedge that closes downwards, a repeat one that opens.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

_THREADS = 48


class Step(NamedTuple):
    """At tick `first` of the reference the capture lacks `length` ticks ("missing"), or has as many frames of its own
    ("extra")."""

    first: int
    kind: str
    length: int


def steps_of(video: Mapping[str, Any]) -> list[Step]:
    """The places at which reference and capture leave each other's step, in order; of either mode's report."""
    measured = video.get("measurements")
    if measured:
        lead = [Step(0, "extra", measured["lead"])] if measured["lead"] else []
        missing = [Step(first, "missing", count) for first, count in measured["missing"]]
        return [*lead, *_placed(missing, measured["extra"], measured["lead"])]
    runs = ((video.get("frame_comparison") or {}).get("edits") or {}).get("runs", ())
    kinds = {"delete": "missing", "insert": "extra"}
    return [Step(r["reference_start"], kinds[r["kind"]], r["count"]) for r in runs if r["kind"] in kinds]


def _placed(missing: Sequence[Step], extra: Sequence[Sequence[int]], lead: int) -> list[Step]:
    """Merge runs counted in reference ticks with runs counted in capture frames."""
    out: list[Step] = []
    offset, waiting = lead, list(missing)
    for frame, count in extra:
        while waiting and waiting[0].first + offset < frame:
            step = waiting.pop(0)
            out.append(step)
            offset -= step.length
        out.append(Step(max(0, frame - offset), "extra", count))
        offset += count
    return [*out, *waiting]


def capture_place(steps: Sequence[Step], tick: int) -> int:
    """The frame of the capture that belongs to a tick; for a missing one the frame that follows the gap."""
    place = tick
    for first, kind, length in steps:
        if kind == "extra" and first <= tick:
            place += length
        elif kind == "missing" and first <= tick:
            place -= min(length, tick - first)
    return max(0, place)


def draw_threads(video: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return {"lines": [{x1, x2, kind}], "wedges": [{points, kind, label}]} in thousandths of the axis; None without
    frames on both sides. x1 lies on the reference, x2 on the capture."""
    frames = video.get("frame_comparison")
    if not frames or not frames["reference_total"] or not frames["capture_total"]:
        return None
    steps, total = steps_of(video), frames["reference_total"]
    scale = 1000 / max(total, frames["capture_total"])

    def x(place: int) -> str:
        return f"{min(1000.0, scale * place):.1f}"

    ticks = sorted({k * (total - 1) // max(1, _THREADS - 1) for k in range(min(_THREADS, total))})
    gone = [(s.first, s.first + s.length) for s in steps if s.kind == "missing"]
    lines = [
        {"x1": x(tick), "x2": x(capture_place(steps, tick))}
        for tick in ticks
        if not any(first <= tick < end for first, end in gone)
    ]
    return {"lines": lines, "wedges": [_wedge(steps, number, x) for number in range(min(len(steps), 60))]}


def _wedge(steps: Sequence[Step], number: int, x: Any) -> dict[str, str]:
    first, kind, count = steps[number]
    below = capture_place(steps[:number], first)
    wide, narrow = (first, below) if kind == "missing" else (below, first)
    ends = [(x(wide), x(wide + count)), (x(narrow), x(narrow))]
    (a, b), (c, d) = ends if kind == "missing" else ends[::-1]
    label = f"{count} frame{'s' if count != 1 else ''} {kind} at {first}"
    return {"points": f"{a},0 {b},0 {d},100 {c},100", "kind": kind, "label": label}
