"""The page of a batch: what got worse first, the pass rate over time, and every title with a link to its own page."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent
#: runs that the chart shows
_MOST_RUNS = 60
#: rows of passing titles that the page lists; all others are listed whatever their number
_MOST_ROWS = 5000
_WORDS = {
    "passed": ("yes", "✓ passed"), "failed": ("no", "✗ failed"), "needs_review": ("open", "? needs review"),
    "running": ("cached", "… running"), "pending": ("cached", "– pending"),
}  # fmt: skip


def write_batch_report(
    path: Path | str, batch_id: str, units: Sequence[Mapping[str, Any]], history: Sequence[Mapping[str, Any]]
) -> None:
    """Write the page, whole or not at all.

    `units`: {"unit", "title", "status"} and, where known, "error", "hint", "seconds", "steps" (settled, cached), "page"
    (its own report), "log". `history`: a row each finished run, oldest first: {"run", "time", "counts", "seconds",
    "regressions"}.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.part")
    scratch.write_text(render_batch(batch_id, units, history, folder=path.resolve().parent), encoding="utf-8")
    os.replace(scratch, path)


def render_batch(
    batch_id: str, units: Sequence[Mapping[str, Any]], history: Sequence[Mapping[str, Any]], *, folder: Path
) -> str:
    """Return the page; links are relative to `folder`."""
    from recomp.report.page import template

    rows = [_row(unit, folder) for unit in units]
    regressions = list(history[-1].get("regressions") or ()) if history else []
    links = {row["unit"]: row["link"] for row in rows}
    passing = [row for row in rows if row["status"] == "passed"]
    return template("batch.html.j2").render(
        batch_id=batch_id,
        style=(_HERE / "page.css").read_text(encoding="utf-8"),
        verdict=batch_verdict(units, regressions),
        regressions=[{**item, "link": links.get(item["unit"])} for item in regressions],
        chart=_chart(history[-_MOST_RUNS:]),
        others=[row for row in rows if row["status"] != "passed"],
        passing=passing[:_MOST_ROWS],
        left_out=max(0, len(passing) - _MOST_ROWS),
        last=history[-1] if history else None,
    )


def batch_verdict(units: Sequence[Mapping[str, Any]], regressions: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The top of the page: {"tone", "sign", "headline", "sentence"}."""
    counts = {state: sum(unit["status"] == state for unit in units) for state in _WORDS}
    parts = [f"{count} {state.replace('_', ' ')}" for state, count in counts.items() if count]
    sentence = (
        f"{len(units)} unit{'s'[: len(units) != 1]}: {', '.join(parts)}." if units else "The batch has no titles."
    )
    if regressions:
        count = len(regressions)
        headline, tone, sign = f"{count} regression{'s'[: count != 1]}", "fail", "✗"
    elif counts["passed"] == len(units):
        headline, tone, sign = "Every title passes", "pass", "✓"
    elif counts["running"] or counts["pending"]:
        headline, tone, sign = "Not all titles have run", "open", "–"
    else:
        headline, tone, sign = "No regressions", "open", "–"
    return {"tone": tone, "sign": sign, "headline": headline, "sentence": sentence}


def _row(unit: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    style, word = _WORDS.get(unit["status"], ("cached", unit["status"]))
    page = unit.get("page")
    steps = unit.get("steps") or [0, 0]
    return {
        "unit": unit["unit"],
        "title": unit["title"],
        "status": unit["status"],
        "style": style,
        "word": word,
        "error": unit.get("error") or "",
        "hint": unit.get("hint") or "",
        "log": unit.get("log") or "",
        "seconds": f"{unit['seconds']:.1f} s" if isinstance(unit.get("seconds"), int | float) else "",
        "cached": f"{steps[1]} of {steps[0]}" if steps[0] else "",
        "link": _link(page, folder) if page else None,
    }


def _link(page: str, folder: Path) -> str:
    from urllib.parse import quote

    return quote(os.path.relpath(page, folder)) if os.path.exists(page) else ""


def _chart(history: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """A bar a run: shares of what passed, needs review and failed, stacked; lengths in percent of the chart."""
    bars = []
    width = 100 / max(len(history), 12)
    for number, row in enumerate(history):
        counts = row["counts"]
        total = sum(counts.get(state, 0) for state in ("passed", "needs_review", "failed", "pending")) or 1
        shares = {state: 100 * counts.get(state, 0) / total for state in ("passed", "needs_review", "failed")}
        bars.append({
            "x": round(number * width, 3), "width": round(width * 0.8, 3), "run": row["run"], "time": row["time"],
            **{state: round(share, 2) for state, share in shares.items()},
            "label": f"run {row['run']}, {row['time']}: {counts.get('passed', 0)} of {total} passed",
        })  # fmt: skip
    return {"bars": bars, "first": history[0]["time"], "last": history[-1]["time"]} if bars else None
