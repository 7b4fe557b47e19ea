"""Catalogues for tests: many small programs of one generator, each different, and titles whose stages are commands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from builders import ProjectFolder, elf, toml

MOV, SVC_EXIT = 0xD2800000, 93


def program(number: int) -> bytes:
    """A static AArch64 program that counts `number` down and ends well: four fixed words and one constant."""
    words = [
        MOV | (number & 0xFFFF) << 5 | 1,  # mov x1, #number
        0xF1000421,  # subs x1, x1, #1
        0x54FFFFEC,  # b.gt the subtraction
        MOV,  # mov x0, #0
        MOV | SVC_EXIT << 5 | 8,  # mov x8, #exit
        0xD4000001,  # svc #0
    ]
    return elf(words)


def write_programs(folder: Path, count: int) -> list[str]:
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"p{number:04d}" for number in range(1, count + 1)]
    for number, name in enumerate(names, 1):
        (folder / name).write_bytes(program(number))
    return names


def title(title_id: str, **inputs: str) -> dict[str, Any]:
    return {"title_id": title_id, "title_name": title_id, "version": "1", "region": "none", "inputs": inputs}


def manifest(titles: list[dict[str, Any]], **changes: Any) -> dict[str, Any]:
    return {
        "schema_version": "v1", "batch_id": "test", "created_at": "2026-01-01T00:00:00Z",
        "global_defaults": {"work_root": "out", **changes.pop("defaults", {})}, **changes, "titles": titles,
    }  # fmt: skip


def write_manifest(root: Path, values: dict[str, Any]) -> Path:
    path = root / "batch.json"
    path.write_text(json.dumps(values, indent=1))
    return path


def command_titles(root: Path, count: int, *argv: str) -> tuple[Path, list[ProjectFolder]]:
    """A batch of projects in lifted mode whose stages are commands (default: /usr/bin/true)."""
    made = []
    for number in range(count):
        project = ProjectFolder(root / f"t{number}").with_commands(*argv)
        (project.root / "title.toml").write_text(toml({"title": f"Title {number}", "entry": "entry"}))
        project.write()
        made.append(project)
    titles = [title(f"t{n}", automation=f"t{n}/automation.toml") for n in range(count)]
    return write_manifest(root, manifest(titles)), made
