"""`recomp port`: a program becomes an executable that behaves as the program; what it misses heals."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from conftest import run_cli
from tests.guests import assemble

#: Calls through a pointer that is mangled with 0xfff0, to the middle of a function: nothing refers to that place.
MIDDLE = """
    .text
    .globl _start
_start:
    adr     x1, pointer
    ldr     x1, [x1]
    eor     x1, x1, #0xfff0
    mov     x0, #1
    blr     x1
    add     x0, x0, #40
    mov     x8, #93
    svc     #0
function:
    add     x0, x0, #100
    add     x0, x0, #1
    ret
    .balign 8
pointer:
    .quad   (function - _start + 4 + BASE) ^ 0xfff0
"""


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from recomp.formats.elf import read_elf

    base = read_elf(assemble(MIDDLE.replace("BASE", "0"))).entry
    path = tmp_path_factory.mktemp("guest") / "middle"
    path.write_bytes(assemble(MIDDLE.replace("BASE", hex(base))))
    return path


def port(program: Path, output: Path, cache: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run_cli("port", str(program), "-o", str(output), *arguments, RECOMP_CACHE_DIR=cache)


def test_a_miss_ends_the_port_and_heals(program: Path, cache: str, tmp_path: Path) -> None:
    made = tmp_path / "port"
    assert port(program, made, cache).returncode == 0
    assert port(program, made, cache).stdout.endswith("(cached)\n")
    misses = tmp_path / "misses.jsonl"
    done = subprocess.run(
        [made], env={"RECOMP_RT_MISSES": "misses.jsonl"}, cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 125 and "no code was discovered" in done.stderr
    assert [sorted(json.loads(line)) for line in misses.read_text().splitlines()] == [["count", "site", "target"]]
    assert port(program, made, cache, "--trace", str(misses)).returncode == 0
    assert subprocess.run([made], check=False).returncode == 42


def test_what_is_no_program_is_refused_and_the_output_stays(cache: str, tmp_path: Path) -> None:
    text, made = tmp_path / "text", tmp_path / "port"
    text.write_text("no program")
    made.write_text("kept")
    done = port(text, made, cache)
    assert done.returncode == 1 and done.stderr.startswith(f"recomp: error: {text}: ")
    assert made.read_text() == "kept" and sorted(os.listdir(tmp_path)) == ["port", "text"]
    assert port(tmp_path / "absent", made, cache).returncode == 1
    assert port(text, tmp_path / "none" / "port", cache).returncode == 1


def test_isa_lists_all_that_is_known() -> None:
    report = json.loads(run_cli("isa", "--json").stdout)
    totals = report["totals"]
    assert totals["encodings"] == totals["implemented"] == totals["tested"] > 700
    assert not [row for row in report["groups"] if row["missing"] or row["untested"]]
    assert {row["extension"] for row in report["out_of_scope"]} >= {"MTE (ARMv8.5)"}
