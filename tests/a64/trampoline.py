"""Guest code that loads each state record in turn, runs the words under test, and stores what they left.

TPIDR_EL1 holds the current record, ELR_EL1 the end of the records, FAR_EL1 keeps x0 while it serves as a pointer;
no word under test may use those three.
"""

from __future__ import annotations

import struct

from tests.a64.states import STATE, STRIDE

#: Guest address of the first trampoline.
CODE = 0x10000000
#: Bytes of a trampoline; the last word is never executed: the model stops there.
SLOT = 1024
_TPIDR_EL1, _FAR_EL1, _ELR_EL1 = 0xC684, 0xC300, 0xC201
_NZCV, _FPCR, _FPSR = 0xDA10, 0xDA20, 0xDA21
_NOP, _CLREX = 0xD503201F, 0xD5033F5F


def _at(name: str) -> int:
    return STATE.fields[name][1]


def _mrs(rt: int, sysreg: int) -> int:
    return 0xD5300000 | (sysreg & 0x7FFF) << 5 | rt


def _msr(sysreg: int, rt: int) -> int:
    return _mrs(rt, sysreg) & ~0x200000


def _ldr(rt: int, offset: int) -> int:
    return 0xF9400000 | offset // 8 << 10 | rt


def _str(rt: int, offset: int) -> int:
    return 0xF9000000 | offset // 8 << 10 | rt


def _ldp(rt: int, offset: int) -> int:
    return 0xA9400000 | offset // 8 << 15 | (rt + 1) << 10 | rt


def _ldp_q(rt: int, offset: int) -> int:
    return 0xAD400000 | offset // 16 << 15 | (rt + 1) << 10 | rt


_TO_STORE = 0x00400000  # the load bit of a pair
_SYSREGS = (("nzcv", _NZCV), ("fpcr", _FPCR), ("fpsr", _FPSR))


def _prologue() -> list[int]:
    code = [_CLREX, _mrs(0, _TPIDR_EL1)]
    code += [_ldp_q(n, _at("v") + 16 * n) for n in range(0, 32, 2)]
    for name, sysreg in _SYSREGS:
        code += [_ldr(1, _at(name)), _msr(sysreg, 1)]
    code += [_ldr(1, _at("sp")), 0x9100003F]  # mov sp, x1
    code += [_ldp(n, 8 * n) for n in range(2, 30, 2)]
    return [*code, _ldr(30, 240), _ldr(1, 8), _ldr(0, 0)]


def _epilogue(back: int) -> list[int]:
    code = [_msr(_FAR_EL1, 0), _mrs(0, _TPIDR_EL1), _str(1, 8), _str(30, 240)]
    code += [_ldp(n, 8 * n) & ~_TO_STORE for n in range(2, 30, 2)]
    code += [_ldp_q(n, _at("v") + 16 * n) & ~_TO_STORE for n in range(0, 32, 2)]
    code += [0x910003E1, _str(1, _at("sp"))]  # mov x1, sp
    for name, sysreg in _SYSREGS:
        code += [_mrs(1, sysreg), _str(1, _at(name))]
    code += [_mrs(1, _FAR_EL1), _str(1, 0)]
    code += [0x91000000 | STRIDE << 10, _msr(_TPIDR_EL1, 0)]  # add x0, x0, #STRIDE
    code += [_mrs(1, _ELR_EL1), 0xEB01001F]  # cmp x0, x1
    return [*code, 0x54000003 | (-(back + len(code)) & 0x7FFFF) << 5]  # b.lo to the start


WORD_AT = 4 * len(_prologue())


def word_pc(case: int, word: int = 0) -> int:
    """Guest address of a word of case number `case`."""
    return CODE + case * SLOT + WORD_AT + 4 * word


def trampoline(words: tuple[int, ...]) -> bytes:
    """The SLOT bytes of guest code that run `words` from every record."""
    code = [*_prologue(), *words]
    code += _epilogue(len(code))
    # What is left leads to the last word, where the model stops.
    code += [_NOP] * (SLOT // 4 - len(code))
    return struct.pack(f"<{SLOT // 4}I", *code)
