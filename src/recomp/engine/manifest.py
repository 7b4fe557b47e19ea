"""`run-manifest.json`: what a run did (docs/run-manifest.md, contracts section 4).

Two runs from the same inputs differ in nothing but durations, attempts and cache hits, so that no time of day and no
name of this machine is in it. It is written whole to a temporary name, synced and renamed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

from recomp.engine.canonical import digest
from recomp.engine.files import has_keys, write_atomic

SCHEMA_VERSION = "1"


def host_fingerprint() -> str:
    """64 hex digits that tell this host from others, and nothing about it."""
    system = os.uname()
    try:
        with open("/etc/machine-id", encoding="ascii", errors="replace") as file:
            machine_id = file.read().strip()
    except OSError:
        machine_id = ""
    return digest(["host", system.sysname, system.machine, system.nodename, machine_id])


def run_id(input_fingerprint: str, signature: str) -> str:
    """`run-` and 16 hex digits: the same inputs and configuration have the same one."""
    return "run-" + digest(["run", input_fingerprint, signature])[:16]


class Lines:
    """The lines of elements that stay as they are from one manifest to the next: a run's artifacts."""

    def __init__(self) -> None:
        self._of: dict[int, tuple[Any, str]] = {}

    def line(self, element: Any) -> str:
        known = self._of.get(id(element))
        if known is None:
            known = self._of[id(element)] = (element, _one_line(element))  # held, so that its id stays its own
        return known[1]


def encode(manifest: dict[str, Any], artifacts: Lines | None = None) -> bytes:
    """A line a key, a line an element of a list, keys in the order of the document: `json` indents ten times slower."""
    line_of = {"artifacts": artifacts.line} if artifacts else {}
    lines = [f"  {json.dumps(key)}: {_value(value, line_of.get(key, _one_line))}" for key, value in manifest.items()]
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode()


def _value(value: Any, line: Callable[[Any], str]) -> str:
    if isinstance(value, list) and value:
        return "[\n" + ",\n".join("    " + line(item) for item in value) + "\n  ]"
    return _one_line(value)


#: one encoder for all lines: `json.dumps` with an option makes another for each
_one_line = json.JSONEncoder(ensure_ascii=False).encode


def write(path: str, manifest: dict[str, Any], artifacts: Lines | None = None) -> bytes:
    """Replace the manifest, unless it is there already; its bytes."""
    data = encode(manifest, artifacts)
    try:
        with open(path, "rb") as file:
            if file.read() == data:
                return data
    except OSError:
        pass
    os.makedirs(os.path.dirname(path), exist_ok=True)
    write_atomic(path, data)
    return data


def read(path: str) -> dict[str, Any] | None:
    """The manifest, or None if there is none that can be read."""
    try:
        with open(path, "rb") as file:
            value = json.load(file)
    except (OSError, ValueError, RecursionError):
        return None
    if not has_keys(value, {"schema_version": str, "steps": list}) or value["schema_version"] != SCHEMA_VERSION:
        return None
    return value if all(has_keys(step, {"name": str, "cache_key": str}) for step in value["steps"]) else None
