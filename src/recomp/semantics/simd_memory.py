"""Loads and stores of SIMD&FP registers. Doubles and singles move in their own views."""

from __future__ import annotations

from collections.abc import Callable

from recomp.a64 import Insn
from recomp.semantics.builder import Builder
from recomp.semantics.memory import based, indexed, signed, write_back

Semantics = Callable[[Builder, Insn], None]
LANES = ("u8x16", "u16x8", "u32x4", "u64x2")


def load(b: Builder, bits: int, rt: int, addr: str) -> None:
    """Register rt = `bits` of memory, zeros above."""
    if bits == 128:
        b.set_v(rt, f"rt_ld128({b.place(addr)})")
    elif bits == 64:
        b.set_d(rt, f"rt_ldf64({b.place(addr)})")
    elif bits == 32:
        b.set_s(rt, f"rt_ldf32({b.place(addr)})")
    else:
        b.set_v(rt, f"rt_u64_v(rt_ld{bits}({b.place(addr)}))")


def store(b: Builder, bits: int, rt: int, addr: str) -> None:
    if bits == 64:
        b.line(f"rt_stf64({b.place(addr)}, {b.d(rt)});")
    elif bits == 32:
        b.line(f"rt_stf32({b.place(addr)}, {b.s(rt)});")
    elif bits == 128:
        b.line(f"rt_st128({b.place(addr)}, {b.v(rt)});")
    else:
        b.line(f"rt_st{bits}({b.place(addr)}, (uint{bits}_t){b.v(rt)}[0]);")


# --- one register


def _access(mode: str, move: Callable[[Builder, int, int, str], None]) -> Semantics:
    """`mode`: ui (scaled offset), ur (unscaled), post, pre, r (register offset)."""

    def semantics(b: Builder, i: Insn) -> None:
        bits = 128 if i.q else 8 << i.size
        if mode == "ui":
            move(b, bits, i.rt, based(b, i.rn, i.imm12 * bits // 8))
        elif mode == "ur":
            move(b, bits, i.rt, based(b, i.rn, signed(i.imm9, 9)))
        elif mode == "r":
            move(b, bits, i.rt, indexed(b, i, (bits // 8).bit_length() - 1))
        else:
            offset = signed(i.imm9, 9)
            move(b, bits, i.rt, based(b, i.rn, 0 if mode == "post" else offset))
            write_back(b, i.rn, offset)

    return semantics


LDR_v_ui, STR_v_ui = _access("ui", load), _access("ui", store)
LDUR_v, STUR_v = _access("ur", load), _access("ur", store)
LDR_v_post, STR_v_post = _access("post", load), _access("post", store)
LDR_v_pre, STR_v_pre = _access("pre", load), _access("pre", store)
LDR_v_r, STR_v_r = _access("r", load), _access("r", store)


def LDR_v_lit(b: Builder, i: Insn) -> None:
    load(b, 32 << i.opc, i.rt, f"UINT64_C({b.pc + 4 * signed(i.imm19, 19):#x})")


# --- pairs


def _pair(mode: str, move: Callable[[Builder, int, int, str], None]) -> Semantics:
    def semantics(b: Builder, i: Insn) -> None:
        bits = 32 << i.opc
        offset = signed(i.imm7, 7) * bits // 8
        first = 0 if mode == "post" else offset
        move(b, bits, i.rt, based(b, i.rn, first))
        move(b, bits, i.rt2, based(b, i.rn, first + bits // 8))
        if mode:
            write_back(b, i.rn, offset)

    return semantics


LDP_v, STP_v = _pair("", load), _pair("", store)
LDNP_v, STNP_v = LDP_v, STP_v
LDP_v_post, STP_v_post = _pair("post", load), _pair("post", store)
LDP_v_pre, STP_v_pre = _pair("pre", load), _pair("pre", store)


# --- structures


def _post_index(b: Builder, i: Insn, size: int) -> None:
    """Advance the base by a register, or (31) by the `size` bytes accessed."""
    if "rm" in i.f:
        b.set_xsp(i.rn, f"{b.xsp(i.rn)} + {size}u" if i.rm == 31 else f"{b.xsp(i.rn)} + {b.x(i.rm)}")


def _load1(count: int) -> Semantics:
    def semantics(b: Builder, i: Insn) -> None:
        size = 16 if i.Q else 8
        for k in range(count):
            load(b, 8 * size, (i.rt + k) % 32, based(b, i.rn, k * size))
        _post_index(b, i, count * size)

    return semantics


def _store1(count: int) -> Semantics:
    def semantics(b: Builder, i: Insn) -> None:
        size = 16 if i.Q else 8
        for k in range(count):
            store(b, 8 * size, (i.rt + k) % 32, based(b, i.rn, k * size))
        _post_index(b, i, count * size)

    return semantics


def _load_structures(registers: int) -> Semantics:
    def semantics(b: Builder, i: Insn) -> None:
        size = 16 if i.Q else 8
        loaded = b.tmp("rt_v4", f"rt_ld{registers}_{LANES[i.size]}(M, {b.xsp(i.rn)}, {registers * size})")
        for k in range(registers):
            b.set_v((i.rt + k) % 32, f"{loaded}.v[{k}]")
        _post_index(b, i, registers * size)

    return semantics


def _store_structures(registers: int) -> Semantics:
    def semantics(b: Builder, i: Insn) -> None:
        size = 16 if i.Q else 8
        stored = ", ".join(b.v((i.rt + k) % 32) for k in range(registers))
        addr = f"M, {b.xsp(i.rn)}, {registers * size}"
        b.line(f"rt_st{registers}_{LANES[i.size]}({addr}, (rt_v4){{{{{stored}}}}});")
        _post_index(b, i, registers * size)

    return semantics


LD1_m1 = LD1_m1p = _load1(1)
LD1_m2 = LD1_m2p = _load1(2)
LD1_m3 = LD1_m3p = _load1(3)
LD1_m4 = LD1_m4p = _load1(4)
LD2_m = LD2_mp = _load_structures(2)
LD3_m = LD3_mp = _load_structures(3)
LD4_m = LD4_mp = _load_structures(4)
ST1_m1 = ST1_m1p = _store1(1)
ST1_m2 = ST1_m2p = _store1(2)
ST1_m3 = ST1_m3p = _store1(3)
ST1_m4 = ST1_m4p = _store1(4)
ST2_m = ST2_mp = _store_structures(2)
ST3_m = ST3_mp = _store_structures(3)
ST4_m = ST4_mp = _store_structures(4)


def lane_of(i: Insn) -> tuple[int, int]:
    """(size as a power of two, lane index) of a single structure."""
    place = i.Q << 3 | i.S << 2 | i.size
    size = 3 if i.scale == 2 and i.size & 1 else i.scale
    return size, place >> size


def _load_lane(registers: int) -> Semantics:
    def semantics(b: Builder, i: Insn) -> None:
        size, lane = lane_of(i)
        for k in range(registers):
            n = (i.rt + k) % 32
            value = b.load(8 << size, based(b, i.rn, k << size))
            b.set_v(n, f"rt_set_{LANES[size]}({b.v(n)}, {lane}, {value})")
        _post_index(b, i, registers << size)

    return semantics


def _store_lane(registers: int) -> Semantics:
    def semantics(b: Builder, i: Insn) -> None:
        size, lane = lane_of(i)
        for k in range(registers):
            value = f"rt_get_{LANES[size]}({b.v((i.rt + k) % 32)}, {lane})"
            b.store(8 << size, based(b, i.rn, k << size), value)
        _post_index(b, i, registers << size)

    return semantics


def _load_replicated(registers: int) -> Semantics:
    def semantics(b: Builder, i: Insn) -> None:
        for k in range(registers):
            value = f"rt_dup_{LANES[i.size]}({b.load(8 << i.size, based(b, i.rn, k << i.size))})"
            b.set_v((i.rt + k) % 32, value if i.Q else f"rt_low({value})")
        _post_index(b, i, registers << i.size)

    return semantics


LD1_l = LD1_lp = _load_lane(1)
LD2_l = LD2_lp = _load_lane(2)
LD3_l = LD3_lp = _load_lane(3)
LD4_l = LD4_lp = _load_lane(4)
ST1_l = ST1_lp = _store_lane(1)
ST2_l = ST2_lp = _store_lane(2)
ST3_l = ST3_lp = _store_lane(3)
ST4_l = ST4_lp = _store_lane(4)
LD1_r = LD1_rp = _load_replicated(1)
LD2_r = LD2_rp = _load_replicated(2)
LD3_r = LD3_rp = _load_replicated(3)
LD4_r = LD4_rp = _load_replicated(4)
