"""Runs of floating-point arithmetic: NaNs come out as if each operation had looked for them itself."""

from __future__ import annotations

import numpy as np

from recomp.a64 import decode, patterns
from recomp.emit.function import emit_function
from recomp.emit.project import build_flows
from recomp.emit.summary import summarise
from recomp.lift.module import Block
from tests.a64 import harness
from tests.a64.harness import Oracle, describe
from tests.a64.states import STATE, random_states, window_addresses
from tests.a64.words import random_words
from tests.emit import assembler as a
from tests.emit.assembler import BASE

ARITHMETIC = (
    "FMOV_s FABS_s FNEG_s FSQRT_s FADD_s FSUB_s FMUL_s FDIV_s FNMUL_s FABD_s FMADD FMSUB FNMADD FNMSUB FCVT_s FADDP_s "
    "FMUL_si FMLA_si FMLS_si FADD_v FSUB_v FMUL_v FDIV_v FABD_v FSQRT_v FMLA_v FMLS_v FMUL_vi FMLA_vi FMLS_vi FABS_v "
    "FNEG_v"
).split()
OTHERS = "INS_e FCMP ADD_v MOVI_vd FCSEL FMAX_s ORR_v EXT SCVTF_v FCVTZS_s DUP_vi".split()
#: ldr q, d, s and str q, d of [x5]; imm12 is left to choose.
MEMORY = (0x3DC000A0, 0xFD4000A0, 0xBD4000A0, 0x3D8000A0, 0xFD0000A0)
SEQUENCES, STATES = 150, 40
_BY_NAME = {p.name: p for p in patterns()}


def random_sequence(rng: np.random.Generator, length: int) -> list[int]:
    """Words over v0..v3, mostly arithmetic, of one or all formats."""
    words: list[int] = []
    formats = [(0, 1), (0,), (1,)][rng.integers(0, 3)]
    while len(words) < length:
        kind = rng.integers(0, 10)
        if kind == 0:
            words.append(int(rng.choice(MEMORY)) | int(rng.integers(0, 12)) << 10 | int(rng.integers(0, 4)))
            continue
        pattern = _BY_NAME[str(rng.choice(OTHERS if kind == 1 else ARITHMETIC))]
        word = random_words(pattern, rng, 1)[0]
        for name, low, width in pattern.fields:
            if name in ("rd", "rn", "rm", "ra", "M"):
                word = word & ~((1 << width) - 1 << low) | int(rng.integers(0, 4)) % (1 << width) << low
        word &= ~(1 << 20) if "M" in {f[0] for f in pattern.fields} else ~0
        insn = decode(word)
        if insn and insn.pattern is pattern and insn.f.get("ftype", insn.f.get("sz", 0)) in formats and _no_half(insn):
            words.append(word)
    return words


def _no_half(insn) -> bool:
    return insn.f.get("opc") != 3


def emitted(sequences: list[list[int]]) -> harness.Compiled:
    """Each sequence as the emitter's function."""
    words = [word for sequence in sequences for word in (*sequence, a.ret())]
    functions, pc = [], BASE
    for sequence in sequences:
        functions.append(a.function(pc, [Block(start=pc, insns=len(sequence) + 1, terminator="ret")]))
        pc += 4 * len(sequence) + 4
    flows, _ = build_flows(*a.module(words, functions))
    summaries = summarise(flows, True)
    texts = "".join(emit_function(flows[f.start], summaries, {}, lambda f: f.name) for f in functions)
    source = harness._source([f"f_{f.start:x}(rt_near_of(c));\n" for f in functions])
    assert "rt_fast_" in texts
    return harness.Compiled(harness._library(source.replace("static void f0(", f"{texts}static void f0(", 1)), b"")


def special_states(rng: np.random.Generator) -> np.ndarray:
    """Half of the lanes a NaN, an infinity or a zero: the rest as usual."""
    states = random_states(rng, STATES)
    states["x"][:, 5] = window_addresses(STATES) + np.uint64(16)
    for view, top, quiet in ((np.uint32, 0x7F800000, 1 << 22), (np.uint64, 0x7FF << 52, 1 << 51)):
        lanes = states["v"][:, :4].view(view)
        special = np.array([top, top | quiet | 5, top | 3, quiet | top | 9, 0], view)
        chosen = rng.choice(special, lanes.shape) | (
            rng.integers(0, 2, lanes.shape).astype(view) << view(8 * view().itemsize - 1)
        )
        mask = rng.integers(0, 4, lanes.shape) == 0
        if view is np.uint64:
            mask &= (rng.integers(0, 2, STATES) == 0)[:, None, None]
        lanes[mask] = chosen[mask]
        states["v"][:, :4] = lanes.view(np.uint64)
    return states


def test_runs_give_the_same_nans_as_the_model() -> None:
    rng = np.random.default_rng(201)
    sequences = [random_sequence(rng, int(rng.integers(2, 16))) for _ in range(SEQUENCES)]
    compiled = emitted(sequences)
    oracle = Oracle([tuple(s) for s in sequences])
    # The emitter's functions do not keep FPSR's underflow apart from the host's; see rt_fp.h.
    names = [n for n in STATE.names or () if n not in ("gap", "trap", "fpsr")]
    wrong = []
    for k, sequence in enumerate(sequences):
        states = special_states(rng)
        expected, actual = oracle.run(k, states), compiled.run(k, states)
        assert not isinstance(expected, str), expected
        for n in range(STATES):
            text = describe(states[n], expected[n], actual[n], names)
            if text:
                wrong.append(f"{' '.join(f'{w:08x}' for w in sequence)} {n}:\n{text}")
                break
    assert not wrong, "\n".join(wrong[:5])
