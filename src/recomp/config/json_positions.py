"""Where each value of a JSON file stands, on text that `json` has accepted; the twin of `positions` for TOML."""

from __future__ import annotations

import json
import re
from bisect import bisect_right

from recomp.config.positions import Place, Span
from recomp.config.types import Path

_SPACE = re.compile(r"[ \t\r\n]*")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_SCALAR = re.compile(r"[^,\]}\s]+")


def scan_json(text: str) -> dict[Path, Place]:
    """The place of every member and element by its path; the whole value has the empty path. Not recursive: what
    `json` could read, this can."""
    starts = [0, *(match.end() for match in re.finditer("\n", text))]
    places: dict[Path, Place] = {}

    def span(start: int, end: int) -> Span:
        line = bisect_right(starts, start)
        line_end = starts[line] - 1 if line < len(starts) else len(text)
        return Span(line, start - starts[line - 1] + 1, max(1, min(end, line_end) - start))

    def note(path: Path, key: Span | None, start: int, end: int) -> None:
        value = span(start, end)
        places[path] = Place(key or value, value)

    open_values: list[tuple[Path, Span | None, int, bool, int]] = []  # path, key, start, is an object, elements so far
    path: Path = ()
    key: Span | None = None
    at = _skip(text, 0)
    while True:
        if text[at] in "[{":
            open_values.append((path, key, at, text[at] == "{", 0))
            at = _skip(text, at + 1)
        else:
            match = _STRING.match(text, at) or _SCALAR.match(text, at)
            assert match is not None, f"no value at offset {at} [this is a bug]"
            note(path, key, at, match.end())
            at = _skip(text, match.end())
        while open_values and text[at] in ",]}":
            if text[at] == ",":
                at = _skip(text, at + 1)
                break
            closed, closed_key, start, _, _ = open_values.pop()
            at += 1
            note(closed, closed_key, start, at)
            at = _skip(text, at)
        if not open_values:
            return places
        parent, parent_key, start, is_object, count = open_values.pop()
        open_values.append((parent, parent_key, start, is_object, count + 1))
        key = None
        if is_object:
            name = _STRING.match(text, at)
            assert name is not None, f"no member at offset {at} [this is a bug]"
            key = span(at, name.end())
            path = (*parent, json.loads(name.group()))
            at = _skip(text, _skip(text, name.end()) + 1)  # the colon
        else:
            path = (*parent, count)


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    assert match is not None
    return match.end()
