"""Arguments and results of closed functions as C parameters.

A closed function always returns to its caller, so that its registers need not go through `*c`: what it reads comes
in parameters, and the one result that direct callers read goes back as the C result. Such a function has two C symbols:
`g_<address>` with the parameters that it needs, for direct calls, and a thunk `f_<address>` for whoever calls by guest
address. Every `f_` has the same parameters (`UNIFORM`, rt_value_func in rt.h), so that calls through pointers hand over
values, too. A function that leaves by a tail call has only `f_`, since calls between equal C types alone surely do not
grow the host's stack. Where not all functions of a program are closed, none has a signature.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass

from recomp.emit.flow import Flow, Part
from recomp.emit.summary import Summaries, callee_of
from recomp.semantics.builder import SP, V0

#: What fits into registers of the x86-64 and AArch64 C conventions, beside `c`.
MAX_INTEGERS, MAX_VECTORS = 5, 8
_INTEGERS = (SP, *range(9))
_VECTORS = range(V0, V0 + 8)
#: Tried in this order for the C result.
_RESULTS = (0, V0)


@dataclass(frozen=True)
class Signature:
    """Registers, by their numbers in the masks."""

    parameters: tuple[int, ...]
    result: int | None

    @functools.cached_property
    def parameter_mask(self) -> int:
        return sum(1 << r for r in self.parameters)

    @functools.cached_property
    def result_mask(self) -> int:
        return 0 if self.result is None else 1 << self.result

    def prototype(self, name: str) -> str:
        """The C declarator of a function; parameters are called `a_` and the register."""
        arguments = "".join(f", {ctype(r)} a_{register_name(r)}" for r in self.parameters)
        return f"{ctype(0 if self.result is None else self.result)} {name}(rt_near *restrict near{arguments})"


NOTHING = Signature((), None)
UNIFORM = Signature((SP, 0, 1, 2, 3), 0)


def own_signature(start: int, s: Summaries, known: Mapping[int, Signature]) -> Signature:
    """What a function is called with."""
    return known.get(start, UNIFORM if s.uniform else NOTHING)


def called(part: Part, s: Summaries, known: Mapping[int, Signature]) -> Signature:
    """What the call or tail call at a part's end hands over."""
    if part.kind == "call" and (callee := callee_of(part)) in known and callee is not None:
        return known[callee]
    return UNIFORM if s.uniform and part.kind in ("call", "tail", "jump") else NOTHING


def symbol(start: int, s: Summaries) -> str:
    """The C declarator by which the function at a guest address is called through a pointer."""
    return UNIFORM.prototype(f"f_{start:x}") if s.uniform else f"uint64_t f_{start:x}(rt_near *restrict near)"


def thunk(start: int, s: Summaries, signature: Signature) -> str:
    """The C text of `f_` for a function with a signature."""
    given = UNIFORM.parameters
    values = "".join(f", a_{register_name(r)}" if r in given else f", {field(r)}" for r in signature.parameters)
    result = "" if signature.result is None else f"{field(signature.result)} = "
    call = f"g_{start:x}(near{values})"
    head = [f"{symbol(start, s)} {{", "  rt_cpu *const c = rt_cpu_of(near);"]
    read, out = s.reads[start], s.live_out[start] | s.returned
    needed = [r for r in given if r not in signature.parameters and (read if r == SP else read | out) >> r & 1]
    lines = [f"  {field(r)} = a_{register_name(r)};" for r in needed]
    if signature.result == 0:
        lines.append(f"  return {call};")
    else:
        lines += [f"  {result}{call};", f"  return {field(0) if s.writes[start] & out & 1 else 'a_x0'};"]
    return "\n".join((*head, *lines, "}", ""))


def signatures(flows: Mapping[int, Flow], s: Summaries, entry: int, direct: Mapping[int, int]) -> dict[int, Signature]:
    """Signatures of the closed functions that have one, by start. `direct`: as `direct_reads` gives them."""
    return {
        start: _signature(start, s, direct[start])
        for start, flow in flows.items()
        if s.uniform and start != entry and not flow.entries and not any(_tail_calls(flow))
    }


def _tail_calls(flow: Flow) -> list[bool]:
    return [part.kind in ("tail", "jump") for part in flow.parts]


def _signature(start: int, s: Summaries, direct: int) -> Signature:
    # What only indirect calls might read stays where it is.
    reads = s.reads[start] & direct
    integers = [r for r in _INTEGERS if reads >> r & 1][:MAX_INTEGERS]
    vectors = [r for r in _VECTORS if reads >> r & 1][:MAX_VECTORS]
    results = [r for r in _RESULTS if s.live_out[start] & s.writes[start] & 1 << r]
    results += [r for r in _RESULTS if s.returned & s.writes[start] & 1 << r]
    return Signature((*integers, *vectors), results[0] if results else None)


def ctype(register: int) -> str:
    return "rt_v128" if register >= V0 else "uint64_t"


def register_name(register: int) -> str:
    return f"v{register - V0}" if register >= V0 else "sp" if register == SP else f"x{register}"


def field(register: int) -> str:
    """Where `*c` has a register."""
    return f"c->v[{register - V0}]" if register >= V0 else "c->sp" if register == SP else f"c->x[{register}]"
