"""Who may import whom: the table of ARCHITECTURE.md, held to the code by its import statements."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "recomp"

#: folder → folders that it may import beside itself; errors and the package itself are open to all
MAY_IMPORT: dict[str, set[str]] = {
    "cli": {
        "batch",
        "stages",
        "engine",
        "config",
        "report",
        "media",
        "formats",
        "lift",
        "emit",
        "semantics",
        "a64",
        "runtime",
    },  # fmt: skip
    "batch": {"engine", "config", "stages", "report"},
    "stages": {"engine", "config", "formats", "lift", "emit", "media", "report"},
    "engine": set(),
    "config": set(),
    "formats": set(),
    "a64": set(),
    "lift": {"a64", "formats"},
    "semantics": {"a64"},
    "emit": {"lift", "semantics", "a64"},
    "media": set(),
    "report": {"media", "engine"},
}

PURE = ("formats", "a64", "lift", "semantics", "emit")
#: modules that know of the clock, the environment, the network or a path
WORLDLY = {"os", "time", "datetime", "socket", "subprocess", "tempfile", "shutil", "random", "urllib", "http"}


def modules(folder: str) -> list[Path]:
    return sorted((PACKAGE / folder).rglob("*.py"))


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: imports are absolute"
            names.add(node.module)
            if node.module == "recomp":
                names.update(f"recomp.{alias.name}" for alias in node.names)
    return names


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_a_folder_imports_what_the_map_allows(folder: str) -> None:
    allowed = MAY_IMPORT[folder] | {folder, "errors", "__version__"}
    for path in modules(folder):
        for name in imported(path):
            parts = name.split(".")
            if parts[0] == "recomp" and len(parts) > 1:
                assert parts[1] in allowed, f"{path.relative_to(PACKAGE)} imports {name}"


def test_every_folder_is_in_the_map() -> None:
    folders = {path.parent.relative_to(PACKAGE).parts[0] for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE}
    assert folders == MAY_IMPORT.keys()


@pytest.mark.parametrize("folder", PURE)
def test_pure_folders_do_not_know_the_world(folder: str) -> None:
    for path in modules(folder):
        found = {name.split(".")[0] for name in imported(path)} & WORLDLY
        assert not found, f"{path.relative_to(PACKAGE)} imports {sorted(found)}"


def test_only_the_command_line_prints_or_exits() -> None:
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.is_relative_to(PACKAGE / "cli") or path.name == "__main__.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in ("print", "exit", "quit"), f"{path.relative_to(PACKAGE)}:{node.lineno}"
