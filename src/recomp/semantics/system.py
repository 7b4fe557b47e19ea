"""Hints, barriers, system registers, cache maintenance and exceptions (DDI 0487, C4.1.65), as EL0 sees them.

What EL0 may not do traps as undefined, as under Linux. Identification registers answer what Linux shows to EL0
(Documentation/arch/arm64/cpu-feature-registers.rst) of an ARMv8.0 core with CRC32 and cryptography.
"""

from __future__ import annotations

from recomp.a64 import Insn
from recomp.semantics.builder import Builder


def sysreg(op0: int, op1: int, crn: int, crm: int, op2: int) -> int:
    """The 16 bits that name a system register, as in S<op0>_<op1>_C<crn>_C<crm>_<op2>."""
    return op0 << 14 | op1 << 11 | crn << 7 | crm << 3 | op2


NZCV = sysreg(3, 3, 4, 2, 0)
FPCR, FPSR = sysreg(3, 3, 4, 4, 0), sysreg(3, 3, 4, 4, 1)
TPIDR_EL0, TPIDRRO_EL0 = sysreg(3, 3, 13, 0, 2), sysreg(3, 3, 13, 0, 3)
CNTFRQ_EL0 = sysreg(3, 3, 14, 0, 0)
CNTPCT_EL0, CNTVCT_EL0 = sysreg(3, 3, 14, 0, 1), sysreg(3, 3, 14, 0, 2)

#: Registers that are constants. The others of the identification space (3, 0, 0, 0..7) read as zero.
_CONSTANTS = {
    sysreg(3, 3, 0, 0, 1): 0x8444C004,  # CTR_EL0: 64-byte lines, PIPT
    sysreg(3, 3, 0, 0, 7): 0x4,  # DCZID_EL0: DC ZVA clears 64 bytes
    sysreg(3, 0, 0, 0, 0): 0x410FD083,  # MIDR_EL1: Cortex-A72
    sysreg(3, 0, 0, 0, 5): 0x80000000,  # MPIDR_EL1: processor 0
    sysreg(3, 0, 0, 4, 0): 0x11,  # ID_AA64PFR0_EL1: AArch64 with FP and Advanced SIMD
    sysreg(3, 0, 0, 5, 0): 0x6,  # ID_AA64DFR0_EL1: ARMv8.0 debug
    sysreg(3, 0, 0, 6, 0): 0x11120,  # ID_AA64ISAR0_EL1: AES with PMULL, SHA1, SHA256, CRC32
}

_READS = {
    FPCR: "rt_get_fpcr(c)",
    FPSR: "rt_get_fpsr(c)",
    TPIDR_EL0: "c->tpidr_el0",
    TPIDRRO_EL0: "c->tpidrro_el0",
    CNTFRQ_EL0: "RT_CNTFRQ",
    CNTPCT_EL0: "rt_cntvct(c)",  # one counter: nothing here is virtual
    CNTVCT_EL0: "rt_cntvct(c)",
}
_WRITES = {
    FPCR: "rt_set_fpcr(c, (uint32_t){});",
    FPSR: "rt_set_fpsr(c, (uint32_t){});",
    TPIDR_EL0: "c->tpidr_el0 = {};",
}


def _register(i: Insn) -> int:
    return sysreg(2 + i.o0, i.op1, i.CRn, i.CRm, i.op2)


def MRS(b: Builder, i: Insn) -> None:
    register = _register(i)
    constant = _CONSTANTS.get(register, 0 if register >> 6 == sysreg(3, 0, 0, 0, 0) >> 6 else None)
    if constant is not None:
        b.set_x(i.rt, b.imm(1, constant))
    elif register == NZCV:
        n, z, c, v = (b.flag(name) for name in "nzcv")
        b.set_x(i.rt, f"(uint32_t)({n} << 31 | {z} << 30 | {c} << 29 | {v} << 28)")
    elif register in _READS:
        b.set_x(i.rt, _READS[register])
    else:
        _undefined(b, i)


def MSR(b: Builder, i: Insn) -> None:
    register = _register(i)
    if register == NZCV:
        value = b.tmp("uint32_t", b.w(i.rt))
        b.set_flags(*(f"{value} >> {bit} & 1" for bit in (31, 30, 29, 28)))
    elif register in _WRITES:
        b.line(_WRITES[register].format(b.x(i.rt)))
    else:
        _undefined(b, i)


def _undefined(b: Builder, i: Insn) -> None:
    _trap(b, i, "RT_TRAP_UNDEFINED")


def _trap(b: Builder, i: Insn, kind: str) -> None:
    b.sync = True
    b.line(f"rt_trap(c, {kind}, {b.imm(1, b.pc)}, {i.word:#010x}u);")


MSR_i = SYS = SYSL = HVC = SMC = DCPS = ERET = DRPS = UDF = _undefined


def BRK(b: Builder, i: Insn) -> None:
    _trap(b, i, "RT_TRAP_BREAKPOINT")


HLT = BRK


def SVC(b: Builder, i: Insn) -> None:
    b.sync = True
    b.line(f"rt_svc(c, {b.imm(1, b.pc)}, {i.imm16:#x}u);")


# --- hints and barriers


def NOP(b: Builder, i: Insn) -> None:
    """Nothing. Waiting for events never blocks: an event may always have come already."""


YIELD = WFE = WFI = SEV = SEVL = HINT = NOP


def CLREX(b: Builder, i: Insn) -> None:
    b.line("c->monitor_addr = ~UINT64_C(0);")


#: By the access types of CRm: loads before everything, stores before stores, everything.
_FENCES = {1: "__ATOMIC_ACQUIRE", 2: "__ATOMIC_RELEASE"}


def DMB(b: Builder, i: Insn) -> None:
    b.line(f"__atomic_thread_fence({_FENCES.get(i.CRm & 3, '__ATOMIC_SEQ_CST')});")


DSB = DMB


def ISB(b: Builder, i: Insn) -> None:
    """Guest code does not change under a static translation; there is nothing to fetch again."""


SB = ISB

# --- cache maintenance: caches are coherent here


def IC_IVAU(b: Builder, i: Insn) -> None:
    """Nothing to invalidate; but this is how a program says that it has written code."""
    b.line(f"rt_code_written(c, UINT64_C({b.pc:#x}), {b.x(i.rt)});")


def DC_CVAU(b: Builder, i: Insn) -> None:
    """Nothing to write back."""


DC_CVAC = DC_CIVAC = DC_CVAU


def DC_ZVA(b: Builder, i: Insn) -> None:
    b.line(f"memset(M + (uint32_t)({b.x(i.rt)} & ~UINT64_C(63)), 0, 64);")
