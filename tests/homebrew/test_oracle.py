"""The oracle notices: a planted defect must show, or its consent would mean nothing."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.homebrew.conftest import play_checks
from tests.homebrew.programs import ROOT
from tests.homebrew.test_checks import wrong_lines
from tests.oracle import kernel
from tests.oracle.__main__ import run_on_card
from tests.oracle.run import Options
from tests.oracle.services.screen import RGB565, RGBA8888, Slot, linear, to_rgb, visible

CSEL_MASK, CSINC, CSINV = 0x7FE00C00, 0x1A800400, 0x5A800000


def slot(width: int, height: int, kind: int, pitch: int, log2_gobs: int = 4, layout: int = 3) -> Slot:
    return Slot(width, height, kind, 1, 0, pitch, log2_gobs, layout)


def test_a_kernel_that_forgets_priorities_is_caught(
    checks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the comparison: the same program, one wrong line in the system."""
    monkeypatch.setattr(kernel.Kernel, "waiters", first_come_first_served)
    report = play_checks(checks.read_bytes(), tmp_path)
    assert "WRONG order of waking: found 0x7b, expected 0x516" in report.text  # 0123 and 1302


def first_come_first_served(self: kernel.Kernel, kind: str, **facts: int) -> list[kernel.Thread]:
    waits = [thread for thread in self.threads if thread.wait is not None and thread.wait.kind == kind]
    found = [t for t in waits if all(getattr(t.wait, name) == value for name, value in facts.items())]
    return sorted(found, key=lambda thread: thread.wait.order if thread.wait else 0)


def test_one_changed_instruction_is_caught(checks: Path, tmp_path: Path) -> None:
    """The control of the CPU: cset (csinc) becomes csetm-like (csinv) somewhere; some check must fail or never come."""
    nro = bytearray(checks.read_bytes())
    text_size = struct.unpack_from("<I", nro, 0x24)[0]
    words = [at for at in range(0x80, text_size, 4) if struct.unpack_from("<I", nro, at)[0] & CSEL_MASK == CSINC]
    for at in words:
        word = struct.unpack_from("<I", nro, at)[0]
        struct.pack_into("<I", nro, at, word & ~CSEL_MASK | CSINV | word & 0x80000000)
    assert words
    report = play_checks(bytes(nro), tmp_path)
    assert report.exit.kind != "return" or wrong_lines(report.text)


def test_block_linear_by_hand() -> None:
    """128 bytes by 16 rows, blocks of one GOB: byte (x, y) lies where the format's table says, worked out here."""
    raw = bytearray(128 * 16)
    where = {(0, 0): 0, (16, 0): 32, (32, 0): 256, (48, 0): 288, (0, 1): 16, (0, 2): 64, (63, 7): 511, (64, 0): 512,
             (0, 8): 1024, (127, 15): 2047}  # fmt: skip
    for number, offset in enumerate(where.values(), start=1):
        raw[offset] = number
    rows = linear(bytes(raw), slot(32, 16, RGBA8888, 128, log2_gobs=0))
    assert rows.shape == (16, 128)
    assert {place: int(rows[place[1], place[0]]) for place in where} == dict(zip(where, range(1, 11), strict=True))


def test_colours_and_flips() -> None:
    red_blue = slot(32, 1, RGB565, 64, layout=1)
    rows = np.zeros((1, 64), np.uint8)
    rows[0, :4] = (0x00, 0xF8, 0x1F, 0x00)
    picture = to_rgb(rows, red_blue)
    assert picture[0, :2].tolist() == [[255, 0, 0], [0, 0, 255]]
    red_blue.transform = 1
    assert visible(picture, red_blue)[0, -2:].tolist() == [[0, 0, 255], [255, 0, 0]]
    red_blue.transform, red_blue.crop = 0, (1, 0, 3, 1)
    assert visible(picture, red_blue).tolist() == [[[0, 0, 255], [0, 0, 0]]]


def test_a_program_that_never_ends_meets_the_limit(tmp_path: Path, checks: Path) -> None:
    report = run_on_card(checks.read_bytes(), tmp_path, Options(ticks=3))
    assert (report.exit.kind, report.ticks, len(report.frames)) == ("limit", 3, 3)


def test_the_command_line_refuses_what_is_no_program(tmp_path: Path) -> None:
    (tmp_path / "no.nro").write_bytes(b"no")
    command = [sys.executable, "-m", "tests.oracle", tmp_path / "no.nro"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "oracle: error: not an NRO\n"
