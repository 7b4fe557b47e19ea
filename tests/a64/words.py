"""Random valid words of a pattern, and states that they can run from.

What a table cannot say stands here, by pattern name: which words are UNPREDICTABLE (`VALID`), and where an
instruction accesses memory (`MEMORY`), so that its base register can be made to point into the record's window.
Modules `operands_*.py` fill these tables; `load_operands` imports them all.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from recomp.a64 import Insn, Pattern, decode
from tests.a64.states import WINDOW, random_states, window_addresses


class Memory(NamedTuple):
    """A memory operand: `size` bytes at Xbase|SP + offset + (Xindex extended by `option` << shift)."""

    base: int
    size: int
    offset: int = 0
    index: int | None = None
    option: int = 3
    shift: int = 0
    align: int = 1


#: May this word be tested? (False for CONSTRAINED UNPREDICTABLE ones.)
VALID: dict[str, Callable[[Insn], bool]] = {}
#: The memory operand of a word.
MEMORY: dict[str, Callable[[Insn], Memory]] = {}
#: Values to draw a field from, where random ones are nearly always useless: pattern, field, values.
FIELDS: dict[str, dict[str, Sequence[int]]] = {}
#: Patterns that need a later model than plain ARMv8.0.
MODEL: dict[str, str] = {}
#: Patterns that the model cannot judge, and why.
NOT_IN_MODEL: dict[str, str] = {}
#: Differences that are known and documented where the runtime makes them: (expected, ours), records of STATE.
TOLERATED: dict[str, Callable[[Insn, np.void, np.void], bool]] = {}


def load_operands() -> None:
    package = importlib.import_module("tests.a64")
    for entry in pkgutil.iter_modules(package.__path__):
        if entry.name.startswith("operands_"):
            importlib.import_module(f"tests.a64.{entry.name}")


def random_words(pattern: Pattern, rng: np.random.Generator, count: int) -> list[int]:
    """Up to `count` distinct words that decode to `pattern` and are neither unallocated nor UNPREDICTABLE."""
    found: dict[int, None] = {}
    for _ in range(40 * count):
        insn = decode(_random_word(pattern, rng))
        if insn is not None and insn.pattern is pattern and is_testable(insn):
            found[insn.word] = None
            if len(found) == count:
                break
    return list(found)


def is_testable(insn: Insn) -> bool:
    if insn.name in VALID and not VALID[insn.name](insn):
        return False
    if insn.name in MEMORY:
        memory = MEMORY[insn.name](insn)
        return memory.index != memory.base or memory.base == 31
    return True


def _random_word(pattern: Pattern, rng: np.random.Generator) -> int:
    word = pattern.value | (int(rng.integers(0, 1 << 32)) & ~pattern.mask & ~_field_bits(pattern))
    chosen = FIELDS.get(pattern.name, {})
    for name, low, width in pattern.fields:
        value = int(rng.choice(chosen[name])) if name in chosen else _random_field(rng, width)
        word |= value << low
    return word


def _field_bits(pattern: Pattern) -> int:
    return sum(((1 << width) - 1) << low for _, low, width in pattern.fields)


def _random_field(rng: np.random.Generator, width: int) -> int:
    """Any value; one time in four all zeros or all ones (register 31, extreme immediates)."""
    top = (1 << width) - 1
    choice = rng.integers(0, 8)
    if choice == 0:
        return 0
    return top if choice == 1 else int(rng.integers(0, top, endpoint=True))


def states_for(insn: Insn, rng: np.random.Generator, count: int, **kinds: tuple[int, ...]) -> np.ndarray:
    """(count,) STATE: random states from which `insn` accesses only the window."""
    states = random_states(rng, count, **kinds)
    if insn.name in MEMORY:
        point_into_window(states, MEMORY[insn.name](insn), rng)
    return states


def point_into_window(states: np.ndarray, memory: Memory, rng: np.random.Generator) -> None:
    """Set the base register of each state so that the access falls into the state's own window."""
    room = (WINDOW - 16 - memory.size) // memory.align
    address = window_addresses(len(states)) + np.uint64(16)
    address += (rng.integers(0, room, len(states), endpoint=True) * memory.align).astype(np.uint64)
    base = address - np.uint64(memory.offset & (1 << 64) - 1)
    if memory.index is not None:
        base -= _extended(states, memory)
    if memory.base == 31:
        states["sp"] = base & ~np.uint64(15)
    else:
        states["x"][:, memory.base] = base


def _extended(states: np.ndarray, memory: Memory) -> np.ndarray:
    if memory.index == 31:
        return np.zeros(len(states), np.uint64)
    value = states["x"][:, memory.index]
    kinds = {2: np.uint32, 3: np.uint64, 6: np.int32, 7: np.uint64}
    wide = value.astype(kinds[memory.option]).astype(np.int64).astype(np.uint64)
    return wide << np.uint64(memory.shift)
