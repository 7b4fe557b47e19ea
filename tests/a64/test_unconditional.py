"""The lines of `unconditional.txt`, as functions of one program: lifted, emitted and run, and run by the CPU model."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import unicorn
from elftools.elf.elffile import ELFFile
from unicorn import arm64_const as reg

from recomp.a64 import decode
from recomp.emit import EmitOptions, emit_project
from recomp.lift.lift import lift_elf
from tests.emit.building import build_port, run

LINES = [
    [part.strip() for part in line.split("|")]
    for line in Path(__file__).with_name("unconditional.txt").read_text("utf-8").splitlines()
    if line and not line.startswith("#")
]
EXPECTED = bytes(int(result) for _, _, result in LINES)
WRITE, EXIT = 64, 93


def listing() -> str:
    """Calls each case, stores its x0 as a byte, writes the bytes to standard output and ends with code 0."""
    text = [".global _start", "_start:"]
    for k in range(len(LINES)):
        text += [f"bl case_{k}", "adrp x9, bytes", "add x9, x9, :lo12:bytes", f"strb w0, [x9, #{k}]"]
    text += ["mov x0, #1", "adrp x1, bytes", "add x1, x1, :lo12:bytes", f"mov x2, #{len(LINES)}"]
    text += [f"mov x8, #{WRITE}", "svc #0", "mov x0, #0", f"mov x8, #{EXIT}", "svc #0"]
    for k, (_, code, _) in enumerate(LINES):
        text += [f"case_{k}:", "stp x29, x30, [sp, #-16]!", "mov x0, #0", code, "2: ldp x29, x30, [sp], #16", "ret"]
    return "\n".join([*text, ".bss", "bytes: .skip 64", ""])


@pytest.fixture(scope="module")
def guest(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("unconditional")
    (folder / "guest.s").write_text(listing(), "utf-8")
    command = [sys.executable, "-m", "ziglang", "cc", "--target=aarch64-linux-musl", "-nostdlib", "-static", "-s"]
    subprocess.run([*command, "-o", "guest", "guest.s"], cwd=folder, check=True)
    return (folder / "guest").read_bytes()


def test_the_port_leaves_what_each_line_says(guest: bytes, tmp_path: Path) -> None:
    module, segments, _ = lift_elf(guest)
    port = build_port(emit_project(module, segments, EmitOptions(source="guest", sha256="0" * 64)), tmp_path)
    assert run([str(port)]) == (EXPECTED, 0)


def test_the_model_leaves_what_each_line_says(guest: bytes, tmp_path: Path) -> None:
    (tmp_path / "guest").write_bytes(guest)
    machine = unicorn.Uc(unicorn.UC_ARCH_ARM64, unicorn.UC_MODE_ARM)
    machine.mem_map(0, 0x2000000)
    with (tmp_path / "guest").open("rb") as file:
        elf = ELFFile(file)
        for segment in elf.iter_segments("PT_LOAD"):
            machine.mem_write(segment["p_vaddr"], segment.data())
        entry = elf["e_entry"]
    machine.reg_write(reg.UC_ARM64_REG_SP, 0x1FF0000)
    written = bytearray()

    def supervisor_call(uc: unicorn.Uc, number: int, data: object) -> None:
        if uc.reg_read(reg.UC_ARM64_REG_X8) == WRITE:
            written.extend(uc.mem_read(uc.reg_read(reg.UC_ARM64_REG_X1), uc.reg_read(reg.UC_ARM64_REG_X2)))
        else:
            uc.emu_stop()

    machine.hook_add(unicorn.UC_HOOK_INTR, supervisor_call)
    machine.emu_start(entry, 0x1FFFFFC, count=10_000)
    assert bytes(written) == EXPECTED


def test_each_line_holds_the_instruction_that_it_names(guest: bytes) -> None:
    words = {guest[at : at + 4] for at in range(0, len(guest) - 3, 4)}
    present = {insn.name for word in words if (insn := decode(int.from_bytes(word, "little"))) is not None}
    assert {name for line in LINES for name in [line[0].split()[0]]} <= present
