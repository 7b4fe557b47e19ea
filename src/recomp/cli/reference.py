"""The tables of the documentation, made from what the code reads; `tests/cli/test_docs.py` holds the two together."""

from __future__ import annotations

from collections.abc import Iterator

from recomp.cli.arguments import COMMANDS
from recomp.config.automation import AUTOMATION
from recomp.config.types import Table


def keys(table: Table = AUTOMATION, prefix: str = "") -> Iterator[str]:
    """A line of a Markdown table for every key of `automation.toml`."""
    for name, field in table.fields.items():
        if isinstance(field.type, Table):
            yield from keys(field.type, f"{prefix}{name}.")
            continue
        kind = field.type.expects.removeprefix("a ").removeprefix("an ").replace("|", "\\|")
        need = (
            "required"
            if field.required
            else ""
            if field.default in (None, [])
            else f"default `{_shown(field.default)}`"
        )
        yield f"| `{prefix}{name}` | {kind} | {need} | {field.doc} |"


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def commands() -> Iterator[str]:
    """A line of a Markdown table for every command."""
    for name, command in COMMANDS.items():
        yield f"| `recomp {name}` | {command.summary} |"
