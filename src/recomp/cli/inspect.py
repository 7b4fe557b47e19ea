"""`recomp inspect`: what a file is and what is in it, for a person or as JSON."""

from __future__ import annotations

import argparse
import hashlib
import json
from typing import Any

from recomp.cli.text import printable
from recomp.errors import ConfigError, FormatError
from recomp.formats.describe import describe

#: keys whose numbers are places, and those whose numbers are bytes
_PLACES = {"offset", "entry", "dynamic", "bss_start", "bss_end", "eh_frame_hdr", "eh_frame"}
_BYTES = {"size", "memory", "file_size", "contents", "nacp", "stack", "system_resource"}
_SHOWN = 500


def command(options: argparse.Namespace) -> int:
    try:
        with open(options.file, "rb") as file:
            data = file.read()
    except OSError as error:
        raise ConfigError(f"{options.file}: cannot be read: {error.strerror}") from error
    try:
        facts = describe(data)
    except FormatError as error:
        raise FormatError(f"{options.file}: {error.message}", hint=error.hint) from error
    facts["sha256"] = hashlib.sha256(data).hexdigest()
    if options.json:
        print(json.dumps(facts, indent=2, ensure_ascii=False))
    else:
        print("\n".join(text_of_facts(options.file, facts)))
    return 0


def text_of_facts(name: str, facts: dict[str, Any]) -> list[str]:
    """The lines for a person: single facts in one column, lists as tables below them."""
    head = f"{printable(name)}: {facts['format']}, {facts['size']:,} bytes"
    rest = {key: value for key, value in facts.items() if key not in ("format", "size", "problems")}
    lines = [head, *_section(rest, "  ")]
    for problem in facts.get("problems", ()):
        lines.append(f"  problem: {printable(problem)}")
    return lines


def _section(facts: dict[str, Any], indent: str) -> list[str]:
    simple = {key: value for key, value in facts.items() if not _is_rows(value) and not isinstance(value, dict)}
    width = max((len(_label(key)) for key in simple), default=0)
    lines = [f"{indent}{_label(key):<{width}}  {_value(key, value)}" for key, value in simple.items()]
    for key, value in facts.items():
        if isinstance(value, dict):
            lines += [f"{indent}{_label(key)}", *_section(value, indent + "  ")]
        elif _is_rows(value):
            lines += [f"{indent}{_label(key)}", *_table(value, indent + "  ")]
    return lines


def _is_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _label(key: str) -> str:
    return key.replace("_", " ")


def _value(key: str, value: Any) -> str:
    if value is None or value == []:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if key == "jpeg":
        return f"{value[0]} x {value[1]}"
    if isinstance(value, list):
        shown = ", ".join(_value("", item) for item in value[:_SHOWN])
        return shown + (f", and {len(value) - _SHOWN:,} more" if len(value) > _SHOWN else "")
    if isinstance(value, int):
        return f"{value:#x}" if key in _PLACES else _bytes(value) if key in _BYTES else f"{value:,}"
    return printable(str(value)).replace("\n", "\\n")


def _bytes(size: int) -> str:
    if size < 1024:
        return f"{size} bytes"
    unit, amount = next((u, size / n) for u, n in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)) if size >= n)
    return f"{size:,} bytes ({amount:.1f} {unit})"


def _table(rows: list[dict[str, Any]], indent: str) -> list[str]:
    keys = list(dict.fromkeys(key for row in rows for key in row))
    cells = [[_label(key) for key in keys]]
    for row in rows[:_SHOWN]:
        cells.append([_cell(key, row.get(key)) for key in keys])
    widths = [max(len(line[column]) for line in cells) for column in range(len(keys))]
    numeric = [isinstance(rows[0].get(key), int) and not isinstance(rows[0].get(key), bool) for key in keys]
    lines = []
    for line in cells:
        parts = [
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(line, widths, numeric, strict=True)
        ]
        lines.append((indent + "  ".join(parts)).rstrip())
    if len(rows) > _SHOWN:
        lines.append(f"{indent}and {len(rows) - _SHOWN:,} more (--json has all)")
    return lines


def _cell(key: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, int) and key in _BYTES and not isinstance(value, bool):
        return f"{value:,}"
    return _value(key, value)
