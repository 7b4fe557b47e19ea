"""Which loops only wait for memory to change: those, and no others, let other threads run."""

from __future__ import annotations

import pytest

from recomp.emit.flow import Part
from recomp.emit.project import build_flows
from recomp.lift.module import Block
from tests.emit import assembler as a
from tests.emit.assembler import BASE

LDR = 0xB9400020  # ldr w0, [x1]
LDR_NEXT = 0xF9400021  # ldr x1, [x1]
LDRB_POST = 0x38401420  # ldrb w0, [x1], #1
STR = 0xB9000043  # str w3, [x2]
SWP = 0xB8228020  # swp w2, w0, [x1]
LDAXR = 0x885FFC20  # ldaxr w0, [x1]
STXR = 0x88037C22  # stxr w3, w2, [x1]


def cbnz(pc: int, register: int, target: int) -> int:
    return a.cbz(pc, register, target) | 1 << 24


def spins(words: list[int], *sizes: int) -> list[Part]:
    """The parts of kind `spin` of a function of blocks of these sizes, each of which falls through but the last."""
    blocks, start = [], BASE
    for size in sizes:
        blocks.append(Block(start=start, insns=size, terminator="fallthrough"))
        start += 4 * size
    blocks.append(Block(start=start, insns=len(words) - sum(sizes), terminator="ret"))
    flows, _ = build_flows(*a.module(words, [a.function(BASE, blocks)]))
    parts = flows[BASE].parts
    for part in parts:
        assert part.kind != "spin" or parts[part.successors[0]].pc == part.pc
    return [part for part in parts if part.kind == "spin"]


def test_a_loop_that_loads_the_same_word_again() -> None:
    (spin,) = spins([a.NOP, LDR, a.cbz(BASE + 8, 0, BASE + 4), a.ret()], 1, 2)
    assert (spin.pc, spin.expr) == (BASE + 4, f"rt_spin(c, UINT64_C({BASE + 4:#x}), 0);")


def test_a_loop_of_two_blocks() -> None:
    """Either word ends it: while (!*a && !*b)."""
    second = LDR ^ 1 << 5 ^ 2 << 5  # ldr w0, [x3]
    words = [LDR, cbnz(BASE + 4, 0, BASE + 16), second, a.cbz(BASE + 12, 0, BASE), a.ret()]
    assert [spin.pc for spin in spins(words, 2, 2)] == [BASE]


def test_a_loop_of_nothing() -> None:
    assert [spin.pc for spin in spins([a.b(BASE, BASE), a.ret()], 1)] == [BASE]


def test_who_wants_a_lock_says_that_it_stores() -> None:
    (spin,) = spins([SWP, cbnz(BASE + 4, 0, BASE), a.ret()], 2)
    assert spin.expr.endswith(", 1);")


def test_a_lock_by_exclusives() -> None:
    """The way back while it is taken stores nothing; the one after a store that failed is another."""
    words = [LDAXR, cbnz(BASE + 4, 0, BASE), STXR, cbnz(BASE + 12, 3, BASE), a.ret()]
    assert sorted(spin.expr[-3] for spin in spins(words, 2, 2)) == ["0", "1"]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param([LDRB_POST, a.NOP], id="a pointer moves on"),
        pytest.param([LDR_NEXT, LDR], id="a list is followed"),
        pytest.param([a.sub_imm(0, 0, 1), LDR | 4], id="turns are counted"),
        pytest.param([LDR, STR], id="something is stored"),
    ],
)
def test_loops_that_get_somewhere_are_left_alone(body: list[int]) -> None:
    assert spins([*body, cbnz(BASE + 8, 0, BASE), a.ret()], 3) == []


def test_a_branch_backwards_alone_is_no_loop() -> None:
    """Two ways lead to the load, one of them from behind it: no turn ever follows another."""
    words = [a.cbz(BASE, 0, BASE + 16), LDR, a.ret(), a.NOP, a.NOP, a.b(BASE + 20, BASE + 4)]
    blocks = [
        Block(start=BASE, insns=1, terminator="fallthrough"),
        Block(start=BASE + 4, insns=2, terminator="ret"),
        Block(start=BASE + 16, insns=2, terminator="branch"),
    ]
    flows, _ = build_flows(*a.module(words, [a.function(BASE, blocks)]))
    assert [part for part in flows[BASE].parts if part.kind == "spin"] == []


def test_a_loop_with_two_beginnings_is_left_alone() -> None:
    words = [a.cbz(BASE, 0, BASE + 8), LDR, LDR | 4, a.cbz(BASE + 12, 0, BASE + 4), a.ret()]
    assert spins(words, 1, 1, 2) == []


def test_a_loop_that_calls_is_left_alone() -> None:
    assert spins([a.SVC, LDR, a.cbz(BASE + 8, 0, BASE), a.ret()], 3) == []
