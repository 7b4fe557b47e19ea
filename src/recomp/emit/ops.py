"""A portable module (ops over named registers) → a C project.

x0..x30, sp and the flags are the guest's, in `*c`, and common to all functions; any other name is a temporary of the
function that uses it, zero at first. `xzr` reads as zero. A block with a `start` can be entered by address. The port
calls the entry function and exits with 0 when that returns.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from recomp.emit.files import (
    FAST_FLAGS,
    REQUIRED_FLAGS,
    EmitOptions,
    SegmentRow,
    banner,
    c_comment,
    c_string,
    finish,
    makefile,
    module_c,
    pack_blob,
    runtime_files,
)
from recomp.emit.ops_module import Op, OpsFunction, OpsModule, OpsSegment, decode_ops_module
from recomp.errors import ConfigError, FormatError

#: Where the port's own code "lies": page zero is never mapped, and no module's block starts there.
START = 4
#: Guest memory above belongs to the runtime's own stack.
TOP = 0xFF000000

_BINARY = {"add": "+", "sub": "-", "and": "&", "or": "|", "xor": "^"}
_CONDITIONS = {
    "eq": "c->zf",
    "ne": "!c->zf",
    "cs": "c->cf",
    "cc": "!c->cf",
    "mi": "c->nf",
    "pl": "!c->nf",
    "vs": "c->vf",
    "vc": "!c->vf",
    "hi": "c->cf && !c->zf",
    "ls": "!c->cf || c->zf",
    "ge": "c->nf == c->vf",
    "lt": "c->nf != c->vf",
    "gt": "!c->zf && c->nf == c->vf",
    "le": "c->zf || c->nf != c->vf",
    "al": "1",
}
_FLAGS = {
    "cmp_i64": "c->nf = (a - b) >> 63; c->zf = a == b; c->cf = a >= b; c->vf = ((a ^ b) & (a ^ (a - b))) >> 63;",
    "cmn_i64": "c->nf = (a + b) >> 63; c->zf = a + b == 0; c->cf = a + b < a; "
    "c->vf = (~(a ^ b) & (a ^ (a + b))) >> 63;",
    "test_i64": "c->nf = (a & b) >> 63; c->zf = (a & b) == 0; c->cf = 0; c->vf = 0;",
}
_SHIFTS = {
    "lsl_i64": "{a} << ({b} & 63)",
    "lsr_i64": "{a} >> ({b} & 63)",
    "asr_i64": "(uint64_t)((int64_t){a} >> ({b} & 63))",
}


def emit_ops_project(
    data: bytes, options: EmitOptions, *, title: dict[str, Any], read_file: Callable[[str], bytes]
) -> dict[str, bytes]:
    """The project's files by relative path.

    `title`: the checked `title.toml`; `read_file`: bytes of a segment's `init_path`. Raises FormatError for a module
    that is not one, ConfigError where `title.toml` does not fit it.
    """
    module = decode_ops_module(data)
    emitter = _Module(module, title)
    segments = emitter.segments(title["runtime"]["memory_layout"]["regions"])
    contents = [read_file(s.init_path) if s.init_path else b"" for s in segments]
    blob, offsets = pack_blob([content[: s.init_size] for s, content in zip(segments, contents, strict=True)])
    rows = []
    for segment, content, offset in zip(segments, contents, offsets, strict=True):
        if len(content) < segment.init_size:
            raise FormatError(
                f"module: segment {segment.name!r}: {len(content)} initial bytes, expected {segment.init_size}"
            )
        rows.append(
            SegmentRow(
                segment.name, segment.base, segment.size, offset, segment.init_size,
                segment.read, segment.write, segment.execute,
            )
        )  # fmt: skip
    files: dict[str, str | bytes] = {"guest.bin": blob, "unit_ops.c": emitter.unit(options)}
    files["module.c"] = module_c(options, "linux", START, rows, emitter.entries())
    files |= runtime_files("linux")
    flags = (*REQUIRED_FLAGS,)
    files["Makefile"] = makefile(sorted(files), options, flags)
    counts = {"functions": len(module.functions), "ops": emitter.op_count()}
    return finish(files, options, counts, (*flags, *FAST_FLAGS))


class _Module:
    def __init__(self, module: OpsModule, title: dict[str, Any]) -> None:
        self.module = module
        self.stubs: dict[str, str] = title["stubs"]
        self.symbols = {f.name: f"fn_{k}" for k, f in enumerate(module.functions)}
        self.entry = title["entry"]
        if self.entry not in self.symbols:
            raise ConfigError(
                f"title.toml: entry: the module has no function {self.entry!r}",
                hint=f"it has: {', '.join(list(self.symbols)[:8]) or 'none'}",
            )
        self.stack_top = 0

    def op_count(self) -> int:
        return sum(len(block.ops) + 1 for f in self.module.functions for block in f.blocks)

    def segments(self, regions: list[dict[str, Any]]) -> list[OpsSegment]:
        """The title's regions, then the module's segments."""
        result = []
        for region in regions:
            end = region["base"] + region["size"]
            if end > TOP:
                raise ConfigError(f"title.toml: region {region['name']!r}: ends at {end:#x}, expected at most {TOP:#x}")
            if region["name"] == "stack":
                self.stack_top = end
            access = region["permissions"]
            result.append(
                OpsSegment(
                    region["name"], region["base"], region["size"],
                    access["read"], access["write"], access["execute"], "", 0,
                )
            )  # fmt: skip
        for segment in self.module.segments:
            end = segment.base + segment.size
            if end > TOP:
                raise FormatError(f"module: segment {segment.name!r}: ends at {end:#x}, expected at most {TOP:#x}")
        return result + list(self.module.segments)

    def entries(self) -> list[tuple[int, int, str, str]]:
        """(guest address, address of its function, C name, C declarator); the first function that claims an address
        has it."""
        found = {START: (START, "fn_start")}
        for function in self.module.functions:
            starts = [block.start for block in function.blocks if block.start is not None]
            for start in starts:
                # An address that is not the function's is always reached with rt_cpu.resume set.
                found.setdefault(start, (0, self.symbols[function.name]))
        return [(pc, start, name, f"uint64_t {name}(rt_near *near)") for pc, (start, name) in sorted(found.items())]

    def unit(self, options: EmitOptions) -> str:
        lines = [banner(options), '#include "rt.h"', '#include "rt_stubs.h"', ""]
        lines += [f"uint64_t {symbol}(rt_near *near);" for symbol in self.symbols.values()]
        lines.append("")
        for function in self.module.functions:
            lines += _Function(self, function).lines()
        top = f"  c->sp = UINT64_C({self.stack_top:#x});" if self.stack_top else ""
        lines += [
            "/* The entry function, then exit_group(0). */",
            "uint64_t fn_start(rt_near *near) {",
            "  rt_cpu *const c = rt_cpu_of(near);",
            *([top] if top else []),
            f"  {self.symbols[self.entry]}(near);",
            "  c->x[0] = 0;",
            "  c->x[8] = 94;",
            f"  rt_svc(c, {START}, 0);",
            f"  return {START};",
            "}",
            "",
        ]
        return "\n".join(lines)


#: A branch to an address outside of the function: to whichever function has a block there.
_ELSEWHERE = (
    "  const rt_entry *entry = rt_find_entry(to);",
    "  if (!entry) rt_miss(c, 0, to);",
    "  c->resume = to;",
    "  RT_TAIL entry->function(near);",
)


class _Function:
    def __init__(self, module: _Module, function: OpsFunction) -> None:
        self.module = module
        self.function = function
        self.labels = {block.label: f"L_{k}" for k, block in enumerate(function.blocks)}
        self.temporaries: dict[str, str] = {}

    def lines(self) -> list[str]:
        body: list[str] = []
        for block in self.function.blocks:
            at = f" {block.start:#x}" if block.start is not None else ""
            body.append(f"{self.labels[block.label]}:; /* {c_comment(block.label)}{at} */")
            body += [f"  {self._op(op)}" for op in block.ops]
            body.append(f"  {self._op(block.terminator)}")
        head = [f"/* {c_comment(self.function.name)} */"]
        head.append(f"uint64_t {self.module.symbols[self.function.name]}(rt_near *restrict near) {{")
        head.append("  rt_cpu *const c = rt_cpu_of(near);")
        head.append("  uint8_t *const M = c->memory;")
        head += [f"  uint64_t {name} = 0; /* {c_comment(text)} */" for text, name in self.temporaries.items()]
        starts = self._starts()
        if starts:
            head += ["  uint64_t to = c->resume;", "  c->resume = 0;", "  if (to) goto enter;"]
            body += ["enter:;", "  switch (to) {"]
            body += [f"  case UINT64_C({start:#x}): goto {label};" for start, label in starts.items()]
            body += ["  }", *_ELSEWHERE]
        return [*head, *body, "}", ""]

    def _starts(self) -> dict[int, str]:
        """Where control may enter by address; also when some block branches to an address."""
        result: dict[int, str] = {}
        for block in self.function.blocks:
            if block.start is not None:
                result.setdefault(block.start, self.labels[block.label])
        return result

    # --- registers

    def _register(self, name: str) -> str:
        if name == "sp":
            return "c->sp"
        known = re.fullmatch(r"x(\d|[12]\d|30)", name)
        if known:
            return f"c->x[{known[1]}]"
        return self.temporaries.setdefault(name, f"t{len(self.temporaries)}")

    def _read(self, name: str) -> str:
        return "UINT64_C(0)" if name == "xzr" else self._register(name)

    def _write(self, name: str, value: str) -> str:
        return f"(void)({value});" if name == "xzr" else f"{self._register(name)} = {value};"

    # --- ops

    def _op(self, op: Op) -> str:
        stem = re.sub(r"_?i\d+$", "", op.name)
        special = getattr(self, f"_op_{stem}", None)
        if special is not None:
            return str(special(op, op.values))
        v = op.values
        if op.name in _FLAGS:
            return f"{{ const uint64_t a = {self._read(v['lhs'])}, b = {self._read(v['rhs'])}; {_FLAGS[op.name]} }}"
        a, b = self._read(v["lhs"]), self._read(v["rhs"])
        if op.name in _SHIFTS:
            return self._write(v["dst"], _SHIFTS[op.name].format(a=a, b=b))
        return self._write(v["dst"], f"{a} {_BINARY[stem]} {b}")

    def _op_const(self, op: Op, v: dict[str, Any]) -> str:
        return self._write(v["dst"], _constant(v["imm"]))

    def _op_mov(self, op: Op, v: dict[str, Any]) -> str:
        return self._write(v["dst"], self._read(v["src"]))

    def _op_pc_rel(self, op: Op, v: dict[str, Any]) -> str:
        return self._write(v["dst"], _constant(v["pc"] + v["offset"]))

    def _op_load(self, op: Op, v: dict[str, Any]) -> str:
        return self._write(v["dst"], f"rt_ld{op.name[6:]}(M, {self._read(v['addr'])} + {_constant(v['offset'])})")

    def _op_store(self, op: Op, v: dict[str, Any]) -> str:
        bits = op.name[7:]
        address = f"{self._read(v['addr'])} + {_constant(v['offset'])}"
        return f"rt_st{bits}(M, {address}, (uint{bits}_t){self._read(v['src'])});"

    def _op_call(self, op: Op, v: dict[str, Any]) -> str:
        target = self.module.symbols.get(v["target"])
        if target is None:
            raise FormatError(f"module: {op.where}: call: the module has no function {v['target']!r}")
        return f"{target}(near);" + (f" {self._goto(op, v['next'])}" if "next" in v else "")

    def _op_syscall(self, op: Op, v: dict[str, Any]) -> str:
        name = v["name"]
        action = self.module.stubs.get(name)
        if action is None:
            raise ConfigError(
                f"title.toml: stubs: nothing is said about {name!r}, which {op.where} calls",
                hint=f'add: [stubs] {name} = "log", "noop" or "panic"',
            )
        if action == "noop":
            return f"/* {c_comment(name)}: noop */"
        if action == "panic":
            return f"rt_stub_panic({c_string(name)});"
        args = "".join(f", {self._read(arg)}" for arg in v["args"])
        return f"rt_stub_log({c_string(name)}, {len(v['args'])}{args});"

    def _op_br(self, op: Op, v: dict[str, Any]) -> str:
        return self._goto(op, v["target"])

    def _op_br_cond(self, op: Op, v: dict[str, Any]) -> str:
        taken, other = self._goto(op, v["then"]), self._goto(op, v["else"])
        return f"if ({_CONDITIONS[v['cond']]}) {taken} else {other}"

    def _op_br_indirect(self, op: Op, v: dict[str, Any]) -> str:
        if not self._starts():
            raise FormatError(f"module: {op.where}: br_indirect: no block of its function has a start")
        return f"to = {self._read(v['reg'])}; goto enter;"

    def _op_ret(self, op: Op, v: dict[str, Any]) -> str:
        return "return 0;"

    def _goto(self, op: Op, label: str) -> str:
        """To a block of this function, or for good into another function."""
        if label in self.labels:
            return f"goto {self.labels[label]};"
        if label in self.module.symbols:
            return f"{{ RT_TAIL {self.module.symbols[label]}(near); }}"
        raise FormatError(f"module: {op.where}: {op.name}: no block or function is called {label!r}")


def _constant(value: int) -> str:
    return f"UINT64_C({value & (1 << 64) - 1:#x})"
