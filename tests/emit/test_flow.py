from __future__ import annotations

import pytest

from recomp.emit.flow import Flow
from recomp.emit.project import build_flows
from recomp.errors import LiftError
from recomp.lift.module import Block
from tests.emit import assembler as a
from tests.emit.assembler import BASE


def flow_of(words: list[int], blocks: list[Block], entries: tuple[int, ...] = ()) -> Flow:
    flows, _ = build_flows(*a.module(words, [a.function(BASE, blocks, entries=entries)]))
    return flows[BASE]


def test_a_supervisor_call_ends_a_part_inside_its_block() -> None:
    flow = flow_of([a.movz(8, 64), a.SVC, a.ret()], [Block(start=BASE, insns=3, terminator="ret")])
    assert [part.kind for part in flow.parts] == ["sync", "ret"]
    assert flow.parts[0].successors == (1,)
    assert not flow.parts[1].labelled


def test_an_exit_has_nothing_behind_it_and_a_clone_an_entry() -> None:
    words = [a.movz(8, 93), a.SVC, a.movz(8, 220), a.SVC, a.ret()]
    flow = flow_of(
        words, [Block(start=BASE, insns=2, terminator="fallthrough"), Block(start=BASE + 8, insns=3, terminator="ret")]
    )
    assert flow.parts[0].successors == ()
    assert flow.entries == {BASE + 16: 2}
    assert flow.threads == {BASE + 16}


def test_reads_are_what_is_read_before_it_is_written() -> None:
    words = [a.add(0, 1, 2), a.add(3, 0, 0), a.ret()]
    part = flow_of(words, [Block(start=BASE, insns=3, terminator="ret")]).parts[0]
    assert part.uses == 1 << 1 | 1 << 2 | 1 << 30
    assert part.defines == 1 << 0 | 1 << 3


def test_a_branch_out_of_the_function_gets_a_part_of_its_own() -> None:
    words = [a.cbz(BASE, 0, BASE + 0x100), a.ret()]
    flow = flow_of(
        words, [Block(start=BASE, insns=1, terminator="tail_call"), Block(start=BASE + 4, insns=1, terminator="ret")]
    )
    taken = flow.parts[flow.parts[0].successors[0]]
    assert (taken.kind, taken.callee, taken.expr) == ("jump", None, f"UINT64_C({BASE + 0x100:#x})")


def test_a_branch_into_the_middle_of_a_function_resumes_there() -> None:
    words = [a.b(BASE, BASE + 8), a.NOP, a.ret()]
    first = a.function(BASE, [Block(start=BASE, insns=1, terminator="tail_call")])
    blocks = [
        Block(start=BASE + 4, insns=1, terminator="fallthrough"),
        Block(start=BASE + 8, insns=1, terminator="ret"),
    ]
    second = a.function(BASE + 4, blocks, entries=(BASE + 8,))
    flows, _ = build_flows(*a.module(words, [first, second]))
    exit_part = flows[BASE].parts[1]
    assert (exit_part.kind, exit_part.callee, exit_part.resume) == ("tail", BASE + 4, BASE + 8)


def test_a_word_that_means_nothing_ends_its_part() -> None:
    flow = flow_of([0xFFFFFFFF, a.ret()], [Block(start=BASE, insns=2, terminator="ret")])
    assert [(part.kind, part.expr) for part in flow.parts] == [("trap", "RT_TRAP_UNDEFINED")]


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        (
            [Block(start=BASE, insns=0, terminator="ret")],
            f"module: block at {BASE:#x}: 0 instructions, expected one or more",
        ),
        (
            [Block(start=BASE, insns=9, terminator="ret")],
            f"module: block at {BASE:#x}: 9 instructions, expected them inside an executable segment's bytes",
        ),
        (
            [Block(start=BASE, insns=1, terminator="ret")] * 2,
            f"module: function 'fn_10000': two blocks start at {BASE:#x}",
        ),
    ],
)
def test_impossible_blocks_are_refused(blocks: list[Block], message: str) -> None:
    with pytest.raises(LiftError) as error:
        build_flows(*a.module([a.ret()], [a.function(BASE, blocks)]))
    assert error.value.message == message
