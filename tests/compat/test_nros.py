"""How console homebrew is compared: what counts as a difference, and what the list of programs may hold."""

from __future__ import annotations

import importlib.util
import re
import struct
import sys
import tomllib
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("compat_nro", ROOT / "tools" / "compat_nro.py")
    assert spec and spec.loader
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_one_other_picture_is_a_difference(tool: ModuleType) -> None:
    theirs = tool.Played(["a", "b", "b"], b"", "exit", "return")
    assert tool.compare(theirs, theirs) == (3, 3, "")
    assert tool.compare(theirs, replace(theirs, pictures=["a", "a", "b"])) == (3, 2, "tick 1: another picture")


def test_fewer_ticks_or_another_end_is_a_difference(tool: ModuleType) -> None:
    theirs = tool.Played(["a", "b"], b"", "exit", "return")
    assert tool.compare(theirs, replace(theirs, pictures=["a"]))[2] == "1 ticks, expected 2"
    assert tool.compare(theirs, replace(theirs, kind="limit"))[2] == "the oracle ended otherwise: return"
    assert tool.compare(replace(theirs, pictures=[]), theirs)[2] == "the oracle saw no picture: return"


def test_the_time_before_the_first_picture_counts_on_neither_side(tool: ModuleType) -> None:
    """A port's black has the size of its first picture, the oracle's that of the display."""
    small, large = (tool.hash_frame(np.zeros((h, w, 4), np.uint8)) for h, w in ((720, 1280), (1080, 1920)))
    theirs = tool.Played([small, small, "a"], b"", "exit", "return")
    assert tool.compare(theirs, replace(theirs, pictures=[large, large, "a"])) == (1, 1, "")
    assert tool.compare(theirs, replace(theirs, pictures=[large, "a", "a"]))[:2] == (2, 1)


def test_only_silence_behind_the_last_sample_counts_for_nothing(tool: ModuleType) -> None:
    assert tool.compare_sound(b"\1\0\0\0", b"\1") == "equal"
    assert tool.compare_sound(b"\0\1", b"\1") == "differs"
    assert tool.compare_sound(b"\0\0", b"") == "none"


@pytest.mark.parametrize(
    ("magic", "expected"),
    [({}, "1.4 to 2.1"), ({0x1C: b"LNY0"}, "2.2 to 4.4"), ({0x1C: b"LNY0", 0x28: b"LNY1"}, "4.5 to 4.9")],
)
def test_the_sdk_by_its_marks(tool: ModuleType, magic: dict[int, bytes], expected: str) -> None:
    nro = bytearray(0x100)
    struct.pack_into("<I4x8s", nro, 0, 0, b"")
    nro[4:16] = struct.pack("<I8s", 0x80, b"HOMEBREW")
    assert tool.generation(bytes(nro)) == "1.0 to 1.3"
    nro[0x80:0x84] = b"MOD0"
    for offset, mark in magic.items():
        nro[0x80 + offset : 0x84 + offset] = mark
    assert tool.generation(bytes(nro)) == expected


def test_a_program_that_is_refused_is_a_row_that_says_why(
    tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_oracle(*_: object) -> object:
        return tool.Played([], b"", "failed", "")

    nro = tmp_path / "cut.nro"
    nro.write_bytes(bytes(16) + b"NRO0" + bytes(0x70))
    monkeypatch.setattr(tool, "play_oracle", no_oracle)
    row = tool.play_both(nro, "cut", tmp_path, 1, ())
    assert row["difference"].startswith("not recompiled: nro: ") and row["equal"] == row["compared"] == 0


def test_the_list_says_where_each_program_is_from() -> None:
    programs = tomllib.loads((ROOT / "tests" / "compat" / "console" / "nros.toml").read_text(encoding="utf-8"))["nro"]
    for program in programs:
        assert program.keys() - {"presses"} == {"name", "from", "commit", "path", "licence", "sha256"}
        assert re.fullmatch(r"[0-9a-f]{64}", program["sha256"]) and re.fullmatch(r"[0-9a-f]{40}", program["commit"])
    for key in ("name", "sha256"):
        assert len({program[key] for program in programs}) == len(programs)
