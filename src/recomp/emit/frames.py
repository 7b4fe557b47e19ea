"""Which functions provably keep their caller's registers, and which of their words only do that.

The proof follows sp, the callee-saved registers and lr through a function: each holds what it held on entry, an address
in the frame (sp on entry + offset), or something else, and so does each slot of the frame. A function is *balanced*
if wherever it returns or tail-calls, sp, lr and every callee-saved register are back. It is *closed* if control, once
in it, comes back to its caller whatever happens: it is balanced, and so is all that it calls. Nothing outside of closed
functions can tell whether the registers they save went through guest memory: they stay in the C locals of whoever uses
them, and the words that save and restore them are dropped.

That takes the whole program: where every function is balanced, all are closed.

A register that is its caller's on one path to a read and not on another is one that the guest's source never set on
the first: it reads as zero there.

Assumed, not proven: that a store through a pointer made elsewhere does not hit the frame's save slots, and that
nobody reads them (an unwinder does: programs with one have functions that are not balanced).
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from recomp.a64 import Insn
from recomp.emit.code import Piece
from recomp.emit.flow import Flow, Part
from recomp.semantics.builder import SP, V0, Builder

X29, X30 = 29, 30
#: x19..x29 and d8..d15, as register numbers of the masks.
SAVED = (*range(19, 30), *range(V0 + 8, V0 + 16))
_TRACKED = (*SAVED, X30, SP)
_TRACKED_MASK = sum(1 << r for r in _TRACKED)
#: What a call of a balanced function leaves alone.
KEPT = _TRACKED_MASK

#: What a register holds: ("entry", r), ("frame", offset from sp on entry), or OTHER. Absent: it depends on the path.
Value = tuple[str, int]
OTHER: Value = ("other", 0)


@dataclass(slots=True, frozen=True)
class Access:
    """A load or store of whole registers: `base` register, `offset` of the address, what is added to the base
    (`writeback`), and (register, byte offset from the address, bytes) for each register."""

    load: bool
    base: int
    offset: int
    writeback: int
    registers: tuple[tuple[int, int, int], ...]


@dataclass(slots=True)
class State:
    """`slots`: frame offset → register whose entry value it holds."""

    values: dict[int, Value]
    slots: dict[int, int]

    def copy(self) -> State:
        return State(dict(self.values), dict(self.slots))

    def meet(self, other: State) -> bool:
        """Keep what both agree on; True if that is less."""
        if self.values == other.values and self.slots == other.slots:
            return False
        before = len(self.values) + len(self.slots)
        self.values = {r: v for r, v in self.values.items() if other.values.get(r) == v}
        self.slots = {o: r for o, r in self.slots.items() if other.slots.get(o) == r}
        return len(self.values) + len(self.slots) != before


class Unbalanced(Exception):
    """Why a function is not balanced."""


def balance(flows: Mapping[int, Flow], entry: int, explain: bool = False) -> dict[int, str]:
    """Drop the words that save and restore registers, if every function is balanced.

    Returns, by function start, why functions are not: one of them, or all to `explain`. The flows are changed only if
    there are none. The function at `entry`, which nobody calls, may leave with any registers.
    """
    entered = {start: flow.entries.keys() - flow.threads for start, flow in flows.items()}
    reasons = {start: f"{min(pcs):#x}: entered in the middle" for start, pcs in entered.items() if pcs}
    if reasons and not explain:
        return reasons
    changes: list[tuple[Part, list[Piece]]] = []
    called = any(part.callee == entry for flow in flows.values() for part in flow.parts)
    # Functions that control enters in the middle seldom are, and one is enough.
    for start, flow in sorted(flows.items(), key=lambda item: (not item[1].entries, item[0])):
        try:
            changes += _Proof(flow, start == entry and not called).changes()
        except Unbalanced as error:
            reasons[start] = str(error)
            if not explain:
                break
    if not reasons:
        _close(flows.values(), changes)
    return reasons


def _close(flows: Iterable[Flow], changes: Iterable[tuple[Part, list[Piece]]]) -> None:
    for part, pieces in changes:
        part.fill(pieces)
    for flow in flows:
        flow.balanced = True
        for part in flow.parts:
            if part.kind == "ret":
                part.expr = "0"
                part.uses &= ~(part.end_uses & ~part.defines)
                part.end_uses = 0


class _Proof:
    def __init__(self, flow: Flow, never_returns: bool) -> None:
        self.flow = flow
        self.never_returns = never_returns
        self.at: dict[int, State] = {}

    def changes(self) -> Iterator[tuple[Part, list[Piece]]]:
        """Pieces without saves and restores, for each part that has any. Raises Unbalanced."""
        self._solve()
        result = []
        for index, state in self.at.items():
            part = self.flow.parts[index]
            if not _touches(part):
                self._check_end(part, state)
                continue
            state = state.copy()
            pieces: list[Piece] = []
            for piece in part.pieces:
                if (piece.reads | piece.writes) & _TRACKED_MASK:
                    pieces += self._step(state, piece)
                else:
                    pieces.append(piece)
            self._check_end(part, state)
            if pieces != part.pieces:
                result.append((part, pieces))
        return iter(result)

    def _solve(self) -> None:
        """States at the start of each part that control reaches."""
        start = State({r: ("entry", r) for r in SAVED} | {X30: ("entry", X30), SP: ("frame", 0)}, {})
        self.at[self.flow.start] = start
        pending = [self.flow.start]
        for entry in (part for pc, part in self.flow.entries.items() if pc not in self.flow.threads):
            self._flow_into(entry, State(dict.fromkeys(_TRACKED, OTHER), {}), pending)
        while pending:
            index = pending.pop()
            part = self.flow.parts[index]
            state = self.at[index]
            if _touches(part):
                state = state.copy()
                for piece in part.pieces:
                    if (piece.reads | piece.writes) & _TRACKED_MASK:
                        self._step(state, piece)
                if part.kind == "call":
                    state.values[X30] = OTHER
            for successor in part.successors:
                self._flow_into(successor, state, pending)

    def _flow_into(self, index: int, state: State, pending: list[int]) -> None:
        known = self.at.get(index)
        if known is None:
            self.at[index] = state.copy()
            pending.append(index)
        elif known.meet(state):
            pending.append(index)

    def _check_end(self, part: Part, state: State) -> None:
        for register in _bits(part.end_uses & _TRACKED_MASK):
            if state.values.get(register) == ("entry", register) and not (part.kind == "ret" and register == X30):
                raise Unbalanced(f"{part.site:#x}: branches on {_name(register)} of its caller")
        if part.resume:
            raise Unbalanced(f"{part.site:#x}: enters another function in the middle")
        if part.kind not in ("ret", "tail", "jump") or self.never_returns:
            return
        if part.kind == "ret" and part.end_uses != 1 << X30:
            raise Unbalanced(f"{part.site:#x}: returns by another register than x30")
        if state.values.get(SP) != ("frame", 0):
            raise Unbalanced(f"{part.site:#x}: leaves with another sp")
        for register in (*SAVED, X30):
            if state.values.get(register) != ("entry", register):
                raise Unbalanced(f"{part.site:#x}: leaves with another {_name(register)}")

    # --- one piece

    def _step(self, state: State, piece: Piece) -> list[Piece]:
        """Follow a piece that touches tracked registers; the pieces that take its place."""
        insn = piece.insn
        assert insn is not None
        access = frame_access(insn)
        if access is not None:
            base = state.values.get(access.base)
            if base is not None and base[0] == "frame":
                return self._frame_access(state, piece, access, base[1])
        moved = _address(insn, state)
        self._check_reads(state, piece)
        for register in _bits(piece.writes & _TRACKED_MASK):
            state.values[register] = OTHER
        if moved is not None:
            state.values[moved[0]] = moved[1]
        return [piece]

    def _check_reads(self, state: State, piece: Piece) -> None:
        for register in _bits(piece.reads & _TRACKED_MASK):
            value = state.values.get(register)
            if value == ("entry", register) or value is None and register in (SP, X30):
                raise Unbalanced(f"reads {_name(register)} of its caller: {piece.insn!r}")

    def _frame_access(self, state: State, piece: Piece, access: Access, base: int) -> list[Piece]:
        address = base + access.offset
        dropped = []
        for register, at, size in access.registers:
            if access.load:
                dropped.append(self._load(state, register, address + at, size))
            else:
                dropped.append(self._store(state, register, address + at, size))
        if access.writeback:
            state.values[access.base] = ("frame", base + access.writeback)
        if not any(dropped):
            return [piece]
        assert piece.insn is not None
        return _without(piece.insn, access, dropped)

    def _load(self, state: State, register: int, address: int, size: int) -> bool:
        saved = state.slots.get(address)
        if saved is not None and saved == register and size == 8:
            state.values[register] = ("entry", register)
            return True
        if any(address - 8 < slot < address + size for slot in state.slots):
            raise Unbalanced(f"reads the slot of a saved register at sp + {address} into {_name(register)}")
        if register in _TRACKED:
            state.values[register] = OTHER
        return False

    def _store(self, state: State, register: int, address: int, size: int) -> bool:
        for slot in [slot for slot in state.slots if address - 8 < slot < address + size]:
            del state.slots[slot]
        if state.values.get(register, OTHER) != ("entry", register):
            return False
        if size != 8:
            raise Unbalanced(f"stores part of {_name(register)} of its caller")
        state.slots[address] = register
        return True


def _touches(part: Part) -> int:
    """Whether a part has anything to do with tracked registers."""
    return (part.uses | part.defines) & _TRACKED_MASK


def _address(insn: Insn, state: State) -> tuple[int, Value] | None:
    """(register, value) where an instruction makes a frame address in a tracked register."""
    if insn.name not in ("ADD_i", "SUB_i") or not insn.sf:
        return None
    source, target = insn.rn, insn.rd  # 31 is sp on both sides
    known = state.values.get(source)
    if target not in _TRACKED or known is None or known[0] != "frame":
        return None
    amount = insn.imm12 << 12 * insn.sh
    return target, ("frame", known[1] + (amount if insn.name == "ADD_i" else -amount))


@functools.lru_cache(maxsize=1 << 16)
def _bits(mask: int) -> tuple[int, ...]:
    return tuple(r for r in _TRACKED if mask >> r & 1)


def _name(register: int) -> str:
    return "sp" if register == SP else f"x{register}" if register < SP else f"d{register - V0}"


def _signed(value: int, width: int) -> int:
    return value - (value >> width - 1 << width)


#: name → (load, kind of the offset, float)
_FORMS = {
    f"{op}{suffix}": (op[:2] == "LD", form, vector)
    for vector, suffixes in (
        (False, {"_ui": "ui", "UR": "imm9", "_pre": "pre9", "_post": "post9"}),
        (True, {"_v_ui": "ui", "UR_v": "imm9", "_v_pre": "pre9", "_v_post": "post9"}),
    )
    for suffix, form in suffixes.items()
    for op in (("LD", "ST") if suffix.startswith("UR") else ("LDR", "STR"))
} | {
    f"{op}{suffix}": (op[:2] == "LD", form, vector)
    for vector, suffixes in (
        (False, {"P_off": "imm7", "P_pre": "pre7", "P_post": "post7", "NP": "imm7"}),
        (True, {"P_v": "imm7", "P_v_pre": "pre7", "P_v_post": "post7", "NP_v": "imm7"}),
    )
    for suffix, form in suffixes.items()
    for op in ("LD", "ST")
}


@functools.lru_cache(maxsize=1 << 16)
def frame_access(insn: Insn) -> Access | None:
    """The access of a load or store that moves whole registers to or from a fixed offset; None for anything else."""
    form = _FORMS.get(insn.name)
    if form is None:
        return None
    load, kind, vector = form
    if kind.endswith("7"):
        size = 4 << insn.opc if vector else 8 if insn.sf else 4
        amount = _signed(insn.imm7, 7) * size
        numbers = [insn.rt, insn.rt2]
    else:
        size = 16 if vector and insn.q else 1 << insn.size
        amount = insn.imm12 * size if kind == "ui" else _signed(insn.imm9, 9)
        numbers = [insn.rt]
    registers = tuple((_register(number, vector), k * size, size) for k, number in enumerate(numbers))
    offset = 0 if kind.startswith("post") else amount
    writeback = amount if kind.startswith("p") else 0
    return Access(load, insn.rn, offset, writeback, registers)


def _register(number: int, vector: bool) -> int:
    """Number in the masks; 31 is the zero register here, which no mask has."""
    return V0 + number if vector else number if number < 31 else -1


def _without(insn: Insn, access: Access, dropped: list[bool]) -> list[Piece]:
    """What is left of a load or store of 8-byte registers when some of them are dropped."""
    b = Builder(insn, 0)
    kept = [entry for entry, drop in zip(access.registers, dropped, strict=True) if not drop]
    for register, at, _ in kept:
        address = _plus(b.xsp(access.base), access.offset + at)
        if register >= V0:
            n = register - V0
            if access.load:
                b.set_d(n, f"rt_ldf64({b.place(address)})")
            else:
                b.line(f"rt_stf64({b.place(address)}, {b.d(n)});")
        elif access.load:
            b.set_x(31 if register < 0 else register, b.load(64, address))
        else:
            b.store(64, address, b.x(31 if register < 0 else register))
    if access.writeback:
        b.set_xsp(access.base, _plus(b.xsp(access.base), access.writeback))
    return [Piece.of(b)] if b.lines else []


def _plus(base: str, offset: int) -> str:
    return base if offset == 0 else f"{base} {'+' if offset > 0 else '-'} {abs(offset)}u"
