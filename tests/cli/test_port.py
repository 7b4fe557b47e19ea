"""`recomp port`: a program becomes an executable that behaves as the program; what it misses heals."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from conftest import run_cli
from tests.guests import assemble, compile_c

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


#: Writes the word at `number` over the one at `place` in a page of its own code, says so to the caches, and goes there.
SELF_MODIFYING = """
    .text
    .globl _start
_start:
    adr     x9, place
    bic     x0, x9, #0xfff
    mov     x1, #4096
    mov     x2, #7
    mov     x8, #226
    svc     #0
    bl      place
    mov     w10, #0x540
    movk    w10, #0x5280, lsl #16
    {store}
    dc      cvau, x9
    dsb     ish
    ic      ivau, x9
    dsb     ish
    isb
    bl      place
    mov     x8, #93
    svc     #0
    .balign 64
place:
    mov     w0, #41
    ret
"""

#: Makes a page, writes `ret` there and calls it.
NEW_CODE = """
    .text
    .globl _start
_start:
    mov     x0, #0
    mov     x1, #4096
    mov     x2, #7
    mov     x3, #0x22
    mov     x4, #-1
    mov     x5, #0
    mov     x8, #222
    svc     #0
    mov     w10, #0x3c0
    movk    w10, #0xd65f, lsl #16
    str     w10, [x0]
    dc      cvau, x0
    ic      ivau, x0
    isb
    blr     x0
    mov     x0, #7
    mov     x8, #93
    svc     #0
"""


@pytest.mark.parametrize(
    ("source", "code", "says"),
    [
        (
            SELF_MODIFYING.format(store="str w10, [x9]"),
            125,
            "self-modifying code: the program has changed its own",
        ),
        (SELF_MODIFYING.format(store="ldr w11, [x9]; str w11, [x9]"), 41, ""),
        (NEW_CODE, 125, "code that the program made while it ran cannot be translated ahead"),
    ],
    ids=["changed", "written-as-it-was", "new-code"],
)
def test_code_that_changes_is_named(source: str, code: int, says: str, cache: str, tmp_path: Path) -> None:
    guest, made = tmp_path / "guest", tmp_path / "port"
    guest.write_bytes(assemble(source.replace("; ", "\n    ")))
    assert port(guest, made, cache).returncode == 0
    done = subprocess.run([made], env={}, capture_output=True, text=True)
    assert done.returncode == code
    assert says in done.stderr and bool(says) == bool(done.stderr)


#: As `again`: what it was started with, the guest's time, and some random bytes. Otherwise: sleeps and becomes `again`.
AGAIN = """
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>
int main(int argc, char **argv) {
  if (strcmp(argv[0], "again")) {
    struct timespec second = {1, 0};
    nanosleep(&second, NULL);
    chdir("/bin");
    return execlp("again", "again", "argument", (char *)NULL);
  }
  struct timespec now;
  unsigned random;
  clock_gettime(CLOCK_MONOTONIC, &now);
  getrandom(&random, sizeof random, 0);
  printf("%d %s %ld %08x %s\\n", argc, argv[1], (long)now.tv_sec, random, getenv("RECOMP_RT_SEED") ? "seen" : "unseen");
}
"""


def test_a_port_started_by_a_name_in_path_keeps_its_settings_and_time(cache: str, tmp_path: Path) -> None:
    (tmp_path / "root" / "bin").mkdir(parents=True)
    guest, made = tmp_path / "guest", tmp_path / "root" / "port"
    guest.write_bytes(compile_c(AGAIN))
    assert port(guest, made, cache).returncode == 0
    os.link(made, tmp_path / "root" / "bin" / "again")
    settings = {"PATH": "/bin", "RECOMP_RT_REALTIME": "0", "RECOMP_RT_ROOT": "root"}
    one, two = (
        subprocess.run([made], env=settings | {"RECOMP_RT_SEED": seed}, cwd=tmp_path, capture_output=True, text=True)
        for seed in ("1", "2")
    )
    assert (one.returncode, one.stderr) == (0, "")
    assert one.stdout.startswith("2 argument 1001 ") and one.stdout.endswith(" unseen\n")
    assert one.stdout != two.stdout


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
