"""The portable form of a lifted module, as other lifters write it: ops over named 64-bit registers.

Source: docs/formats/module-ops.md. Reading checks everything that emission relies on; what is wrong is named by its
place in the file.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from recomp.errors import FormatError

CONDITIONS = ("eq", "ne", "cs", "cc", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le", "al")
_BINARY = ("dst", "lhs", "rhs")
#: op → its operands; a trailing `?` may be missing.
OPS: dict[str, tuple[str, ...]] = {
    "const_i64": ("dst", "imm"),
    "mov_i64": ("dst", "src"),
    **dict.fromkeys((f"{op}_i64" for op in ("add", "sub", "and", "or", "xor", "lsl", "lsr", "asr")), _BINARY),
    **dict.fromkeys(("cmp_i64", "cmn_i64", "test_i64"), ("lhs", "rhs")),
    "pc_rel": ("dst", "pc", "offset"),
    **dict.fromkeys((f"load_i{bits}" for bits in (8, 16, 32, 64)), ("dst", "addr", "offset?")),
    **dict.fromkeys((f"store_i{bits}" for bits in (8, 16, 32, 64)), ("src", "addr", "offset?")),
    "call": ("target",),
    "syscall": ("name", "args?"),
    "br": ("target",),
    "br_cond": ("cond", "then", "else"),
    "ret": (),
}
TERMINATORS: dict[str, tuple[str, ...]] = {
    "br": ("target",),
    "br_cond": ("cond", "then", "else"),
    "call": ("target", "next"),
    "br_indirect": ("reg",),
    "ret": (),
}
_NUMBERS = {"imm", "pc", "offset"}


@dataclass(frozen=True, slots=True)
class Op:
    """`where`: its place in the file; `values`: operands by name, numbers as int, registers and labels as str."""

    name: str
    where: str
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class OpsBlock:
    """`label` is "" and `start` None for the only block of a function written as plain `ops`."""

    label: str
    start: int | None
    ops: tuple[Op, ...]
    terminator: Op


@dataclass(frozen=True, slots=True)
class OpsFunction:
    name: str
    where: str
    blocks: tuple[OpsBlock, ...]


@dataclass(frozen=True, slots=True)
class OpsSegment:
    name: str
    base: int
    size: int
    read: bool
    write: bool
    execute: bool
    init_path: str
    init_size: int


@dataclass(frozen=True, slots=True)
class OpsModule:
    segments: tuple[OpsSegment, ...]
    functions: tuple[OpsFunction, ...]


def decode_ops_module(data: bytes) -> OpsModule:
    """Raises FormatError for anything that is not a portable module."""
    try:
        root = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"module: is not JSON: {error}") from None
    if not isinstance(root, dict):
        raise FormatError(f"module: found {_shown(root)}, expected an object")
    arch = root.get("arch", "aarch64")
    if arch != "aarch64":
        raise FormatError(f'module: arch: found {_shown(arch)}, expected "aarch64"')
    segments = _list(root, "segments", optional=True)
    functions = _list(root, "functions")
    module = OpsModule(
        tuple(_segment(item, f"segments[{k}]") for k, item in enumerate(segments)),
        tuple(_function(item, f"functions[{k}]") for k, item in enumerate(functions)),
    )
    _check_names([(f.name, f.where) for f in module.functions])
    return module


def _segment(item: Any, where: str) -> OpsSegment:
    _object(item, where)
    permissions = item.get("permissions", {})
    _object(permissions, f"{where}.permissions")
    segment = OpsSegment(
        name=_text(item, "name", where),
        base=_number(item, "base", where),
        size=_number(item, "size", where),
        read=bool(permissions.get("read", True)),
        write=bool(permissions.get("write", False)),
        execute=bool(permissions.get("execute", False)),
        init_path=_text(item, "init_path", where) if item.get("init_path") is not None else "",
        init_size=_number(item, "init_size", where) if item.get("init_size") is not None else 0,
    )
    if segment.init_size > segment.size:
        raise FormatError(f"module: {where}: init_size {segment.init_size:#x} is more than size {segment.size:#x}")
    return segment


def _function(item: Any, where: str) -> OpsFunction:
    _object(item, where)
    name = _text(item, "name", where)
    if ("ops" in item) == ("blocks" in item):
        raise FormatError(f"module: {where}: found {'both' if 'ops' in item else 'neither'}, expected ops or blocks")
    if "ops" in item:
        ops = _ops(item, where)
        return OpsFunction(name, where, (OpsBlock("", None, ops, Op("ret", where, {})),))
    blocks = tuple(_block(block, f"{where}.blocks[{k}]") for k, block in enumerate(_list(item, "blocks", where)))
    if not blocks:
        raise FormatError(f"module: {where}.blocks: found none, expected one or more")
    _check_names([(block.label, f"{where}.blocks[{k}]") for k, block in enumerate(blocks)])
    return OpsFunction(name, where, blocks)


def _block(item: Any, where: str) -> OpsBlock:
    _object(item, where)
    label = _text(item, "label", where)
    start = _number(item, "start", where) if item.get("start") is not None else None
    ops = _ops(item, where)
    if "terminator" in item:
        terminator = _op(item["terminator"], f"{where}.terminator", TERMINATORS)
    elif ops and ops[-1].name in ("br", "br_cond", "ret"):
        ops, terminator = ops[:-1], ops[-1]
    else:
        raise FormatError(f"module: {where}: no terminator")
    return OpsBlock(label, start, ops, terminator)


def _ops(item: dict[str, Any], where: str) -> tuple[Op, ...]:
    return tuple(_op(op, f"{where}.ops[{k}]", OPS) for k, op in enumerate(_list(item, "ops", where)))


def _op(item: Any, where: str, known: dict[str, tuple[str, ...]]) -> Op:
    _object(item, where)
    name = next((item[key] for key in ("op", "kind", "type") if key in item), None)
    if not isinstance(name, str) or name not in known:
        raise FormatError(f"module: {where}: op: found {_shown(name)}, expected one of {', '.join(known)}")
    values: dict[str, Any] = {}
    for operand in known[name]:
        key = operand.rstrip("?")
        if operand.endswith("?") and item.get(key) is None:
            values[key] = [] if key == "args" else 0
        elif key in _NUMBERS:
            values[key] = _number(item, key, where, signed=True)
        elif key == "args":
            values[key] = [_as_text(v, f"{where}.args[{k}]") for k, v in enumerate(_list(item, key, where))]
        else:
            values[key] = _text(item, key, where)
    if name == "br_cond" and values["cond"] not in CONDITIONS:
        raise FormatError(f"module: {where}: cond: found {_shown(values['cond'])}, expected {', '.join(CONDITIONS)}")
    return Op(name, where, values)


def _check_names(names: list[tuple[str, str]]) -> None:
    seen: dict[str, str] = {}
    for name, where in names:
        if name in seen:
            raise FormatError(f"module: {where}: name {_shown(name)} is taken by {seen[name]}")
        seen[name] = where


# --- values


def _object(item: Any, where: str) -> None:
    if not isinstance(item, dict):
        raise FormatError(f"module: {where}: found {_shown(item)}, expected an object")


def _list(item: dict[str, Any], key: str, where: str = "", optional: bool = False) -> list[Any]:
    value = item.get(key, [] if optional else None)
    if not isinstance(value, list):
        place = f"{where}: {key}" if where else key
        raise FormatError(f"module: {place}: found {_shown(value)}, expected a list")
    return value


def _text(item: dict[str, Any], key: str, where: str) -> str:
    return _as_text(item.get(key), f"{where}: {key}")


def _as_text(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value:
        raise FormatError(f"module: {where}: found {_shown(value)}, expected text")
    return value


def _number(item: dict[str, Any], key: str, where: str, signed: bool = False) -> int:
    """An integer of 64 bits, or text that spells one ("0x10")."""
    value = item.get(key)
    if isinstance(value, str):
        try:
            value = int(value, 0)
        except ValueError:
            pass
    low = -(1 << 63) if signed else 0
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value < 1 << 64:
        raise FormatError(f"module: {where}: {key}: found {_shown(value)}, expected an integer of 64 bits")
    return value


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."
