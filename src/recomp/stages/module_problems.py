"""What is wrong with a portable `module.json`: all of its problems, each where it is."""

from __future__ import annotations

import json
import re
from typing import Any

from recomp.config.json_positions import scan_json
from recomp.config.positions import Span
from recomp.config.problems import Problem
from recomp.config.types import Path
from recomp.errors import FormatError

_WHERE = re.compile(r"(?:segments|functions)\[\d+\](?:\.\w+(?:\[\d+\])?)*")
_PART = re.compile(r"(\w+)|\[(\d+)\]")
#: of these a file is no better explained by more of them
MOST_PROBLEMS = 20


def module_problems(data: bytes, name: str) -> list[Problem]:
    """All problems of a module in the portable form; none for one that can be read, or that is of the dense form."""
    from recomp.emit.ops_module import decode_ops_module

    try:
        text = data.decode("utf-8-sig")
        root = json.loads(text)
    except (ValueError, RecursionError) as error:
        return [_syntax_problem(data, name, error)]
    if isinstance(root, dict) and root.get("form") == "a64":
        return []
    messages: list[str] = []
    try:
        decode_ops_module(data, messages)
    except FormatError as error:
        messages.append(error.message)
    if not messages:
        return []
    places = scan_json(text)
    found = [_problem(message, name, text, places) for message in messages[:MOST_PROBLEMS]]
    if len(messages) > MOST_PROBLEMS:
        found.append(Problem(name, None, "", f"and {len(messages) - MOST_PROBLEMS} problems more", None, None))
    return found


def _problem(message: str, name: str, text: str, places: dict[Path, Any]) -> Problem:
    message = message.removeprefix("module: ")
    match = _WHERE.match(message)
    where = match.group() if match else ""
    path: Path = tuple(int(number) if number else word for word, number in _PART.findall(where))
    rest = message[len(where) :].lstrip(": ")
    member, _, _ = rest.partition(":")
    place = places.get((*path, member)) or places.get(path) or places[()]
    line = text.split("\n")[place.value.line - 1]
    return Problem(name, place.value, where, rest, None, line)


def _syntax_problem(data: bytes, name: str, error: Exception) -> Problem:
    if isinstance(error, json.JSONDecodeError):
        line = data.decode("utf-8-sig").split("\n")[error.lineno - 1]
        message = f"is not JSON: {error.msg[:1].lower()}{error.msg[1:]}"
        return Problem(name, Span(error.lineno, error.colno, 1), "", message, None, line)
    return Problem(name, None, "", f"is not JSON: {error}", None, None)
