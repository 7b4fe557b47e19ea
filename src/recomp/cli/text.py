"""How things look on a terminal: colour, widths, errors."""

from __future__ import annotations

import os
import sys
from typing import Any, TextIO

from recomp.errors import RecompError

STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "blue": "34"}


def has_colour(stream: TextIO) -> bool:
    """NO_COLOR removes colour and nothing else; a stream that is no terminal has none."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def paint(text: str, style: str, stream: TextIO) -> str:
    return f"\x1b[{STYLES[style]}m{text}\x1b[0m" if has_colour(stream) else text


def print_error(error: RecompError) -> None:
    """`recomp: error: …` and, where there is one, `recomp: hint: …`; several problems one after the other."""
    sys.stdout.flush()
    problems = getattr(error, "problems", None)
    if problems is None:
        _print_one(error.message, error.hint)
        return
    for problem in problems:
        _print_one(problem.render(), problem.hint)
    if len(problems) > 1:
        print(f"recomp: {len(problems)} problems", file=sys.stderr)


def plain(error: RecompError) -> list[dict[str, Any]]:
    """Its problems, as --json has them."""
    problems = getattr(error, "problems", None)
    if problems is None:
        return [{"file": None, "line": None, "column": None, "where": "", "message": error.message, "hint": error.hint}]
    return [
        {
            "file": p.file, "line": p.span.line if p.span else None, "column": p.span.column if p.span else None,
            "where": p.where, "message": p.message, "hint": p.hint,
        }
        for p in problems
    ]  # fmt: skip


def _print_one(message: str, hint: str | None) -> None:
    print(f"recomp: {paint('error', 'red', sys.stderr)}: {printable(message)}", file=sys.stderr)
    if hint:
        print(f"recomp: {paint('hint', 'blue', sys.stderr)}: {printable(hint)}", file=sys.stderr)


def printable(text: str) -> str:
    """Without what a terminal would obey: control characters of a guest or a file show as escapes."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        c if c == "\n" or c.isprintable() else f"\\x{ord(c):02x}" if ord(c) < 256 else f"\\u{ord(c):04x}" for c in text
    )


def counted(count: int, thing: str) -> str:
    """`1 event`, `2 events`."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def terminal_width() -> int:
    """Columns of the terminal behind stderr; 80 where it does not say."""
    try:
        return os.get_terminal_size(2).columns or 80
    except OSError:
        return 80


def duration(seconds: float) -> str:
    if seconds < 0.0995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 99.95:
        return f"{seconds:.1f} s"
    return f"{int(seconds) // 60} min {int(seconds) % 60} s"


def shown(path: str) -> str:
    """A path as it is shortest from here."""
    relative = os.path.relpath(path)
    return relative if len(relative) < len(path) else path
