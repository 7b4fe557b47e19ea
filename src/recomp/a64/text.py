"""Short disassembly: what comments in emitted code and traps show.

Names and operands are the manual's, without its aliases (`subs xzr, x1, x2`, not `cmp x1, x2`). A pattern whose group
has no formatter shows its fields: `fmul_v q=1 esz=2 rm=3 rn=2 rd=1`.
"""

from __future__ import annotations

from collections.abc import Callable

from recomp.a64.table import Insn, decode

CONDITIONS = ("eq", "ne", "hs", "lo", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le", "al", "nv")
_SHIFTS = ("lsl", "lsr", "asr", "ror")
_EXTENDS = ("uxtb", "uxth", "uxtw", "uxtx", "sxtb", "sxth", "sxtw", "sxtx")


def word_text(word: int, pc: int) -> str:
    """Text of any word; `.word 0x...` for those no table knows."""
    insn = decode(word)
    return insn_text(insn, pc) if insn is not None else f".word {word:#010x}"


def insn_text(i: Insn, pc: int) -> str:
    """Text of a decoded instruction at guest address `pc`."""
    formatter = _FORMATTERS.get(i.pattern.group)
    if formatter is None:
        return " ".join([i.name.lower(), *(f"{name}={value}" for name, value in i.f.items())])
    return formatter(i, pc)


def _name(i: Insn) -> str:
    return i.name.partition("_")[0].lower()


def _r(sf: int, n: int) -> str:
    return f"{'x' if sf else 'w'}{n}" if n != 31 else "xzr" if sf else "wzr"


def _sp(sf: int, n: int) -> str:
    return _r(sf, n) if n != 31 else "sp" if sf else "wsp"


def _imm(value: int) -> str:
    sign = "-" if value < 0 else ""
    return f"#{sign}{abs(value)}" if abs(value) < 10 else f"#{sign}{abs(value):#x}"


def _signed(value: int, width: int) -> int:
    return value - (value >> width - 1 << width)


def _target(pc: int, value: int, width: int) -> str:
    return f"{pc + 4 * _signed(value, width) & (1 << 64) - 1:#x}"


# --- data processing


def _addsub_imm(i: Insn, pc: int) -> str:
    rd = _r(i.sf, i.rd) if "S_" in i.name else _sp(i.sf, i.rd)
    return f"{_name(i)} {rd}, {_sp(i.sf, i.rn)}, {_imm(i.imm12)}{', lsl #12' * i.sh}"


def _logical_imm(i: Insn, pc: int) -> str:
    rd = _r(i.sf, i.rd) if i.name == "ANDS_i" else _sp(i.sf, i.rd)
    return f"{_name(i)} {rd}, {_r(i.sf, i.rn)}, {_imm(bit_mask(i.sf, i.N, i.imms, i.immr))}"


def bit_mask(sf: int, n: int, imms: int, immr: int) -> int:
    """The constant of a logical immediate, 64 or 32 bits (DecodeBitMasks(), DDI 0487 J1.1)."""
    length = (n << 6 | ~imms & 0x3F).bit_length() - 1
    size = 1 << length
    ones, rotate = (imms & size - 1) + 1, immr & size - 1
    element = (1 << ones) - 1
    element = (element >> rotate | element << size - rotate) & (1 << size) - 1
    bits = 64 if sf else 32
    return sum(element << at for at in range(0, bits, size))


def _move_wide(i: Insn, pc: int) -> str:
    return f"{_name(i)} {_r(i.sf, i.rd)}, {_imm(i.imm16)}" + (f", lsl #{16 * i.hw}" if i.hw else "")


def _bitfield(i: Insn, pc: int) -> str:
    return f"{_name(i)} {_r(i.sf, i.rd)}, {_r(i.sf, i.rn)}, {_imm(i.immr)}, {_imm(i.imms)}"


def _extract(i: Insn, pc: int) -> str:
    return f"extr {_r(i.sf, i.rd)}, {_r(i.sf, i.rn)}, {_r(i.sf, i.rm)}, {_imm(i.imms)}"


def _two_sources(i: Insn, pc: int) -> str:
    name = _name(i)
    if name.startswith("crc"):
        return f"{name}{'bhwx'[i.sz]} {_r(0, i.rd)}, {_r(0, i.rn)}, {_r(i.sf, i.rm)}"
    name = name.removesuffix("v") if name != "udiv" and name != "sdiv" else name
    return f"{name} {_r(i.sf, i.rd)}, {_r(i.sf, i.rn)}, {_r(i.sf, i.rm)}"


def _one_source(i: Insn, pc: int) -> str:
    sf = i.word >> 31
    return f"{_name(i)} {_r(sf, i.rd)}, {_r(sf, i.rn)}"


def _shifted(i: Insn, pc: int) -> str:
    tail = f", {_SHIFTS[i.shift]} #{i.imm6}" if i.imm6 or i.shift else ""
    return f"{_name(i)} {_r(i.sf, i.rd)}, {_r(i.sf, i.rn)}, {_r(i.sf, i.rm)}{tail}"


def _extended(i: Insn, pc: int) -> str:
    rd = _r(i.sf, i.rd) if "S_" in i.name else _sp(i.sf, i.rd)
    kind = _EXTENDS[i.option]
    if i.option == 2 + i.sf and 31 in ((i.rn,) if "S_" in i.name else (i.rn, i.rd)):
        kind = "lsl" if i.imm3 else ""
    tail = f", {kind}" if kind else ""
    rm = _r(i.sf and i.option & 3 == 3, i.rm)
    return f"{_name(i)} {rd}, {_sp(i.sf, i.rn)}, {rm}{tail}" + (f" {_imm(i.imm3)}" if i.imm3 else "")


def _carry(i: Insn, pc: int) -> str:
    return f"{_name(i)} {_r(i.sf, i.rd)}, {_r(i.sf, i.rn)}, {_r(i.sf, i.rm)}"


def _ccmp(i: Insn, pc: int) -> str:
    right = _r(i.sf, i.rm) if "rm" in i.f else _imm(i.imm5)
    return f"{_name(i)} {_r(i.sf, i.rn)}, {right}, {_imm(i.nzcv)}, {CONDITIONS[i.cond]}"


def _csel(i: Insn, pc: int) -> str:
    return f"{_carry(i, pc)}, {CONDITIONS[i.cond]}"


def _three_sources(i: Insn, pc: int) -> str:
    if "sf" in i.f:
        return f"{_carry(i, pc)}, {_r(i.sf, i.ra)}"
    if "ra" in i.f:
        return f"{_name(i)} {_r(1, i.rd)}, {_r(0, i.rn)}, {_r(0, i.rm)}, {_r(1, i.ra)}"
    return f"{_name(i)} {_r(1, i.rd)}, {_r(1, i.rn)}, {_r(1, i.rm)}"


def _pc_relative(i: Insn, pc: int) -> str:
    offset = _signed(i.immhi << 2 | i.immlo, 21)
    value = pc + offset if i.name == "ADR" else (pc & ~0xFFF) + (offset << 12)
    return f"{_name(i)} {_r(1, i.rd)}, #{value & (1 << 64) - 1:#x}"


# --- loads and stores


def _sized(i: Insn) -> str:
    """ldr + size + register: `ldrb w1`, `ldrsw x1`."""
    name = _name(i)
    if name.startswith("prf"):
        return f"{name} {_imm(i.rt)}"
    if "w" in i.f:
        return f"{name}{'bhw'[i.size]} {_r(not i.w, i.rt)}"
    return f"{name}{('b', 'h', '', '')[i.size]} {_r(i.size == 3, i.rt)}"


def _address(rn: int, offset: int) -> str:
    return f"[{_sp(1, rn)}, {_imm(offset)}]" if offset else f"[{_sp(1, rn)}]"


def _unsigned_offset(i: Insn, pc: int) -> str:
    return f"{_sized(i)}, {_address(i.rn, i.imm12 << i.f.get('size', 3))}"


def _unscaled(i: Insn, pc: int) -> str:
    return f"{_sized(i)}, {_address(i.rn, _signed(i.imm9, 9))}"


def _post(i: Insn, pc: int) -> str:
    return f"{_sized(i)}, {_address(i.rn, 0)}, {_imm(_signed(i.imm9, 9))}"


def _pre(i: Insn, pc: int) -> str:
    return f"{_sized(i)}, [{_sp(1, i.rn)}, {_imm(_signed(i.imm9, 9))}]!"


def _register_offset(i: Insn, pc: int) -> str:
    kind = "lsl" if i.option == 3 else _EXTENDS[i.option]
    tail = f", {kind}" if i.S or i.option != 3 else ""
    tail += f" {_imm(i.f.get('size', 3))}" if i.S else ""
    return f"{_sized(i)}, [{_sp(1, i.rn)}, {_r(i.option & 1, i.rm)}{tail}]"


def _literal(i: Insn, pc: int) -> str:
    register = _imm(i.rt) if i.name == "PRFM_l" else _r(i.f.get("sf", 1), i.rt)
    return f"{_name(i)} {register}, #{_target(pc, i.imm19, 19)}"


def _pair(i: Insn, pc: int) -> str:
    sf = i.f.get("sf", 1)
    offset = _signed(i.imm7, 7) * (8 if sf and "sf" in i.f else 4)
    registers = f"{_name(i)} {_r(sf, i.rt)}, {_r(sf, i.rt2)}"
    if i.name.endswith("_post"):
        return f"{registers}, {_address(i.rn, 0)}, {_imm(offset)}"
    if i.name.endswith("_pre"):
        return f"{registers}, [{_sp(1, i.rn)}, {_imm(offset)}]!"
    return f"{registers}, {_address(i.rn, offset)}"


def _exclusive(i: Insn, pc: int) -> str:
    status = f"{_r(0, i.rs)}, " if "rs" in i.f else ""
    if "rt2" in i.f:
        return f"{_name(i)} {status}{_r(i.sf, i.rt)}, {_r(i.sf, i.rt2)}, {_address(i.rn, 0)}"
    suffix = ("b", "h", "", "")[i.size]
    return f"{_name(i)}{suffix} {status}{_r(i.size == 3, i.rt)}, {_address(i.rn, 0)}"


def _atomic(i: Insn, pc: int) -> str:
    order = "a" * i.A + "l" * i.R
    if i.name == "CASP":
        pairs = ", ".join(_r(i.sf, n) for n in (i.rs, i.rs + 1, i.rt, i.rt + 1))
        return f"casp{order} {pairs}, {_address(i.rn, 0)}"
    sf = i.size == 3
    return f"{_name(i)}{order}{('b', 'h', '', '')[i.size]} {_r(sf, i.rs)}, {_r(sf, i.rt)}, {_address(i.rn, 0)}"


# --- branches and system


def _branch(i: Insn, pc: int) -> str:
    if i.name == "B_cond":
        return f"b.{CONDITIONS[i.cond]} #{_target(pc, i.imm19, 19)}"
    if i.name.startswith("T"):
        bit = i.b5 << 5 | i.b40
        return f"{_name(i)} {_r(i.b5, i.rt)}, {_imm(bit)}, #{_target(pc, i.imm14, 14)}"
    if i.name.startswith("C"):
        return f"{_name(i)} {_r(i.sf, i.rt)}, #{_target(pc, i.imm19, 19)}"
    return f"{_name(i)} #{_target(pc, i.imm26, 26)}"


def _branch_register(i: Insn, pc: int) -> str:
    return "ret" if i.name == "RET" and i.rn == 30 else f"{_name(i)} {_r(1, i.rn)}"


def _exception(i: Insn, pc: int) -> str:
    level = str(i.LL) if "LL" in i.f else ""
    return f"{_name(i)}{level} {_imm(i.imm16)}" if "imm16" in i.f and (i.imm16 or not level) else f"{_name(i)}{level}"


def _hint(i: Insn, pc: int) -> str:
    return f"hint {_imm(i.CRm << 3 | i.op2)}" if i.name == "HINT" else _name(i)


def _barrier(i: Insn, pc: int) -> str:
    return f"{_name(i)} {_imm(i.CRm)}" if "CRm" in i.f else _name(i)


def _system(i: Insn, pc: int) -> str:
    if i.name == "MSR_i":
        return f"msr op1={i.op1} op2={i.op2}, {_imm(i.CRm)}"
    register = f"s{2 + i.o0}_{i.op1}_c{i.CRn}_c{i.CRm}_{i.op2}"
    return f"mrs {_r(1, i.rt)}, {register}" if i.name == "MRS" else f"msr {register}, {_r(1, i.rt)}"


def _cache(i: Insn, pc: int) -> str:
    if "op1" not in i.f:
        return f"{i.name.lower().replace('_', ' ')}, {_r(1, i.rt)}"
    operation = f"#{i.op1}, c{i.CRn}, c{i.CRm}, #{i.op2}"
    return f"sysl {_r(1, i.rt)}, {operation}" if i.name == "SYSL" else f"sys {operation}, {_r(1, i.rt)}"


_FORMATTERS: dict[str, Callable[[Insn, int], str]] = {
    "add/subtract immediate": _addsub_imm,
    "logical immediate": _logical_imm,
    "move wide": _move_wide,
    "bitfield": _bitfield,
    "extract": _extract,
    "data processing, 2 sources": _two_sources,
    "data processing, 1 source": _one_source,
    "logical shifted register": _shifted,
    "add/subtract shifted register": _shifted,
    "add/subtract extended register": _extended,
    "add/subtract with carry": _carry,
    "conditional compare": _ccmp,
    "conditional select": _csel,
    "data processing, 3 sources": _three_sources,
    "pc-relative": _pc_relative,
    "load/store register, unsigned immediate": _unsigned_offset,
    "load/store register, unscaled immediate": _unscaled,
    "load/store register, post-indexed": _post,
    "load/store register, pre-indexed": _pre,
    "load/store register, unprivileged": _unscaled,
    "load/store register, register offset": _register_offset,
    "load register, literal": _literal,
    "load/store pair": _pair,
    "load/store exclusive": _exclusive,
    "load-acquire, store-release": _exclusive,
    "compare and swap (LSE)": _atomic,
    "atomic memory operations (LSE)": _atomic,
    "branch immediate": _branch,
    "branch register": _branch_register,
    "exception generation": _exception,
    "exception generation, privileged": _exception,
    "hints": _hint,
    "barriers": _barrier,
    "system registers": _system,
    "cache maintenance": _cache,
}
