"""What an instruction does, as C statements over named locals, with its reads and writes on record.

A semantics function is named after its pattern and gets a `Builder` and the decoded `Insn`:

    def ADD_i(b, i):
        b.set_rsp(i.sf, i.rd, f"{b.rsp(i.sf, i.rn)} + {i.imm12 << 12 * i.sh}u")

The C names are `x0`...`x30`, `sp` (uint64_t); `nf zf cf vf` (uint32_t, 0 or 1); `v0`...`v31` (rt_v128), and the scalar
views `d0`..., `s0`... (double, float) of the same registers: a view that is read holds lane 0, a view that is written
stands for the whole register with zeros above. Whoever places the text keeps the views coherent from the record, so
that a function that uses a register only as a double keeps it in a `double`. `c` is the `rt_cpu *`, `M` the guest
memory base. Texts without `pc` depend on the word alone and may be memoised.
"""

from __future__ import annotations

import re

from recomp.a64 import Insn

SP = 31
#: Bit numbers in read and write masks: x0..x30, sp = 31, n z c v = 32..35, v0..v31 = 36..67.
NF, ZF, CF, VF = 32, 33, 34, 35
V0 = 36
FLAGS = 0xF << 32
ALL = (1 << 68) - 1
#: C text of each condition, and the flags it reads (DDI 0487, C1.2.4).
CONDITIONS = (
    ("(zf)", "z"),
    ("(!zf)", "z"),
    ("(cf)", "c"),
    ("(!cf)", "c"),
    ("(nf)", "n"),
    ("(!nf)", "n"),
    ("(vf)", "v"),
    ("(!vf)", "v"),
    ("(cf & !zf)", "zc"),
    ("(!cf | zf)", "zc"),
    ("(nf == vf)", "nv"),
    ("(nf != vf)", "nv"),
    ("((nf == vf) & !zf)", "nzv"),
    ("((nf != vf) | zf)", "nzv"),
    ("(1)", ""),
    ("(1)", ""),
)
_BASED = re.compile(r"(x\d+|sp) ([+-]) (\d+)u")


class Builder:
    """The C text of one instruction.

    `reads` and `writes` are register masks (bits as above; `reads` means read before written here);
    `views_read` and `views_written` hold (kind, n) with kind "v", "d" or "s" in order of use;
    `sync`: the text calls the runtime and needs every register in `*c` before it, and reloaded after it.
    """

    __slots__ = (
        "insn",
        "_pc",
        "lines",
        "reads",
        "writes",
        "views_read",
        "views_written",
        "uses_pc",
        "sync",
        "_tmp",
    )

    def __init__(self, insn: Insn, pc: int) -> None:
        self.insn = insn
        self._pc = pc
        self.lines: list[str] = []
        self.reads = 0
        self.writes = 0
        self.views_read: list[tuple[str, int]] = []
        self.views_written: list[tuple[str, int]] = []
        self.uses_pc = False
        self.sync = False
        self._tmp = 0

    @property
    def pc(self) -> int:
        """Guest address of this instruction; asking for it makes the text depend on it."""
        self.uses_pc = True
        return self._pc

    def line(self, text: str) -> None:
        """Add a C statement, with its semicolon."""
        self.lines.append(text)

    def tmp(self, ctype: str, value: str) -> str:
        """A new constant local holding `value`; returns its name. The text is placed inside its own braces."""
        name = f"t{self._tmp}"
        self._tmp += 1
        self.lines.append(f"const {ctype} {name} = {value};")
        return name

    @property
    def text(self) -> str:
        body = " ".join(self.lines)
        return f"{{ {body} }}" if self._tmp else body

    def _read(self, bit: int) -> None:
        if not self.writes >> bit & 1:
            self.reads |= 1 << bit

    # --- general registers; 31 is the zero register in x/w/r and the stack pointer in xsp/wsp/rsp

    def x(self, n: int) -> str:
        """64-bit value of Xn, or XZR."""
        if n == 31:
            return "UINT64_C(0)"
        self._read(n)
        return f"x{n}"

    def w(self, n: int) -> str:
        """32-bit value of Wn, or WZR (uint32_t)."""
        return "0u" if n == 31 else f"(uint32_t){self.x(n)}"

    def r(self, sf: int, n: int) -> str:
        return self.x(n) if sf else self.w(n)

    def xsp(self, n: int) -> str:
        if n == 31:
            self._read(SP)
            return "sp"
        return self.x(n)

    def rsp(self, sf: int, n: int) -> str:
        return self.xsp(n) if sf else f"(uint32_t){self.xsp(n)}"

    def set_x(self, n: int, value: str) -> None:
        """Write Xn; a write to XZR still evaluates `value`."""
        if n == 31:
            self.lines.append(f"(void)({value});")
        else:
            self.writes |= 1 << n
            self.lines.append(f"x{n} = {value};")

    def set_w(self, n: int, value: str) -> None:
        """Write Wn: the upper half becomes zero."""
        self.set_x(n, f"(uint32_t)({value})")

    def set_r(self, sf: int, n: int, value: str) -> None:
        self.set_x(n, value) if sf else self.set_w(n, value)

    def set_xsp(self, n: int, value: str) -> None:
        if n == 31:
            self.writes |= 1 << SP
            self.lines.append(f"sp = {value};")
        else:
            self.set_x(n, value)

    def set_rsp(self, sf: int, n: int, value: str) -> None:
        self.set_xsp(n, value if sf else f"(uint32_t)({value})")

    def imm(self, sf: int, value: int) -> str:
        """A constant of 64 or 32 bits; negative values wrap."""
        if sf:
            return f"UINT64_C({value & (1 << 64) - 1:#x})"
        return f"{value & (1 << 32) - 1:#x}u"

    # --- flags, each a uint32_t that is 0 or 1

    def flag(self, name: str) -> str:
        """`name` is one of n z c v."""
        self._read(32 + "nzcv".index(name))
        return f"{name}f"

    def set_flag(self, name: str, value: str) -> None:
        self.writes |= 1 << 32 + "nzcv".index(name)
        self.lines.append(f"{name}f = {value};")

    def set_flags(self, n: str, z: str, c: str, v: str) -> None:
        for name, value in zip("nzcv", (n, z, c, v), strict=True):
            self.set_flag(name, value)

    def cond(self, cond: int) -> str:
        """Condition `cond` (0 = eq ... 14, 15 = always) as a C truth value in parentheses."""
        text, flags = CONDITIONS[cond]
        for name in flags:
            self.flag(name)
        return text

    # --- vector and floating-point registers

    def _view(self, kind: str, n: int) -> str:
        self._read(V0 + n)
        self.views_read.append((kind, n))
        return f"{kind}{n}"

    def _set_view(self, kind: str, n: int, value: str) -> None:
        self.writes |= 1 << V0 + n
        self.views_written.append((kind, n))
        self.lines.append(f"{kind}{n} = {value};")

    def v(self, n: int) -> str:
        """The whole register (rt_v128, two uint64_t lanes)."""
        return self._view("v", n)

    def d(self, n: int) -> str:
        """Lane 0 as double."""
        return self._view("d", n)

    def s(self, n: int) -> str:
        """Lane 0 as float."""
        return self._view("s", n)

    def set_v(self, n: int, value: str) -> None:
        """Write the whole register; `value` is any 16-byte vector type."""
        self._set_view("v", n, f"(rt_v128)({value})")

    def set_d(self, n: int, value: str) -> None:
        """Write lane 0 as double, zeros above."""
        self._set_view("d", n, value)

    def set_s(self, n: int, value: str) -> None:
        """Write lane 0 as float, zeros above."""
        self._set_view("s", n, value)

    # --- memory: `addr` is a uint64_t expression, sizes in bits

    def load(self, size: int, addr: str) -> str:
        """Zero-extended value of `size` bits (8..64); 128 gives an rt_v128."""
        return f"rt_ld{size}({self.place(addr)})"

    def store(self, size: int, addr: str, value: str) -> None:
        self.lines.append(f"rt_st{size}({self.place(addr)}, {value});")

    def place(self, addr: str) -> str:
        """The first two arguments of an access: guest memory and address. A constant offset (of 64 KiB at most: there
        are guards on both sides) is added to the former, where the processor does it in the access."""
        based = _BASED.fullmatch(addr)
        return f"M {based[2]} {based[3]}, {based[1]}" if based else f"M, {addr}"
