"""`title.toml` (contracts, section 5): what a title needs at run time."""

from __future__ import annotations

from typing import Any

from recomp.config.document import Document
from recomp.config.types import Boolean, Field, Integer, ListOf, MapOf, Table, Text

_PERMISSIONS = Table({
    "read": Field(Boolean(), default=False),
    "write": Field(Boolean(), default=False),
    "execute": Field(Boolean(), default=False),
})  # fmt: skip

TITLE = Table({
    "title": Field(Text(not_empty=True), "The title's name.", required=True),
    "entry": Field(Text(not_empty=True), "Name of the entry function.", default="entry"),
    "abi_version": Field(Text(not_empty=True), "Version of the runtime ABI.", default="1"),
    "stubs": Field(MapOf(Text("log", "noop", "panic")), "What supervisor calls by name do."),
    "runtime": Field(Table({
        "performance_mode": Field(Text("handheld", "docked"), default="handheld"),
        "memory_layout": Field(Table({
            "regions": Field(ListOf(Table({
                "name": Field(Text(not_empty=True), required=True),
                "base": Field(Integer(0, (1 << 64) - 1), "Guest address.", required=True),
                "size": Field(Integer(1, 1 << 64), "Bytes.", required=True),
                "permissions": Field(_PERMISSIONS, required=True),
            })), "Guest memory."),
        })),
    })),
})  # fmt: skip

_READ, _WRITE, _RUN = {"read": True, "write": False}, {"read": True, "write": True}, {"execute": True}

DEFAULT_REGIONS = [
    {"name": "code", "base": 0x1000_0000, "size": 0x10000, "permissions": {**_READ, **_RUN}},
    {"name": "rodata", "base": 0x1001_0000, "size": 0x10000, "permissions": {**_READ, "execute": False}},
    {"name": "data", "base": 0x1002_0000, "size": 0x10000, "permissions": {**_WRITE, "execute": False}},
    {"name": "heap", "base": 0x2000_0000, "size": 0x40000, "permissions": {**_WRITE, "execute": False}},
    {"name": "stack", "base": 0x3000_0000, "size": 0x40000, "permissions": {**_WRITE, "execute": False}},
]


def load(document: Document) -> dict[str, Any]:
    """The checked values; problems are gathered in the document."""
    title = document.check(TITLE)
    title["stubs"] = title["stubs"] or {}
    layout = title["runtime"]["memory_layout"]
    if layout["regions"] is None:
        layout["regions"] = DEFAULT_REGIONS
    else:
        _check_overlaps(document, layout["regions"])
    return title


def _check_overlaps(document: Document, regions: list[dict[str, Any]]) -> None:
    placed = [i for i, region in enumerate(regions) if None not in (region["base"], region["size"])]
    by_base = sorted(placed, key=lambda index: (regions[index]["base"], index))
    for left, right in zip(by_base, by_base[1:], strict=False):
        first, second = regions[left], regions[right]
        end = first["base"] + first["size"]
        if second["base"] < end:
            document.complain(
                ("runtime", "memory_layout", "regions", right, "base"),
                f'region "{second["name"]}" at {second["base"]:#x} overlaps region "{first["name"]}", '
                f"which ends at {end:#x}",
            )
    names = [region["name"] for region in regions]
    for index, name in enumerate(names):
        if name and name in names[:index]:
            document.complain(("runtime", "memory_layout", "regions", index, "name"), f'a second region "{name}"')
