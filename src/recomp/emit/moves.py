"""Registers between C locals and `*c`, as lines of C: loads, stores, and what a value is called."""

from __future__ import annotations

import functools
import re

from recomp.emit.views import VECTORS, bits
from recomp.semantics.builder import CF, NF, VF, ZF

FLAG_NAMES = {NF: "nf", ZF: "zf", CF: "cf", VF: "vf"}
NAMES = [*(f"x{n}" for n in range(31)), "sp", "nf", "zf", "cf", "vf"]
_FIELDS = [*(f"c->x[{n}]" for n in range(31)), *(f"c->{name}" for name in NAMES[31:])]
_LOADS = [f"  {name} = {field};" for name, field in zip(NAMES, _FIELDS, strict=True)]
_STORES = [f"  {field} = {name};" for name, field in zip(NAMES, _FIELDS, strict=True)]


@functools.lru_cache(maxsize=1 << 16)
def moves(mask: int, into_c: bool) -> tuple[str, ...]:
    """Stores into `*c`, or loads, of general registers and flags."""
    lines = _STORES if into_c else _LOADS
    return tuple(lines[bit] for bit in bits(mask & ~VECTORS))


VECTOR_LOADS = {
    "v": "  v{n} = c->v[{n}];",
    "d": "  d{n} = rt_v_to_d(c->v[{n}]);",
    "du": "  d{n} = rt_v_to_d(c->v[{n}]); u{n} = c->v[{n}][1];",
    "s": "  s{n} = rt_v_to_s(c->v[{n}]);",
}
VECTOR_VALUES = {
    "v": "v{n}",
    "d": "rt_d_to_v(d{n})",
    "du": "(rt_v128){{rt_d_bits(d{n}), u{n}}}",
    "s": "rt_s_to_v(s{n})",
}
VECTOR_STORES = {kind: f"  c->v[{{n}}] = {value};" for kind, value in VECTOR_VALUES.items()}
VECTOR_ZEROS = {
    "v": "  v{n} = (rt_v128){{0}};",
    "d": "  d{n} = 0;",
    "du": "  d{n} = 0; u{n} = 0;",
    "s": "  s{n} = 0;",
}

_FIELD = re.compile(r"c->v\[(\d+)\]|c->(sp)|c->x\[(\d+)\]")


def from_value(load: str) -> str:
    """A load from `*c` as a load from the C value of the same register."""
    return _FIELD.sub(lambda m: f"a_v{m[1]}" if m[1] else "a_sp" if m[2] else f"a_x{m[3]}", load)


def variables(n: int, kept: str) -> tuple[str, ...]:
    """The C variables that keep a vector register."""
    return tuple(f"{letter}{n}" for letter in kept)
