"""What the benchmarks found: costs, goals, and the page docs/benchmarks.md."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench_translation import Compilation, Rebuild, Translation, Translations, exponent

FLAGS = ["-target", f"{os.uname().machine}-linux-musl"]


@dataclass(frozen=True)
class Costs:
    growth: list[tuple[Translation, Compilation | None]]
    rebuilds: list[Rebuild]
    game: tuple[Translation, Compilation]
    busybox: tuple[Translation, Compilation]
    from_zero: tuple[Rebuild, Rebuild]

    @property
    def translation_exponent(self) -> float:
        return exponent([(t.instructions, t.seconds) for t, _ in self.growth])

    @property
    def compilation_exponent(self) -> float:
        compiled = [c for _, c in self.growth if c] + [self.busybox[1]]
        return exponent([(c.instructions, c.seconds) for c in compiled])


@dataclass(frozen=True)
class Goal:
    what: str
    value: float
    limit: float
    at_least: bool = False

    @property
    def met(self) -> bool:
        return self.value >= self.limit if self.at_least else self.value <= self.limit


def measure(translations: Translations, game: Path, busybox: Path) -> Costs:
    from bench import has_v3

    flags = [*FLAGS, *(["-mcpu=x86_64_v3"] if has_v3() else [])]
    return Costs(
        translations.growth(flags),
        translations.rebuilds(),
        (translations.translate(game, rounds=3), translations.compile(game, flags)),
        (translations.translate(busybox), translations.compile(busybox, flags)),
        translations.from_zero(busybox),
    )


def goals(rows: list[Any], costs: Costs) -> list[Goal]:
    from bench import mean_of

    kernels = [row for row in rows if row.kind == "kernel"]
    proven = [row for row in kernels if row.proven]
    (game,) = (row for row in rows if row.kind == "game")
    hundred = next(t for t, _ in costs.growth if t.instructions > 90_000)
    compiled = [c for _, c in costs.growth if c] + [costs.game[1], costs.busybox[1]]
    changed = costs.rebuilds[1]
    return [
        Goal("kernels, port/native, geometric mean", mean_of(kernels, "slowdown"), 1.25),
        *([Goal(f"the {len(proven)} of them with proven calls", mean_of(proven, "slowdown"), 1.11)] if proven else []),
        Goal("kernels, qemu/port, geometric mean", mean_of(kernels, "gain"), 4, True),
        Goal("kernels, qemu/port, the least", min(row.gain for row in kernels), 1.8, True),
        Goal("game, port/native", game.slowdown, 1.6),
        Goal("game, qemu/port", game.gain, 3, True),
        Goal("game, lift and emit, instructions/s", costs.game[0].rate, 50_000, True),
        Goal("100,000 instructions, lift and emit, instructions/s", hundred.rate, 100_000, True),
        Goal("lift and emit, growth exponent", costs.translation_exponent, 1.1),
        Goal("C compiler, growth exponent", costs.compilation_exponent, 1.1),
        Goal("busybox, C compiler, CPU-s for 100,000 instructions", costs.busybox[1].per_100k, 12),
        Goal("C compiler, peak MB of a unit", max(c.peak_bytes for c in compiled) / 1e6, 500),
        Goal("busybox, code of the port / of the guest", costs.busybox[1].text_ratio, 3),
        Goal(f"rebuild after {changed.what}, s by the clock", changed.seconds, 3),
        Goal("busybox from nothing, s by the clock", costs.from_zero[0].seconds, 90),
        Goal("busybox again, s by the clock", costs.from_zero[1].seconds, 2),
    ]


def goal_lines(found: list[Goal]) -> list[str]:
    return [
        f"{goal.what:<56}{_number(goal.value):>9}  goal {'>=' if goal.at_least else '<='} {_number(goal.limit):<8}"
        f"{'met' if goal.met else 'MISSED'}"
        for goal in found
    ]


def cost_lines(costs: Costs) -> list[str]:
    """The costs as the rows of a table, each cell padded."""
    table = [("guest", "instructions", "lift+emit 1/s", "compile s/100k", "peak MB", "code ratio"), *_cost_rows(costs)]
    lines = [f"{row[0]:24}" + "".join(f"{cell:>16}" for cell in row[1:]) for row in table]
    lines.append("")
    return [*lines, *(f"{what:40}{seconds:>8} s   {units}" for what, seconds, units in _rebuild_rows(costs))]


def _cost_rows(costs: Costs) -> list[tuple[str, ...]]:
    named: list[tuple[str, Translation, Compilation | None]] = [("kernels, copied", t, c) for t, c in costs.growth]
    named += [("emberkite", *costs.game), ("busybox", *costs.busybox)]
    return [
        (
            name,
            f"{t.instructions:,}",
            f"{t.rate:,.0f}",
            *((f"{c.per_100k:.1f}", f"{c.peak_bytes / 1e6:.0f}", f"{c.text_ratio:.2f}") if c else ("-", "-", "-")),
        )
        for name, t, c in named
    ]


def _rebuild_rows(costs: Costs) -> list[tuple[str, str, str]]:
    named = [(f"100,000 instructions, {r.what}", r) for r in costs.rebuilds]
    named += [(f"busybox, {r.what}", r) for r in costs.from_zero]
    return [
        (what, f"{r.seconds:.1f}", f"{r.compiled} of {r.units} units compiled" if r.units else "all cached")
        for what, r in named
    ]


def page(rows: list[Any], costs: Costs, found: list[Goal], busy: float) -> str:
    """docs/benchmarks.md."""
    from bench import mean_of

    kernels = [row for row in rows if row.kind == "kernel"]
    speed = [
        (r.name, r.kind, f"{r.native:.3f}", f"{r.port:.3f}", f"{r.qemu:.3f}", f"{r.slowdown:.2f}", f"{r.gain:.2f}")
        for r in rows
    ]
    ratios = [f"{mean_of(kernels, ratio):.2f}" for ratio in ("slowdown", "gain")]
    speed.append(("geometric mean", "kernels", "", "", "", *ratios))
    lines = [
        "# Benchmarks",
        "",
        "Generated by `make bench` from one run: processor seconds, the median of the runs of each side, which take",
        "turns. All sides print the same. The native side is the same source at `-O2` for the same processor level;",
        "sha256sum, gzip and awk are Debian's busybox for arm64, and the same version for this machine.",
        "",
        f"{machine()}; load {busy:.1f} at the start.",
        "",
        *_table(("program", "kind", "native s", "port s", "qemu s", "port/native", "qemu/port"), speed),
        "",
        "## Translating",
        "",
        "`kernels, copied` is one program of growing size. Compiling: processor seconds of all units for 100,000",
        "instructions, the worst unit's memory, code bytes against the guest's. Only building is timed by the clock,",
        f"on two processors. Growth with size, exponent: {costs.translation_exponent:.2f} lifting and emitting, "
        f"{costs.compilation_exponent:.2f} compiling.",
        "",
        *_table(
            ("guest", "instructions", "lift+emit, 1/s", "compile, s/100k", "peak MB", "code ratio"), _cost_rows(costs)
        ),
        "",
        *_table(("build", "s", "units"), _rebuild_rows(costs)),
        "",
        "## Goals",
        "",
        *_table(
            ("", "found", "goal", ""),
            [
                (
                    g.what,
                    _number(g.value),
                    f"{'≥' if g.at_least else '≤'} {_number(g.limit)}",
                    "met" if g.met else "**missed**",
                )
                for g in found
            ],
        ),
    ]
    return "\n".join(lines) + "\n"


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    return [f"| {' | '.join(head)} |", "|---" * len(head) + "|", *(f"| {' | '.join(row)} |" for row in rows)]


def _number(value: float) -> str:
    return (
        f"{value:,.0f}" if value >= 1000 else f"{value:.2f}" if value < 20 and value != int(value) else f"{value:.0f}"
    )


def machine() -> str:
    """What it was measured on, without its name."""
    model = _line("/proc/cpuinfo", r"model name\s*: (.*)") or os.uname().machine
    memory = _line("/proc/meminfo", r"MemTotal:\s*(\d+) kB")
    gigabytes = f", {round(int(memory) / 1e6)} GB" if memory else ""
    version = _said([sys.executable, "-m", "ziglang", "version"])
    emulator = (re.search(r"version (\S+)", _said(["qemu-aarch64", "--version"])) or ["", "?"])[1]
    return (
        f"{os.cpu_count()} × {model}{gigabytes}, Linux {os.uname().release.split('-')[0]}, "
        f"zig {version.strip()}, qemu-aarch64 {emulator}"
    )


def _line(path: str, pattern: str, read: Callable[[str], str] = lambda p: Path(p).read_text()) -> str:
    try:
        found = re.search(pattern, read(path))
    except OSError:
        return ""
    return found[1].strip() if found else ""


def _said(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout
