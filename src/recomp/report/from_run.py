"""The page of a stored run: everything is read from the files that the run left, nothing is run again."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recomp.errors import FormatError
from recomp.report.page import Frame, write_report

if TYPE_CHECKING:
    import numpy as np

    from recomp.media.compare import HashLists

_MAX_JSON = 64 << 20
_STRIP = 12
_NEAR = 2  # frames: what is called the same moment in a strip


def report_run(
    manifest_path: Path | str,
    out: Path | str | None = None,
    *,
    title: str = "",
    history: Callable[[Mapping[str, Any] | None, float], Mapping[str, Sequence[str]]] | None = None,
) -> Path:
    """Write `report.html` beside `run-manifest.json` (or to `out`) and return its path.

    Uses what is there: the validation report and its pictures, key frames of both videos, the applied inputs, the
    lift's summary. `history` is asked with a timeline and a rate for the digests that each scene had before. Raises
    FormatError for a manifest or a report that is not JSON of its kind.
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
        reference_loudness=_reference_loudness(validation, base),
        history={} if history is None else history(*_clock(validation)),
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
    # Only one that this very run recorded: where a validation broke off, that of an earlier one still lies there.
    path = artifact(manifest, base, "validation-report")
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


def _clock(validation: Mapping[str, Any] | None) -> tuple[Mapping[str, Any] | None, float]:
    """The timeline and the rate that scenes are counted by."""
    video = (validation or {}).get("video") or {}
    return video.get("timeline"), float((video.get("reference") or {}).get("fps") or 60)


def _reference_video(validation: Mapping[str, Any] | None, base: Path) -> Path | None:
    """The reference's video where the report says so and it still is there."""
    path = (((validation or {}).get("video") or {}).get("reference") or {}).get("path")
    return _located(path, base) if isinstance(path, str) and path else None


def _strip(manifest: Mapping[str, Any], base: Path, validation: Mapping[str, Any] | None) -> list[Frame]:
    """A dozen pictures of the capture with their scene, and above each, where it has one, the reference's."""
    from recomp.media.compare import scene_at, scenes_of
    from recomp.media.video import key_frames
    from recomp.report.threads import capture_place, steps_of

    made = [artifact(manifest, base, role) for role in ("capture-video", "capture")]  # built in; by a command
    timeline, fps = _clock(validation)
    try:
        pictures = next((key_frames(video) for video in made if video is not None), [])
    except FormatError:  # what a command made may be anything
        return []
    scenes = scenes_of(timeline, fps)
    count = min(_STRIP, len(pictures))
    chosen = [pictures[k * len(pictures) // count] for k in range(count)]
    reference = _reference_video(validation, base)
    steps = steps_of((validation or {}).get("video") or {})
    try:
        found = [] if reference is None else key_frames(reference)
    except FormatError:
        found = []
    theirs = {capture_place(steps, tick): (tick, picture) for tick, picture in found}
    out = []
    for frame, picture in chosen:
        near = min(theirs, key=lambda place: abs(place - frame), default=None)
        tick, beside = theirs[near] if near is not None and abs(near - frame) <= _NEAR else (None, None)
        out.append(Frame(frame, scene_at(scenes, frame) or "", picture, tick, beside))
    return out


def _input_ticks(manifest: Mapping[str, Any], base: Path) -> list[int]:
    path = artifact(manifest, base, "recording", "inputs.jsonl")
    if path is None:
        return []
    from recomp.media.recording import parse_inputs

    return [event.tick for event in parse_inputs(path.read_bytes())]


def _reference_loudness(validation: Mapping[str, Any] | None, base: Path) -> list[float]:
    """As `_loudness`, of the first sound track of the reference's video."""
    path = _reference_video(validation, base)
    if path is None:
        return []
    from recomp.media.video import read_audio

    try:
        samples, rate = read_audio(path)
    except FormatError:
        return []
    return _peaks(samples.reshape(-1), max(1, rate // 60) * samples.shape[1])


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
    return _peaks(data, step)


def _peaks(data: np.ndarray, step: int) -> list[float]:
    import numpy as np

    whole = np.abs(data[: len(data) // step * step].astype(np.int32)).reshape(-1, step)
    return [round(float(peak) / 32768, 3) for peak in whole.max(axis=1)] if whole.size else []
