"""`recomp gc`, `recomp disown` and `recomp audit`: the store's upkeep, and whether stages do the same twice."""

from __future__ import annotations

import argparse
import json
import re

from recomp import __version__
from recomp.cli.open import open_layout, open_project
from recomp.config.problems import nearest
from recomp.engine import gc as garbage
from recomp.engine.audit import audit as audit_stages
from recomp.engine.loop import open_work_root
from recomp.engine.store import Store
from recomp.errors import ConfigError

#: what the manifest's tool_versions calls this program
OWN = "recomp_cli"
_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def gc(options: argparse.Namespace) -> int:
    layout = open_layout(options.config)
    age = _parse(options.max_age, _SECONDS, "--max-age", "30d")
    size = _parse(options.max_size, _UNITS, "--max-size", "10G")
    store = Store(layout.store_dir)
    swept = garbage.collect(
        store, max_age_s=age, max_bytes=None if size is None else int(size), dry_run=not options.yes
    )
    if options.json:
        print(json.dumps({"removed": options.yes, **swept._asdict()}, indent=2))
        return 0
    verb = "removed" if options.yes else "would remove"
    print(f"{verb} {swept.actions} results and {swept.blobs} files, {_size(swept.freed)}; {_size(swept.kept)} stay")
    if not options.yes and swept.freed:
        print("nothing was removed: repeat with --yes to do it")
    return 0


def disown(options: argparse.Namespace) -> int:
    """Drop every result that a tool (and, if given, that version of it) had a part in."""
    layout = open_layout(options.config)
    name, _, version = options.tool.partition("@")
    lock = open_work_root(layout.engine_dir)
    try:
        store = Store(layout.store_dir)
        records = store.actions()
        _check_tool(name, records)
        dropped = _and_what_follows(records, {r["cache_key"] for r in records if _has_tool(r, name, version)})
        for key in dropped:
            store.drop_action(key)
    finally:
        lock.release()
    steps = sorted({r["step"] for r in records if r["cache_key"] in dropped})
    if options.json:
        print(json.dumps({"dropped": len(dropped), "steps": steps}, indent=2))
    else:
        print(f"dropped {len(dropped)} results" + (f" of {', '.join(steps)}" if steps else ""))
    return 0


def _and_what_follows(records: list[dict], dropped: set[str]) -> set[str]:
    """These results and, step by step, everything that was made from them."""
    while True:
        following = {
            record["cache_key"]
            for record in records
            if dropped & set(record.get("ingredients", {}).get("upstream", {}).values())
        }
        if following <= dropped:
            return dropped
        dropped = dropped | following


def _check_tool(name: str, records: list[dict]) -> None:
    known = {tool for record in records for tool in _tools(record)}
    if records and name not in {*known, OWN}:
        near = nearest(name, sorted(known))
        raise ConfigError(
            f"disown: no result was made by {name!r}, expected one of {', '.join(sorted(known | {OWN}))}",
            hint=f"did you mean {near}?" if near else "the manifest lists tools with their versions",
        )


def _tools(record: dict) -> dict[str, str]:
    return record.get("ingredients", {}).get("tools", {})


def _has_tool(record: dict, name: str, version: str) -> bool:
    """By name and the beginning of its version or its content's hash; recomp itself by its parts, each with a hash."""
    tools = _tools(record)
    if name == OWN:
        own = [identity for tool, identity in tools.items() if tool.startswith("recomp.")]
        return bool(own) and (not version or __version__.startswith(version) or any(i.startswith(version) for i in own))
    if name not in tools:
        return False
    known = (tools[name], record["tool_versions"].get(name) or "")
    return not version or any(text.startswith(version) for text in known)


def audit(options: argparse.Namespace) -> int:
    """Run the built-in stages once more beside their results and compare; exit 1 if one differs."""
    opened = open_project(options.config)
    lock = open_work_root(opened.layout.engine_dir)
    try:
        store = Store(opened.layout.store_dir)
        findings = audit_stages(opened.prepared.plan, store, opened.prepared.hashes, options.stage)
    finally:
        lock.release()
    if options.json:
        print(json.dumps([finding._asdict() for finding in findings], indent=2))
    else:
        for finding in findings:
            print(f"{finding.stage:<15} {finding.verdict:<10} {finding.detail}")
    return 1 if any(finding.verdict == "differs" for finding in findings) else 0


def _parse(text: str | None, units: dict[str, int], option: str, example: str) -> float | None:
    if text is None:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([a-z]?)b?", text.lower())
    if match is None or match[2] not in units:
        raise ConfigError(f"{option}: found {text!r}, expected a number with a unit such as {example}")
    return float(match[1]) * units[match[2]]


def _size(count: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    raise AssertionError("unreachable")
