"""Memory operands and UNPREDICTABLE words of the general-register instructions (DDI 0487, K1.2)."""

from __future__ import annotations

from recomp.a64 import Insn, patterns
from recomp.semantics.memory import signed
from tests.a64.words import FIELDS, MEMORY, MODEL, NOT_IN_MODEL, VALID, Memory

INTEGER_TABLES = ("branch.decode", "integer.decode", "memory.decode", "system.decode")
_BY_GROUP = {p.name: p.group for p in patterns()}


def _in(*groups: str) -> list[str]:
    return [name for name, group in _BY_GROUP.items() if group in groups]


def _size(i: Insn) -> int:
    return 1 << i.size


for _name in ("STR_ui", "LDR_ui", "LDRS_ui"):
    MEMORY[_name] = lambda i: Memory(i.rn, _size(i), i.imm12 << i.size)
for _name in ("STUR", "LDUR", "LDURS", "STTR", "LDTR", "LDTRS", "STR_pre", "LDR_pre", "LDRS_pre"):
    MEMORY[_name] = lambda i: Memory(i.rn, _size(i), signed(i.imm9, 9))
for _name in ("STR_post", "LDR_post", "LDRS_post"):
    MEMORY[_name] = lambda i: Memory(i.rn, _size(i))
for _name in ("STR_r", "LDR_r", "LDRS_r"):
    MEMORY[_name] = lambda i: Memory(i.rn, _size(i), 0, i.rm, i.option, i.size * i.S)


def no_clash(base: int, *data: int) -> bool:
    """Writeback to a register that is also data is UNPREDICTABLE; the zero register and sp never clash."""
    return base == 31 or base not in data


for _name in _in("load/store register, post-indexed", "load/store register, pre-indexed"):
    VALID[_name] = lambda i: no_clash(i.rn, i.rt)


def _pair_bytes(i: Insn) -> int:
    return 4 if i.name.startswith("LDPSW") or not i.sf else 8


for _name in _in("load/store pair"):
    _post = _name.endswith("_post")
    MEMORY[_name] = lambda i, post=_post: Memory(
        i.rn, 2 * _pair_bytes(i), 0 if post else signed(i.imm7, 7) * _pair_bytes(i)
    )
    VALID[_name] = lambda i: (
        (i.rt != i.rt2 or i.name.startswith("ST"))
        and (not i.name.endswith(("post", "pre")) or no_clash(i.rn, i.rt, i.rt2))
    )

for _name in _in("load/store exclusive", "load-acquire, store-release", "compare and swap (LSE)"):
    MEMORY[_name] = lambda i: Memory(i.rn, _size(i), align=_size(i))
for _name in _in("atomic memory operations (LSE)"):
    MEMORY[_name] = lambda i: Memory(i.rn, _size(i), align=_size(i))
for _name in ("STXP", "STLXP", "LDXP", "LDAXP", "CASP"):
    MEMORY[_name] = lambda i: Memory(i.rn, 8 << i.sf, align=8 << i.sf)
for _name in ("LDXP", "LDAXP"):
    VALID[_name] = lambda i: i.rt != i.rt2
for _name in ("STXR", "STLXR", "STXP", "STLXP"):
    VALID[_name] = lambda i: i.rs != i.rt and (i.rs != i.rn or i.rn == 31) and ("rt2" not in i.f or i.rs != i.rt2)
for _name in (*_in("compare and swap (LSE)", "atomic memory operations (LSE)"), "LDAPR", "STLLR", "LDLAR"):
    MODEL[_name] = "max"

# The model compares what is narrower than a register as if it were unsigned; see cases/atomic.txt.
for _name in ("LDSMAX", "LDSMIN"):
    VALID[_name] = lambda i: i.size == 3

# Near the word: where both sides have the same code.
for _name in ("LDR_l", "LDRSW_l", "PRFM_l"):
    FIELDS[_name] = {"imm19": [n & 0x7FFFF for n in range(-40, 100)]}

MEMORY["DC_ZVA"] = lambda i: Memory(i.rt, 64)
VALID["DC_ZVA"] = lambda i: i.rt != 31

# NZCV, FPSR: the others need another privilege, or differ between the models by design.
for _name in ("MRS", "MSR"):
    FIELDS[_name] = {"o0": [1], "op1": [3], "CRn": [4], "CRm": [2, 4], "op2": [0, 1]}
    VALID[_name] = lambda i: (i.CRm, i.op2) in ((2, 0), (4, 1))

for _name in _in("exception generation", "exception generation, privileged"):
    NOT_IN_MODEL[_name] = "leaves the model: it has no kernel; test_system.py"
for _name in ("SYS", "SYSL", "MSR_i"):
    NOT_IN_MODEL[_name] = "the model runs at EL1, where these do something; test_system.py"
for _name in ("YIELD", "WFE", "WFI"):
    NOT_IN_MODEL[_name] = "the model stops to let other processors run"
NOT_IN_MODEL["SB"] = "later than both models; a barrier has no state to compare"
