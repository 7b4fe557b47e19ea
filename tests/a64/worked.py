"""Write `cases/worked.txt`: one worked example for each pattern that has no case by hand, its result by the CPU model.

python -m tests.a64.worked     # rewrites the file
"""

from __future__ import annotations

import numpy as np

from recomp.a64 import Insn, decode, patterns
from recomp.semantics import functions, lift_insn
from recomp.semantics.builder import V0
from tests.a64.cases import FOLDER, read_cases
from tests.a64.harness import Oracle
from tests.a64.states import STATE, WINDOW, zero_states
from tests.a64.words import MODEL, NOT_IN_MODEL, load_operands, random_words, states_for

FILE = FOLDER / "worked.txt"
HEADER = """# One example for each pattern without a case by hand; the results are the CPU model's.
# Made by: python -m tests.a64.worked
"""
_FLAGS = {"n": 31, "z": 30, "c": 29, "v": 28}


def worked() -> str:
    """The file's text."""
    load_operands()
    by_hand = {
        insn.name
        for line in read_cases()
        if not line.where.startswith(FILE.name)
        for word in line.words
        if (insn := decode(word)) is not None
    }
    rng = np.random.default_rng(7)
    lines = []
    for pattern in patterns():
        if pattern.group == "pc-relative":
            continue  # where a case runs depends on how many there are
        if pattern.name in functions() and pattern.name not in by_hand and pattern.name not in NOT_IN_MODEL:
            line = _example(pattern, rng)
            if line:
                lines.append(line)
    return HEADER + "".join(lines)


def _example(pattern, rng: np.random.Generator) -> str:  # type: ignore[no-untyped-def]
    """The first of a few words and states whose result differs from what it started from."""
    for word in random_words(pattern, rng, 6):
        insn = decode(word)
        if MODEL.get(pattern.name, "a72") not in ("a72", "max"):
            return ""
        for state in states_for(insn, rng, 4):
            before = _needed(insn, state)
            oracle = Oracle([(word,)], "max")
            before = _needed_memory(oracle, before)
            after = oracle.run(0, before)
            if not isinstance(after, str) and after[0] != before[0]:
                return f"{word:08x} | {_text(zero_states(1)[0], before[0])} => {_text(before[0], after[0])}\n"
    return ""


def _needed(insn: Insn, state: np.void) -> np.ndarray:
    """(1,) STATE with only the registers that the instruction reads."""
    builder = lift_insn(insn, 0x1000)
    assert builder is not None
    kept = zero_states(1)
    for n in range(31):
        if builder.reads >> n & 1:
            kept["x"][0, n] = state["x"][n]
    for n in range(32):
        if builder.reads >> V0 + n & 1:
            kept["v"][0, n] = state["v"][n]
    if builder.reads >> 31 & 1:
        kept["sp"] = state["sp"]
    if builder.reads >> 32 & 15:
        kept["nzcv"] = state["nzcv"]
    kept["mem"] = state["mem"]
    return kept


def _needed_memory(oracle: Oracle, before: np.ndarray) -> np.ndarray:
    """The same without the bytes of memory that change nothing else."""
    whole = oracle.run(0, before)
    if isinstance(whole, str):
        return before
    for at, end in [(0, WINDOW), *((at, at + 8) for at in range(0, WINDOW, 8))]:
        if not before["mem"].any():
            break
        trial = before.copy()
        trial["mem"][0, at:end] = 0
        result = oracle.run(0, trial)
        if isinstance(result, str):
            continue
        same = all((result[name] == whole[name]).all() for name in STATE.names or () if name not in ("mem", "gap"))
        written = (whole["mem"][0] != before["mem"][0]) & (result["mem"][0] != whole["mem"][0])
        if same and not written.any():
            before = trial
            whole = result
    return before


def _text(a: np.void, b: np.void) -> str:
    """What of `b` differs from `a`, in the language of the cases."""
    words = [f"x{n}={int(b['x'][n]):#x}" for n in range(31) if a["x"][n] != b["x"][n]]
    words += [f"{name}={int(b[name]):#x}" for name in ("sp", "fpsr") if a[name] != b[name]]
    words += [f"{f}={int(b['nzcv']) >> k & 1}" for f, k in _FLAGS.items() if (int(a["nzcv"]) ^ int(b["nzcv"])) >> k & 1]
    for n in range(32):
        if (a["v"][n] != b["v"][n]).any():
            words.append(f"v{n}={int(b['v'][n][0]) | int(b['v'][n][1]) << 64:#x}")
    for at in range(0, WINDOW, 8):
        if (a["mem"][at : at + 8] != b["mem"][at : at + 8]).any():
            words.append(f"mem+{at}={int.from_bytes(b['mem'][at : at + 8].tobytes(), 'little'):#x}:8")
    return " ".join(words)


if __name__ == "__main__":
    FILE.write_text(worked(), "utf-8")
