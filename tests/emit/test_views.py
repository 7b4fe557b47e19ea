from __future__ import annotations

from recomp.emit.placement import place
from recomp.emit.project import build_flows
from recomp.emit.summary import summarise
from recomp.emit.views import Views, build_views
from recomp.lift.module import Block
from tests.emit import assembler as a
from tests.emit.assembler import BASE


def views_of(words: list[int], blocks: list[Block], exact: bool) -> Views | None:
    flows, _ = build_flows(*a.module(words, [a.function(BASE, blocks)]))
    return build_views(flows[BASE], place(flows[BASE], summarise(flows, exact), {}))


def straight(words: list[int], exact: bool = True) -> Views | None:
    return views_of([*words, a.ret()], [Block(start=BASE, insns=len(words) + 1, terminator="ret")], exact)


def kinds(views: Views | None, register: int) -> list[str]:
    """Kinds of the webs of one register, in order of access."""
    assert views is not None
    accesses = [step for part in views.parts for before, after in part.pieces for step in (*before, *after)]
    return [views.kind(web) for _, n, web in accesses if n == register]


def test_a_function_without_vectors_has_no_webs() -> None:
    assert straight([a.movz(0, 1)]) is None


def test_doubles_stay_doubles() -> None:
    views = straight([a.fadd_d(0, 1, 2), a.fadd_d(3, 0, 0)])
    assert kinds(views, 1) == ["d"]
    assert set(kinds(views, 0)) == {"d"}


def test_one_register_may_be_a_vector_here_and_a_double_there() -> None:
    views = straight([a.add_2d(0, 1, 1), a.add_2d(4, 0, 0), a.fadd_d(0, 2, 2), a.fadd_d(3, 0, 0)])
    assert kinds(views, 0) == ["v", "v", "d", "d"]


def test_a_double_carried_round_a_loop_is_one_web() -> None:
    words = [a.fadd_d(0, 0, 1), a.cbnz(BASE + 4, 0, BASE), a.ret()]
    blocks = [
        Block(start=BASE, insns=2, terminator="cond", successors=(BASE, BASE + 8)),
        Block(start=BASE + 8, insns=1, terminator="ret"),
    ]
    # Loaded, written and stored: whether the upper half is zero depends on the path.
    assert set(kinds(views_of(words, blocks, True), 0)) == {"du"}
