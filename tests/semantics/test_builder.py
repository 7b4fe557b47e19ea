"""What a Builder records is what whoever places its text relies on."""

import pytest

from recomp.a64 import decode
from recomp.semantics import functions, lift_insn
from recomp.semantics.builder import SP, V0, Builder


def builder() -> Builder:
    insn = decode(0xD503201F)
    assert insn is not None
    return Builder(insn, 0x1000)


def test_a_register_read_after_its_write_is_no_read() -> None:
    b = builder()
    b.set_x(1, b.x(2))
    b.set_x(3, b.x(1))
    assert (b.reads, b.writes) == (1 << 2, 1 << 1 | 1 << 3)


def test_register_31_is_zero_or_sp() -> None:
    b = builder()
    assert (b.x(31), b.w(31), b.reads) == ("UINT64_C(0)", "0u", 0)
    assert (b.xsp(31), b.rsp(0, 31), b.reads) == ("sp", "(uint32_t)sp", 1 << SP)
    b.set_x(31, "rt_ld64(M, sp)")
    b.set_rsp(0, 31, "7")
    assert b.lines == ["(void)(rt_ld64(M, sp));", "sp = (uint32_t)(7);"]
    assert b.writes == 1 << SP


def test_views_are_in_order_of_use() -> None:
    b = builder()
    b.set_d(0, f"{b.s(1)} + {b.d(2)}")
    assert (b.views_read, b.views_written) == ([("s", 1), ("d", 2)], [("d", 0)])
    assert (b.reads, b.writes) == (1 << V0 + 1 | 1 << V0 + 2, 1 << V0)


def test_temporaries_get_braces() -> None:
    b = builder()
    b.set_x(0, b.tmp("uint64_t", b.x(1)))
    assert b.text == "{ const uint64_t t0 = x1; x0 = t0; }"


@pytest.mark.parametrize(("value", "sf", "text"), [(-1, 1, "UINT64_C(0xffffffffffffffff)"), (-1, 0, "0xffffffffu")])
def test_constants_wrap(value: int, sf: int, text: str) -> None:
    assert builder().imm(sf, value) == text


def test_a_text_says_whether_it_depends_on_the_pc() -> None:
    add, adr = decode(0x91000420), decode(0x10000000)
    assert add is not None and adr is not None
    found = [lift_insn(insn, pc) for insn in (add, adr) for pc in (0x1000, 0x2000)]
    assert [(b.text, b.uses_pc) for b in found if b is not None] == [
        ("x0 = x1 + 0x1u;", False),
        ("x0 = x1 + 0x1u;", False),
        ("x0 = UINT64_C(0x1000);", True),
        ("x0 = UINT64_C(0x2000);", True),
    ]


def test_branches_have_no_semantics() -> None:
    branch = decode(0x14000001)
    assert branch is not None
    assert branch.name not in functions()
    assert lift_insn(branch, 0x1000) is None
