"""Where each key and value of a TOML file stands. `tomllib` keeps no positions, so this reads the text beside it.

It is only used to point at problems, on text that `tomllib` has accepted, so that it need not check anything itself.
Lines and columns count from 1; columns are characters.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from recomp.config.types import Path


class Span(NamedTuple):
    """Where something starts, and how many characters of that line it takes."""

    line: int
    column: int
    length: int


class Place(NamedTuple):
    key: Span
    value: Span


_SPACE = re.compile(r"[ \t]*")
_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_STRINGS = (  # longest delimiters first
    re.compile(r'"""(?:[^\\]|\\.)*?"{3,5}', re.DOTALL),
    re.compile(r"'''.*?'{3,5}", re.DOTALL),
    re.compile(r'"(?:[^"\\\n]|\\.)*"'),
    re.compile(r"'[^'\n]*'"),
)
_SCALAR = re.compile(r"[^,\]}#\n]+")


def scan(text: str) -> dict[Path, Place]:
    """The place of every key, table and array element by its path. A header's place is that of the table's name."""
    return _Scanner(text).document()


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.places: dict[Path, Place] = {}
        self.array_counts: dict[Path, int] = {}
        self.line_starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def document(self) -> dict[Path, Place]:
        table: Path = ()
        self._skip(_BLANK)
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._skip(_BLANK)
        return self.places

    def _header(self) -> Path:
        is_array = self.text.startswith("[[", self.at)
        self.at += 2 if is_array else 1
        keys = self._dotted_key()
        self.at += 2 if is_array else 1
        path: Path = ()
        for position, (key, span) in enumerate(keys):
            path += (key,)
            is_last = position == len(keys) - 1
            self.places.setdefault(path, Place(span, span))
            if is_last and is_array:
                index = self.array_counts.get(path, 0)
                self.array_counts[path] = index + 1
                path += (index,)
                self.places[path] = Place(span, span)
            elif path in self.array_counts:
                path += (self.array_counts[path] - 1,)
        return path

    def _pair(self, table: Path) -> None:
        keys = self._dotted_key()
        self.at += 1  # the equals sign
        self._skip(_SPACE)
        path = table
        for key, span in keys:
            path += (key,)
            self.places.setdefault(path, Place(span, span))
        value = self._value(path)
        self.places[path] = Place(self.places[path].key, value)

    def _dotted_key(self) -> list[tuple[str, Span]]:
        keys = []
        while True:
            self._skip(_SPACE)
            start = self.at
            quoted = self._string()
            if quoted is None:
                match = _BARE_KEY.match(self.text, self.at)
                assert match is not None, f"no key at offset {self.at} [this is a bug]"
                self.at = match.end()
                quoted = match.group()
            keys.append((quoted, self._span(start, self.at)))
            self._skip(_SPACE)
            if self.text[self.at] != ".":
                return keys
            self.at += 1

    def _string(self) -> str | None:
        """Read a string if one starts here; its value, without escapes resolved unless it has some."""
        for pattern in _STRINGS:
            match = pattern.match(self.text, self.at)
            if match:
                self.at = match.end()
                raw = match.group()
                return _unquote(raw)
        return None

    def _value(self, path: Path) -> Span:
        start = self.at
        if self.text[self.at] == "[":
            self._array(path)
        elif self.text[self.at] == "{":
            self._inline_table(path)
        elif self._string() is None:
            match = _SCALAR.match(self.text, self.at)
            assert match is not None, f"no value at offset {self.at} [this is a bug]"
            self.at += len(match.group().rstrip())
        return self._span(start, self.at)

    def _array(self, path: Path) -> None:
        self.at += 1
        index = 0
        self._skip(_BLANK)
        while self.text[self.at] != "]":
            value = self._value((*path, index))
            self.places[(*path, index)] = Place(value, value)
            index += 1
            self._skip_separator()
        self.at += 1

    def _inline_table(self, path: Path) -> None:
        self.at += 1
        self._skip(_BLANK)
        while self.text[self.at] != "}":
            self._pair(path)
            self._skip_separator()
        self.at += 1

    def _skip_separator(self) -> None:
        self._skip(_BLANK)
        if self.text[self.at] == ",":
            self.at += 1
            self._skip(_BLANK)

    def _skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self.text, self.at)
        self.at = match.end() if match else self.at

    def _span(self, start: int, end: int) -> Span:
        from bisect import bisect_right

        line = bisect_right(self.line_starts, start)
        column = start - self.line_starts[line - 1] + 1
        rest_of_line = self.text.find("\n", start)
        line_end = len(self.text) if rest_of_line < 0 else rest_of_line
        return Span(line, column, max(1, min(end, line_end) - start))


def _unquote(raw: str) -> str:
    if "\\" not in raw and not raw.startswith(('"""', "'''")):
        return raw[1:-1]
    import tomllib

    return tomllib.loads("s = " + raw)["s"]
