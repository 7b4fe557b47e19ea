"""The portable form of a lifted module, as other lifters write it: ops over named 64-bit registers.

Source: docs/formats/module-ops.md. Reading checks everything that emission relies on; what is wrong is named by its
place in the file.
"""

from __future__ import annotations

import difflib
import json
import posixpath
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

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
SEGMENT_KEYS = ("name", "base", "size", "permissions", "init_path", "init_size", "zero_fill")
T = TypeVar("T")


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


Problems = list[str]
"""Takes what is wrong with one part, so that reading goes on with the next; without one the first is raised."""


def decode_ops_module(data: bytes, problems: Problems | None = None) -> OpsModule:
    """Raises FormatError for anything that is not a portable module; with `problems`, only for what cannot be read on,
    and what is read is then worth nothing if there are any."""
    try:
        root = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"module: is not JSON: {error}") from None
    if not isinstance(root, dict):
        raise FormatError(f"module: found {_shown(root)}, expected an object")
    with _noting(problems):
        arch = root.get("arch", "aarch64")
        if arch != "aarch64":
            raise FormatError(f'module: arch: found {_shown(arch)}, expected "aarch64"')
    _near_misses(root, ("arch", "segments", "functions"), "", problems)
    segments: tuple[OpsSegment, ...] = ()
    functions: tuple[OpsFunction, ...] = ()
    with _noting(problems):
        segments = _each(_segment, _list(root, "segments", optional=True), "segments", problems)
    with _noting(problems):
        functions = _each(_function, _list(root, "functions"), "functions", problems)
    _check_names([(f.name, f.where) for f in functions], problems)
    return OpsModule(segments, functions)


@contextmanager
def _noting(problems: Problems | None) -> Iterator[None]:
    try:
        yield
    except FormatError as error:
        if problems is None:
            raise
        problems.append(error.message)


def _each(
    read: Callable[[Any, str, Problems | None], T], items: list[Any], where: str, problems: Problems | None
) -> tuple[T, ...]:
    if problems is None:
        return tuple(read(item, f"{where}[{number}]", None) for number, item in enumerate(items))
    found = []
    for number, item in enumerate(items):
        with _noting(problems):
            found.append(read(item, f"{where}[{number}]", problems))
    return tuple(found)


def _near_misses(item: dict[str, Any], known: tuple[str, ...], where: str, problems: Problems | None) -> None:
    """Other lifters may write keys of their own; one that is nearly ours, which is missing, is a slip."""
    for key in item.keys() - set(known):
        near = difflib.get_close_matches(key, [name for name in known if name not in item], n=1, cutoff=0.8)
        if near:
            with _noting(problems):
                raise FormatError(f"module: {where + ': ' if where else ''}{key}: is not known, expected {near[0]}")


def _segment(item: Any, where: str, problems: Problems | None) -> OpsSegment:
    _object(item, where)
    _near_misses(item, SEGMENT_KEYS, where, problems)
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
    if posixpath.isabs(segment.init_path) or posixpath.normpath(segment.init_path).split("/")[0] == "..":
        shown = _shown(segment.init_path)
        raise FormatError(f"module: {where}: init_path: {shown} leads out of the module's folder")
    if segment.init_size > segment.size:
        raise FormatError(f"module: {where}: init_size {segment.init_size:#x} is more than size {segment.size:#x}")
    return segment


def _function(item: Any, where: str, problems: Problems | None) -> OpsFunction:
    _object(item, where)
    _near_misses(item, ("name", "ops", "blocks"), where, problems)
    name = _text(item, "name", where)
    if ("ops" in item) == ("blocks" in item):
        raise FormatError(f"module: {where}: found {'both' if 'ops' in item else 'neither'}, expected ops or blocks")
    if "ops" in item:
        ops = _ops(item, where, problems)
        return OpsFunction(name, where, (OpsBlock("", None, ops, Op("ret", where, {})),))
    listed = _list(item, "blocks", where)
    if not listed:
        raise FormatError(f"module: {where}.blocks: found none, expected one or more")
    blocks = _each(_block, listed, f"{where}.blocks", problems)
    if len(blocks) == len(listed):
        _check_names([(block.label, f"{where}.blocks[{k}]") for k, block in enumerate(blocks)], problems)
    return OpsFunction(name, where, blocks)


def _block(item: Any, where: str, problems: Problems | None) -> OpsBlock:
    _object(item, where)
    _near_misses(item, ("label", "start", "ops", "terminator"), where, problems)
    label = _text(item, "label", where)
    start = _number(item, "start", where) if item.get("start") is not None else None
    ops = _ops(item, where, problems)
    if "terminator" in item:
        terminator = _op(item["terminator"], f"{where}.terminator", TERMINATORS)
    elif ops and ops[-1].name in ("br", "br_cond", "ret"):
        ops, terminator = ops[:-1], ops[-1]
    else:
        raise FormatError(f"module: {where}: no terminator")
    return OpsBlock(label, start, ops, terminator)


def _ops(item: dict[str, Any], where: str, problems: Problems | None) -> tuple[Op, ...]:
    return _each(lambda op, place, _: _op(op, place, OPS), _list(item, "ops", where), f"{where}.ops", problems)


def _op(item: Any, where: str, known: dict[str, tuple[str, ...]]) -> Op:
    _object(item, where)
    name = next((item[key] for key in ("op", "kind", "type") if key in item), None)
    if not isinstance(name, str) or name not in known:
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.7) if isinstance(name, str) else []
        expected = " or ".join(sorted(near)) if near else f"one of {', '.join(known)}"
        raise FormatError(f"module: {where}: op: found {_shown(name)}, expected {expected}")
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


def _check_names(names: list[tuple[str, str]], problems: Problems | None) -> None:
    seen: dict[str, str] = {}
    for name, where in names:
        with _noting(problems):
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
