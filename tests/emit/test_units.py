from __future__ import annotations

from recomp.emit.flow import Flow
from recomp.emit.units import split_units
from recomp.lift.module import Block
from tests.emit import assembler as a


def flows(count: int, insns: int = 50, skip: int = -1) -> list[Flow]:
    starts = [0x10000 + 0x400 * k for k in range(count) if k != skip]
    return [Flow(a.function(pc, [Block(start=pc, insns=1, terminator="ret")]), [], 0, {}, insns) for pc in starts]


def names(units: list[list[Flow]]) -> set[tuple[int, ...]]:
    return {tuple(flow.function.start for flow in unit) for unit in units}


def test_units_keep_every_function_in_address_order() -> None:
    units = split_units(flows(500), 1000)
    assert [flow.function.start for unit in units for flow in unit] == [f.function.start for f in flows(500)]
    assert 10 < len(units) < 60


def test_no_unit_is_much_bigger_than_wished() -> None:
    assert max(sum(flow.insns for flow in unit) for unit in split_units(flows(500), 1000)) <= 2 * 1000 + 50


def test_one_function_more_changes_few_units() -> None:
    before, after = names(split_units(flows(2000), 1000)), names(split_units(flows(2000, skip=700), 1000))
    assert len(before - after) <= 4
