"""The picture pair of a divergence: reference, capture and what differs, as PNG files and as numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recomp.media.triage import rename, summarise
from recomp.media.video import write_png

if TYPE_CHECKING:
    import numpy as np

_PAIRS = 4  # written at most
_UNSHOWN = ("frame-pacing", "capture-incomplete", "capture-overlong")  # where a side has no picture of its own
_LATER = (0, 9, 30, 60)  # ticks after the first difference
_PART = 0.25  # share of the screen below which what differs for long is a part of it
_WHOLE_SCREEN = 0.5  # share of the screen from which on a difference is no longer called local


def write_pair(
    folder: Path | str, reference_frame: np.ndarray | None, capture_frame: np.ndarray | None, index: int
) -> dict[str, Any]:
    """Write `000123-reference.png`, `-capture.png` and `-difference.png`; return their names and what differs.

    Frames are (height, width, 4) uint8 RGBA; None = that side has no such frame, and then there is no difference
    picture. "box" is {"x", "y", "width", "height"} in pixels, "pixels" how many differ, "largest" by how much (0-255).
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    names: dict[str, Any] = {"index": index, "reference": None, "capture": None, "difference": None, "size": None}
    for side, frame in (("reference", reference_frame), ("capture", capture_frame)):
        if frame is not None:
            names[side] = f"{index:06d}-{side}.png"
            write_png(folder / names[side], frame)
            names["size"] = names["size"] or {"width": frame.shape[1], "height": frame.shape[0]}
    if reference_frame is None or capture_frame is None or reference_frame.shape != capture_frame.shape:
        return {**names, "box": None, "pixels": None, "largest": None}
    difference = absolute_difference(reference_frame, capture_frame)
    names["difference"] = f"{index:06d}-difference.png"
    write_png(folder / names["difference"], visible(difference))
    return {**names, **measure(difference)}


def add_pictures(
    report: dict[str, Any],
    folder: Path | str,
    reference_frame: Callable[[int], np.ndarray],
    capture_frame: Callable[[int], np.ndarray],
) -> dict[str, Any] | None:
    """Write the pair of the report's first divergent frame and put its names and numbers into the report.

    The callables return picture `index` of their side and are only called for indices that exist. Returns what was
    added as `video.first_divergence.pictures`, or None where nothing diverges.
    """
    video = report["video"]
    first = video.get("first_divergence")
    if first is None:
        return None
    sides: list[np.ndarray | None] = []
    for side, read in (("reference", reference_frame), ("capture", capture_frame)):
        index = first[f"{side}_index"]
        exists = index < video["frame_comparison"][f"{side}_total"]
        # A recording of another rate has fewer pictures than ticks.
        sides.append(read(first.get(f"{side}_picture", index)) if exists else None)
    first["pictures"] = write_pair(folder, sides[0], sides[1], first["reference_index"])
    if video["mode"] == "perceptual":
        # Every pixel of a lossy recording differs a little: the place is the one that the gates found.
        first["pictures"] |= {"box": first.get("box"), "pixels": None, "largest": None}
    totals = video["frame_comparison"]
    written = {first["reference_index"]: first["pictures"]}
    for finding in video["triage"]["findings"]:
        tick, frame = finding["first_tick"], finding.get("capture_index")
        if finding["class"].startswith("audio") or finding.get("severity", "failed") not in ("failed", "explained"):
            continue
        has_both = frame is not None and frame < totals["capture_total"] and tick < totals["reference_total"]
        if tick not in written and has_both and len(written) < _PAIRS and finding["class"] not in _UNSHOWN:
            written[tick] = write_pair(
                folder, reference_frame(finding.get("reference_picture", tick)), capture_frame(frame), tick
            )
        if tick in written:
            finding["pictures"] = {side: written[tick][side] for side in ("reference", "capture", "difference")}
            if video["mode"] != "perceptual":
                _refine(finding, written[tick])
                if finding["class"] == "state-divergence" and _stays_local(
                    finding, totals, reference_frame, capture_frame
                ):
                    rename(finding, "local-render")
    if video["mode"] != "perceptual":
        summarise(video["triage"])
    return first["pictures"]


def _stays_local(
    finding: Mapping[str, Any],
    totals: Mapping[str, int],
    reference_frame: Callable[[int], np.ndarray],
    capture_frame: Callable[[int], np.ndarray],
) -> bool:
    """Whether what differs is a part of the picture, also a little later: a missing sprite is no other state."""
    delay = finding["capture_index"] - finding["first_tick"]
    for later in _LATER:
        tick = finding["first_tick"] + later
        if tick >= totals["reference_total"] or not 0 <= tick + delay < totals["capture_total"]:
            break
        ours, theirs = reference_frame(tick), capture_frame(tick + delay)
        box = measure(absolute_difference(ours, theirs))["box"] if ours.shape == theirs.shape else None
        if box is None or box["width"] * box["height"] >= _PART * ours.shape[0] * ours.shape[1]:
            return False
    return True


def absolute_difference(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """|a - b| of the colour channels: (height, width, 3) uint8."""
    import numpy as np

    a, b = a[..., :3], b[..., :3]
    return np.maximum(a, b) - np.minimum(a, b)


def visible(difference: np.ndarray) -> np.ndarray:
    """Make a difference picture that shows a difference of one level as well as one of 255, on black."""
    import numpy as np

    table = np.concatenate([[0], np.linspace(96, 255, 255)]).astype(np.uint8)
    return table[difference]


def measure(difference: np.ndarray) -> dict[str, Any]:
    """Return {"box", "pixels", "largest"} of a difference picture."""
    import numpy as np

    differs = np.asarray(difference.any(axis=2))
    if not differs.any():
        return {"box": None, "pixels": 0, "largest": 0}
    rows, columns = np.flatnonzero(differs.any(axis=1)), np.flatnonzero(differs.any(axis=0))
    x, y = int(columns[0]), int(rows[0])
    box = {"x": x, "y": y, "width": int(columns[-1]) - x + 1, "height": int(rows[-1]) - y + 1}
    return {"box": box, "pixels": int(differs.sum()), "largest": int(difference.max())}


def _refine(finding: dict[str, Any], pictures: Mapping[str, Any]) -> None:
    """Say in a finding what its pair shows: where, and whether it is a part of the picture only."""
    box, size = pictures["box"], pictures["size"]
    if box is None:
        return
    where = f"{box['width']}x{box['height']} px at ({box['x']}, {box['y']})"
    finding["box"] = box
    finding["message"] += f"; {where} differ, by up to {pictures['largest']}"
    local = box["width"] * box["height"] < _WHOLE_SCREEN * size["width"] * size["height"]
    if finding["class"] == "render-difference" and local:
        rename(finding, "local-render")
