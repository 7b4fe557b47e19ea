"""From a batch manifest to its units: one for each title and variant, each with the automation.toml that it runs.

A unit is staged as an ordinary project in a folder of its own, so that `recomp automate`, `explain` or `report` work in
it by hand. The folder mirrors how the title's files lie to each other: files are links here, copies on a worker, and
the same relative paths everywhere, so that manifests are the same wherever a unit ran.
"""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from recomp.config.batch import AXES, Manifest

#: the variant of a title without a matrix
PLAIN = "default"


class Unit(NamedTuple):
    """`title` and `variant` name it; `number` is the variant's place among those of its title. `overrides` is what it
    adds to automation.toml, by section; `script` the input script (absolute) that the variant plays, if any."""

    title: str
    variant: str
    number: int
    entry: dict[str, Any]
    overrides: dict[str, dict[str, Any]]
    script: str | None = None

    @property
    def name(self) -> str:
        return self.title if self.variant == PLAIN else f"{self.title}/{self.variant}"


def units(manifest: Manifest) -> Iterator[Unit]:
    """Every unit, titles in the order of the manifest."""
    shared = (manifest.values.get("global_defaults") or {}).get("automation") or {}
    for entry, values in zip(manifest.titles, manifest.values["titles"], strict=True):
        axes = {**_given(manifest.defaults["matrix"]), **_given(entry["matrix"])}
        common = merge(shared, values.get("automation") or {})
        for number, (variant, choice) in enumerate(_combinations(axes)):
            script = choice.pop("input_script", None)
            overrides = merge(common, _sections(choice))
            path = os.path.join(manifest.folder, script) if script else None
            yield Unit(entry["title_id"], variant, number, entry, overrides, path)


def merge(base: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """Tables merged key by key, `more` winning."""
    merged = dict(base)
    for key, value in more.items():
        old = merged.get(key)
        merged[key] = merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def _given(matrix: dict[str, Any] | None) -> dict[str, list[Any]]:
    return {key: matrix[key] for key in AXES if matrix and matrix[key]}


def _combinations(axes: dict[str, list[Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each choice with its name; only what has several choices is in the name."""
    names = list(axes)
    for values in itertools.product(*(list(enumerate(axes[name])) for name in names)):
        choice = {name: value for name, (_, value) in zip(names, values, strict=True)}
        parts = [
            _label(name, value, position, axes[name]) for name, (position, value) in zip(names, values, strict=True)
        ]
        yield "+".join(part for part in parts if part) or PLAIN, choice


def _label(axis: str, value: Any, position: int, choices: list[Any]) -> str:
    if len(choices) == 1:
        return ""
    labels = [_slug(axis, choice) for choice in choices]
    label = labels[position]
    return label if labels.count(label) == 1 and label else f"{axis}{position}"


def _slug(axis: str, value: Any) -> str:
    if axis == "optimisation":
        return f"O{value}"
    if axis == "baseline":
        return "baseline" if value else "recent"
    if axis == "seed":
        return f"seed{value}"
    if axis == "compiler":
        value = os.path.basename(value[0])
    elif axis == "input_script":
        value = os.path.splitext(os.path.basename(value))[0]
    elif axis == "lift_skip":
        value = "skip-" + "-".join(value) if value else "whole"
    return re.sub(r"[^A-Za-z0-9._-]", "_", value)[:40].lstrip(".")


_PLACES = {
    "compiler": ("build", "compiler"), "target": ("build", "target"), "optimisation": ("build", "optimisation"),
    "baseline": ("build", "baseline"), "lift_skip": ("lift", "skip"), "lift_mode": ("run", "lift_mode"),
    "seed": ("run", "seed"),
}  # fmt: skip


def _sections(choice: dict[str, Any]) -> dict[str, dict[str, Any]]:
    sections: dict[str, dict[str, Any]] = {}
    for axis, value in choice.items():
        section, key = _PLACES[axis]
        sections.setdefault(section, {})[key] = value
    return sections
