"""Advanced SIMD that only moves: copies of lanes, permutations, table lookup, immediates."""

from __future__ import annotations

from collections.abc import Callable

from recomp.a64 import Insn
from recomp.semantics.builder import Builder
from recomp.semantics.simd import pairs, three
from recomp.semantics.simd_operands import SIGNED, UNSIGNED, Semantics, part

# --- copies and permutations


def _copy_lane(i: Insn) -> tuple[int, int]:
    """(size as a power of two, lane) of imm5."""
    size = (i.imm5 & -i.imm5).bit_length() - 1
    return size, i.imm5 >> size + 1


def DUP_vi(b: Builder, i: Insn) -> None:
    size, lane = _copy_lane(i)
    value = f"rt_dup_{UNSIGNED[size]}(rt_get_{UNSIGNED[size]}({b.v(i.rn)}, {lane}))"
    b.set_v(i.rd, part(i, value))


def DUP_si(b: Builder, i: Insn) -> None:
    size, lane = _copy_lane(i)
    b.set_v(i.rd, f"rt_u64_v(rt_get_{UNSIGNED[size]}({b.v(i.rn)}, {lane}))")


def DUP_vg(b: Builder, i: Insn) -> None:
    size, _ = _copy_lane(i)
    b.set_v(i.rd, part(i, f"rt_dup_{UNSIGNED[size]}((uint{8 << size}_t){b.x(i.rn)})"))


def UMOV(b: Builder, i: Insn) -> None:
    size, lane = _copy_lane(i)
    b.set_x(i.rd, f"rt_get_{UNSIGNED[size]}({b.v(i.rn)}, {lane})")


def SMOV(b: Builder, i: Insn) -> None:
    size, lane = _copy_lane(i)
    bits = 64 if i.Q else 32
    b.set_x(i.rd, f"(uint{bits}_t)(int{bits}_t)rt_get_{SIGNED[size]}({b.v(i.rn)}, {lane})")


def INS_g(b: Builder, i: Insn) -> None:
    size, lane = _copy_lane(i)
    b.set_v(i.rd, f"rt_set_{UNSIGNED[size]}({b.v(i.rd)}, {lane}, (uint{8 << size}_t){b.x(i.rn)})")


def INS_e(b: Builder, i: Insn) -> None:
    size, lane = _copy_lane(i)
    kind = UNSIGNED[size]
    b.set_v(i.rd, f"rt_set_{kind}({b.v(i.rd)}, {lane}, rt_get_{kind}({b.v(i.rn)}, {i.imm4 >> size}))")


def _zip(second: bool) -> Semantics:
    # The 64-bit forms are the halves of the first 128-bit one.
    def semantics(b: Builder, i: Insn) -> None:
        n, m, kind = b.v(i.rn), b.v(i.rm), UNSIGNED[i.size]
        if i.Q:
            b.set_v(i.rd, f"rt_zip{1 + second}_{kind}({n}, {m})")
        else:
            b.set_v(i.rd, f"rt_{'high' if second else 'low'}(rt_zip1_{kind}({n}, {m}))")

    return semantics


ZIP1, ZIP2 = _zip(False), _zip(True)
UZP1, UZP2 = pairs("uzp1"), pairs("uzp2")
TRN1, TRN2 = three("trn1"), three("trn2")


def EXT(b: Builder, i: Insn) -> None:
    if i.Q:
        b.set_v(i.rd, f"rt_ext({b.v(i.rn)}, {b.v(i.rm)}, {i.imm4})")
    else:
        both = b.tmp("rt_v128", f"rt_join({b.v(i.rn)}, {b.v(i.rm)})")
        b.set_v(i.rd, f"rt_low(rt_ext({both}, {both}, {i.imm4}))")


def _lookup(b: Builder, i: Insn, other: str) -> None:
    table = ", ".join(b.v((i.rn + k) % 32) for k in range(i.len + 1))
    b.set_v(i.rd, part(i, f"rt_table((const rt_v128[]){{{table}}}, {i.len + 1}, {b.v(i.rm)}, {other})"))


def TBL(b: Builder, i: Insn) -> None:
    _lookup(b, i, "(rt_v128){0}")


def TBX(b: Builder, i: Insn) -> None:
    _lookup(b, i, b.v(i.rd))


# --- modified immediates (AdvSIMDExpandImm)


def _constant(bits: int) -> str:
    return f"(rt_v128){{UINT64_C({bits:#x}), UINT64_C({bits:#x})}}"


def _imm8(i: Insn) -> int:
    return i.abc << 5 | i.defgh


def _words(i: Insn) -> int:
    return (_imm8(i) << 8 * i.sh) * 0x0000000100000001


def _halves(i: Insn) -> int:
    return (_imm8(i) << 8 * i.sh) * 0x0001000100010001


def _ones_below(i: Insn) -> int:
    """MSL: shifted left by 8 or 16, ones coming in."""
    shift = 16 if i.sh else 8
    return (_imm8(i) << shift | (1 << shift) - 1) * 0x0000000100000001


def _byte(i: Insn) -> int:
    return _imm8(i) * 0x0101010101010101


def _mask(i: Insn) -> int:
    """Each bit of imm8 is a byte of ones or zeros."""
    return sum(0xFF << 8 * k for k in range(8) if _imm8(i) >> k & 1)


def _single(i: Insn) -> int:
    imm8 = _imm8(i)
    value = (imm8 & 0x80) << 24 | (0x3E000000 if imm8 & 0x40 else 0x40000000) | (imm8 & 0x3F) << 19
    return value * 0x0000000100000001


def _double(i: Insn) -> int:
    imm8 = _imm8(i)
    return (imm8 & 0x80) << 56 | (0x3FC << 52 if imm8 & 0x40 else 0x400 << 52) | (imm8 & 0x3F) << 48


def _half(i: Insn) -> int:
    imm8 = _imm8(i)
    return ((imm8 & 0x80) << 8 | (0x3000 if imm8 & 0x40 else 0x4000) | (imm8 & 0x3F) << 6) * 0x0001000100010001


def _move(expand: Callable[[Insn], int], invert: int = 0) -> Semantics:
    def semantics(b: Builder, i: Insn) -> None:
        b.set_v(i.rd, part(i, _constant(expand(i) ^ invert)))

    return semantics


def _combine(expand: Callable[[Insn], int], op: str) -> Semantics:
    def semantics(b: Builder, i: Insn) -> None:
        b.set_v(i.rd, part(i, f"{b.v(i.rd)} {op} {_constant(expand(i))}"))

    return semantics


_ALL = (1 << 64) - 1
MOVI_v, MVNI_v, ORR_vi, BIC_vi = _move(_words), _move(_words, _ALL), _combine(_words, "|"), _combine(_words, "& ~")
MOVI_vh, MVNI_vh, ORR_vih, BIC_vih = (
    _move(_halves),
    _move(_halves, _ALL),
    _combine(_halves, "|"),
    _combine(_halves, "& ~"),
)
MOVI_vm, MVNI_vm = _move(_ones_below), _move(_ones_below, _ALL)
MOVI_vb, FMOV_vi, FMOV_vid, FMOV_vih = _move(_byte), _move(_single), _move(_double), _move(_half)


def MOVI_vd(b: Builder, i: Insn) -> None:
    if i.Q:
        b.set_v(i.rd, _constant(_mask(i)))
    else:
        # How compilers write 0.0: a double where doubles follow.
        b.set_d(i.rd, f"rt_f64(UINT64_C({_mask(i):#x}))")
