"""What instructions do: `lift_insn` finds the function named after an instruction's pattern and runs it.

Every module of this package is searched: a function `ADD_i(b, i)` in any of them is the meaning of pattern `ADD_i`.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable

from recomp.a64 import Insn, patterns
from recomp.semantics.builder import Builder

Semantics = Callable[[Builder, Insn], None]


@functools.cache
def functions() -> dict[str, Semantics]:
    """Every semantics function, by the name of its pattern."""
    names = {p.name for p in patterns()}
    found: dict[str, Semantics] = {}
    for entry in sorted(pkgutil.iter_modules(__path__), key=lambda e: e.name):
        module = importlib.import_module(f"{__name__}.{entry.name}")
        for name in sorted(names & vars(module).keys()):
            if name in found:
                raise ValueError(f"{module.__name__}: {name} already has semantics in {found[name].__module__}")
            found[name] = vars(module)[name]
    return found


def lift_insn(insn: Insn, pc: int) -> Builder | None:
    """The C text of `insn` at guest address `pc`, with its reads and writes; None if it has no semantics.

    Branches have none: control flow is the emitter's. Where `uses_pc` is false, the text is the same at any pc.
    """
    function = functions().get(insn.name)
    if function is None:
        return None
    builder = Builder(insn, pc)
    function(builder, insn)
    return builder
