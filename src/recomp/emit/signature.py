"""Arguments and results of balanced functions as C parameters.

A balanced function always returns to its caller, so that its registers need not go through `*c`: what it reads comes
in parameters, and the one result that direct callers read goes back as the C result. Such a function has two C symbols:
`g_<address>` with parameters, for direct calls, and a thunk `f_<address>` that takes everything from `*c`, for whoever
calls by guest address. A function that leaves by a tail call keeps the plain form alone, since only calls between equal
C types are guaranteed not to grow the host's stack.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from recomp.emit.flow import Flow
from recomp.emit.summary import Summaries, direct_reads
from recomp.semantics.builder import SP, V0

#: What fits into registers of the x86-64 and AArch64 C conventions, beside `c`.
MAX_INTEGERS, MAX_VECTORS = 5, 8
_INTEGERS = (SP, *range(9))
_VECTORS = range(V0, V0 + 8)
#: Tried in this order for the C result.
_RESULTS = (0, V0)


@dataclass(slots=True, frozen=True)
class Signature:
    """Registers, by their numbers in the masks."""

    parameters: tuple[int, ...]
    result: int | None

    @property
    def parameter_mask(self) -> int:
        return sum(1 << r for r in self.parameters)

    @property
    def result_mask(self) -> int:
        return 0 if self.result is None else 1 << self.result

    def prototype(self, start: int) -> str:
        """The C declarator of `g_`; parameters are called `a_` and the register."""
        arguments = "".join(f", {ctype(r)} a_{register_name(r)}" for r in self.parameters)
        return f"{ctype(0 if self.result is None else self.result)} g_{start:x}(rt_cpu *restrict c{arguments})"

    def thunk(self, start: int) -> str:
        """The C text of `f_`."""
        arguments = "".join(f", {field(r)}" for r in self.parameters)
        result = "" if self.result is None else f"{field(self.result)} = "
        return f"uint64_t f_{start:x}(rt_cpu *c) {{\n  {result}g_{start:x}(c{arguments});\n  return 0;\n}}\n"


def signatures(flows: Mapping[int, Flow], s: Summaries, entry: int) -> dict[int, Signature]:
    """Signatures of the functions that have one, by start; none unless the program is balanced."""
    if not s.kept:
        return {}
    direct = direct_reads(flows)
    return {
        start: _signature(start, s, direct[start])
        for start, flow in flows.items()
        if start != entry and not flow.entries and not any(_tail_calls(flow))
    }


def _tail_calls(flow: Flow) -> list[bool]:
    return [part.kind in ("tail", "jump") for part in flow.parts]


def _signature(start: int, s: Summaries, direct: int) -> Signature:
    # What only indirect calls might read stays where it is.
    reads = s.reads[start] & direct
    integers = [r for r in _INTEGERS if reads >> r & 1][:MAX_INTEGERS]
    vectors = [r for r in _VECTORS if reads >> r & 1][:MAX_VECTORS]
    results = s.live_out[start] & s.writes[start]
    return Signature((*integers, *vectors), next((r for r in _RESULTS if results >> r & 1), None))


def ctype(register: int) -> str:
    return "rt_v128" if register >= V0 else "uint64_t"


def register_name(register: int) -> str:
    return f"v{register - V0}" if register >= V0 else "sp" if register == SP else f"x{register}"


def field(register: int) -> str:
    """Where `*c` has a register."""
    return f"c->v[{register - V0}]" if register >= V0 else "c->sp" if register == SP else f"c->x[{register}]"
