"""JSON Schemas (draft 2020-12) of every file: of those that people write from the tables that check them, of those that
recomp writes from here."""

from __future__ import annotations

from typing import Any

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_TEXT: dict[str, Any] = {"type": "string"}
_COUNT: dict[str, Any] = {"type": "integer", "minimum": 0}
_HEX = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_RUN_ID = {"type": "string", "pattern": "^run-[0-9a-f]{16}$"}
_TEXTS = {"type": "array", "items": _TEXT}


def _object(
    required: dict[str, Any], optional: dict[str, Any] | None = None, *, open_ended: bool = True
) -> dict[str, Any]:
    return {
        "type": "object", "required": list(required), "properties": {**required, **(optional or {})},
        **({} if open_ended else {"additionalProperties": False}),
    }  # fmt: skip


def _null_or(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


def _list(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": item}


_STEP = _object(
    {
        "name": _TEXT, "status": {"enum": ["succeeded", "failed"]}, "duration_ms": _COUNT,
        "stage_attempt": {"type": "integer", "minimum": 1}, "cache_hit": {"type": "boolean"}, "cache_key": _HEX,
    },
    {
        "command": _TEXTS, "stdout_path": _TEXT, "stderr_path": _TEXT, "outputs": _TEXTS, "notes": _TEXTS,
        "confinement": {"enum": ["landlock", "none"]},
        "origin": _object({"run_id": _RUN_ID, "host_fingerprint": _HEX, "stage_attempt": _COUNT}),
    },
)  # fmt: skip

_ARTIFACT = _object(
    {"path": _TEXT, "sha256": _HEX, "size": _COUNT, "role": _TEXT},
    {"class": {"enum": ["proprietary", "derived", "generated", "public"]}, "step": _TEXT},
)

RUN_MANIFEST = _object(
    {
        "schema_version": {"const": "1"}, "run_id": _RUN_ID, "execution_mode": {"enum": ["local", "cloud", "hybrid"]},
        "host_fingerprint": _HEX,
        "tool_versions": {
            "type": "object", "required": ["recomp_cli"], "additionalProperties": _null_or(_TEXT),
        },
        "input_fingerprint": _HEX,
        "inputs": _list(_object({"name": _TEXT, "path": _TEXT, "sha256": _HEX, "size": _COUNT})),
        "steps": _list(_STEP), "artifacts": _list(_ARTIFACT),
    },
    {
        "status": {"enum": ["running", "succeeded", "failed", "interrupted", "blocked"]},
        "validation_report": _TEXT, "rounds": {"type": "integer", "minimum": 1}, "policy": {"type": "object"},
    },
)  # fmt: skip

_COMPARISON = _null_or(_object({
    "matched": _COUNT, "compared": _COUNT, "match_ratio": {"type": "number"}, "offset": {"type": "integer"},
    "length_delta": {"type": "integer"}, "reference_total": _COUNT, "capture_total": _COUNT,
}))  # fmt: skip

VALIDATION_REPORT = _object({
    "total": _COUNT, "passed": _COUNT, "failed": _COUNT,
    "cases": _list(
        _object({"name": _TEXT, "status": {"enum": ["passed", "failed", "inconclusive"]}, "details": _TEXT})
    ),
    "video": _object({
        "status": _TEXT, "validation_config": {}, "normalization": {},
        "triage": _object({"status": _TEXT, "categories": {"type": "array"}, "findings": {"type": "array"},
                           "suggestions": {"type": "array"}}),
        "reference": {}, "capture": {}, "timeline": {}, "frame_comparison": _COMPARISON,
        "audio_comparison": _COMPARISON, "drift": {"type": "object"}, "failures": {"type": "array"},
    }),
})  # fmt: skip

EVENT = _object(
    {
        "schema_version": {"const": "1"}, "event": {"type": "string", "pattern": r"^recomp\.run\."}, "time": _TEXT,
        "run": _COUNT, "run_id": _null_or(_RUN_ID),
    },
    {"stage": _TEXT, "status": _TEXT, "cache_hit": {"type": "boolean"}, "cache_key": _HEX, "reason": _TEXT},
)  # fmt: skip

STATUS = _object({
    "schema_version": {"const": "1"}, "run": _COUNT, "run_id": _null_or(_RUN_ID),
    "state": {"enum": ["queued", "running", "blocked", "failed", "succeeded", "interrupted"]},
    "stage": _null_or(_TEXT), "pid": _COUNT, "pid_started": _null_or(_COUNT), "host": _TEXT,
    "requested_at": _TEXT, "updated_at": _TEXT,
    "stages_done": _COUNT, "stages_cached": _COUNT, "stages": _TEXTS, "error": _null_or(_TEXT),
})  # fmt: skip

_SEGMENT = _object(
    {"name": _TEXT, "base": _COUNT, "size": _COUNT},
    {
        "permissions": _object({}, {name: {"type": "boolean"} for name in ("read", "write", "execute")}),
        "init_path": _null_or(_TEXT), "init_size": _null_or(_COUNT), "zero_fill": {},
    },
)  # fmt: skip
_OP = _object({"op": _TEXT})

MODULE = _object({
    "arch": {"const": "aarch64"}, "segments": _list(_SEGMENT),
    "functions": _list(_object({"name": _TEXT}, {
        "ops": _list(_OP),
        "blocks": {"type": "array", "items": {"type": "object"}},
    })),
})  # fmt: skip

_CONTENT = {"oneOf": [
    _object({"text": _TEXT}, open_ended=False), _object({"base64": _TEXT}, open_ended=False),
]}  # fmt: skip
_CONTENTS = {"type": "object", "additionalProperties": _CONTENT}

MOCK_IMAGE = _object({
    "mock_image": {"const": "1"},
    "programs": {**_list(_object(
        {"program_id": {"type": "string", "pattern": "^[0-9a-f]{16}$"}}, {"exefs": _CONTENTS, "romfs": _CONTENTS},
    )), "minItems": 1},
})  # fmt: skip


def _tables() -> dict[str, Any]:
    from recomp.config import automation, batch, input_script, provenance, title, video

    return {
        "automation": automation.AUTOMATION,
        "title": title.TITLE,
        "provenance": provenance.PROVENANCE,
        "reference_video": video.REFERENCE_VIDEO,
        "capture_video": video.CAPTURE_VIDEO,
        "validation_config": video.VALIDATION_CONFIG,
        "input_script": input_script.INPUT_SCRIPT,
        "batch": batch.BATCH,
    }


_WRITTEN = {
    "run-manifest": RUN_MANIFEST,
    "validation-report": VALIDATION_REPORT,
    "event": EVENT,
    "status": STATUS,
    "module": MODULE,
    "mock_image": MOCK_IMAGE,
}


def names() -> list[str]:
    return [*_tables(), *_WRITTEN]


def schema(name: str) -> dict[str, Any] | None:
    """The schema of that name, or None."""
    tables = _tables()
    if name not in tables and name not in _WRITTEN:
        return None
    body = tables[name].schema() if name in tables else _WRITTEN[name]
    return {"$schema": DIALECT, "title": name, **body}
