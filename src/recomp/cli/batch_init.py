"""`recomp batch init DIR`: a batch manifest from a folder of programs."""

from __future__ import annotations

import argparse
import os
import re
import time

from recomp.cli.text import printable, shown
from recomp.errors import ConfigError, FormatError

HEAD_BYTES = 4096

HEAD = """\
# A catalogue of titles. All keys: docs/batch.md, or `recomp schema batch`. Paths are relative to this file.
schema_version = "v1"
batch_id = {batch_id}
created_at = {created_at}

[global_defaults]
# Everything that the batch makes lies here. Keep it out of version control: it is derived from the programs.
work_root = "batch-out"
# How often a title is tried again whose worker died.
retries = 3

[global_defaults.automation.run]
# A program that does not end by itself is ended after so many ticks of 1/60 s.
ticks = 600

# Each combination is a variant of every title.
# [global_defaults.matrix]
# optimisation = ["0", "2"]
"""


def init(options: argparse.Namespace) -> int:
    folder = os.path.abspath(options.directory)
    target = os.path.abspath(options.to or os.path.join(folder, "batch.toml"))
    if not os.path.isdir(folder):
        raise ConfigError(f"batch init: there is no folder {folder}")
    if os.path.lexists(target):
        raise ConfigError(
            f"batch init: {target}: is there already", hint="init never overwrites; choose another with --to"
        )
    titles, skipped = _titles(folder, os.path.dirname(target))
    if not titles:
        raise ConfigError(f"batch init: {folder}: no program in it that can be recompiled",
                          hint="expected static AArch64 ELFs, NROs, or folders with an automation.toml")  # fmt: skip
    from recomp.batch.staging import toml

    batch_id = re.sub(r"[^A-Za-z0-9._+-]", "-", os.path.basename(folder)).lstrip("._+-") or "batch"
    text = HEAD.format(batch_id=_text(batch_id), created_at=_text(time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())))
    for title in titles:
        inputs = title.pop("inputs")
        text += "\n[[titles]]\n" + toml(title).decode() + "[titles.inputs]\n" + toml(inputs).decode()
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(target, "x", encoding="utf-8") as file:
        file.write(text)
    print(f"wrote {shown(target)}: {len(titles)} title{'s'[: len(titles) != 1]}")
    for name, why in skipped:
        print(f"left out {printable(name)}: {printable(why)}")
    print(f"next: recomp batch run {shown(target)}")
    return 0


def _text(value: str) -> str:
    import json

    return json.dumps(value, ensure_ascii=False)


def _titles(folder: str, base: str) -> tuple[list[dict], list[tuple[str, str]]]:
    """A title for every program below `folder` and every project; what looks like a program and is none is named."""
    titles: list[dict] = []
    skipped: list[tuple[str, str]] = []
    names: set[str] = set()
    for path in _files(folder):
        name = os.path.relpath(path, folder)
        kind, why = _kind(path)
        if kind is None:
            if why:
                skipped.append((name, why))
            continue
        stem = os.path.dirname(name) if kind == "automation" else os.path.splitext(name)[0]
        title_id = _unique(re.sub(r"[^A-Za-z0-9._+-]", "-", stem or "project").lstrip("._+-")[:90] or "title", names)
        titles.append({
            "title_id": title_id, "title_name": os.path.basename(stem) or title_id, "version": "1", "region": "none",
            "inputs": {kind: os.path.relpath(path, base)},
        })  # fmt: skip
    return titles, skipped


def _files(folder: str) -> list[str]:
    """Every file, but none below a project (its automation.toml stands for it) and none that is hidden."""
    found: list[str] = []
    for root, folders, names in os.walk(folder):
        if "automation.toml" in names:
            found.append(os.path.join(root, "automation.toml"))
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [os.path.join(root, name) for name in sorted(names) if not name.startswith(".")]
    return sorted(found)


def _unique(name: str, taken: set[str]) -> str:
    unique, number = name, 2
    while unique.casefold() in taken:
        unique, number = f"{name}-{number}", number + 1
    taken.add(unique.casefold())
    return unique


def _kind(path: str) -> tuple[str | None, str]:
    """What a title's `inputs` says of a file: ("elf" | "nro" | "automation", ""), or None and why not, if it is
    worth a word."""
    from recomp.formats.elf import read_elf

    if os.path.basename(path) == "automation.toml":
        return "automation", ""
    try:
        with open(path, "rb") as file:
            head = file.read(HEAD_BYTES)
            if head[0x10:0x14] == b"NRO0":
                return "nro", ""
            if not head.startswith(b"\x7fELF"):
                return None, ""
            read_elf(head + file.read())
    except OSError as error:
        return None, f"cannot be read: {error.strerror}"
    except FormatError as error:
        return None, error.message
    return "elf", ""
