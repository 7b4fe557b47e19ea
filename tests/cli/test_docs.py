"""The documentation lists what the code knows."""

from __future__ import annotations

from pathlib import Path

from recomp.cli.reference import commands, keys
from recomp.config.schema import RUN_MANIFEST

DOCS = Path(__file__).resolve().parents[2] / "docs"


def table(file: str, name: str) -> list[str]:
    text = (DOCS / file).read_text()
    body = text.split(f"<!-- {name}: made from the code -->\n")[1].split(f"<!-- /{name} -->")[0]
    return body.splitlines()[2:]


def test_automation_keys() -> None:
    assert table("automation.md", "keys") == list(keys())


def test_commands() -> None:
    assert table("cli.md", "commands") == list(commands())


def test_manifest_keys() -> None:
    text = (DOCS / "run-manifest.md").read_text()
    for key in RUN_MANIFEST["properties"]:
        assert f"| `{key}` |" in text
    for key in RUN_MANIFEST["properties"]["steps"]["items"]["properties"]:
        assert f"`{key}`" in text
