"""Functions that are left out on purpose: each way into one traps."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from recomp.errors import LiftError
from recomp.lift.module import Block, Function, Module


def leave_out(module: Module, names: Sequence[str]) -> Module:
    """The module with the bodies of these functions (by name, or by address such as "0x401000") gone. Raises LiftError
    naming every one that there is not."""
    wanted = {name: _start(name, module.functions) for name in names}
    unknown = [name for name, start in wanted.items() if start is None]
    if unknown:
        raise LiftError(
            f"lift.skip: the program has no function {', '.join(map(repr, unknown))}",
            hint=_like(unknown[0], module.functions),
        )
    starts = set(wanted.values())
    functions = tuple(_emptied(f) if f.start in starts else f for f in module.functions)
    return msgspec.structs.replace(module, functions=functions)


def _start(name: str, functions: Sequence[Function]) -> int | None:
    if name.startswith("0x"):
        try:
            address = int(name, 16)
        except ValueError:
            return None
        return next((f.start for f in functions if f.start == address), None)
    return next((f.start for f in functions if f.name == name), None)


def _emptied(function: Function) -> Function:
    blocks = [Block(start=pc, insns=1, terminator="left_out") for pc in (function.start, *function.entries)]
    return msgspec.structs.replace(function, blocks=tuple(sorted(blocks, key=lambda block: block.start)))


def _like(name: str, functions: Sequence[Function]) -> str:
    import difflib

    near = difflib.get_close_matches(name, sorted(f.name for f in functions), n=1, cutoff=0.6)
    listed = "lifted_module_json lists them all, by name and start"
    return f'did you mean "{near[0]}"? {listed}' if near else listed
