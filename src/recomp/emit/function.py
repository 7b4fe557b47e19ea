"""One function as C text.

A function keeps registers in locals (`recomp.emit.placement` says where they are valid), calls other functions as C
calls, and returns the guest address where control goes. A call that returns to an address it was not expected to
stores what is still dirty and goes on to `unwind`: to an entry of this very activation, or out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from recomp.emit.code import Piece
from recomp.emit.files import c_comment
from recomp.emit.flow import Flow, Part
from recomp.emit.moves import (
    FLAG_NAMES,
    NAMES,
    VECTOR_LOADS,
    VECTOR_STORES,
    VECTOR_VALUES,
    VECTOR_ZEROS,
    from_value,
    moves,
    variables,
)
from recomp.emit.placement import Placement, place
from recomp.emit.runs import SHOWS, Step, emit_steps
from recomp.emit.signature import Signature, called, own_signature, thunk
from recomp.emit.summary import Summaries, callee_of
from recomp.emit.views import VECTORS, Access, Views, bits, build_views
from recomp.lift.module import Function
from recomp.semantics.builder import NF, V0
from recomp.semantics.propagate import Propagating, propagating

_NO_ACCESS: tuple[list[Access], list[Access]] = [], []
#: (view that a text names, register, how the function keeps it)
_Kept = list[tuple[str, int, str]]


def emit_function(
    flow: Flow, summaries: Summaries, signatures: Mapping[int, Signature], name_of: Callable[[Function], str]
) -> str:
    """C text of a whole function, with its thunk if it has a signature, ending in a newline."""
    start = flow.function.start
    text = _Function(flow, summaries, signatures, name_of).text()
    return f"{text}{thunk(start, summaries, signatures[start])}" if start in signatures else text


class _Function:
    def __init__(
        self,
        flow: Flow,
        summaries: Summaries,
        signatures: Mapping[int, Signature],
        name_of: Callable[[Function], str],
    ) -> None:
        self.flow = flow
        self.parts = flow.parts
        self.summaries = summaries
        self.signatures = signatures
        self.signature = own_signature(flow.function.start, summaries, signatures)
        self.placement: Placement = place(flow, summaries, signatures)
        # Read before they are set only where the guest never set them.
        self.private = summaries.private
        self.views: Views | None = build_views(flow, self.placement)
        self.name_of = name_of
        self.lines: list[str] = []
        self.used = 0  # registers with a local
        self.vector_locals: set[str] = set()
        self.labels: set[int] = set()  # parts that a goto names
        self.cold: dict[tuple[str, ...], int] = {}  # stores before unwinding
        self.behind: dict[tuple[str, ...], int] = {}  # and before going on behind a call in another function
        self.copies = 0
        self.unwinds = False
        self.uses_to = bool(flow.entries)
        self.uses_function = False
        self.again = flow.function.returns == "again" and bool(flow.entries)

    def text(self) -> str:
        body: list[list[str]] = []
        for index in range(len(self.parts)):
            self.lines = []
            self._part(index)
            body.append(self.lines)
        tail = self._tail()
        lines = self._head()
        for index, part in enumerate(self.parts):
            if index in self.labels:
                lines.append(f"{self._label(index)}:;")
            elif part.labelled:
                lines.append(f"  /* {part.pc:x} */")
            lines += body[index]
        return "\n".join((*lines, *tail, "}", ""))

    # --- the frame around the parts

    def _head(self) -> list[str]:
        flow, function = self.flow, self.flow.function
        held = self.placement.held[flow.start]
        letter = "g" if function.start in self.signatures else "f"
        prototype = self.signature.prototype(f"{letter}_{function.start:x}")
        given = held & self.signature.parameter_mask
        loads = [from_value(line) for line in self._loads(given, flow.start)]
        loads += self._loads(held & ~given, flow.start)
        lines = [
            f"/* {c_comment(self.name_of(function))}: {function.start:x}..{function.end:x}, found by "
            f"{c_comment(function.evidence)} */",
            f"{prototype} {{",
            "  rt_cpu *const c = rt_cpu_of(near);",
            "  uint8_t *const M = c->memory;",
            *self._declarations(),
        ]
        if flow.entries:
            lines.append("  uint64_t sp0 = c->sp;")
            if self.again:
                lines.append(f"  rt_activation here = {{c->active, UINT64_C({function.start:#x}), sp0}};")
                lines.append("  c->active = &here;")
                lines.append("  if (setjmp(here.host)) { to = c->resume; c->resume = 0; goto enter; }")
            lines.append("  if (RT_UNLIKELY(c->resume)) { to = c->resume; c->resume = 0; sp0++; goto enter; }")
        lines += loads
        if flow.start != 0:
            lines.append(f"  {self._goto(flow.start)}")
        return lines

    def _declarations(self) -> list[str]:
        self.used |= self._mask_of_texts()
        groups = [
            ("uint64_t", [NAMES[bit] for bit in bits(self.used & ~VECTORS) if bit < NF]),
            ("uint32_t", [FLAG_NAMES[bit] for bit in bits(self.used & ~VECTORS) if bit >= NF]),
        ]
        for ctype, letter in (("double", "d"), ("float", "s"), ("rt_v128", "v"), ("uint64_t", "u")):
            names = sorted((name for name in self.vector_locals if name[0] == letter), key=lambda name: int(name[1:]))
            groups.append((ctype, names))
        if self.uses_to:
            groups.append(("uint64_t", ["to"]))
        if self.uses_function:
            groups.append(("rt_func", ["function"]))
        return [f"  {ctype} {', '.join(names)};" for ctype, names in groups if names]

    def _mask_of_texts(self) -> int:
        mask = 0
        for part in self.parts:
            mask |= part.uses | part.defines
        return mask

    def _tail(self) -> list[str]:
        """What follows the parts: cold stores, unwinding, entries."""
        lines: list[str] = []
        for stores, number in self.cold.items():
            lines += [f"u_{number}:;", *stores, "  goto unwind;"]
        for stores, number in self.behind.items():
            lines += [f"b_{number}:;", *stores, *self._leaving(), "  RT_JUMP(c, to - 4, to);"]
        if self.unwinds:
            lines.append("unwind:;")
            if self.flow.entries:
                lines.append("  if (c->sp < sp0) goto enter;")
            lines.append(f"  {self._done()}return to;")
        if self.flow.entries:
            lines += ["enter:;", "  switch (to) {"]
            for pc, index in sorted(self.flow.entries.items()):
                loads = self._loads(self.placement.held[index], index)
                lines += [f"  case UINT64_C({pc:#x}):", *loads, f"  {self._goto(index)}"]
            lines += [f"  default: {self._done()}return to;", "  }"]
        return lines

    def _done(self) -> str:
        """What comes before the function is left."""
        return "c->active = here.outer; " if self.again else ""

    def _leaving(self) -> list[str]:
        return [f"  {self._done()}"] if self.again else []

    # --- parts

    def _part(self, index: int) -> None:
        part = self.parts[index]
        if self.views is not None and self.views.parts[index].pieces:
            self._pieces_with_views(part, index)
        else:
            self.lines += [f"  {piece.text}" for piece in part.pieces]
        getattr(self, f"_end_{part.kind}")(index, part)

    def _pieces_with_views(self, part: Part, index: int) -> None:
        views = self.views
        assert views is not None
        found = iter(views.parts[index].pieces)
        kept: list[tuple[Piece, _Kept, _Kept]] = []
        for piece in part.pieces:
            before, after = next(found) if piece.views else _NO_ACCESS
            reads = [(kind, n, views.kind(web)) for kind, n, web in before]
            writes = [(kind, n, views.kind(web)) for kind, n, web in after]
            kept.append((piece, reads, writes))
        nans = [_propagating(piece, writes) for piece, _, writes in kept]
        if any(nans):
            steps = [self._step(*entry, nan) for entry, nan in zip(kept, nans, strict=True)]
            self.lines += emit_steps(steps, self._fresh)
        else:
            self.lines += [self._line(piece.text, reads, writes) for piece, reads, writes in kept]

    def _fresh(self) -> str:
        self.copies += 1
        return f"n{self.copies}"

    def _line(self, text: str, reads: _Kept, writes: _Kept) -> str:
        """A piece's text with the conversions between what it names and what the function keeps."""
        result = f"  {text}"
        for kind, n, kept in reads:
            result = self._read_view(kind, n, kept, result)
        for kind, n, kept in writes:
            result = self._write_view(kind, n, kept, result)
        return result

    def _step(self, piece: Piece, reads: _Kept, writes: _Kept, nan: Propagating | None) -> Step:
        if not reads and not writes:
            return Step(piece.text, _indented)
        homes = {n: variables(n, kept) for _, n, kept in writes}
        converted = [f"{kind}{n}" for kind, n, kept in reads if kind != kept[0]]
        converted += [f"{kind}{n}" for kind, n, _ in writes]
        return Step(
            piece.text,
            lambda text: self._line(text, reads, writes),
            {n: variables(n, kept) for _, n, kept in reads},
            homes,
            frozenset(converted).union(*homes.values()),
            nan,
        )

    def _read_view(self, kind: str, n: int, kept: str, line: str) -> str:
        self.vector_locals |= {f"{kind}{n}", f"{kept[0]}{n}"}
        if kept[0] == kind:
            return line
        return f"  {kind}{n} = rt_v_to_{kind}(v{n});{line[1:]}"  # what is read as something else is kept whole

    def _write_view(self, kind: str, n: int, kept: str, line: str) -> str:
        self.vector_locals |= {f"{kind}{n}", *(f"{letter}{n}" for letter in kept)}
        if kept[0] != kind:
            whole = f"v{n}" if kind == "v" else f"rt_{kind}_to_v({kind}{n})"
            line += f" v{n} = {whole};" if kept == "v" else f" {kept[0]}{n} = rt_v_to_{kept[0]}({whole});"
        if kept == "du":
            line += f" u{n} = v{n}[1];" if kind == "v" else f" u{n} = 0;"
        return line

    def _loads(self, mask: int, index: int) -> Sequence[str]:
        """Loads from `*c` of registers held at the start of a part."""
        self.used |= mask
        unset = mask & self.private
        if not unset and not mask & VECTORS:
            return moves(mask, False)
        lines = [*moves(mask & ~unset, False), *(f"  {NAMES[bit]} = 0;" for bit in bits(unset & ~VECTORS))]
        if mask & VECTORS and self.views is not None:
            webs = self.views.parts[index].at_start
            lines += self._vector_moves(mask & ~unset, webs, VECTOR_LOADS)
            lines += self._vector_moves(unset, webs, VECTOR_ZEROS)
        return lines

    def _stores(self, mask: int, index: int) -> Sequence[str]:
        """Stores to `*c` at the end of a part."""
        self.used |= mask
        lines = moves(mask, True)
        if mask & VECTORS and self.views is not None:
            return [*lines, *self._vector_moves(mask, self.views.parts[index].at_end, VECTOR_STORES)]
        return lines

    def _vector_moves(self, mask: int, webs: dict[int, int], forms: dict[str, str]) -> list[str]:
        assert self.views is not None
        lines = []
        for bit in bits(mask & VECTORS):
            n = bit - V0
            kind = self.views.kind(webs[n])
            self.vector_locals.update(f"{letter}{n}" for letter in kind)
            lines.append(forms[kind].format(n=n))
        return lines

    def _label(self, index: int) -> str:
        part = self.parts[index]
        return f"L_{part.pc:x}" if part.labelled else f"X_{part.pc:x}"

    def _goto(self, index: int) -> str:
        self.labels.add(index)
        return f"goto {self._label(index)};"

    def _go(self, index: int, successor: int) -> None:
        if successor != index + 1:
            self.lines.append(f"  {self._goto(successor)}")

    # --- how parts end, by kind

    def _end_goto(self, index: int, part: Part) -> None:
        self._go(index, part.successors[0])

    def _end_cond(self, index: int, part: Part) -> None:
        self.lines.append(f"  if ({part.expr}) {self._goto(part.successors[0])}")
        self._go(index, part.successors[1])

    def _end_call(self, index: int, part: Part) -> None:
        after = part.site + 4
        returns = self.summaries.uniform
        if part.callee is None:
            self.uses_to = True
            self.lines.append(f"  to = {part.expr};")
        self.lines.append(f"  x30 = UINT64_C({after:#x});")
        if not part.successors and not self.flow.entries and self._ends(part) and not returns:
            self.lines += self._stores(self.placement.stores[index] | self.placement.cold[index], index)
            self._leave(index, part, "to")
            return
        self.lines += self._stores(self.placement.stores[index], index)
        if returns:
            self._call_closed(index, part)
        else:
            self._call_that_may_unwind(index, part, after)
        if part.successors:
            self.lines += self._loads(self.placement.loads[index], part.successors[0])
            self._go(index, part.successors[0])
        elif returns:
            self.lines.append(f"  rt_miss(c, UINT64_C({part.site:#x}), UINT64_C({after:#x}));")

    def _call_closed(self, index: int, part: Part) -> None:
        signature = called(part, self.summaries, self.signatures)
        values = self._values(signature, index)
        if part.callee is None:
            call = f"{self._function(part)}(near{values})"
        else:
            call = f"{'g' if part.callee in self.signatures else 'f'}_{part.callee:x}(near{values})"
        result = signature.result
        if result is None or not part.successors or not self.placement.held[part.successors[0]] >> result & 1:
            self.lines.append(f"  {call};")
        elif result < V0:
            self.used |= 1 << result
            self.lines.append(f"  {NAMES[result]} = {call};")
        else:
            self.lines.append(f"  {{ const rt_v128 a_v{result - V0} = {call};")
            self.lines += [from_value(line) for line in self._loads(1 << result, part.successors[0])]
            self.lines[-1] += " }"

    def _values(self, signature: Signature, index: int) -> str:
        """The arguments of a call at the end of a part, behind `c`."""
        return "".join(f", {self._value(r, index)}" for r in signature.parameters)

    def _function(self, part: Part) -> str:
        """C text of the function that `to` leads to, looked up before it."""
        self.uses_function = True
        self.lines += [
            "  function = rt_lookup(to);",
            f"  if (RT_UNLIKELY(!function)) function = rt_lookup_slow(c, UINT64_C({part.site:#x}), to);",
        ]
        return "((rt_value_func)function)"

    def _value(self, register: int, index: int) -> str:
        """A register at the end of a part as a C value of its parameter's type."""
        if register < V0:
            return NAMES[register]
        assert self.views is not None
        n = register - V0
        kind = self.views.kind(self.views.parts[index].at_end[n])
        self.vector_locals.update(f"{letter}{n}" for letter in kind)
        return VECTOR_VALUES[kind].format(n=n)

    def _call(self, part: Part) -> str:
        if part.callee is None:
            return f"rt_call_indirect(c, UINT64_C({part.site:#x}), to)"
        self._set_resume(part)
        return f"f_{part.callee:x}(near)"

    def _call_that_may_unwind(self, index: int, part: Part, after: int) -> None:
        self.uses_to = self.unwinds = True
        self.lines.append(f"  to = {self._call(part)};")
        cold = tuple(self._stores(self.placement.cold[index], index))
        label = f"u_{self.cold.setdefault(cold, len(self.cold))}" if cold else "unwind"
        if part.successors:
            self.lines.append(f"  if (RT_UNLIKELY(to != UINT64_C({after:#x}))) goto {label};")
            return
        # A call that does not return may still unwind to an entry of this activation; and one that does, although
        # nothing of this function follows, goes on in whatever does.
        if not self._ends(part) and after not in self.flow.entries:
            behind = f"b_{self.behind.setdefault(cold, len(self.behind))}"
            self.lines.append(f"  if (to == UINT64_C({after:#x})) goto {behind};")
        self.lines.append(f"  goto {label};")

    def _ends(self, part: Part) -> bool:
        """Whether the callee of a call never returns."""
        return callee_of(part) in self.summaries.noreturn

    def _end_sync(self, index: int, part: Part) -> None:
        self.lines += self._stores(self.placement.stores[index], index)
        self.lines.append(f"  {part.expr}")
        if not part.successors:
            self.lines.append(f"  rt_miss(c, UINT64_C({part.site:#x}), UINT64_C({part.site + 4:#x}));")
            return
        self.lines += self._loads(self.placement.loads[index], part.successors[0])
        self._go(index, part.successors[0])

    def _end_point(self, index: int, part: Part) -> None:
        self.lines += self._stores(self.placement.stores[index], index)
        self.lines.append(f"  RT_POINT(c, UINT64_C({part.site:#x}));")
        self._go(index, part.successors[0])

    def _end_spin(self, index: int, part: Part) -> None:
        self.lines.append(f"  {part.expr}")
        self._go(index, part.successors[0])

    def _end_switch(self, index: int, part: Part) -> None:
        self.uses_to = True
        self.lines.append(f"  to = {part.expr};")
        self._cases(part, f"default: rt_miss(c, UINT64_C({part.site:#x}), to);")

    def _end_jump(self, index: int, part: Part) -> None:
        self.uses_to = True
        self.lines.append(f"  to = {part.expr};")
        self.lines += self._stores(self.placement.stores[index], index)
        if part.successors:
            self._cases(part, "default: break;")
        self._leave(index, part, "to")

    def _cases(self, part: Part, default: str) -> None:
        self.lines.append("  switch (to) {")
        for successor in part.successors:
            self.lines.append(f"  case UINT64_C({self.parts[successor].pc:#x}): {self._goto(successor)}")
        self.lines += [f"  {default}", "  }"]

    def _end_tail(self, index: int, part: Part) -> None:
        self.lines += self._stores(self.placement.stores[index], index)
        self._leave(index, part, part.expr)

    def _leave(self, index: int, part: Part, target: str) -> None:
        """Leave the function for good, by a tail call."""
        self.lines += self._leaving()
        if self.summaries.uniform:
            function = self._function(part) if part.callee is None else f"f_{part.callee:x}"
            values = self._values(called(part, self.summaries, self.signatures), index)
            self.lines.append(f"  RT_TAIL {function}(near{values});")
        elif part.callee is None:
            self.lines.append(f"  RT_JUMP(c, UINT64_C({part.site:#x}), {target});")
        else:
            self._set_resume(part)
            self.lines.append(f"  RT_TAIL f_{part.callee:x}(near);")

    def _set_resume(self, part: Part) -> None:
        if part.resume:
            self.lines.append(f"  c->resume = UINT64_C({part.resume:#x});")

    def _end_ret(self, index: int, part: Part) -> None:
        self.lines += self._stores(self.placement.stores[index], index)
        if self.signature.result is not None:
            self.lines.append(f"  {self._done()}return {self._value(self.signature.result, index)};")
        else:
            self.lines.append(f"  {self._done()}return {part.expr};")

    def _end_trap(self, index: int, part: Part) -> None:
        self.lines += self._stores(self.placement.stores[index], index)
        self.lines.append(f"  rt_trap(c, {part.expr}, UINT64_C({part.site:#x}), {part.word:#010x}u);")


def _propagating(piece: Piece, writes: _Kept) -> Propagating | None:
    """How a piece hands on NaNs, if what the function keeps of its result shows every NaN in it."""
    found = propagating(piece.insn, piece.text) if len(writes) == 1 and piece.insn else None
    return found if found and writes[0][2] in SHOWS[found.shape] else None


def _indented(text: str) -> str:
    return f"  {text}"
