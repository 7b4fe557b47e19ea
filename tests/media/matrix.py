"""Run the whole defect matrix and print it as the table of docs/validation.md; with `--update` put it there.

    python tests/media/matrix.py [--update] [DEFECT ...]

Exit code 1 if a clean capture did not pass.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from clips import ENCODINGS, SIZE, write_lossy
from defects import DEFECTS, Defect, clean

from recomp.media.perceptual import compare_perceptual
from recomp.media.video import write_lossless

DOC = Path(__file__).resolve().parents[2] / "docs" / "validation.md"
BEGIN, END = "<!-- matrix: made by tests/media/matrix.py --update -->", "<!-- /matrix -->"
HEADINGS = {
    "x264-crf23": "x264 crf 23",
    "x264-crf32": "x264 crf 32",
    "hevc-crf30": "HEVC crf 30",
    "vp9": "VP9",
    "x264-30fps": "x264 crf 23, 30 fps",
    "x264-crf32-30fps": "x264 crf 32, 30 fps",
    "hevc-30fps": "HEVC, 30 fps",
    "vp9-30fps": "VP9, 30 fps",
}


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
    return {"failed": "found", "note": "noted"}.get(named[0]["severity"], "open")


def results(names: list[str]) -> Iterator[tuple[str, str, list[str]]]:
    """Yield (what is planted, class, outcome in each encoding); first what becomes of the clean capture."""
    folder = Path(tempfile.mkdtemp(prefix="recomp-matrix-"))
    frames, samples = clean()
    references = {name: write_lossy(folder / name, frames, name, samples) for name in ENCODINGS}
    capture = folder / "capture.mov"
    if not names:
        write_lossless(capture, frames, SIZE, audio=(samples, 48000))
        yield "none", "–", [compare_perceptual(path, capture)["video"]["status"] for path in references.values()]
    for defect in DEFECTS:
        if names and defect.name not in names:
            continue
        pictures, sound = defect.plant(frames, samples)
        write_lossless(capture, pictures, SIZE, audio=(sound, 48000))
        row = []
        for path in references.values():
            report = compare_perceptual(path, capture, evidence=defect.evidence)
            row.append(judge(report, defect))
        yield defect.name, defect.expected, row


def main() -> int:
    names = [name for name in sys.argv[1:] if name != "--update"]
    head = [f"| planted | class | {' | '.join(HEADINGS[name] for name in ENCODINGS)} |"]
    head.append("|---|---|" + "---|" * len(ENCODINGS))
    print(*head, sep="\n")
    found: dict[str, str] = {}
    outcomes: Counter[str] = Counter()
    clean_ones: set[str] = set()
    for name, expected, row in results(names):
        found[name] = f"| {name} | {expected} | {' | '.join(row)} |"
        print(found[name], flush=True)
        if "--update" in sys.argv[1:]:
            update(head, found)
        if name == "none":
            clean_ones = set(row)
        else:
            outcomes.update(row)
    print(", ".join(f"{count} {outcome}" for outcome, count in outcomes.most_common()))
    return 1 if clean_ones - {"passed"} else 0


def update(head: list[str], found: dict[str, str]) -> None:
    """Put the table into the page, in the order of DEFECTS; rows of defects that were not run stay as they are."""
    before, rest = DOC.read_text(encoding="utf-8").split(BEGIN)
    old, after = rest.split(END)
    rows = {line.split("|")[1].strip(): line for line in old.strip().splitlines()[2:]} | found
    order = ["none", *(defect.name for defect in DEFECTS)]
    lines = [*head, *(rows[name] for name in order if name in rows)]
    DOC.write_text(f"{before}{BEGIN}\n{chr(10).join(lines)}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
