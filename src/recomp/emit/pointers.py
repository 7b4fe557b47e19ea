"""Which functions pointers are seen to lead to: the likely targets of calls through pointers.

Only speed depends on it. A function counts if its address lies in the guest's initial data (as a 64-bit word at a
multiple of 4, which is also what a table of relocations holds) or is made in code by `adr`, or by `adrp` and `add`. A
call that leads to another function finds that out and hands over more (`recomp.emit.placement`, `rare`). So does one
that leads to a function which needs all of v0 to v7: it, or what it calls, takes any number of arguments, and stores
these registers in case there are doubles among them.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping

from recomp.emit.flow import Flow
from recomp.semantics.builder import V0

_ANY_NUMBER = 0xFF << V0


def pointed_at(flows: Mapping[int, Flow], contents: Iterable[bytes], reads: Mapping[int, int]) -> frozenset[int]:
    """Starts of such functions. `contents`: initial bytes of the guest's segments; `reads`: `direct_reads`."""
    found: set[int] = set()
    for data in contents:
        for offset in (0, 4):
            words = array("Q")
            words.frombytes(data[offset : offset + (len(data) - offset) // 8 * 8])
            found.update(flows.keys() & set(words))
    for flow in flows.values():
        found.update(_made(flow))
    return frozenset(pc for pc in found & flows.keys() if reads[pc] & _ANY_NUMBER != _ANY_NUMBER)


def _made(flow: Flow) -> Iterator[int]:
    """Addresses that a function's words make, taken in the order of their addresses."""
    pages: dict[int, int] = {}
    for part in flow.parts:
        for piece in part.pieces:
            insn = piece.insn
            if insn is None:
                continue
            if insn.name in ("ADR", "ADRP"):
                address = int(piece.text[piece.text.index("0x") :].partition(")")[0], 16)
                pages[insn.rd] = address
                yield address
            elif insn.name == "ADD_i" and insn.rn in pages:
                yield pages[insn.rn] + (insn.imm12 << 12 * insn.sh)
