"""The tables' loader refuses what is wrong with file and line; what it accepts decodes a word to one pattern."""

import numpy as np
import pytest

from recomp.a64 import decode, patterns
from recomp.a64.table import TableError, check_overlaps, parse_table

A_LINE = "ADD_i sf:1 00 100010 sh:1 imm12:12 rn:5 rd:5"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ADD_i sf:1 00", "t:1: ADD_i: 29 bits missing, expected 32"),
        (f"{A_LINE} 0", "t:1: ADD_i: 1 bits too many, expected 32"),
        ("\nX 2 " + "." * 31, "t:2: X: expected 0, 1 or ., got '2'"),
        ("X a:16 a:16", "t:1: X: field 'a' appears twice"),
        ("X word:32", "t:1: X: field 'word' is an attribute of every instruction"),
        (f"{A_LINE} | rm < 3", "t:1: constraint uses unknown field(s) rm"),
        (f"{A_LINE} | rn <", "t:1: constraint 'rn <': invalid syntax"),
        ("X a:b " + "." * 31, "t:1: X: expected name:width, got 'a:b'"),
    ],
)
def test_a_wrong_line_is_refused(text: str, message: str) -> None:
    with pytest.raises(TableError) as error:
        parse_table(text, "t")
    assert str(error.value) == message


def test_lines_that_claim_the_same_words_are_refused() -> None:
    with pytest.raises(TableError, match="t:2: Y overlaps X \\(t:1\\)"):
        check_overlaps(parse_table(f"X 0 {'.' * 31}\nY 0 {'.' * 31}", "t"))
    with pytest.raises(TableError, match="neither is more specific"):
        check_overlaps(parse_table(f"X 0. {'.' * 30}\nY .0 {'.' * 30}", "t"))


def test_a_more_specific_line_may_lie_in_another() -> None:
    check_overlaps(parse_table(f"X 00 {'.' * 30}\nY 0 {'.' * 31}", "t"))


def test_our_tables_do_not_overlap() -> None:
    check_overlaps(list(patterns()))


def test_every_word_has_at_most_one_most_specific_pattern() -> None:
    """Where constraints keep lines apart, no word fulfils two of them."""
    rng = np.random.default_rng(5)
    table = patterns()
    for word in map(int, rng.integers(0, 1 << 32, 3000)):
        matching = [p for p in table if p.match(word) is not None]
        most = max((p.mask.bit_count() for p in matching), default=0)
        assert len([p for p in matching if p.mask.bit_count() == most]) <= 1, f"{word:08x}: {matching}"
        insn = decode(word)
        assert (insn is None) == (not matching)
        assert insn is None or insn.pattern.mask.bit_count() == most


def test_fields_are_attributes() -> None:
    insn = decode(0x91000420)
    assert insn is not None
    assert (insn.name, insn.rd, insn.rn, insn.imm12) == ("ADD_i", 0, 1, 1)
    with pytest.raises(AttributeError, match="ADD_i has no field 'rm'"):
        _ = insn.rm
