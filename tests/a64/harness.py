"""Run instructions twice, as the C of their semantics and in an independent CPU model, and compare every register.

    cases = [Case((0x2B020020,), random_states(rng, 100))]
    for difference in differences(cases): print(difference)

All C of one call is compiled into one shared library, which a content-named file under `.cache` keeps.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import mmap
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import unicorn
from unicorn import arm64_const

from recomp.a64 import Insn, decode
from recomp.semantics import lift_insn
from recomp.semantics.branch import CONDITIONAL, displacement, taken
from recomp.semantics.builder import Builder
from tests.a64.states import BASE, MAX_STATES, STATE, STRIDE
from tests.a64.trampoline import CODE, SLOT, WORD_AT, trampoline, word_pc
from tests.a64.words import TOLERATED

INCLUDE = Path(__file__).parents[2] / "src/recomp/runtime/include"
CACHE = Path(__file__).parents[2] / ".cache/harness"
#: UB traps: what the compiler may assume away on one host is no meaning of an instruction.
FLOAT = ["-ffp-contract=off", "-frounding-math", "-fno-math-errno"]
FLAGS = ["-O1", "-g0", "-std=gnu11", *FLOAT, "-shared", "-fPIC", "-w"]
UBSAN = ["-fsanitize=undefined", "-fsanitize-trap=undefined"]
#: The model's CPU: "a72" is plain ARMv8.0 with CRC32 and cryptography, "max" has the later extensions.
MODELS = {"a72": arm64_const.UC_CPU_ARM64_A72, "max": arm64_const.UC_CPU_ARM64_MAX}


class Case(NamedTuple):
    """One or more words, run in sequence from each of `states` ((n,) STATE, n <= MAX_STATES)."""

    words: tuple[int, ...]
    states: np.ndarray


class Difference(NamedTuple):
    """What one case ended with on either side, or why one side did not run (`index` is then -1)."""

    words: tuple[int, ...]
    index: int
    text: str

    def __str__(self) -> str:
        names = " ".join(f"{w:08x}" for w in self.words)
        insns = "; ".join(repr(decode(w)) for w in self.words)
        return f"{names} {insns} state {self.index}:\n{self.text}"


def differences(
    cases: list[Case], *, model: str = "a72", limit: int = 3, ignore: tuple[str, ...] = ()
) -> list[Difference]:
    """Every difference between the C and the model, at most `limit` a case.

    `ignore` names fields of STATE not to compare (such as "fpsr").
    """
    found: list[Difference] = []
    compiled, missing = compile_words([c.words for c in cases])
    found += [Difference(cases[k].words, -1, text) for k, text in missing.items()]
    oracle = Oracle([c.words for c in cases], model)
    for k, case in enumerate(cases):
        if k in missing:
            continue
        expected = oracle.run(k, case.states)
        if isinstance(expected, str):
            found.append(Difference(case.words, -1, f"  model: {expected}"))
            continue
        actual = compiled.run(k, case.states)
        found += _compare(case, expected, actual, limit, ignore)
    return found


def _compare(
    case: Case, expected: np.ndarray, actual: np.ndarray, limit: int, ignore: tuple[str, ...]
) -> list[Difference]:
    if expected.tobytes() == actual.tobytes():
        return []
    names = [n for n in STATE.names or () if n not in ("gap", *ignore)]
    wrong = np.zeros(len(case.states), bool)
    for name in names:
        unequal = expected[name] != actual[name]
        wrong |= unequal.reshape(len(wrong), -1).any(axis=1)
    return [
        Difference(case.words, int(n), describe(case.states[n], expected[n], actual[n], names))
        for n in np.flatnonzero(wrong)
        if not _tolerated(case, expected[n], actual[n])
    ][:limit]


def _tolerated(case: Case, expected: np.void, actual: np.void) -> bool:
    insn = decode(case.words[0])
    known = TOLERATED.get(insn.name) if insn and len(case.words) == 1 else None
    return known is not None and known(insn, expected, actual)


def describe(before: np.ndarray, expected: np.ndarray, actual: np.ndarray, names: list[str]) -> str:
    """The registers of one state that came out differently, a line each."""
    lines = []
    for name in names:
        rows = [np.atleast_1d(s[name]) for s in (before, expected, actual)]
        for n in range(len(rows[0])):
            values = [_number(row[n]) for row in rows]
            if values[1] != values[2]:
                label = name if len(rows[0]) == 1 else f"{name}[{n}]"
                lines.append(f"  {label}: before {values[0]:#x}, model {values[1]:#x}, ours {values[2]:#x}")
    return "\n".join(lines)


def _number(value: np.ndarray) -> int:
    return int.from_bytes(value.tobytes(), "little")


# --- our side: the C


class Compiled:
    """Functions compiled for a list of word sequences."""

    def __init__(self, library: Path, code: bytes) -> None:
        self._code = code
        self._run = ctypes.CDLL(str(library)).harness_run
        self._run.argtypes = [ctypes.c_uint, ctypes.c_void_p, ctypes.c_uint, ctypes.c_void_p]

    def run(self, index: int, states: np.ndarray) -> np.ndarray:
        """States after the words of case `index`, run from each of `states`."""
        memory, view, address = _guest_memory()
        memory[CODE : CODE + len(self._code)] = self._code  # what pc-relative loads read
        assert len(states) <= MAX_STATES
        records = view[: len(states)]
        records[:] = states
        self._run(index, address + BASE, len(states), address)
        return records.copy()


@functools.cache
def _guest_memory() -> tuple[mmap.mmap, np.ndarray, int]:
    """A whole 32-bit guest address space, so that a wrong address ends in a difference, not in a crash."""
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | getattr(mmap, "MAP_NORESERVE", 0)
    memory = mmap.mmap(-1, (1 << 32) + 65536, flags=flags)
    view = np.frombuffer(memory, STATE, MAX_STATES, BASE)
    return memory, view, view.ctypes.data - BASE


def compile_words(sequences: list[tuple[int, ...]]) -> tuple[Compiled, dict[int, str]]:
    """One library for all sequences, and why those left out are (no pattern, no semantics)."""
    missing: dict[int, str] = {}
    bodies = []
    for k, words in enumerate(sequences):
        try:
            bodies.append("".join(_function_body(words, word_pc(k))))
        except LookupError as error:
            missing[k] = f"  ours: {error.args[0]}"
            bodies.append("")
    return Compiled(_library(_source(bodies)), code_of(sequences)), missing


def code_of(sequences: list[tuple[int, ...]]) -> bytes:
    """Guest memory from CODE on."""
    return b"".join(trampoline(words) for words in sequences)


def _function_body(words: tuple[int, ...], pc: int) -> list[str]:
    result = []
    for n, word in enumerate(words):
        insn = decode(word)
        if insn is None:
            raise LookupError(f"{word:08x} has no pattern")
        if insn.name in CONDITIONAL:
            # Forward, over the next words: those become the body of an `if`.
            end = n + displacement(insn) // 4
            result.append(place(_condition(insn, pc)))
            result += ["if (!taken) {\n", *_function_body(words[n + 1 : end], pc + 4 * (n + 1)), "}\n"]
            return result + _function_body(words[end:], pc + 4 * end)
        builder = lift_insn(insn, pc + 4 * n)
        if builder is None:
            raise LookupError(f"{insn.name} has no semantics")
        result.append(place(builder))
    return result


def _condition(insn: Insn, pc: int) -> Builder:
    builder = Builder(insn, pc)
    builder.line(f"taken = {taken(builder, insn)};")
    return builder


_CTYPE = {"x": "uint64_t", "v": "rt_v128", "d": "double", "s": "float"}
_FLAGS = ("nf", "zf", "cf", "vf")


def place(b: Builder) -> str:
    """`b.text` between loads of what it reads and stores of what it writes, each register in a local of its own."""
    head, tail = [], []
    for bit in range(36):
        reads, writes = b.reads >> bit & 1, b.writes >> bit & 1
        name, ctype = _general(bit)
        home = f"c->x[{bit}]" if bit < 31 else f"c->{name}"
        if reads:
            head.append(f"{ctype} {name} = {home};")
        elif writes:
            head.append(f"{ctype} {name};")
        if writes:
            tail.append(f"{home} = {name};")
    read, written = set(b.views_read), set(b.views_written)
    for kind, n in sorted(read | written):
        name = f"{kind}{n}"
        head.append(f"{_CTYPE[kind]} {name};")
        if (kind, n) in read:
            head.append(f"memcpy(&{name}, &c->v[{n}], sizeof {name});")
        if (kind, n) in written:
            tail.append(f"c->v[{n}] = (rt_v128){{0, 0}}; memcpy(&c->v[{n}], &{name}, sizeof {name});")
    return f"{{ {' '.join(head)}\n{b.text}\n{' '.join(tail)} }}\n"


def _general(bit: int) -> tuple[str, str]:
    if bit < 32:
        return ("sp" if bit == 31 else f"x{bit}"), "uint64_t"
    return _FLAGS[bit - 32], "uint32_t"


def _source(bodies: list[str]) -> str:
    functions = [
        f"static void f{k}(rt_cpu *c) {{ uint8_t *const M = c->memory; int taken; (void)M, (void)taken;\n{body}}}\n"
        for k, body in enumerate(bodies)
    ]
    table = ", ".join(f"f{k}" for k in range(len(bodies)))
    driver = Path(__file__).with_name("driver.c").read_text("utf-8")
    return driver.replace("/* functions */", "".join(functions)).replace("/* table */", table)


def compiler() -> list[str]:
    """The C compiler: the embedded one, or HARNESS_CC."""
    chosen = os.environ.get("HARNESS_CC")
    return chosen.split() if chosen else [sys.executable, "-m", "ziglang", "cc", *UBSAN]


def _library(source: str) -> Path:
    command = [*compiler(), *FLAGS, f"-I{INCLUDE}"]
    key = hashlib.sha256("\0".join([source, *command[1:]]).encode())
    for header in sorted(INCLUDE.rglob("*.h")):
        key.update(header.read_bytes())
    library = CACHE / f"{key.hexdigest()[:32]}.so"
    if not library.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        stem = CACHE / f"{library.stem}.{os.getpid()}"
        text, output = stem.with_suffix(f"{stem.suffix}.c"), stem.with_suffix(f"{stem.suffix}.tmp")
        text.write_text(source, "utf-8")
        done = subprocess.run([*command, "-o", str(output), str(text), "-lm"], capture_output=True, text=True)
        if done.returncode != 0:
            raise AssertionError(f"{text}: does not compile\n{done.stderr[:4000]}")
        text.unlink()
        output.replace(library)
    return library


# --- the other side: the CPU model


class Oracle:
    """A unicorn machine holding a trampoline for each word sequence."""

    def __init__(self, sequences: list[tuple[int, ...]], model: str = "a72") -> None:
        code = code_of(sequences)
        self._uc = unicorn.Uc(unicorn.UC_ARCH_ARM64, unicorn.UC_MODE_ARM)
        self._uc.ctl_set_cpu_model(MODELS[model])
        self._uc.mem_map(CODE, -(-len(code) // 4096) * 4096)
        self._uc.mem_write(CODE, code)
        self._uc.mem_map(BASE, -(-MAX_STATES * STRIDE // 4096) * 4096)

    def run(self, index: int, states: np.ndarray) -> np.ndarray | str:
        """States after the words of case `index`, or why the model stopped."""
        uc, size = self._uc, len(states) * STRIDE
        uc.mem_write(BASE, states.tobytes())
        uc.reg_write(arm64_const.UC_ARM64_REG_TPIDR_EL1, BASE)
        uc.reg_write(arm64_const.UC_ARM64_REG_ELR_EL1, BASE + size)
        start = CODE + index * SLOT
        try:
            uc.emu_start(start, start + SLOT - 4, timeout=10_000_000)
        except unicorn.UcError as error:
            pc = uc.reg_read(arm64_const.UC_ARM64_REG_PC)
            return f"{error} at slot offset {pc - start:#x} (the words are at {WORD_AT:#x})"
        return np.frombuffer(bytes(uc.mem_read(BASE, size)), STATE)
