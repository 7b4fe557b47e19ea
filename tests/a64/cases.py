"""One-line instruction cases (`cases/*.txt`): words, optionally their text, state in => state out.

    2b020020 adds w0, w1, w2 | x1=0x7fffffff x2=1 => x0=0x80000000 n=1 z=0 c=0 v=1
    f8408c20 | x1=mem mem+8=0x1122334455667788:8 => x0=0x1122334455667788 x1=mem+8
    ! 00000000 udf #0

Words are hexadecimal, several make a sequence. Registers not given start as zero; what `=>` does not name must end as
it started. `x0`..`x30`, `sp`, `n z c v`, `v0`..`v31` (128 bits), `fpcr`, `fpsr`; `mem+N=VALUE:SIZE` is memory of the
window, and a value `mem+N` is its address; `pc+N` is N bytes on from the case's first word, `page+N` from the start of
its page of 4096 bytes. `!` in front: the word must trap or be unknown. `~ reason ~` in front: the model is known to be
wrong there, and the case fails once it agrees.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tests.a64.states import window_addresses, zero_states
from tests.a64.trampoline import word_pc

FOLDER = Path(__file__).with_name("cases")
_FLAG_BITS = {"n": 31, "z": 30, "c": 29, "v": 28}


class Line(NamedTuple):
    """One case; `before` and `after` are (1,) STATE."""

    where: str
    words: tuple[int, ...]
    text: str
    refused: bool
    model_wrong: str
    before: np.ndarray
    after: np.ndarray


def read_cases() -> list[Line]:
    """All lines of all case files."""
    cases: list[Line] = []
    index = 0  # where a case is run from: the refused ones are not run
    for path in sorted(FOLDER.glob("*.txt")):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            if line.strip() and not line.startswith("#"):
                cases.append(_parse(line, f"{path.name}:{number}", word_pc(index)))
                index += not cases[-1].refused
    return cases


def _parse(line: str, where: str, pc: int) -> Line:
    match = re.fullmatch(r"(!?)(?:~(.*?)~)?\s*((?:\s*\b[0-9a-f]{8}\b)+)\s*([^|]*)(?:\|(.*?)=>(.*))?", line)
    if match is None:
        raise ValueError(f"{where}: not a case: {line!r}")
    bang, wrong, words, text, before, after = match.groups()
    start = zero_states(1)
    _assign(start, before or "", where, pc)
    end = start.copy()
    _assign(end, after or "", where, pc)
    numbers = tuple(int(w, 16) for w in words.split())
    return Line(where, numbers, text.strip(), bool(bang), (wrong or "").strip(), start, end)


def _assign(state: np.ndarray, text: str, where: str, pc: int) -> None:
    for item in text.split():
        name, _, value = item.partition("=")
        if name.startswith("mem"):
            number, _, size = value.partition(":")
            at, width = int(name[3:] or "0"), int(size)
            raw = int(number, 0).to_bytes(width, "little")
            state["mem"][0, at : at + width] = np.frombuffer(raw, np.uint8)
        elif name in _FLAG_BITS:
            state["nzcv"] = int(state["nzcv"][0]) & ~(1 << _FLAG_BITS[name]) | int(value) << _FLAG_BITS[name]
        elif name in ("sp", "fpcr", "fpsr"):
            state[name] = _value(value, pc) & (1 << 64) - 1
        elif match := re.fullmatch(r"([xv])(\d+)", name):
            kind, n, number = match[1], int(match[2]), _value(value, pc)
            low = number & (1 << 64) - 1
            state[kind][0, n] = low if kind == "x" else (low, number >> 64)
        else:
            raise ValueError(f"{where}: unknown register {name!r}")


def _value(text: str, pc: int) -> int:
    if text.startswith("pc"):
        return pc + int(text[2:] or "0", 0)
    if text.startswith("page"):
        return (pc & ~4095) + int(text[4:] or "0", 0)
    if text.startswith("mem"):
        return int(window_addresses(1)[0]) + int(text[3:] or "0")
    return int(text, 0) & (1 << 128) - 1
