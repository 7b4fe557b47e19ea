"""Every line of `cases/*.txt`: our C ends in the stated state, and so does the CPU model."""

from recomp.a64 import decode
from recomp.a64.text import word_text
from recomp.semantics import lift_insn
from tests.a64.cases import read_cases
from tests.a64.harness import Oracle, compile_words, describe
from tests.a64.operands_integer import INTEGER_TABLES
from tests.a64.states import STATE

_COMPARED = [n for n in STATE.names or () if n not in ("gap", "trap")]


def test_cases_hold_in_c() -> None:
    lines = [line for line in read_cases() if not line.refused]
    compiled, missing = compile_words([line.words for line in lines])
    wrong = [f"{lines[k].where}: {text}" for k, text in missing.items()]
    for k, line in enumerate(lines):
        if k not in missing:
            text = describe(line.before[0], line.after[0], compiled.run(k, line.before)[0], _COMPARED)
            wrong += [f"{line.where}: (model = expected)\n{text}"] * bool(text)
    assert not wrong, "\n".join(wrong)


def test_cases_hold_in_the_model() -> None:
    lines = [line for line in read_cases() if not line.refused]
    oracle = Oracle([line.words for line in lines], "max")
    wrong = []
    for k, line in enumerate(lines):
        after = oracle.run(k, line.before)
        text = after if isinstance(after, str) else describe(line.before[0], line.after[0], after[0], _COMPARED)
        if bool(text) != bool(line.model_wrong):
            wrong.append(f"{line.where}: {text or 'the model agrees although the case says it is wrong'}")
    assert not wrong, "\n".join(wrong)


def test_refused_words_trap() -> None:
    for line in read_cases():
        if line.refused:
            insn = decode(line.words[0])
            builder = lift_insn(insn, 0x1000) if insn else None
            assert builder is None or "rt_trap" in builder.text, line.where


def table_of(word: int) -> str:
    insn = decode(word)
    return insn.pattern.where.partition(":")[0] if insn is not None else ""


def test_case_texts_are_the_disassembly() -> None:
    wrong = []
    for line in read_cases():
        ours = "; ".join(word_text(word, 0) for word in line.words)
        formatted = all(table_of(word) in INTEGER_TABLES for word in line.words)
        if line.text and not line.refused and formatted and line.text != ours:
            wrong.append(f"{line.where}: {line.text!r}, disassembly {ours!r}")
    assert not wrong, "\n".join(wrong)
