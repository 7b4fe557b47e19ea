"""Run the whole defect matrix and print it as the table of docs/validation.md: `python tests/media/matrix.py`."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from clips import ENCODINGS, SIZE, write_lossy
from defects import DEFECTS, Defect, clean

from recomp.media.perceptual import compare_perceptual
from recomp.media.video import write_lossless


def judge(report: dict[str, Any], defect: Defect) -> str:
    """Return "found", "missed", or what went wrong: another class or another tick."""
    findings = report["video"]["triage"]["findings"]
    named = [f for f in findings if f["class"] == defect.expected]
    if not named:
        return (
            "missed" if report["video"]["status"] == "passed" else f"as {findings[0]['class'] if findings else 'gate'}"
        )
    if defect.tick is not None and abs(named[0]["first_tick"] - defect.tick) > defect.within:
        return f"at {named[0]['first_tick']}"
    return "found" if named[0]["severity"] == "failed" else "noted"


def results(names: list[str]) -> Iterator[tuple[str, list[str]]]:
    folder = Path(tempfile.mkdtemp(prefix="recomp-matrix-"))
    frames, samples = clean()
    references = {name: write_lossy(folder / name, frames, name, samples) for name in ENCODINGS}
    capture = folder / "capture.mkv"
    if not names:
        write_lossless(capture, frames, SIZE, audio=(samples, 48000))
        yield "none", [compare_perceptual(path, capture)["video"]["status"] for path in references.values()]
    for defect in DEFECTS:
        if names and defect.name not in names:
            continue
        pictures, sound = defect.plant(frames, samples)
        write_lossless(capture, pictures, SIZE, audio=(sound, 48000))
        row = []
        for path in references.values():
            report = compare_perceptual(path, capture, evidence=defect.evidence)
            row.append(judge(report, defect))
        yield f"{defect.name} | {defect.expected}", row


def main() -> None:
    print(f"| defect | class | {' | '.join(ENCODINGS)} |")
    print("|---|---|" + "---|" * len(ENCODINGS))
    for name, row in results(sys.argv[1:]):
        print(f"| {name}{' | –' if name == 'none' else ''} | {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
