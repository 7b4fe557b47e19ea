"""What is proven about saved registers, and what that drops."""

from __future__ import annotations

from recomp.emit.flow import Flow
from recomp.emit.frames import balance
from recomp.emit.project import build_flows
from recomp.emit.summary import summarise
from recomp.lift.module import Block
from tests.emit import assembler as a
from tests.emit.assembler import BASE

CALLEE = BASE + 0x100
PAD = [a.NOP] * 64
X19, X20, X29, X30, SP = 19, 20, 29, 30, 31


def program(words: list[int], entries: tuple[int, ...] = ()) -> dict[int, Flow]:
    """A caller of the function under test, which begins at CALLEE and is one block."""
    main = [a.push_lr(), a.bl(BASE + 4, CALLEE), a.pop_lr(), a.ret()]
    blocks = [
        Block(start=BASE, insns=2, terminator="call", successors=(BASE + 8,), target=CALLEE),
        Block(start=BASE + 8, insns=2, terminator="ret"),
    ]
    body = [Block(start=CALLEE, insns=len(words), terminator="ret")]
    functions = [a.function(BASE, blocks), a.function(CALLEE, body, entries=entries)]
    flows, _ = build_flows(*a.module([*main, *PAD[len(main) :], *words], functions))
    return flows


def reason(words: list[int]) -> str:
    return balance(program(words), BASE).get(CALLEE, "")


SAVES = [a.stp_pre(X29, X30, -32), a.stp(X20, X19, 16), a.add_imm(X29, SP, 0)]
RESTORES = [a.ldp(X20, X19, 16), a.ldp_post(X29, X30, 32), a.ret()]


def test_a_function_that_saves_and_restores_keeps_registers_out_of_memory() -> None:
    flows = program([*SAVES, a.movz(X19, 5), a.add(0, X19, X19), *RESTORES])
    assert balance(flows, BASE) == {}
    part = flows[CALLEE].parts[0]
    assert [piece.text for piece in part.pieces if "rt_" in piece.text] == []
    assert part.expr == "0"
    s = summarise(flows)
    assert s.reads[CALLEE] == 1 << SP
    assert s.writes[CALLEE] == 1 << 0


def test_other_registers_of_a_pair_still_go_to_memory() -> None:
    words = [a.stp_pre(X29, X30, -32), a.stp(X19, 0, 16), a.ldp(X19, 1, 16), a.ldp_post(X29, X30, 32), a.ret()]
    flows = program(words)
    assert balance(flows, BASE) == {}
    texts = [piece.text for piece in flows[CALLEE].parts[0].pieces]
    assert texts == ["sp = sp - 32u;", "rt_st64(M + 24, sp, x0);", "x1 = rt_ld64(M + 24, sp);", "sp = sp + 32u;"]


def test_one_unbalanced_function_leaves_the_program_as_it_is() -> None:
    flows = program([a.movz(X19, 1), a.ret()])
    before = [piece.text for flow in flows.values() for part in flow.parts for piece in part.pieces]
    assert balance(flows, BASE) == {CALLEE: f"{CALLEE + 4:#x}: leaves with another x19"}
    assert before == [piece.text for flow in flows.values() for part in flow.parts for piece in part.pieces]
    assert not any(flow.balanced for flow in flows.values())


def test_what_is_not_balanced() -> None:
    leaves = CALLEE + 4 * 4
    assert reason([*SAVES, a.ldp(X19, X20, 16), *RESTORES[1:]]) == (
        "reads the slot of a saved register at sp + -16 into x19"
    )
    assert reason(
        [a.stp_pre(X29, X30, -32), a.stp(X20, X19, 16), a.movz(X19, 1), a.ldp_post(X29, X30, 32), a.ret()]
    ) == (f"{leaves:#x}: leaves with another x19")
    assert reason([a.sub_imm(SP, SP, 16), a.ret()]) == f"{CALLEE + 4:#x}: leaves with another sp"
    assert reason([a.add(0, X19, X19), a.ret()]).startswith("reads x19 of its caller: ADD_r")
    assert reason([a.mov(30, 0), a.ret()]) == f"{CALLEE + 4:#x}: leaves with another x30"
    assert reason([a.ret(1)]) == f"{CALLEE:#x}: returns by another register than x30"


def test_a_slot_that_something_else_was_stored_to_restores_nothing() -> None:
    words = [a.stp_pre(X29, X30, -32), a.stp(X20, X19, 16), a.movz(X19, 1), a.stp(0, 1, 16), *RESTORES]
    assert reason(words) == f"{CALLEE + 4 * 6:#x}: leaves with another x19"


def test_control_that_enters_in_the_middle_must_not_return() -> None:
    flows = program([*SAVES, *RESTORES])
    assert balance(flows, BASE) == {}
    words = [a.NOP, a.ret()]
    blocks = [
        Block(start=CALLEE, insns=1, terminator="fallthrough"),
        Block(start=CALLEE + 4, insns=1, terminator="ret"),
    ]
    function = a.function(CALLEE, blocks, entries=(CALLEE + 4,))
    flows, _ = build_flows(*a.module([*PAD, *words], [function]))
    assert balance(flows, BASE) == {CALLEE: f"{CALLEE + 4:#x}: entered in the middle"}


def test_the_entry_function_may_leave_with_any_stack_pointer() -> None:
    words = [a.sub_imm(SP, SP, 16), a.b(BASE + 4, BASE + 8), a.ret()]
    blocks = [Block(start=BASE, insns=2, terminator="tail_call")]
    other = a.function(BASE + 8, [Block(start=BASE + 8, insns=1, terminator="ret")])
    flows, _ = build_flows(*a.module(words, [a.function(BASE, blocks), other]))
    assert balance(flows, BASE) == {}
