"""Whole programs: the same source natively compiled, and recompiled from its stripped AArch64 build, say the same."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from recomp.emit import EmitOptions, emit_project
from recomp.lift.lift import lift_elf
from tests.elves import without_headers
from tests.emit.building import GUEST, HERE, HOST, build_port, compile_c, run
from tests.guests import assemble

PROGRAMS = sorted(path.stem for path in (HERE / "programs").glob("*.c"))


DESIGNS = {"summaries": {}, "spills": {"call_summaries": False}, "exact": {"exact": True}}


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_recompiled_program_is_the_program(name: str, design: str, tmp_path: Path) -> None:
    source = HERE / "programs" / f"{name}.c"
    guest = compile_c(source, tmp_path / "guest.elf", [*GUEST, "-s"])
    data = guest.read_bytes()
    module, segments, _ = lift_elf(data)
    options = EmitOptions(source="guest.elf", sha256=hashlib.sha256(data).hexdigest(), **DESIGNS[design])
    port = build_port(emit_project(module, segments, options), tmp_path / "project")
    actual = run([str(port)])
    assert actual == run([str(compile_c(source, tmp_path / "native", HOST))])
    if emulator := shutil.which("qemu-aarch64"):
        assert actual == run([emulator, str(guest)])


def test_programs_of_closed_functions_hand_over_values(tmp_path: Path) -> None:
    """So that the programs above test that."""
    for name in ("pointers", "untouched"):
        data = compile_c(HERE / "programs" / f"{name}.c", tmp_path / name, [*GUEST, "-s"]).read_bytes()
        module, segments, _ = lift_elf(data)
        files = emit_project(module, segments, EmitOptions(source=name, sha256="0" * 64))
        assert b".balanced = 1," in files["module.c"]


COMES_BACK = """
    .text
    .globl _start
_start:
    adrp    x1, behind
    add     x1, x1, :lo12:behind
    bl      caller
    add     w0, w0, #1
    mov     x8, #94
    svc     #0
caller:
    stp     x29, x30, [sp, #-16]!
    mov     w0, #20
    bl      leaf
behind:
    add     w0, w0, #20
    ldp     x29, x30, [sp], #16
    ret
leaf:
    add     w0, w0, #1
    ret
"""


def test_a_call_that_comes_back_where_another_function_begins_goes_on_there(tmp_path: Path) -> None:
    """What stands behind `caller`'s call is referred to, which cuts it off: it is a function that is entered by a
    return, and returns for its caller."""
    module, segments, _ = lift_elf(without_headers(assemble(COMES_BACK)))
    cut = next(function for function in module.functions if len(function.blocks) == 1 and function.blocks[0].insns == 3)
    assert cut.blocks[0].terminator == "call" and cut.blocks[0].successors == ()
    port = build_port(emit_project(module, segments, EmitOptions(source="guest", sha256="0" * 64)), tmp_path)
    assert run([str(port)]) == (b"", 42)
