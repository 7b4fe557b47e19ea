"""Cache keys (contracts, section 3).

`ingredients` holds everything that decides what a stage makes, by name, so that two runs can be compared in words;
the key is its digest. The content key names upstream stages by the bytes they made instead of by their keys: it is how
a stage is spared when its upstream ran again and made the same.
"""

from __future__ import annotations

from typing import Any

from recomp.engine.canonical import digest
from recomp.engine.fingerprint import StatCache
from recomp.engine.stage import Stage

#: raised whenever the meaning of an ingredient changes: old results are then no longer found
KEY_VERSION = 1


def ingredients(stage: Stage, upstream: dict[str, str], hashes: StatCache) -> dict[str, Any]:
    """What decides the result of `stage`. `upstream` maps each stage in `stage.after` to its identity."""
    return {
        "key_version": KEY_VERSION,
        "step": stage.name,
        "command": list(stage.command) if stage.command else None,
        "config": stage.config,
        "inputs": {item.name: hashes.any(item.path) for item in stage.inputs},
        "tools": {tool.name: tool.identity for tool in stage.tools},
        "upstream": {name: upstream[name] for name in stage.after if name in upstream},
    }


def cache_key(parts: dict[str, Any]) -> str:
    return digest(parts)


def content_key(parts: dict[str, Any], contents: dict[str, str]) -> str:
    """The key of the same stage with upstream stages named by what they made."""
    return digest({**parts, "upstream": {name: contents[name] for name in parts["upstream"]}})


def differences(old: dict[str, Any], new: dict[str, Any]) -> list[tuple[str, str, Any, Any]]:
    """Each ingredient that differs as (kind, name, old, new), in a fixed order; None where one side lacks it."""
    found: list[tuple[str, str, Any, Any]] = []
    if old.get("key_version") != new.get("key_version"):
        found.append(("engine", "key version", old.get("key_version"), new.get("key_version")))
    if old.get("command") != new.get("command"):
        found.append(("command", new["step"], old.get("command"), new.get("command")))
    for kind, label in (("config", "option"), ("inputs", "input"), ("tools", "tool"), ("upstream", "upstream")):
        before, after = _flat(old.get(kind) or {}), _flat(new.get(kind) or {})
        for name in sorted(before.keys() | after.keys()):
            if before.get(name) != after.get(name):
                found.append((label, name, before.get(name), after.get(name)))
    return found


def _flat(table: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in table.items():
        if isinstance(value, dict):
            flat.update(_flat(value, f"{prefix}{name}."))
        else:
            flat[prefix + name] = value
    return flat
