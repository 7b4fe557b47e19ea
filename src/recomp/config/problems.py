"""Problems of a file, all of them at once, each where it stands."""

from __future__ import annotations

from typing import NamedTuple

from recomp.config.positions import Span
from recomp.errors import ConfigError


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
            line = self.source_line.replace("\t", " ")
            caret = " " * (self.span.column - 1) + "^" * self.span.length
            text += f"\n  {number} | {line}\n  {' ' * len(number)} | {caret}"
        return text


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
