"""Staging: the files of a unit, and its folder (see `units`)."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from recomp.batch.units import Unit, merge
from recomp.config.automation import AUTOMATION
from recomp.config.batch import Manifest
from recomp.config.document import resolve_path
from recomp.config.types import FilePath, ListOf, Table
from recomp.engine.canonical import digest
from recomp.engine.files import remove_quietly, write_atomic
from recomp.engine.fingerprint import StatCache, list_tree
from recomp.errors import ConfigError

#: what a unit's folder holds by name, so that what is no longer a part of it can be removed
LISTING = ".recomp-unit.json"


class Staged(NamedTuple):
    """`files`: relative path → content, or the absolute path of a file to link. `config` is the unit's
    automation.toml among them, `programs` those that the title is: they carry its asset class."""

    files: dict[str, bytes | str]
    config: str
    programs: frozenset[str]


def plan_files(manifest: Manifest, unit: Unit, hashes: StatCache, policy: dict[str, Any] | None = None) -> Staged:
    """The files of a unit; `policy` is what its automation.toml says of it beyond the title's own. Raises ConfigError
    for a title that cannot be staged."""
    inputs = unit.entry["inputs"]
    if inputs["automation"]:
        return _from_automation(manifest, unit, policy or {})
    return _from_program(manifest, unit, hashes, policy or {})


def contents(staged: Staged, hashes: StatCache) -> dict[str, tuple[str, int, bool]]:
    """Each file by its relative path: (SHA-256, size in bytes, executable)."""
    import hashlib

    found = {}
    for name, content in sorted(staged.files.items()):
        if isinstance(content, bytes):
            found[name] = (hashlib.sha256(content).hexdigest(), len(content), False)
        else:
            found[name] = (*hashes.file(content), os.access(content, os.X_OK))
    return found


def unit_digest(files: dict[str, tuple[str, int, bool]]) -> str:
    """The identity of everything that a unit is made from."""
    return digest([[name, sha256, is_executable] for name, (sha256, _, is_executable) in sorted(files.items())])


def title_policy(policy: dict[str, Any]) -> dict[str, Any]:
    """What a unit's automation.toml says of the batch's policy; nothing in local mode. The approval is the batch's."""
    if policy["execution_mode"] == "local":
        return {}
    kept = ("execution_mode", "max_cost_usd", "redaction_profile", "allowed_models", "run_windows")
    return {
        **{key: policy[key] for key in kept if policy[key] is not None},
        "max_runtime_minutes": policy["title_minutes"],
    }


def write_files(folder: str, staged: Staged) -> str:
    """Make `folder` hold the files; returns the path of its automation.toml. What is right stays untouched."""
    os.makedirs(folder, exist_ok=True)
    listing = os.path.join(folder, LISTING)
    for name in sorted(set(_listed(listing)) - staged.files.keys()):
        remove_quietly(os.path.join(folder, name))
    names = json.dumps(sorted(staged.files)).encode()
    if not _is_same(listing, names):
        write_atomic(listing, names, durable=False)
    for name, content in staged.files.items():
        path = os.path.join(folder, name)
        if isinstance(content, str):
            _link(content, path)
        elif not _is_same(path, content):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            write_atomic(path, content, durable=False)
    return os.path.join(folder, staged.config)


def _listed(listing: str) -> list[str]:
    """The names of the last time, as far as they may be ours: relative, and inside."""
    try:
        with open(listing, "rb") as file:
            names = json.load(file)
    except (OSError, ValueError):
        return []
    wanted = names if isinstance(names, list) else []
    return [n for n in wanted if isinstance(n, str) and not os.path.isabs(n) and ".." not in n.split("/")]


def _is_same(path: str, data: bytes) -> bool:
    if os.path.islink(path):
        os.unlink(path)
    try:
        with open(path, "rb") as file:
            return file.read() == data
    except OSError:
        return False


def _link(source: str, path: str) -> None:
    try:
        if os.readlink(path) == source:
            return
    except OSError:
        os.makedirs(os.path.dirname(path), exist_ok=True)
    temporary = f"{path}.{os.getpid()}.tmp"
    os.symlink(source, temporary)
    os.replace(temporary, path)


# A bare program


def _from_program(manifest: Manifest, unit: Unit, hashes: StatCache, policy: dict[str, Any]) -> Staged:
    entry = unit.entry
    kind = "elf" if entry["inputs"]["elf"] else "nro"
    program = resolve_path(manifest.folder, entry["inputs"][kind])
    reference = {key: resolve_path(manifest.folder, value) for key, value in entry["validation"].items() if value}
    if unit.script:
        reference["input_script_toml"] = unit.script
    sha256, size = hashes.file(program)
    wanted = entry["inputs"]["sha256"]
    if wanted and wanted.lower() != sha256:
        raise ConfigError(f"{program}: found SHA-256 {sha256}, expected {wanted.lower()}",
                          hint="this is not the program that the batch manifest lists")  # fmt: skip
    sources = [program, *reference.values(), *_named_files(reference)]
    base = os.path.commonpath([os.path.dirname(path) for path in sources])
    places = {path: os.path.join("files", os.path.relpath(path, base)) for path in sources}
    automation = {
        "schema_version": "1",
        "inputs": {
            "mode": {"elf": "elf", "nro": "homebrew"}[kind], kind: places[program],
            "provenance": "provenance.toml", "config": "title.toml",
        },
        "outputs": {"work_root": "out"},
        "reference": {key: places[path] for key, path in reference.items()},
    }  # fmt: skip
    values = _finished(merge(automation, unit.overrides), policy)
    files: dict[str, bytes | str] = {places[path]: path for path in sources}
    files["automation.toml"] = toml(values)
    files["title.toml"] = toml({"title": entry["title_name"], "entry": "entry", "abi_version": "1"})
    files["provenance.toml"] = toml({
        "schema_version": "1",
        "title": {
            "name": entry["title_name"], "title_id": entry["title_id"], "version": entry["version"],
            "region": entry["region"],
        },
        "collection": {
            "device": "recomp batch", "collected_at": manifest.raw["created_at"],
            "tool": {"name": "recomp batch", "version": "1"},
        },
        "inputs": [{
            "path": places[program], "sha256": sha256, "size": size, "format": {"elf": "elf", "nro": "nro0"}[kind],
            "role": "program",
        }],
    })  # fmt: skip
    return Staged(files, "automation.toml", frozenset([places[program]]))


def _finished(values: dict[str, Any], policy: dict[str, Any]) -> dict[str, Any]:
    """With what a batch decides: one compiler at a time (the batch's workers share the machine), and its policy."""
    values = merge({"build": {"jobs": 1}}, values)
    if not policy:
        return values
    own = values.get("policy") or {}
    bounds = {key: min(own[key], policy[key]) for key in ("max_cost_usd", "max_runtime_minutes")
              if isinstance(own.get(key), int | float) and key in policy}  # fmt: skip
    return merge(values, {"policy": {**policy, **bounds}})


# A project


def _from_automation(manifest: Manifest, unit: Unit, policy: dict[str, Any]) -> Staged:
    from recomp.config import project as projects

    path = resolve_path(manifest.folder, unit.entry["inputs"]["automation"])
    project = projects.load(path)
    folder = project.settings.folder
    values = merge(_toml_values(path), unit.overrides)
    if unit.script:
        values = merge(values, {"reference": {"input_script_toml": unit.script}})
    reference = {key: resolve_path(manifest.folder, value) for key, value in unit.entry["validation"].items() if value}
    if reference:
        values = merge(
            values, {"reference": {**reference, **({"input_script_toml": unit.script} if unit.script else {})}}
        )
    sources: set[str] = {item.path for item in project.listed}
    programs = set(sources)
    values = _relative_paths(values, folder, sources, os.path.basename(path))
    sources |= set(_named_files({k: resolve_path(folder, v) for k, v in values.get("reference", {}).items()}))
    for argv in (values.get("commands") or {}).values():
        sources |= {full for word in argv if _is_inside(word) and os.path.isfile(full := os.path.join(folder, word))}
    base = os.path.commonpath([folder, *map(os.path.dirname, sources)])
    here = os.path.relpath(folder, base)
    if os.path.normpath(os.path.join(here, values["outputs"]["work_root"])).startswith(".."):
        values = merge(values, {"outputs": {"work_root": "out"}})
    config = os.path.normpath(os.path.join(here, "automation.toml"))
    files: dict[str, bytes | str] = {os.path.relpath(source, base): source for source in sources}
    files[config] = toml(_finished(values, policy))
    return Staged(files, config, frozenset(os.path.relpath(path, base) for path in programs))


def _is_inside(word: str) -> bool:
    return bool(word) and not os.path.isabs(word) and not os.path.normpath(word).startswith("..")


def _relative_paths(values: dict[str, Any], folder: str, sources: set[str], name: str) -> dict[str, Any]:
    """`values` with every path relative to `folder`; what is read (and exists) is added to `sources`."""
    changed = {key: dict(value) if isinstance(value, dict) else value for key, value in values.items()}
    for section, key, path in _paths(AUTOMATION, values):
        is_output = section in ("outputs", "capture") or (section, key) == ("analysis", "expected_outputs")
        found = [_one_path(p, folder, is_output, f"{name}: {section}.{key}") for p in path]
        if not is_output:
            for full in [os.path.join(folder, p) for p in found]:
                full = os.path.normpath(full)
                sources |= {os.path.join(full, n) for n in list_tree(full)} if os.path.isdir(full) else (
                    {full} if os.path.exists(full) else set())  # fmt: skip
        changed[section][key] = found if isinstance(values[section][key], list) else found[0]
    return changed


def _one_path(value: str, folder: str, is_output: bool, where: str) -> str:
    if is_output and os.path.isabs(value):
        raise ConfigError(f"{where}: {value} is absolute, expected a path in the title's own folder",
                          hint="in a batch every variant has a folder of its own: write the path relative")  # fmt: skip
    return os.path.relpath(resolve_path(folder, value), folder)


def _paths(table: Table, values: dict[str, Any]) -> Iterator[tuple[str, str, list[str]]]:
    for section, field in table.fields.items():
        if not isinstance(field.type, Table) or section not in values:
            continue
        for key, inner in field.type.fields.items():
            value = values[section].get(key)
            if value is None or section == "tools":
                continue
            if isinstance(inner.type, FilePath):
                yield section, key, [value]
            elif isinstance(inner.type, ListOf) and isinstance(inner.type.item, FilePath):
                yield section, key, list(value)


def _named_files(reference: dict[str, str]) -> list[str]:
    """The files that reference and capture descriptions name: hash lists, videos, folders of frames."""
    found: list[str] = []
    for key in ("reference_video_toml", "capture_video_toml"):
        path = reference.get(key)
        if not path or not os.path.isfile(path):
            continue
        values = _toml_values(path)
        hashes = values.get("hashes") or {}
        named = [values.get("video"), *(hashes.values() if isinstance(hashes, dict) else ())]
        for item in named:
            if isinstance(item, dict) and isinstance(item.get("path"), str):
                full = resolve_path(os.path.dirname(path), item["path"])
                found += [os.path.join(full, n) for n in list_tree(full)] if os.path.isdir(full) else (
                    [full] if os.path.isfile(full) else [])  # fmt: skip
    approvals = [os.path.join(os.path.dirname(p), "approvals.toml") for p in reference.values()]
    return found + [path for path in dict.fromkeys(approvals) if os.path.isfile(path)]


def _toml_values(path: str) -> dict[str, Any]:
    import tomllib

    try:
        with open(path, "rb") as file:
            return tomllib.load(file)
    except (OSError, ValueError):
        return {}  # loading the project says what is wrong with it


# TOML


_BARE = re.compile(r"[A-Za-z0-9_-]+")


def toml(values: dict[str, Any]) -> bytes:
    """A document: plain values first, then its tables; what is nested deeper stands in line."""
    plain = {k: v for k, v in values.items() if not isinstance(v, dict) and v is not None}
    lines = [f"{_key(key)} = {_value(value)}" for key, value in plain.items()]
    for name, table in values.items():
        if isinstance(table, dict) and table:
            lines += ["", f"[{_key(name)}]"]
            lines += [f"{_key(key)} = {_value(value)}" for key, value in table.items() if value is not None]
    return ("\n".join(lines) + "\n").encode()


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _value(name)


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(k)} = {_value(v)}" for k, v in value.items() if v is not None) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f") if isinstance(value, str) else repr(value)
