"""`recomp reference normalize` and `recomp reference record`: where references come from."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from recomp.cli.open import open_layout
from recomp.config import project as projects
from recomp.config.video import seconds
from recomp.errors import ConfigError


def command(options: argparse.Namespace) -> int:
    made = _normalize(options) if options.action == "normalize" else _record(options)
    print(os.path.relpath(made))
    return 0


def _normalize(options: argparse.Namespace) -> Path:
    from recomp.media.reference import Plan, Profile, normalize

    if options.video is None:
        raise ConfigError("reference normalize: found no VIDEO, expected a recording")
    width, height = _numbers(options.size, "x", 2, "--size", "1280x720")
    plan = Plan(
        start=_time(options.start, "--start") or 0.0,
        end=_time(options.end, "--end"),
        markers=[_marker(text) for text in options.marker],
        crop=None if options.crop is None else _crop(options.crop),
        audio_track=options.audio_track,
        name=options.name,
        thresholds={} if options.update_rate is None else {"update_rate_hz": options.update_rate},
    )
    _check_place(options.to, "reference.mkv")
    made = normalize(options.video, options.to, Profile(width=width, height=height, fps=options.fps), plan)
    _note_rate(made, options)
    return made


def _note_rate(made: Path, options: argparse.Namespace) -> None:
    """A slow recording leaves a question that only the person can answer: better now than after the first run."""
    import tomllib

    found = tomllib.loads(made.read_text(encoding="utf-8"))["normalization"]["source_fps"]
    if found < 0.9 * options.fps and options.update_rate is None:
        print(
            f"recomp: note: a recording of {found:.0f} a second cannot tell how often the game draws: say so with "
            f"--update-rate {found:.0f}, or {options.fps} if it draws every tick",
            file=sys.stderr,
        )


def _record(options: argparse.Namespace) -> Path:
    """The last run of a project, as the reference of the next ones."""
    from recomp.media.clip import read_facts
    from recomp.media.reference import record
    from recomp.report.from_run import artifact, read_json

    project = projects.load(options.config)
    manifest_path = Path(open_layout(options.config).run_manifest)
    manifest = read_json(manifest_path)
    video = artifact(manifest, manifest_path.parent, "capture-video") or Path(project.settings.video_path)
    frames = artifact(manifest, manifest_path.parent, "frame-hashes")
    if frames is None or not video.exists():
        missing = "frame hashes" if frames is None else "capture"
        raise ConfigError(f"reference record: the last run left no {missing}", hint="run recomp automate first")
    facts = read_facts(video)
    rate = round(facts.rate)
    markers = [(mark["name"], mark["tick"] / 60) for mark in (project.script or {}).get("markers", ())]
    sound = artifact(manifest, manifest_path.parent, "audio-hashes")
    size = (facts.width, facts.height)
    roles = ("recording", "run")  # of the built-in run, of a command
    logs = [artifact(manifest, manifest_path.parent, role, "inputs.jsonl") for role in roles]
    inputs = next((path for path in logs if path is not None), None)
    _check_place(options.to, f"reference{video.suffix}")
    return record(
        video, frames, sound, options.to, size=size, fps=rate, markers=markers, name=options.name, inputs=inputs
    )


def _check_place(folder: str, video: str) -> None:
    """The video is the game's; lists of hashes may be published."""
    from recomp.engine.separation import check_separation

    check_separation((), (os.path.join(os.path.abspath(folder), video),))


def _time(text: str | None, option: str) -> float | None:
    if text is None:
        return None
    try:
        return seconds(text if ":" in text else float(text))
    except ValueError:
        raise ConfigError(f"{option}: found {text!r}, expected HH:MM:SS.mmm or seconds") from None


def _marker(text: str) -> tuple[str, float]:
    name, equals, time = text.partition("=")
    value = _time(time, "--marker") if equals and name else None
    if value is None:
        raise ConfigError(f"--marker: found {text!r}, expected NAME=TIME")
    return name, value


def _crop(text: str) -> tuple[int, int, int, int]:
    x, y, width, height = _numbers(text, ",", 4, "--crop", "240,0,1440,1080")
    return x, y, width, height


def _numbers(text: str, separator: str, count: int, option: str, example: str) -> list[int]:
    parts = text.split(separator)
    if len(parts) != count or not all(part.strip().isdecimal() and len(part) < 10 for part in parts):
        raise ConfigError(f"{option}: found {text!r}, expected such as {example}")
    return [int(part) for part in parts]
