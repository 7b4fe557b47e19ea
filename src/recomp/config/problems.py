"""Problems of a file, all of them at once, each where it stands."""

from __future__ import annotations

from typing import NamedTuple

from recomp.config.positions import Span
from recomp.errors import ConfigError

WIDTH = 100
"""Characters of a line that are shown."""


class Problem(NamedTuple):
    """`where` is the dotted path of the value, or empty for the file as a whole."""

    file: str
    span: Span | None
    where: str
    message: str
    hint: str | None
    source_line: str | None

    def render(self) -> str:
        place = f"{self.file}:{self.span.line}:{self.span.column}" if self.span else self.file
        text = f"{place}: {self.where}: {self.message}" if self.where else f"{place}: {self.message}"
        if self.span and self.source_line is not None:
            number = str(self.span.line)
            line, column, length = _window(self.source_line, self.span.column - 1, self.span.length)
            text += f"\n  {number} | {line}\n  {' ' * len(number)} | {' ' * column}{'^' * length}"
        return text


def _window(line: str, column: int, length: int) -> tuple[str, int, int]:
    """What is shown of a line, and where in that the place is: a file may be a single line of megabytes."""
    line = line.replace("\t", " ")
    if len(line) <= WIDTH:
        return line, column, length
    start = max(0, min(column - WIDTH // 3, len(line) - WIDTH))
    shown = line[start : start + WIDTH]
    before, after = "…" if start else "", "…" if start + WIDTH < len(line) else ""
    return f"{before}{shown}{after}", len(before) + column - start, max(1, min(length, WIDTH - (column - start)))


class ConfigProblems(ConfigError):
    """Everything that is wrong with one or more files."""

    def __init__(self, problems: list[Problem]) -> None:
        first = problems[0]
        super().__init__(first.render(), hint=first.hint)
        self.problems = problems


def nearest(name: str, known: list[str]) -> str | None:
    """The known name that is most like `name`, if any is."""
    import difflib

    found = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.6)
    return found[0] if found else None


def describe_value(value: object) -> str:
    """What was found, as an error message says it."""
    if isinstance(value, bool):
        return f"the boolean {str(value).lower()}"
    if isinstance(value, str):
        return f'the string "{value}"' if len(value) <= 60 else f'the string "{value[:57]}…"'
    if isinstance(value, int):
        return f"the integer {value}"
    if isinstance(value, float):
        return f"the number {value}"
    if isinstance(value, list):
        return f"an array of {len(value)}"
    if isinstance(value, dict):
        return "a table"
    return f"the {type(value).__name__} {value}"
