"""Names are unique C identifiers, the same for the same input."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recomp.errors import FormatError
from recomp.formats.elf import ElfSymbol, read_elf
from recomp.lift.names import NamedAddress, name_functions, read_name_map, sanitise
from tests.elves import RET, program

PLAIN = read_elf(program(RET))


def test_what_becomes_of_names() -> None:
    assert sanitise("draw_hud") == "draw_hud"
    assert sanitise("_ZN4Game4drawEv") == "_ZN4Game4drawEv"
    assert sanitise("operator<<") == "operator__"
    assert sanitise("memcpy@@GLIBC_2.17") == "memcpy__GLIBC_2_17"
    assert sanitise("3d") == "_3d"
    assert sanitise("int") == "_int"
    assert sanitise("") == "_"
    assert len(sanitise("x" * 5000)) < 200


def test_functions_without_a_name_are_called_by_their_address() -> None:
    assert name_functions([0x400000, 0x40A0], PLAIN, {}) == {0x40A0: "f_40a0", 0x400000: "f_400000"}


def test_a_name_that_two_functions_claim_is_told_apart_by_the_address() -> None:
    named = {0x10: NamedAddress("a b"), 0x20: NamedAddress("a-b"), 0x30: NamedAddress("f_40")}
    assert name_functions([0x10, 0x20, 0x30, 0x40], PLAIN, named) == {
        0x10: "a_b",
        0x20: "a_b_20",
        0x30: "f_40",
        0x40: "f_40_40",
    }


@given(st.lists(st.text(max_size=8), max_size=12))
def test_names_are_unique_identifiers_whatever_they_were(names: list[str]) -> None:
    named = {0x1000 + 4 * i: NamedAddress(name) for i, name in enumerate(names)}
    found = name_functions([*named, 0x9000], PLAIN, named)
    assert len(set(found.values())) == len(names) + 1
    assert all(name.isidentifier() and name.isascii() for name in found.values())


def test_mapping_symbols_name_nothing() -> None:
    import dataclasses

    elf = dataclasses.replace(PLAIN, symbols=(ElfSymbol("$x", 0x10, 0), ElfSymbol("real", 0x10, 4)))
    assert name_functions([0x10], elf, {}) == {0x10: "real"}


def test_a_name_map() -> None:
    found = read_name_map(b'{"0x20": {"name": "b", "evidence": "ghidra"}, "16": "a"}')
    assert found == {16: NamedAddress("a"), 32: NamedAddress("b", "ghidra")}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"[]", "name map: Expected `object`, got `array`"),
        (b'{"main": "x"}', 'name map: address: found "main", expected a number such as "0x401000"'),
        (b'{"1": 5}', "name map: Expected `str | object`, got `int` - at `$[...]`"),
        (b"{", "name map: Input data was truncated"),
    ],
)
def test_what_is_no_name_map(data: bytes, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        read_name_map(data)
    assert caught.value.message == message
