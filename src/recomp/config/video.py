"""The video files of `[reference]` (contracts, section 6): reference, capture, and overrides of the validation."""

from __future__ import annotations

import re
from typing import Any

from recomp.config.document import Document
from recomp.config.types import Boolean, Either, Field, FilePath, Integer, ListOf, Number, Table, Text

_TIME = re.compile(r"(\d{1,3}):([0-5]\d):([0-5]\d)(\.\d{1,6})?")


def _time(text: str) -> str | None:
    return None if _TIME.fullmatch(text) else '"HH:MM:SS.mmm" or seconds'


_TIME_TYPE = Either(Text(check=_time), Number(minimum=0))
_TIME_TYPE.expects = '"HH:MM:SS.mmm" or seconds'

_VIDEO = Table({
    "path": Field(FilePath(), "The video file.", required=True),
    "width": Field(Integer(1, 16384), "Pixels.", required=True),
    "height": Field(Integer(1, 16384), "Pixels.", required=True),
    "fps": Field(Number(minimum=0.001), "Frames a second.", required=True),
})  # fmt: skip


def _hashes(*formats: str) -> Table:
    return Table({
        "format": Field(Text(*formats), "How the hashes are given.", required=True),
        "path": Field(FilePath(), "The list, the folder or the file.", required=True),
        "kind": Field(Text("bytes", "pixels"), "What was hashed: files, or decoded pixels.", default="bytes"),
    })  # fmt: skip


_HASHES = Table({
    "frames": Field(_hashes("list", "directory"), required=True),
    "audio": Field(_hashes("list", "file"), optional=True),
})  # fmt: skip

_THRESHOLDS = {
    "frame_match_ratio": Field(Number(0, 1), default=0.92),
    "audio_match_ratio": Field(Number(0, 1), default=0.90),
    "max_drift_frames": Field(Integer(0), default=3),
    "max_dropped_frames": Field(Integer(0), default=0),
    "max_audio_drift_chunks": Field(Integer(0)),
}

# Limits of the perceptual mode, each overriding the default of its name (docs/validation.md).
PERCEPTUAL_LIMITS = (
    "coverage_share", "dropped_share", "repeated_share", "gap_ticks", "stuck_share", "instant_deficit",
    "persistent_deficit", "scene_ssim_deficit", "colour_deficit", "update_rate_hz",
    "lead_ticks", "shift_px", "scale_share", "gain_error", "offset_levels", "bend_levels",
    "channel_correlation", "skew_early_ms", "skew_late_ms", "audio_drift_ppm", "prominence", "loudness_db",
    "momentary_db", "lsd_median_db", "lsd_p99_db", "crest_db", "dropout_ms",
)  # fmt: skip
_THRESHOLDS |= {name: Field(Number(0)) for name in PERCEPTUAL_LIMITS}
# A key that was once known stays one: what drifts was and is counted as dropped and repeated pictures.
_THRESHOLDS["drift_ppm"] = Field(Number(0), "Read, and without effect.")

REFERENCE_VIDEO = Table({
    "schema_version": Field(Text("2"), "Version of this file's schema.", required=True),
    "video": Field(_VIDEO, required=True),
    "normalization": Field(Table({
        "source_path": Field(FilePath()),
        "source_fps": Field(Number(minimum=0.001), "Frames a second that the recording had."),
        "source_start": Field(Number(0), "Second of the recording at which the reference begins."),
        "normalized_path": Field(FilePath()),
        "notes": Field(Text()),
        "profile": Field(Table({
            "width": Field(Integer(1)),
            "height": Field(Integer(1)),
            "fps": Field(Number(minimum=0.001)),
            "audio_sample_rate": Field(Integer(1)),
            "audio_channels": Field(Integer(1)),
        }), optional=True),
    }), optional=True),
    "timeline": Field(Table({
        "start": Field(_TIME_TYPE, default=0),
        "end": Field(_TIME_TYPE),
        "events": Field(ListOf(Table({
            "name": Field(Text(not_empty=True), required=True),
            "time": Field(_TIME_TYPE, required=True),
        })), default=[]),
    })),
    "hashes": Field(_HASHES, required=True),
    "inputs": Field(Table({
        "path": Field(FilePath(), "A run's inputs.jsonl, or lines TICK TYPE CODE VALUE.", required=True),
    }), "What was played while the reference was made.", optional=True),
    "validation": Field(Table({
        "name": Field(Text(not_empty=True), default="validation"),
        "notes": Field(Text(), default=""),
        "require_audio": Field(Boolean(), default=False),
        "mode": Field(Text("auto", "perceptual"), "auto: by the hashes; perceptual: by the videos.", default="auto"),
        "thresholds": Field(Table(_THRESHOLDS)),
    })),
})  # fmt: skip

CAPTURE_VIDEO = Table({
    "schema_version": Field(Text("1"), "Version of this file's schema.", required=True),
    "video": Field(_VIDEO, required=True),
    "hashes": Field(_HASHES, required=True),
})  # fmt: skip

VALIDATION_CONFIG = Table({
    "schema_version": Field(Text("1"), "Version of this file's schema.", required=True),
    "name": Field(Text(not_empty=True)),
    "notes": Field(Text()),
    "require_audio": Field(Boolean()),
    "thresholds": Field(Table({key: field._replace(default=None) for key, field in _THRESHOLDS.items()})),
})  # fmt: skip


def load_reference(document: Document) -> dict[str, Any]:
    """The checked values, times in seconds; problems are gathered in the document."""
    reference = document.check(REFERENCE_VIDEO)
    timeline = reference["timeline"]
    for table, key in (
        (timeline, "start"),
        (timeline, "end"),
        *((event, "time") for event in timeline["events"] or ()),
    ):
        table[key] = None if table[key] is None else seconds(table[key])
    if None not in (timeline["start"], timeline["end"]) and timeline["end"] < timeline["start"]:
        document.complain(("timeline", "end"), f"lies before timeline.start ({timeline['start']} s)")
    return reference


def load_capture(document: Document) -> dict[str, Any]:
    return document.check(CAPTURE_VIDEO)


def load_validation_config(document: Document) -> dict[str, Any]:
    return document.check(VALIDATION_CONFIG)


def seconds(value: str | int | float) -> float:
    """`HH:MM:SS.mmm`, or a number of seconds, in seconds."""
    if not isinstance(value, str):
        return float(value)
    hours, minutes, rest = value.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(rest)
