"""Rounding modes, default NaN, the alternative half format and flushing to zero: FPCR set before each state."""

import itertools

import numpy as np

from recomp.a64 import Pattern, decode
from tests.a64.fuzz import groups
from tests.a64.harness import Case, Difference, differences
from tests.a64.words import MODEL, random_words, states_for

ROUNDING = tuple(mode << 22 for mode in range(4))
DEFAULT_NAN, ALTERNATIVE_HALF, FLUSH = 1 << 25, 1 << 26, 1 << 24
WORDS, STATES = 2, 120


def floating() -> list[Pattern]:
    """Every floating-point pattern: their names, and no others of fpsimd.decode, start with F or convert integers."""
    found = [p for p in itertools.chain(*groups().values()) if p.where.startswith("fpsimd")]
    return [p for p in found if p.name.startswith(("F", "SCVTF", "UCVTF"))]


def compare(patterns: list[Pattern], fpcr: tuple[int, ...], ignore: tuple[str, ...] = ()) -> list[Difference]:
    rng = np.random.default_rng(fpcr)
    cases: dict[str, list[Case]] = {}
    for pattern in patterns:
        for word in random_words(pattern, rng, WORDS):
            case = Case((word,), states_for(decode(word), rng, STATES, fpcr=fpcr))
            cases.setdefault(MODEL.get(pattern.name, "a72"), []).append(case)
    assert cases
    return [d for model, some in cases.items() for d in differences(some, model=model, ignore=ignore)]


def test_rounding_modes_and_default_nan() -> None:
    modes = (*ROUNDING[1:], *(mode | DEFAULT_NAN for mode in ROUNDING))
    found = compare(floating(), modes)
    assert not found, "\n".join(map(str, found[:20]))


def test_alternative_half_precision() -> None:
    names = ("FCVT_s", "FCVTL_v", "FCVTN_v")
    modes = tuple(mode | ALTERNATIVE_HALF for mode in ROUNDING)
    found = compare([p for p in floating() if p.name in names] * 3, modes)
    assert not found, "\n".join(map(str, found[:20]))


def test_flush_to_zero() -> None:
    """Values; FPSR.IDC and IXC are not exact then (rt_fp.h)."""
    found = compare(floating(), tuple(mode | FLUSH for mode in ROUNDING), ("fpsr",))
    assert not found, "\n".join(map(str, found[:20]))
