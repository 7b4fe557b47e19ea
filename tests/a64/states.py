"""Machine states as numpy records: the ones a test starts from and the ones it ends in.

One record is what both sides of the differential test load before an instruction and store after it. It ends in a
window of guest memory of its own: the only memory that an instruction under test may touch. Guest code and compiled C
index the records by these offsets, so the layout is fixed here and nowhere else.
"""

from __future__ import annotations

import functools

import numpy as np

WINDOW = 448
STATE = np.dtype(
    [
        ("x", "<u8", 31),
        ("sp", "<u8"),
        ("nzcv", "<u8"),  # as MRS NZCV shows it: bits 31..28
        ("fpcr", "<u8"),
        ("fpsr", "<u8"),
        ("trap", "<u8"),  # set by the C side only: 0, or 1 + rt_trap_kind, or 0x10000 + the immediate of an svc
        ("v", "<u8", (32, 2)),
        ("gap", "u1", 32),
        ("mem", "u1", WINDOW),
    ]
)
STRIDE = STATE.itemsize
MEM = STATE.fields["mem"][1]
#: Guest address of the first record of a run.
BASE = 0x20000000
MAX_STATES = 4096

_U64 = np.uint64
_INTEGERS = sorted(
    {0, 1, 2, 3, 7, 8, 0xFF, 0x100, 0x7F, 0x80, 0x7FFF, 0x8000, 0xFFFF, 0x55555555, 0xAAAAAAAAAAAAAAAA}
    | {value for bits in (31, 32, 62, 63, 64) for value in ((1 << bits) - 1, 1 << bits & ~(1 << 64), (1 << bits) - 2)}
    | {(1 << 64) - n for n in (1, 2, 3, 8, 0x80, 0x81, 0x8000, 0x8001, 1 << 31, (1 << 31) + 1)}
    | set(range(30, 35))
    | set(range(61, 67))
)
#: (double, single, half) bit patterns whose arithmetic is special: zeros, ones, limits, denormals, infinities, NaNs,
#: integers at the limits of conversions.
_DOUBLES = [
    0x0, 0x1, 0x000FFFFFFFFFFFFF, 0x0010000000000000, 0x3FF0000000000000, 0x3FE0000000000000, 0x3FF8000000000000,
    0x4000000000000000, 0x7FEFFFFFFFFFFFFF, 0x7FF0000000000000, 0x7FF8000000000000, 0x7FF0000000000001,
    0x7FF8000000001234, 0x41DFFFFFFFC00000, 0x41E0000000000000, 0x43E0000000000000, 0x43F0000000000000,
    0x41EFFFFFFFE00000, 0x3FF0000000000001, 0x3FEFFFFFFFFFFFFF, 0x3810000000000000, 0x36A0000000000000,
    0x47EFFFFFE0000000, 0x40F0000000000000, 0x3E80000000000000, 0x4004000000000000,
]  # fmt: skip
_SINGLES = [
    0x0, 0x1, 0x007FFFFF, 0x00800000, 0x3F800000, 0x3F000000, 0x3FC00000, 0x40000000, 0x7F7FFFFF, 0x7F800000,
    0x7FC00000, 0x7F800001, 0x7FC01234, 0x4F000000, 0x4F800000, 0x5F000000, 0x5F800000, 0x4EFFFFFF, 0x3F800001,
    0x3F7FFFFF, 0x38800000, 0x33800000, 0x477FE000, 0x477FF000, 0x40200000, 0x00400000,
]  # fmt: skip
_HALVES = [
    0x0, 0x1, 0x03FF, 0x0400, 0x3C00, 0x3800, 0x3E00, 0x4000, 0x7BFF, 0x7C00, 0x7E00, 0x7C01, 0x7E12, 0x3C01, 0x3BFF,
]  # fmt: skip


def window_addresses(count: int) -> np.ndarray:
    """Guest address of each record's memory window: (count,) uint64."""
    return (BASE + MEM + STRIDE * np.arange(count)).astype(_U64)


def zero_states(count: int) -> np.ndarray:
    return np.zeros(count, STATE)


def random_states(rng: np.random.Generator, count: int, *, fpcr: tuple[int, ...] = (0,)) -> np.ndarray:
    """(count,) STATE: a mix of random and interesting values; `fpcr` values are drawn from those given."""
    states = np.zeros(count, STATE)
    states["x"] = _mix(rng, (count, 31), np.array(_INTEGERS, _U64))
    states["sp"] = _mix(rng, (count,), np.array(_INTEGERS, _U64)) & ~_U64(15)
    states["nzcv"] = rng.integers(0, 16, count, _U64) << _U64(28)
    states["fpcr"] = rng.choice(np.array(fpcr, _U64), count)
    states["v"] = _vectors(rng, count)
    states["mem"] = rng.integers(0, 256, (count, WINDOW), np.uint8)
    return states


def _random(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.integers(0, 1 << 64, shape, _U64, endpoint=False)


def _mix(rng: np.random.Generator, shape: tuple[int, ...], special: np.ndarray) -> np.ndarray:
    """A third random, a third special, a third random with a random number of leading zeros or ones."""
    any_bits = _random(rng, shape)
    short = any_bits >> rng.integers(0, 64, shape, _U64)
    short = np.where(rng.integers(0, 2, shape) == 1, ~short, short)
    return np.choose(rng.integers(0, 3, shape), [any_bits, rng.choice(special, shape), short])


def _lanes(rng: np.random.Generator, shape: tuple[int, ...], special: list[int], bits: int) -> np.ndarray:
    """uint64 of lanes that are special values of either sign."""
    per = 64 // bits
    lanes = rng.choice(np.array(special, _U64), (*shape, per))
    lanes |= rng.integers(0, 2, lanes.shape, _U64) << _U64(bits - 1)
    return np.bitwise_or.reduce(lanes << (np.arange(per) * bits).astype(_U64), axis=-1)


_POOL = 16384


@functools.cache
def _pool() -> np.ndarray:
    """(kinds, _POOL, 2) uint64: register values to draw from; making them anew for each state is slow."""
    rng, shape = np.random.default_rng(1), (_POOL, 2)
    doubles = rng.standard_normal(shape) * 10.0 ** rng.integers(-12, 12, shape)
    singles = rng.standard_normal((_POOL, 4)) * 10.0 ** rng.integers(-6, 9, (_POOL, 4))
    halves = rng.standard_normal((_POOL, 8)) * 10.0 ** rng.integers(-3, 4, (_POOL, 8))
    return np.stack(
        [
            _random(rng, shape),
            _mix(rng, shape, np.array(_INTEGERS, _U64)),
            _lanes(rng, shape, _DOUBLES, 64),
            _lanes(rng, shape, _SINGLES, 32),
            _lanes(rng, shape, _HALVES, 16),
            doubles.view(_U64),
            singles.astype(np.float32).view(_U64),
            halves.astype(np.float16).view(_U64),
        ]
    )


def _vectors(rng: np.random.Generator, count: int) -> np.ndarray:
    """(count, 32, 2) uint64: each register is random, integer-like, or lanes of special or of ordinary floats."""
    pool = _pool()
    # One kind for most of a state, so that its operands meet; some registers of any other kind.
    kind = np.repeat(rng.integers(0, len(pool), (count, 1)), 32, axis=1)
    other = rng.integers(0, len(pool), (count, 32))
    kind = np.where(rng.integers(0, 4, (count, 32)) == 0, other, kind)
    return pool[kind, rng.integers(0, _POOL, (count, 32))]
