"""Runs of floating-point arithmetic that look for NaNs once, at the end.

Arm and the host differ in which NaN an operation gives. Arithmetic hands NaNs on, so a run of it has seen none if
none is in what it leaves behind; that check replaces one an operation. Where there is one, the run is done again by
the exact operations, from copies of the registers that it has overwritten:

    const double n0 = d0;
    d0 = rt_fast_fmul_f64(d0, d1);
    d0 = rt_fast_fadd_f64(d0, d2);
    if (RT_UNLIKELY(__builtin_isunordered(d0, d0))) { d0 = n0; d0 = rt_cold_fmul_f64(c, d0, d1); ... }

A run lets other instructions pass that do not look at its results. Measured: 23 checks become 5 in the inner loop of
an n-body simulation, which then takes half the time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from recomp.semantics.propagate import Propagating

#: By shape of a result, the ways of keeping it (`recomp.emit.views`) in which a NaN can be seen.
SHOWS = {"f64": ("d", "du", "v"), "f32": ("s", "v"), "f64x2": ("v", "du"), "f32x4": ("v",), "f32x2": ("v",)}
_CTYPES = {"v": "rt_v128", "d": "double", "s": "float", "u": "uint64_t"}


@dataclass(slots=True, eq=False)
class Step:
    """A piece within a part: `line` makes its C line from the piece's text; `reads`, `writes`: the C variables that
    keep its vector registers, by register; `assigns`: these and those that conversions in the line go through.
    `nan`: set for arithmetic that hands NaNs on."""

    text: str
    line: Callable[[str], str]
    reads: dict[int, tuple[str, ...]] = field(default_factory=dict)
    writes: dict[int, tuple[str, ...]] = field(default_factory=dict)
    assigns: frozenset[str] = frozenset()
    nan: Propagating | None = None


def emit_steps(steps: list[Step], fresh: Callable[[], str]) -> list[str]:
    """C lines of a part's pieces. `fresh` gives names for copies."""
    lines: list[str] = []
    start = 0
    while start < len(steps):
        end = _run_end(steps, start)
        run = steps[start:end]
        looks = sum(step.nan is not None and step.nan.checks for step in run)
        checks = _checks(run, steps[end:]) if looks > 1 else []
        if looks > max(1, len(checks)):
            lines += _emit_run(run, checks, fresh)
        else:
            lines += [step.line(step.text) for step in run]
        start = end
    return lines


def _run_end(steps: list[Step], start: int) -> int:
    """Index after the run that begins at `start`; a step that is no arithmetic is a run of its own.

    Who reads a result as anything but numbers of its format could tell one NaN from another: the run ends before it.
    """
    end = start
    elements: dict[int, str] = {}  # of the registers that hold results
    for index in range(start, len(steps)):
        step = steps[index]
        read = {elements[n] for n in step.reads if n in elements}
        if step.nan is None:
            if read or index == start or "rt_set_fp" in step.text:
                break
            for n in step.writes:
                elements.pop(n, None)
            continue
        if read - {step.nan.element}:
            break
        end = index + 1
        elements.update((n, step.nan.shape[:3]) for n in step.writes)
    return max(end, start + 1)


@dataclass(slots=True, eq=False)
class _Result:
    shape: str
    register: int
    variable: str
    watchers: list[_Result] = field(default_factory=list)
    lasts: bool = False
    seen: bool = False


def _checks(run: list[Step], following: list[Step]) -> list[str]:
    """Conditions, one of which holds if any lasting result of the run is NaN."""
    current: dict[int, _Result] = {}  # by register, whatever variable keeps it
    results: list[_Result] = []
    for step in run:
        new = None
        if step.nan is not None:
            ((register, names),) = step.writes.items()
            new = _Result(step.nan.shape, register, names[0])
            for shape, n in step.nan.watched:
                if n in current and _covers(shape, current[n].shape):
                    current[n].watchers.append(new)
            results.append(new)
        for n in step.writes:
            current.pop(n, None)
        if new is not None:
            current[new.register] = new
    for n, result in current.items():
        result.lasts = not _overwritten(n, following)
    checked = []
    for result in reversed(results):
        watched = any(watcher.seen for watcher in result.watchers)
        result.seen = result.lasts or watched
        if result.lasts and not watched:
            checked.append(result)
    return _conditions(checked[::-1])


def _covers(read: str, made: str) -> bool:
    """The upper half of a 64-bit vector result is zero."""
    return read == made or (read, made) == ("f32x4", "f32x2")


def _overwritten(register: int, following: list[Step]) -> bool:
    for step in following:
        if register in step.reads:
            return False
        if register in step.writes:
            return True
    return False


def _conditions(results: list[_Result]) -> list[str]:
    """Two values a condition."""
    conditions = []
    for shapes, text in (
        (("f64",), "__builtin_isunordered({}, {})"),
        (("f32",), "__builtin_isunordered({}, {})"),
        (("f64x2",), "rt_nan_in_f64x2({}, {})"),
        (("f32x4", "f32x2"), "rt_nan_in_f32x4({}, {})"),
    ):
        values = [_value(r) for r in results if r.shape in shapes]
        conditions += [text.format(values[k], values[min(k + 1, len(values) - 1)]) for k in range(0, len(values), 2)]
    return conditions


def _value(result: _Result) -> str:
    is_vector, kept = result.shape[-2] == "x", result.variable[0]
    if is_vector and kept == "d":
        return f"(rt_v128){{rt_d_bits({result.variable}), u{result.register}}}"
    if not is_vector and kept == "v":
        return f"rt_v_to_{'d' if result.shape == 'f64' else 's'}({result.variable})"
    return result.variable


def _emit_run(run: list[Step], checks: list[str], fresh: Callable[[], str]) -> list[str]:
    times = Counter(name for step in run for name in step.assigns)
    inputs = [name for name in _inputs(run) if times[name]]
    saves, again = _copies(inputs, fresh)
    lines = ["  {", *saves]
    for step in run:
        if step.nan is not None:
            lines.append(step.line(step.nan.fast))
            again.append(step.line(step.nan.cold))
            continue
        # Not done again: it comes back by its results, where what is done again passes over them.
        lines.append(step.line(step.text))
        saves, restores = _copies([n for n in _variables(step.writes) if times[n] > 1 or n in inputs], fresh)
        lines += saves
        again += restores
    if checks:  # else nobody sees a result
        lines += [f"  if (RT_UNLIKELY({' || '.join(checks)})) {{", *again, "  }"]
    return [*lines, "  }"]


def _variables(of: dict[int, tuple[str, ...]]) -> list[str]:
    return [name for names in of.values() for name in names]


def _inputs(run: list[Step]) -> list[str]:
    """Variables that arithmetic of the run reads as they were before it."""
    written: set[str] = set()
    result: dict[str, None] = {}
    for step in run:
        if step.nan is not None:
            result.update((name, None) for name in _variables(step.reads) if name not in written)
        written.update(_variables(step.writes))
    return list(result)


def _copies(names: list[str], fresh: Callable[[], str]) -> tuple[list[str], list[str]]:
    """Lines that save variables, and lines that restore them."""
    saved = [(name, fresh()) for name in names]
    return (
        [f"  const {_CTYPES[name[0]]} {copy} = {name};" for name, copy in saved],
        [f"  {name} = {copy};" for name, copy in saved],
    )
