"""What of a key set must never be seen: its values. They are only read to be taken out of logs."""

from __future__ import annotations

from typing import Any

#: shorter values than this are no keys, and would blacken innocent text
SHORTEST = 16
REDACTED = "[redacted]"


def read_secrets(path: str | None) -> tuple[bytes, ...] | None:
    """The values of a key set (`name = hex digits`), lower case; longer ones first, as one may lie within another. None
    where a project has no key set."""
    if path is None:
        return None
    try:
        with open(path, "rb") as file:
            lines = file.read().splitlines()
    except OSError:
        return ()  # the check of the inputs will say so
    values = {line.partition(b"=")[2].strip().lower() for line in lines if b"=" in line}
    return tuple(sorted((value for value in values if len(value) >= SHORTEST), key=lambda v: (-len(v), v)))


def places_of_secrets(value: Any, secrets: tuple[bytes, ...], place: str = "") -> list[str]:
    """Where in TOML values a key stands, as `commands.run[1]`."""
    if isinstance(value, dict):
        items = [(item, f"{place}.{key}" if place else key) for key, item in value.items()]
        return [found for item, name in items for found in places_of_secrets(item, secrets, name)]
    if isinstance(value, list):
        return [found for n, item in enumerate(value) for found in places_of_secrets(item, secrets, f"{place}[{n}]")]
    text = value.lower().encode(errors="replace") if isinstance(value, str) else b""
    return [place] if any(secret in text for secret in secrets) else []
