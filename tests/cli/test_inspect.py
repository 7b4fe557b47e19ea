"""`recomp inspect`: what a person sees of a file, and what a program gets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from recomp.cli.main import main
from recomp.formats.hfs0 import write_hfs0
from recomp.formats.nacp import write_nacp
from recomp.formats.npdm import Service, write_npdm
from recomp.formats.nso import write_nso
from recomp.formats.pfs0 import write_pfs0
from recomp.formats.romfs import write_romfs
from tests.elves import program
from tests.formats.modules import ROMFS_FILES, image, nro

NRO_TEXT = """\
NAME: NRO, 29,248 bytes
  version       1.2.3
  module        module
  build id      0102030405060708090a0b0c0d0e0f1011121314
  memory        16,384 bytes (16.0 KiB)
  eh frame hdr  0x1600
  eh frame      none
  sha256        HASH
  titles
    title    publisher  languages
    A title  Somebody   all
  segments
    name    offset   size  permissions
    text       0x0  4,096  r-x
    rodata  0x1000  4,096  r--
    data    0x2000  4,096  rw-
    bss     0x3000  4,096  rw-
  mod0
    offset     0x200
    dynamic    0x2000
    bss start  0x3000
    bss end    0x4000
    extension  LNY2
  dynamic
    offset   0x2000
    soname   module
    needed   libother.so
    exports  1
    imports  wanted
    relocations
      ABS64     1
      RELATIVE  2
      RELR      3
  assets
    offset  0x3000
    nacp    16,384 bytes (16.0 KiB)
    icon
      size  23 bytes
      jpeg  256 x 256
    romfs
      size         SIZE bytes
      directories  3
      files        4
      contents     102 bytes
"""


def inspect(data: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str], *options: str) -> str:
    path = tmp_path / "file"
    path.write_bytes(data)
    assert main(["inspect", str(path), *options]) == 0
    return capsys.readouterr().out.replace(str(path), "NAME")


def test_an_nro_as_a_person_sees_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import hashlib

    shown = inspect(nro(), tmp_path, capsys)
    romfs = next(line for line in shown.splitlines() if line.startswith("      size  ") and "23" not in line)
    expected = NRO_TEXT.replace("HASH", hashlib.sha256(nro()).hexdigest()).splitlines()
    expected = [romfs if "SIZE" in line else line for line in expected]
    assert shown.splitlines()[1:] == expected[1:]


@pytest.mark.parametrize(
    ("data", "form", "facts"),
    [
        (nro(), "NRO", {"version": "1.2.3", "memory": 0x4000}),
        (write_nso(image("nso")), "NSO", {"module": "module", "eh_frame_hdr": 0x1600}),
        (program(0xD65F03C0), "ELF", {"entry": 0x400000, "position_independent": False}),
        (write_npdm("Name", 16, (Service("lm", False),), ()), "NPDM", {"name": "Name", "program_id": "0" * 14 + "10"}),
        (write_pfs0({"main": b"1"}), "PFS0", {"files": [{"name": "main", "offset": 64, "size": 1}]}),
        (write_hfs0({"a": b"12"}), "HFS0", {"files": [{"name": "a", "offset": 96, "size": 2}]}),
        (write_romfs(ROMFS_FILES), "RomFS", {"directories": 3, "contents": 102}),
        (write_nacp("T", "P", "V"), "NACP", {"titles": [{"title": "T", "publisher": "P", "languages": "all"}]}),
        (bytes(0x100) + b"HEAD", "XCI", {}),
    ],
)
def test_every_format_as_json(data: bytes, form: str, facts: dict, tmp_path: Path, capsys) -> None:
    found = json.loads(inspect(data, tmp_path, capsys, "--json"))
    assert found["format"] == form and found["size"] == len(data)
    assert {key: found[key] for key in facts} == facts
    assert inspect(data, tmp_path, capsys).startswith(f"NAME: {form}, {len(data):,} bytes\n")


def test_damage_inside_a_readable_file_is_a_problem_and_not_the_end(tmp_path: Path, capsys) -> None:
    data = bytearray(nro())
    data[0x3028:0x3030] = (1 << 40).to_bytes(8, "little")  # where the RomFS begins
    shown = inspect(bytes(data), tmp_path, capsys)
    assert "  segments\n" in shown
    assert "  problem: assets: file offset 0x10000000000: romfs: found" in shown


def test_text_of_a_file_cannot_command_the_terminal(tmp_path: Path, capsys) -> None:
    shown = inspect(write_nacp("\x1b[31mred\nnext", "", ""), tmp_path, capsys)
    assert "\\x1b[31mred\\nnext" in shown and "\x1b" not in shown


def test_what_is_no_known_file_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"something else")
    assert main(["inspect", str(path)]) == 1
    assert 'file: unknown format: found "736f6d657468696e6720656c7365", expected NRO' in capsys.readouterr().err
    assert main(["inspect", str(tmp_path / "none")]) == 2
    assert "none: cannot be read: No such file or directory" in capsys.readouterr().err
