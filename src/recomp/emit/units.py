"""Functions → translation units, so that a changed function changes one unit.

Units are runs of functions in address order. A unit ends where the hash of the next function's address says so, which
depends on that function alone: adding or changing one moves no boundary elsewhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from recomp.emit.flow import Flow

#: Below the first, no unit ends; above the second, each does. Bigger units compile slower by the instruction.
SMALLEST, BIGGEST = 2, 2  # as shares of the wished size: a half, and twice


def split_units(flows: Sequence[Flow], wished_insns: int) -> list[list[Flow]]:
    """`flows` sorted by address → runs of about `wished_insns` instructions each."""
    units: list[list[Flow]] = []
    unit: list[Flow] = []
    size = 0
    for flow in flows:
        if unit and (size >= BIGGEST * wished_insns or _ends_before(flow, size, wished_insns)):
            units.append(unit)
            unit, size = [], 0
        unit.append(flow)
        size += flow.insns
    if unit:
        units.append(unit)
    return units


def _ends_before(flow: Flow, size: int, wished_insns: int) -> bool:
    """True for one function in eight, once the unit has half the wished size."""
    if size * SMALLEST < wished_insns:
        return False
    return hashlib.sha256(b"%x" % flow.function.start).digest()[0] < 32
