"""What tests ask of a lifted module."""

from __future__ import annotations

import io

from elftools.elf.elffile import ELFFile

from recomp.lift.lift import lift_elf
from recomp.lift.module import TERMINATORS, Block, Function, Module
from tests.elves import without_symbols


def labels(data: bytes) -> dict[str, int]:
    """Every symbol of a file, as pyelftools reads it."""
    table = ELFFile(io.BytesIO(data)).get_section_by_name(".symtab")
    return {s.name: s["st_value"] for s in table.iter_symbols() if s.name}


def functions(data: bytes) -> dict[int, str]:
    """The addresses of all function symbols with a size, and a name of each."""
    table = ELFFile(io.BytesIO(data)).get_section_by_name(".symtab")
    return {s["st_value"]: s.name for s in table.iter_symbols() if s["st_info"]["type"] == "STT_FUNC" and s["st_size"]}


def lift(data: bytes, **options: object) -> Module:
    """The module of a program without its symbols."""
    return lift_elf(without_symbols(data), **options)[0]  # type: ignore[arg-type]


def by_start(module: Module) -> dict[int, Function]:
    return {f.start: f for f in module.functions}


def block_ending(module: Module, site: int) -> Block:
    """The block whose last instruction is at `site`."""
    return next(b for f in module.functions for b in f.blocks if b.start + 4 * b.insns - 4 == site)


def check_module(module: Module) -> None:
    """The laws of docs/formats/module.md."""
    owner: dict[int, int] = {}
    names = [f.name for f in module.functions]
    assert len(set(names)) == len(names) and all(name.isidentifier() and name.isascii() for name in names)
    assert [f.start for f in module.functions] == sorted({f.start for f in module.functions})
    for function in module.functions:
        starts = [b.start for b in function.blocks]
        assert function.start in starts and set(function.entries) <= set(starts) - {function.start}
        assert starts == sorted(set(starts)) and list(function.entries) == sorted(function.entries)
        for block in function.blocks:
            assert block.insns > 0 and block.start % 4 == 0
            for address in range(block.start, block.start + 4 * block.insns, 4):
                assert owner.setdefault(address, function.start) == function.start, hex(address)
                owner[address] = -1  # no block of the function may hold it again
        assert function.end == function.blocks[-1].start + 4 * function.blocks[-1].insns
    ways_in = {f.start for f in module.functions} | {e for f in module.functions for e in f.entries}
    for function in module.functions:
        for block in function.blocks:
            check_block(block, {b.start for b in function.blocks} | ways_in, set(owner))


def check_block(block: Block, known: set[int], covered: set[int]) -> None:
    """One terminator with as many successors as it has; code that exists is entered only where it may be."""
    following = block.start + 4 * block.insns
    assert block.terminator in TERMINATORS
    shapes = {
        "fallthrough": [(following,)],
        "cond": [block.successors[:1] + (following,)],
        "call": [(following,), ()],
        "call_indirect": [(following,), ()],
        "jump_indirect": [()],
        "tail_call": [(following,), ()],
        "ret": [()],
        "trap": [()],
    }
    if block.terminator == "branch":
        assert len(block.successors) == 1
    elif block.terminator == "jump_table":
        assert block.successors == tuple(sorted(set(block.successors))) != ()
    else:
        assert block.successors in shapes[block.terminator]
    for successor in block.successors:
        assert successor in known or successor not in covered, (hex(block.start), hex(successor))
