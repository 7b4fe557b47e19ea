"""Small expressions over things unknown, for addresses that jumps are computed from.

Nodes are tuples: ("const", v), ("leaf", place, register), ("add", a, b), ("shl", a, n), ("shr", a, n),
("and", a, mask), ("zext", a, bits), ("sext", a, bits), ("load", bytes, extend, address); `extend` is 0 for an unsigned
load, else the width a signed one is extended to. Arithmetic is modulo 2**64.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Node = tuple[Any, ...]

MASK = (1 << 64) - 1


def const(value: int) -> Node:
    return ("const", value & MASK)


def add(a: Node, b: Node) -> Node:
    if a[0] == "const" and b[0] == "const":
        return const(a[1] + b[1])
    if a[0] == "const":
        a, b = b, a
    if b[0] == "const":
        if b[1] == 0:
            return a
        if a[0] == "add" and a[2][0] == "const":
            return add(a[1], const(a[2][1] + b[1]))
    return ("add", a, b)


def shl(a: Node, amount: int) -> Node:
    if amount == 0:
        return a
    return const(a[1] << amount) if a[0] == "const" else ("shl", a, amount)


def zext(a: Node, bits: int) -> Node:
    if bits >= 64 or upper_bound(a) < 1 << bits:
        return a
    if a[0] == "const":
        return const(a[1] & ((1 << bits) - 1))
    if a[0] in ("zext", "sext") and a[2] >= bits:
        return zext(a[1], bits)
    return ("zext", a, bits)


def sext(a: Node, bits: int) -> Node:
    if bits >= 64 or upper_bound(a) < 1 << (bits - 1):
        return a
    if a[0] == "const":
        return const(to_signed(a[1], bits))
    if a[0] in ("zext", "sext") and a[2] == bits:
        a = a[1]
    return ("sext", a, bits)


def upper_bound(a: Node) -> int:
    """No value of the node, read as unsigned, is larger."""
    kind = a[0]
    if kind == "const" or kind == "and":
        return a[1] if kind == "const" else a[2]
    if kind == "zext":
        return (1 << a[2]) - 1
    if kind == "load" and a[2] == 0:
        return (1 << 8 * a[1]) - 1
    if kind == "shr":
        return upper_bound(a[1]) >> a[2]
    if kind == "shl":
        return min(upper_bound(a[1]) << a[2], MASK)
    return MASK


def evaluate(a: Node, known: dict[Node, int], read: Callable[[int, int], int | None]) -> int | None:
    """The node's value when the nodes in `known` have the values given there; None when it depends on more."""
    if a in known:
        return known[a]
    kind = a[0]
    if kind == "const":
        return a[1]
    if kind == "leaf":
        return None
    if kind == "load":
        address = evaluate(a[3], known, read)
        raw = None if address is None else read(address, a[1])
        return raw if raw is None or a[2] == 0 else to_signed(raw, 8 * a[1]) & ((1 << a[2]) - 1)
    value = evaluate(a[1], known, read)
    if value is None:
        return None
    if kind == "add":
        other = evaluate(a[2], known, read)
        return None if other is None else (value + other) & MASK
    if kind == "shl":
        return value << a[2] & MASK
    if kind == "shr":
        return value >> a[2]
    if kind == "and":
        return value & a[2]
    if kind == "zext":
        return value & ((1 << a[2]) - 1)
    return to_signed(value, a[2]) & MASK


def parts(a: Node) -> list[Node]:
    """The node and everything below it, outermost first."""
    found = [a]
    for node in found:
        found += [x for x in node[1:] if isinstance(x, tuple)] if node[0] != "leaf" else []
    return found


def to_signed(value: int, bits: int) -> int:
    value &= (1 << bits) - 1
    return value - ((value >> (bits - 1)) << bits)
