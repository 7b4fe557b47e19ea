"""The portable form: what ops compute, where control goes, and what a module or title must not say."""

from __future__ import annotations

import itertools
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from recomp.emit import EmitOptions, emit_ops_project
from recomp.errors import ConfigError, FormatError
from tests.emit.building import build_port

OPTIONS = EmitOptions(source="module.json", sha256="cd" * 32)
MASK = (1 << 64) - 1
REGIONS = [
    {
        "name": "data",
        "base": 0x10020000,
        "size": 0x10000,
        "permissions": {"read": True, "write": True, "execute": False},
    },
    {
        "name": "stack",
        "base": 0x30000000,
        "size": 0x40000,
        "permissions": {"read": True, "write": True, "execute": False},
    },
]


def title(**stubs: str) -> dict[str, Any]:
    return {
        "title": "t",
        "entry": "entry",
        "stubs": {"show": "log", "quiet": "noop", "stop": "panic"} | stubs,
        "runtime": {"performance_mode": "handheld", "memory_layout": {"regions": REGIONS}},
    }


def op(name: str, /, **values: Any) -> dict[str, Any]:
    return {"op": name, **values}


def show(*registers: str) -> dict[str, Any]:
    return op("syscall", name="show", args=list(registers))


def module(*functions: dict[str, Any], segments: list[dict[str, Any]] | None = None) -> bytes:
    return json.dumps({"arch": "aarch64", "segments": segments or [], "functions": list(functions)}).encode()


def flat(name: str, *ops: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "ops": list(ops)}


def block(label: str, *ops: dict[str, Any], end: dict[str, Any], start: int | None = None) -> dict[str, Any]:
    return {"label": label, "start": start, "ops": list(ops), "terminator": end}


def run(data: bytes, folder: Path, files: dict[str, bytes] | None = None) -> tuple[list[str], int]:
    """(lines of stderr, exit code)"""
    project = emit_ops_project(data, OPTIONS, title=title(), read_file=(files or {}).__getitem__)
    done = subprocess.run([build_port(project, folder)], capture_output=True, text=True, timeout=60, check=False)
    return done.stderr.splitlines(), done.returncode


VALUES = (0, 1, 7, 0x7FFFFFFFFFFFFFFF, 0x8000000000000000, MASK)
COMPUTE = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "and": lambda a, b: a & b,
    "or": lambda a, b: a | b,
    "xor": lambda a, b: a ^ b,
    "lsl": lambda a, b: a << (b & 63),
    "lsr": lambda a, b: a >> (b & 63),
    "asr": lambda a, b: (a - (a >> 63 << 64)) >> (b & 63),
}


def test_arithmetic_is_that_of_64_bits(tmp_path: Path) -> None:
    pairs = list(itertools.product(VALUES, VALUES))
    ops = []
    for a, b in pairs:
        ops += [op("const_i64", dst="x0", imm=a), op("const_i64", dst="other", imm=b)]
        for name in COMPUTE:
            ops += [op(f"{name}_i64", dst="x1", lhs="x0", rhs="other"), show("x1")]
    expected = [f"show({f(a, b) & MASK:#x})" for a, b in pairs for f in COMPUTE.values()]
    assert run(module(flat("entry", *ops)), tmp_path) == (expected, 0)


def flags(name: str, a: int, b: int) -> tuple[bool, bool, bool, bool]:
    signed = [v - (v >> 63 << 64) for v in (a, b)]
    if name == "test_i64":
        return (a & b) >> 63 == 1, a & b == 0, False, False
    total = signed[0] - signed[1] if name == "cmp_i64" else signed[0] + signed[1]
    carry = a >= b if name == "cmp_i64" else a + b > MASK
    return (total & MASK) >> 63 == 1, total & MASK == 0, carry, not -(1 << 63) <= total < 1 << 63


def holds(cond: str, n: bool, z: bool, c: bool, v: bool) -> bool:
    return {
        "eq": z, "ne": not z, "cs": c, "cc": not c, "mi": n, "pl": not n, "vs": v, "vc": not v,
        "hi": c and not z, "ls": not c or z, "ge": n == v, "lt": n != v,
        "gt": not z and n == v, "le": z or n != v, "al": True,
    }[cond]  # fmt: skip


def test_every_condition_after_every_compare(tmp_path: Path) -> None:
    blocks, expected = [], []
    conditions = ("eq", "ne", "cs", "cc", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le", "al")
    cases = list(itertools.product(("cmp_i64", "cmn_i64", "test_i64"), VALUES, VALUES))
    for k, (name, a, b) in enumerate(cases):
        head = [op("const_i64", dst="x1", imm=a), op("const_i64", dst="x2", imm=b), op(name, lhs="x1", rhs="x2")]
        head.append(op("const_i64", dst="x0", imm=0))
        for j, cond in enumerate(conditions):
            then = op("br_cond", cond=cond, then=f"yes{k}_{j}", **{"else": f"no{k}_{j}"})
            blocks.append(block(f"no{k}_{j - 1}" if j else f"case{k}", *(head if not j else []), end=then))
            bit = [op("const_i64", dst="x3", imm=1 << j), op("or_i64", dst="x0", lhs="x0", rhs="x3")]
            blocks.append(block(f"yes{k}_{j}", *bit, end=op("br", target=f"no{k}_{j}")))
        end = op("br", target=f"case{k + 1}") if k + 1 < len(cases) else op("ret")
        blocks.append(block(f"no{k}_{len(conditions) - 1}", show("x0"), end=end))
        mask = sum(1 << j for j, cond in enumerate(conditions) if holds(cond, *flags(name, a, b)))
        expected.append(f"show({mask:#x})")
    assert run(module({"name": "entry", "blocks": blocks}), tmp_path) == (expected, 0)


def test_memory_calls_loops_and_branches_by_address(tmp_path: Path) -> None:
    """Sum bytes of a segment in a loop, store and load at every width, jump by address within and between functions."""
    loop = [
        block("start", op("pc_rel", dst="x1", pc=0x10000000, offset=16), op("const_i64", dst="x2", imm=4),
              op("const_i64", dst="one", imm=1), end=op("br", target="again")),
        block("again", op("load_i8", dst="x3", addr="x1", offset=0), op("add_i64", dst="x0", lhs="x0", rhs="x3"),
              op("add_i64", dst="x1", lhs="x1", rhs="one"), op("sub_i64", dst="x2", lhs="x2", rhs="one"),
              op("cmp_i64", lhs="x2", rhs="xzr"), end=op("br_cond", cond="ne", then="again", **{"else": "done"})),
        block("done", show("x0"), end=op("ret")),
    ]  # fmt: skip
    widths = [op("const_i64", dst="x4", imm=0x10020000), op("const_i64", dst="x5", imm=0x1122334455667788)]
    for k, bits in enumerate((8, 16, 32, 64)):
        widths += [
            op(f"store_i{bits}", src="x5", addr="x4", offset=8 * k),
            op("load_i64", dst="x6", addr="x4", offset=8 * k),
        ]
        widths += [op(f"load_i{bits}", dst="x7", addr="x4", offset=8 * k), show("x6", "x7")]
    entry = [
        block("a", op("call", target="sum"), *widths, show("sp"), end=op("call", target="sum", next="b")),
        block("b", op("const_i64", dst="x9", imm=0x2000), op("syscall", name="quiet"), end=op("br_indirect", reg="x9")),
        block("never", show("x9"), end=op("ret")),
        block("c", op("const_i64", dst="x9", imm=0x3000), show("x9"), start=0x2000, end=op("br_indirect", reg="x9")),
    ]
    other = [block("head", show("xzr"), end=op("ret")), block("tail", show("x9"), start=0x3000, end=op("ret"))]
    data = module(
        {"name": "entry", "blocks": entry}, {"name": "sum", "blocks": loop}, {"name": "other", "blocks": other},
        segments=[{"name": "code", "base": 0x10000000, "size": 0x100, "init_path": "code.bin", "init_size": 20,
                   "permissions": {"read": True, "write": False, "execute": True}}],
    )  # fmt: skip
    value = 0x1122334455667788
    expected = ["show(0xa)"]
    expected += [f"show({value & (1 << bits) - 1:#x}, {value & (1 << bits) - 1:#x})" for bits in (8, 16, 32, 64)]
    expected += ["show(0x30040000)", "show(0x14)", "show(0x3000)", "show(0x3000)"]
    assert run(data, tmp_path, {"code.bin": bytes(16) + bytes([1, 2, 3, 4])}) == (expected, 0)


def test_a_stub_may_end_the_run(tmp_path: Path) -> None:
    data = module(flat("entry", show(), op("syscall", name="stop"), show()))
    assert run(data, tmp_path) == (["show()", 'stop: its stub is "panic"'], 125)


def test_a_branch_to_an_address_without_a_block_is_a_miss(tmp_path: Path) -> None:
    lost = block("a", op("const_i64", dst="x0", imm=0x5555), start=0x1000, end=op("br_indirect", reg="x0"))
    assert run(module({"name": "entry", "blocks": [lost]}), tmp_path) == (["miss 0 -> 0x5555"], 91)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"[", "module: is not JSON: Expecting value: line 1 column 2 (char 1)"),
        (b"[1]", "module: found [1], expected an object"),
        (b'{"arch": "x86"}', 'module: arch: found "x86", expected "aarch64"'),
        (b"{}", "module: functions: found null, expected a list"),
        (
            module({"name": "entry"}),
            "module: functions[0]: found neither, expected ops or blocks",
        ),
        (
            module(flat("entry", op("add_i64", dst="x0", lhs="x1"))),
            "module: functions[0].ops[0]: rhs: found null, expected text",
        ),
        (
            module(flat("entry", op("const_i64", dst="x0", imm=1 << 64))),
            "module: functions[0].ops[0]: imm: found 18446744073709551616, expected an integer of 64 bits",
        ),
        (module(flat("entry"), flat("entry")), 'module: functions[1]: name "entry" is taken by functions[0]'),
        (
            module(flat("entry", op("br", target="nowhere"))),
            "module: functions[0].ops[0]: br: no block or function is called 'nowhere'",
        ),
        (
            module(flat("entry", op("call", target="nobody"))),
            "module: functions[0].ops[0]: call: the module has no function 'nobody'",
        ),
        (
            module(flat("entry"), segments=[{"name": "s", "base": 0xFFFFFFFF, "size": 16}]),
            "module: segment 's': ends at 0x10000000f, expected at most 0xff000000",
        ),
    ],
)
def test_what_a_module_must_not_say(data: bytes, message: str) -> None:
    with pytest.raises(FormatError) as error:
        emit_ops_project(data, OPTIONS, title=title(), read_file={}.__getitem__)
    assert error.value.message == message


def test_the_title_must_name_an_entry_and_every_stub() -> None:
    with pytest.raises(ConfigError) as error:
        emit_ops_project(module(flat("main")), OPTIONS, title=title(), read_file={}.__getitem__)
    assert error.value.message == "title.toml: entry: the module has no function 'entry'"
    with pytest.raises(ConfigError) as error:
        data = module(flat("entry", op("syscall", name="svc_x")))
        emit_ops_project(data, OPTIONS, title=title(), read_file={}.__getitem__)
    assert error.value.message == "title.toml: stubs: nothing is said about 'svc_x', which functions[0].ops[0] calls"
