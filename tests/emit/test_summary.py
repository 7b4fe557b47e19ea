from __future__ import annotations

from recomp.emit.project import build_flows
from recomp.emit.summary import Summaries, summarise
from recomp.lift.module import Block, Function
from recomp.semantics.builder import ALL
from tests.emit import assembler as a
from tests.emit.assembler import BASE

X30 = 1 << 30
SP = 1 << 31


def summaries(words: list[int], functions: list[Function], exact: bool = False) -> Summaries:
    flows, _ = build_flows(*a.module(words, functions))
    return summarise(flows, exact)


def caller_and_leaf(leaf: list[int]) -> tuple[list[int], list[Function]]:
    """x0 = 1; leaf(); x1 = x0 + x2; return."""
    start = BASE + 20
    words = [a.push_lr(), a.bl(BASE + 4, start), a.add(1, 0, 2), a.pop_lr(), a.ret(), *leaf, a.ret()]
    caller = [
        Block(start=BASE, insns=2, terminator="call", successors=(BASE + 8,), target=start),
        Block(start=BASE + 8, insns=3, terminator="ret"),
    ]
    return words, [
        a.function(BASE, caller),
        a.function(start, [Block(start=start, insns=len(leaf) + 1, terminator="ret")]),
    ]


def test_a_leaf_reads_and_writes_what_its_words_do() -> None:
    s = summaries(*caller_and_leaf([a.add(0, 3, 4)]))
    assert s.reads[BASE + 20] == 1 << 3 | 1 << 4 | X30
    assert s.writes[BASE + 20] == 1 << 0


def test_a_caller_reads_and_writes_what_its_callee_does() -> None:
    s = summaries(*caller_and_leaf([a.add(0, 3, 4)]))
    assert s.reads[BASE] & ~(X30 | SP) == 1 << 0 | 1 << 2 | 1 << 3 | 1 << 4
    assert s.writes[BASE] == 1 << 0 | 1 << 1 | X30 | SP


def test_live_out_is_what_some_caller_goes_on_to_read() -> None:
    s = summaries(*caller_and_leaf([a.movz(0, 1), a.movz(9, 1)]))
    live = s.live_out[BASE + 20] | s.anywhere
    assert live & 1 << 0
    assert not live & 1 << 9


def test_an_indirect_call_may_write_everything() -> None:
    words = [a.blr(1), a.ret()]
    blocks = [
        Block(start=BASE, insns=1, terminator="call_indirect", successors=(BASE + 4,)),
        Block(start=BASE + 4, insns=1, terminator="ret"),
    ]
    assert summaries(words, [a.function(BASE, blocks)]).writes[BASE] == ALL


def test_exact_keeps_every_register() -> None:
    s = summaries(*caller_and_leaf([a.movz(9, 1)]), exact=True)
    assert s.anywhere == ALL


def test_recursion_reaches_a_fixed_point() -> None:
    words = [a.cbz(BASE, 0, BASE + 12), a.mov(5, 6), a.bl(BASE + 8, BASE), a.ret()]
    blocks = [
        Block(start=BASE, insns=1, terminator="cond", successors=(BASE + 12, BASE + 4)),
        Block(start=BASE + 4, insns=2, terminator="call", successors=(BASE + 12,), target=BASE),
        Block(start=BASE + 12, insns=1, terminator="ret"),
    ]
    s = summaries(words, [a.function(BASE, blocks)])
    assert s.reads[BASE] == 1 << 0 | 1 << 6 | X30
    assert s.writes[BASE] == 1 << 5 | X30
