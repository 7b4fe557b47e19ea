"""Build the report page: facts in, one self-contained HTML file out.

Python decides what is said (`_model`), `page.html.j2` where it stands, `page.css` how it looks, `page.js` what keys do.
Everything is escaped by the template engine; the page may load nothing (its policy allows data: pictures and the one
script whose hash it names), so a hostile file name in a manifest stays text.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from recomp.errors import FormatError
from recomp.report.facts import comparison_rows, coverage_rows, measured_rows, scene_rows, stage_rows, verdict
from recomp.report.threads import draw_threads
from recomp.report.timeline import draw_timeline

if TYPE_CHECKING:
    import jinja2
    import numpy as np

_HERE = Path(__file__).parent
_PICTURE_BUDGET = 500_000
"""Bytes of one picture in the page; above it the copy shown is lossy and says so (the PNG beside the report is not)."""
_STRIP_WIDTH = 200  # pixels of a film strip picture


class Frame(NamedTuple):
    """A picture of the film strip: frame and scene of the capture, (height, width, 4) uint8 RGBA; and the reference's
    tick and picture of that moment, None where it has none."""

    number: int
    label: str
    picture: np.ndarray
    reference_tick: int | None = None
    reference: np.ndarray | None = None


def write_report(
    path: Path | str,
    manifest: Mapping[str, Any],
    validation: Mapping[str, Any] | None,
    *,
    folder: Path | str | None = None,
    coverage: Mapping[str, Any] | None = None,
    strip: Sequence[Frame] = (),
    input_ticks: Sequence[int] = (),
    loudness: Sequence[float] = (),
    reference_loudness: Sequence[float] = (),
    history: Mapping[str, Sequence[str]] | None = None,
    title: str = "",
) -> None:
    """Write the report page of one run, whole or not at all.

    `manifest` and `validation` are the parsed run-manifest.json and validation-report.json (None: nothing to compare).
    `folder` is where the pictures that the validation names lie; `coverage` the lift's summary; `input_ticks` the ticks
    with input; `loudness` and `reference_loudness` the peak in [0, 1] at each tick; `history` the digests that each
    scene had before.
    """
    path = Path(path)
    scratch = path.with_name(f".{path.name}.part")
    page = render(
        manifest,
        validation,
        folder=folder,
        coverage=coverage,
        strip=strip,
        input_ticks=input_ticks,
        loudness=loudness,
        reference_loudness=reference_loudness,
        history=history,
        title=title,
    )
    scratch.write_text(page, encoding="utf-8")
    os.replace(scratch, path)


@functools.cache
def template(name: str = "page.html.j2") -> jinja2.Template:
    """A page's template, compiled: that takes longer than to render one, and a batch renders many."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = lambda value: f"{value:,}".replace(",", "\u202f")
    environment.filters["truncate_list"] = _shortened
    return environment.get_template(name)


def render(
    manifest: Mapping[str, Any],
    validation: Mapping[str, Any] | None,
    *,
    folder: Path | str | None = None,
    coverage: Mapping[str, Any] | None = None,
    strip: Sequence[Frame] = (),
    input_ticks: Sequence[int] = (),
    loudness: Sequence[float] = (),
    reference_loudness: Sequence[float] = (),
    history: Mapping[str, Sequence[str]] | None = None,
    title: str = "",
) -> str:
    """Return the page that `write_report` writes."""
    script = (_HERE / "page.js").read_text(encoding="utf-8")
    video = (validation or {}).get("video")
    return template().render(
        title=title or "recomp",
        style=(_HERE / "page.css").read_text(encoding="utf-8"),
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        run_id=manifest.get("run_id", ""),
        verdict=verdict(validation, manifest),
        pair=_pair(video, Path(folder)) if video and folder is not None else None,
        strip=[_strip_pair(entry, video) for entry in strip],
        threads=draw_threads(video) if video and strip else None,
        timeline=draw_timeline(video, input_ticks, loudness, reference_loudness) if video else None,
        scenes=scene_rows(video, history or {}) if video else [],
        findings=video["triage"]["findings"] if video else [],
        comparisons=comparison_rows(video) if video else [],
        gates=video.get("gates", []) if video else [],
        measured=measured_rows(video) if video else [],
        stages=stage_rows(manifest.get("steps", [])),
        coverage=coverage_rows(coverage or {}),
        manifest=manifest,
        video=video,
    )


def _shortened(labels: Sequence[str]) -> str:
    """The first few of a list, and how many more there are."""
    more = f" and {len(labels) - 4} more" if len(labels) > 4 else ""
    return ", ".join(labels[:4]) + more


def _pair(video: Mapping[str, Any], folder: Path) -> dict[str, Any] | None:
    """The first divergent pair, ready to show; None where nothing diverges or no pictures were written."""
    first = video.get("first_divergence") or {}
    pictures = first.get("pictures")
    if not pictures:
        return None
    sides = {side: _load(folder, pictures[side]) for side in ("reference", "capture") if pictures.get(side)}
    if not sides:
        return None
    return {
        "first": first,
        "pictures": pictures,
        "both": len(sides) == 2,
        **{"reference": None, "capture": None},
        **sides,
    }


def _load(folder: Path, name: str) -> dict[str, Any]:
    from PIL import Image, UnidentifiedImageError

    if Path(name).name != name:
        raise FormatError(f"report: found picture {name!r}, expected a file name without a folder")
    try:
        with Image.open(folder / name) as picture:
            image = picture.convert("RGB")
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise FormatError(f"{folder / name}: cannot read picture: {error}") from error
    data = _webp(image, lossless=True)
    exact = len(data) <= _PICTURE_BUDGET
    quality = 90
    while not exact and len(data) > _PICTURE_BUDGET and quality > 10:
        data = _webp(image, quality=quality)
        quality -= 20
    return {"uri": _uri(data), "exact": exact, "name": name, "width": image.width, "height": image.height}


def _strip_pair(frame: Frame, video: Mapping[str, Any] | None) -> dict[str, Any]:
    """Both pictures of a moment; `off` where the report found it to differ."""
    above = None if frame.reference is None else _strip_picture(frame.reference_tick or 0, "", frame.reference)
    return {**_strip_picture(frame.number, frame.label, frame.picture), "above": above, "off": _is_off(frame, video)}


def _is_off(frame: Frame, video: Mapping[str, Any] | None) -> bool:
    runs = (((video or {}).get("frame_comparison") or {}).get("edits") or {}).get("runs", ())
    if any(
        r["kind"] != "delete" and r["capture_start"] <= frame.number < r["capture_start"] + r["count"] for r in runs
    ):
        return True
    found = ((video or {}).get("triage") or {}).get("findings", ()) if (video or {}).get("mode") == "perceptual" else ()
    tick = frame.number if frame.reference_tick is None else frame.reference_tick
    shown = [f for f in found if f.get("severity") in ("failed", "explained") and not f["class"].startswith("audio")]
    return any(not f["ticks"] or f["first_tick"] <= tick < f["first_tick"] + f["ticks"] for f in shown)


def _strip_picture(tick: int, label: str, frame: np.ndarray) -> dict[str, Any]:
    import numpy as np
    from PIL import Image

    image = Image.fromarray(np.ascontiguousarray(frame[..., :3]))
    height = max(1, round(image.height * _STRIP_WIDTH / image.width))
    small = image.resize((_STRIP_WIDTH, height), Image.Resampling.BOX)
    return {
        "tick": tick,
        "label": label,
        "uri": _uri(_webp(small, quality=80)),
        "height": height,
        "width": _STRIP_WIDTH,
    }


def _webp(image: Any, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format="WEBP", method=4, **options)
    return buffer.getvalue()


def _uri(data: bytes) -> str:
    return "data:image/webp;base64," + base64.b64encode(data).decode()
