"""The Cryptographic Extension: AES, SHA-1, SHA-256, 64-bit polynomial multiply."""

from __future__ import annotations

from collections.abc import Callable

from recomp.a64 import Insn
from recomp.semantics.builder import Builder

Semantics = Callable[[Builder, Insn], None]


def _helper(name: str, operands: str) -> Semantics:
    """`operands`: which of d, n and m the helper takes."""

    def semantics(b: Builder, i: Insn) -> None:
        values = [b.v({"d": i.rd, "n": i.rn, "m": i.f.get("rm", 0)}[o]) for o in operands]
        b.set_v(i.rd, f"rt_{name}({', '.join(values)})")

    return semantics


AESE = _helper("aese", "dn")
AESD = _helper("aesd", "dn")
AESMC = _helper("aesmc", "n")
AESIMC = _helper("aesimc", "n")
SHA1C = _helper("sha1c", "dnm")
SHA1P = _helper("sha1p", "dnm")
SHA1M = _helper("sha1m", "dnm")
SHA1H = _helper("sha1h", "n")
SHA1SU0 = _helper("sha1su0", "dnm")
SHA1SU1 = _helper("sha1su1", "dn")
SHA256SU0 = _helper("sha256su0", "dn")
SHA256SU1 = _helper("sha256su1", "dnm")


def SHA256H(b: Builder, i: Insn) -> None:
    b.set_v(i.rd, f"rt_sha256({b.v(i.rd)}, {b.v(i.rn)}, {b.v(i.rm)}, 1)")


def SHA256H2(b: Builder, i: Insn) -> None:
    b.set_v(i.rd, f"rt_sha256({b.v(i.rn)}, {b.v(i.rd)}, {b.v(i.rm)}, 0)")


def PMULL_64(b: Builder, i: Insn) -> None:
    b.set_v(i.rd, f"rt_pmull_u64({b.v(i.rn)}[{i.Q}], {b.v(i.rm)}[{i.Q}])")
