"""The one place where tests get their files from: a project folder, built, not committed."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PYTHON = os.environ.get("PYTHON", "python3")


def toml_value(value: Any) -> str:
    """A value as TOML writes it: enough for configuration files."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(k)} = {toml_value(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml_value(item) for item in value) + "]"
    return json.dumps(value) if isinstance(value, str) else repr(value)


def toml(tables: dict[str, Any]) -> str:
    """A document of one level of tables; a list of dicts becomes an array of tables."""
    top = [f"{key} = {toml_value(value)}" for key, value in tables.items() if not _is_table(value)]
    lines = [*top]
    for name, value in tables.items():
        if not _is_table(value):
            continue
        for table in value if isinstance(value, list) else [value]:
            lines += ["", f"[[{name}]]" if isinstance(value, list) else f"[{name}]"]
            lines += [f"{key} = {toml_value(item)}" for key, item in table.items()]
    return "\n".join(lines) + "\n"


def _is_table(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and bool(value) and isinstance(value[0], dict))


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def elf(words: list[int], *, base: int = 0x400000) -> bytes:
    """A static AArch64 program of one segment that holds the headers and these instructions."""
    code = b"".join(struct.pack("<I", word) for word in words)
    size = 64 + 56 + len(code)
    ident = b"\x7fELF" + bytes([2, 1, 1]) + bytes(9)
    header = ident + struct.pack("<HHIQQQIHHHHHH", 2, 183, 1, base + 120, 64, 0, 0, 64, 56, 1, 64, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, base, base, size, size, 0x1000)
    return header + segment + code


def ops_module() -> dict[str, Any]:
    """The smallest module in the portable form: an entry that returns."""
    return {"arch": "aarch64", "segments": [], "functions": [{"name": "entry", "ops": [{"op": "ret"}]}]}


def title(**changes: Any) -> dict[str, Any]:
    return {"title": "Sample", "entry": "entry", "abi_version": "1.0.0", "stubs": {}, **changes}


def provenance(inputs: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "schema_version": "1",
        "title": {"name": "Sample", "title_id": "0100000000000000", "version": "1.0.0", "region": "none"},
        "collection": {"device": "test", "collected_at": "2026-01-01T00:00:00Z"},
        "collection.tool": {"name": "builders", "version": "1"},
        "inputs": inputs,
    }


def reference_video(frames: str, **changes: Any) -> dict[str, Any]:
    return {
        "schema_version": "2",
        "video": {"path": "reference.mp4", "width": 4, "height": 4, "fps": 60},
        "timeline": {"start": "00:00:00.000", "end": "00:00:01.000"},
        "hashes.frames": {"format": "list", "path": frames},
        **changes,
    }


def capture_video(frames: str, *, form: str = "list") -> dict[str, Any]:
    return {
        "schema_version": "1",
        "video": {"path": "capture.mp4", "width": 4, "height": 4, "fps": 60},
        "hashes.frames": {"format": form, "path": frames},
    }


#: inputs of a project in lifted and in xci mode
MODULE = {"module.json": "lifted_json"}
IMAGE = {"image.xci": "xci", "prod.keys": "keyset"}


class ProjectFolder:
    """A folder with a whole lifted-mode project whose stages are commands; `config` is what `write` writes."""

    def __init__(self, root: Path, *, frames: int = 3) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        self.module = json.dumps(ops_module()).encode()
        (root / "module.json").write_bytes(self.module)
        (root / "title.toml").write_text(toml(title()))
        self.list_inputs()
        self.config: dict[str, Any] = {
            "schema_version": "1",
            "inputs": {
                "mode": "lifted", "module_json": "module.json", "provenance": "provenance.toml", "config": "title.toml",
            },
            "outputs": {"work_root": "out"},
            "commands": {},
        }  # fmt: skip
        self.frames = [f"frame {n}".encode() for n in range(frames)]

    def list_inputs(self, formats: Mapping[str, str] = MODULE) -> None:
        """Write provenance.toml with these files (name → format) as they are now."""
        entries = []
        for name, form in formats.items():
            data, role = (self.root / name).read_bytes(), "module" if form == "lifted_json" else "input"
            entries.append({"path": name, "sha256": sha256(data), "size": len(data), "format": form, "role": role})
        (self.root / "provenance.toml").write_text(toml(provenance(entries)))

    def take_image(self, image: bytes, keys: str) -> None:
        """From now on this is a project in xci mode; what changes these files lists IMAGE again."""
        (self.root / "image.xci").write_bytes(image)
        (self.root / "prod.keys").write_text(keys)
        self.list_inputs(IMAGE)
        self.config["inputs"] = {
            "mode": "xci", "xci": "image.xci", "keys": "prod.keys", "provenance": "provenance.toml",
            "config": "title.toml",
        }  # fmt: skip

    def with_reference(self) -> ProjectFolder:
        """Ready-made frame files, and a reference that equals them."""
        frames = self.root / "frames"
        frames.mkdir(exist_ok=True)
        for number, data in enumerate(self.frames):
            (frames / f"{number:04d}.png").write_bytes(data)
        hashes = "".join(f"{sha256(data)}\n" for data in self.frames)
        (self.root / "reference.hashes").write_text(hashes)
        (self.root / "reference_video.toml").write_text(toml(reference_video("reference.hashes")))
        (self.root / "capture_video.toml").write_text(toml(capture_video("frames", form="directory")))
        self.config["reference"] = {
            "reference_video_toml": "reference_video.toml", "capture_video_toml": "capture_video.toml",
        }  # fmt: skip
        self.config["capture"] = {"video_path": "capture.mp4", "frames_dir": "frames"}
        return self

    def with_commands(self, *argv: str) -> ProjectFolder:
        """The same command for each stage that a command can replace in lifted mode."""
        for name in ("build", "run", "capture", "extract_frames"):
            self.config["commands"][name] = list(argv) or ["/usr/bin/true"]
        return self

    def script(self, name: str, body: str) -> str:
        """An executable shell script in the project; the command that runs it."""
        path = self.root / name
        path.write_text("#!/bin/sh\nset -eu\n" + body + "\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP)
        return f"./{name}"

    def write(self) -> Path:
        path = self.root / "automation.toml"
        path.write_text(toml(self.config))
        return path

    @property
    def work_root(self) -> Path:
        return self.root / self.config["outputs"]["work_root"]

    def manifest(self) -> dict[str, Any]:
        return json.loads((self.work_root / "run-manifest.json").read_text())

    def steps(self) -> dict[str, dict[str, Any]]:
        return {step["name"]: step for step in self.manifest()["steps"]}

    def ran(self) -> list[str]:
        """The names of the steps that ran in the last run."""
        return [step["name"] for step in self.manifest()["steps"] if not step["cache_hit"]]
