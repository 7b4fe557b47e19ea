"""`provenance.toml` (contracts, section 5): where the inputs lawfully came from, and what they were then."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from recomp.config.document import Document
from recomp.config.types import Field, FilePath, Integer, ListOf, Table, Text

FORMATS = ("xci", "keyset", "video_mp4", "nca", "exefs", "nso0", "nro0", "nrr0", "npdm", "elf", "lifted_json")
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")


def _sha256(text: str) -> str | None:
    return None if _SHA256.fullmatch(text) else "64 hex digits (a SHA-256)"


_TOOL = Table({
    "name": Field(Text(not_empty=True), required=True),
    "version": Field(Text(not_empty=True), required=True),
})  # fmt: skip

PROVENANCE = Table({
    "schema_version": Field(Text("1"), "Version of this file's schema.", required=True),
    "title": Field(Table({
        "name": Field(Text(not_empty=True), required=True),
        "title_id": Field(Text(not_empty=True), required=True),
        "version": Field(Text(not_empty=True), required=True),
        "region": Field(Text(not_empty=True), required=True),
    }), "What the inputs are of.", required=True),
    "collection": Field(Table({
        "device": Field(Text(not_empty=True), "Where the inputs were taken from.", required=True),
        "collected_at": Field(Text(not_empty=True), "When (RFC 3339).", required=True),
        "notes": Field(Text(), "Anything worth knowing."),
        "tool": Field(_TOOL, "What took them.", required=True),
        "decryption_tool": Field(_TOOL, "What decrypted them."),
    }), "How the inputs were collected.", required=True),
    "inputs": Field(ListOf(Table({
        "path": Field(FilePath(), "Relative to this file.", required=True),
        "sha256": Field(Text(check=_sha256), required=True),
        "size": Field(Integer(0), "Bytes.", required=True),
        "format": Field(Text(*FORMATS), required=True),
        "role": Field(Text(not_empty=True), "What it is for.", required=True),
    }), at_least=1), "Every input.", required=True),
})  # fmt: skip


class Listed(NamedTuple):
    """An input as provenance lists it; `position` is its place in the file."""

    position: int
    path: str
    sha256: str
    size: int
    format: str
    role: str


def load(document: Document) -> list[Listed]:
    """The listed inputs with absolute paths; problems are gathered in the document."""
    checked: dict[str, Any] = document.check(PROVENANCE)
    if document.problems:
        return []
    return [
        Listed(i, document.resolve(e["path"]), e["sha256"].lower(), e["size"], e["format"], e["role"])
        for i, e in enumerate(checked["inputs"])
    ]
