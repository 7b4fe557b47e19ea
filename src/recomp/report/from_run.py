"""The page of a stored run: everything is read from the files that the run left, nothing is run again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recomp.errors import FormatError
from recomp.report.page import write_report

if TYPE_CHECKING:
    from recomp.media.compare import HashLists

_MAX_JSON = 64 << 20
_STRIP = 12


def report_run(manifest_path: Path | str, out: Path | str | None = None, *, title: str = "") -> Path:
    """Write `report.html` beside `run-manifest.json` (or to `out`) and return its path.

    Uses what is there: the validation report and its pictures, the capture's key frames, the applied inputs, the lift's
    summary. Raises FormatError for a manifest or a report that is not JSON of its kind.
    """
    manifest_path = Path(manifest_path)
    manifest = read_json(manifest_path)
    base = manifest_path.parent
    out = Path(out) if out is not None else base / "report.html"
    validation, folder = _validation(manifest, base)
    write_report(
        out,
        manifest,
        validation,
        folder=folder,
        coverage=_coverage(manifest, base),
        strip=_strip(manifest, base, validation),
        input_ticks=_input_ticks(manifest, base),
        loudness=_loudness(manifest, base),
        title=title,
    )
    return out


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object from a file of sane size."""
    try:
        if path.stat().st_size > _MAX_JSON:
            raise FormatError(f"{path}: found {path.stat().st_size} bytes, expected at most {_MAX_JSON}")
        value = json.loads(path.read_bytes())
    except OSError as error:
        raise FormatError(f"{path}: cannot read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{path}: is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise FormatError(f"{path}: found {type(value).__name__}, expected a JSON object")
    return value


def artifact(manifest: Mapping[str, Any], base: Path, role: str, name: str | None = None) -> Path | None:
    """Return the path of the first recorded artefact of a role (and file name), if its file is there."""
    for entry in manifest.get("artifacts") or ():
        if entry.get("role") == role and (name is None or Path(entry["path"]).name == name):
            path = _located(entry["path"], base)
            if path is not None:
                return path
    return None


def _located(path: str, base: Path) -> Path | None:
    """Manifest paths are relative to the config's folder: the manifest's own, or one above it."""
    return next((folder / path for folder in (base, *base.parents) if (folder / path).exists()), None)


def _validation(manifest: Mapping[str, Any], base: Path) -> tuple[dict[str, Any] | None, Path | None]:
    name = manifest.get("validation_report")
    path = _located(name, base) if name else artifact(manifest, base, "validation-report")
    return (None, None) if path is None else (read_json(path), path.parent / "pictures")


def validation_of_run(manifest: Mapping[str, Any], base: Path) -> dict[str, Any] | None:
    """Return the parsed validation report of a stored run; None if it compared nothing."""
    return _validation(manifest, base)[0]


def lists_of_run(manifest: Mapping[str, Any], base: Path) -> HashLists:
    """Return the hash lists of a stored run's capture. Raises FormatError if it left none."""
    from recomp.media.compare import HashLists
    from recomp.media.hashing import read_hash_list

    frames, sound = artifact(manifest, base, "frame-hashes"), artifact(manifest, base, "audio-hashes")
    if frames is None:
        raise FormatError(f"{base}: the run left no frame hashes, expected them among its artefacts")
    return HashLists(read_hash_list(frames), None if sound is None else read_hash_list(sound))


def _coverage(manifest: Mapping[str, Any], base: Path) -> dict[str, Any]:
    """The lift's summary, less its long lists."""
    path = artifact(manifest, base, "lift-summary")
    facts = read_json(path) if path is not None else {}
    return {key: value for key, value in facts.items() if not isinstance(value, list)}


def _strip(manifest: Mapping[str, Any], base: Path, validation: Mapping[str, Any] | None) -> list[tuple[int, str, Any]]:
    """A dozen pictures of the capture, each labelled with its scene."""
    video = artifact(manifest, base, "capture-video")
    if video is None:
        return []
    from recomp.media.compare import scene_at, scenes_of
    from recomp.media.video import key_frames

    timeline = ((validation or {}).get("video") or {}).get("timeline")
    fps = float((((validation or {}).get("video") or {}).get("reference") or {}).get("fps") or 60)
    scenes = scenes_of(timeline, fps)
    pictures = key_frames(video)
    count = min(_STRIP, len(pictures))
    chosen = [pictures[k * len(pictures) // count] for k in range(count)]
    return [(tick, scene_at(scenes, tick) or "", frame) for tick, frame in chosen]


def _input_ticks(manifest: Mapping[str, Any], base: Path) -> list[int]:
    path = artifact(manifest, base, "recording", "inputs.jsonl")
    if path is None:
        return []
    from recomp.media.recording import parse_inputs

    return [event.tick for event in parse_inputs(path.read_bytes())]


def _loudness(manifest: Mapping[str, Any], base: Path) -> list[float]:
    """Peak of the capture's sound at each tick of 1/60 s, in [0, 1]; () for a file that is not 16-bit PCM."""
    path = artifact(manifest, base, "capture-audio")
    if path is None:
        return []
    import wave

    import numpy as np

    try:
        with wave.open(str(path), "rb") as file:
            if file.getsampwidth() != 2:
                return []
            step = max(1, file.getframerate() // 60) * file.getnchannels()
            data = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    except (wave.Error, EOFError, OSError):
        return []
    whole = np.abs(data[: len(data) // step * step].astype(np.int32)).reshape(-1, step)
    return [round(float(peak) / 32768, 3) for peak in whole.max(axis=1)] if whole.size else []
