#!/usr/bin/env python3
"""Speed: each program as the recompiled port, as the native build of its source, and under qemu-aarch64.

    python tools/bench.py [--rounds N] [--check] [PROGRAM...]

The three take turns, so that a busy machine slows all of them; processor time is measured, not the clock's, and the
median counts. All three must print the same checksum. The native build may use what the port may (the same processor
level). `--check` makes a missed goal an error. Ratios are what a run tells; seconds are this machine's.
"""

from __future__ import annotations

import argparse
import math
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WORK = ROOT / ".cache" / "bench"
KERNELS = ROOT / "samples" / "kernels"
GAME = ROOT / "samples" / "emberkite" / "src"
FLAGS = ["-std=gnu11", "-O2", "-s", "-static", "-ffp-contract=off"]
GAME_NAME = "emberkite"
MOST_CPU_S = 300

#: the size each kernel is run with: a few tenths of a second for the native build
SIZES = {
    "allocation": 3_000_000, "callbacks": 280, "calls": 6000, "compression": 1600, "hashing": 8000,
    "indirect": 9_000_000, "integer": 1_000_000, "interpreter": 190_000, "matrix": 4700, "mixture": 15_000,
    "nbody": 150_000, "paths": 500, "sorting": 320, "strings": 170_000, "vector": 150_000, "waves": 18_000,
}  # fmt: skip
GAME_TICKS = 300

SIDES = ("port", "native", "qemu")
MOST_SLOWDOWN, LEAST_GAIN, LEAST_RATE = 1.6, 3.0, 50_000
"""Goals of the sample game: port against native at most, port against qemu at least; lift + emit, instructions/s."""


class BenchError(Exception):
    """Something a user can act on."""


@dataclass(frozen=True)
class Program:
    name: str
    sources: tuple[Path, ...]
    arguments: tuple[str, ...]
    only_native: tuple[Path, ...] = ()
    only_guest: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Row:
    """Median processor seconds of each side."""

    name: str
    port: float
    native: float
    qemu: float

    @property
    def slowdown(self) -> float:
        return self.port / self.native

    @property
    def gain(self) -> float:
        return self.qemu / self.port


def programs(names: list[str]) -> list[Program]:
    """The named programs, or all: kernels in order of name, then the game."""
    kernels = [Program(n, (KERNELS / f"{n}.c", KERNELS / "main.c"), (str(size),)) for n, size in sorted(SIZES.items())]
    native, guest = GAME / "platform_native.c", GAME / "platform_linux.c"
    shared = tuple(path for path in sorted(GAME.glob("*.c")) if not path.name.startswith("platform_"))
    known = [*kernels, Program(GAME_NAME, shared, ("--bench", str(GAME_TICKS)), (native,), (guest,))]
    unknown = set(names) - {program.name for program in known}
    if unknown:
        raise BenchError(f"unknown program {sorted(unknown)[0]}, expected {', '.join(p.name for p in known)}")
    return [program for program in known if not names or program.name in names]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("programs", nargs="*", metavar="PROGRAM")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="runs of each side (default 3)")
    parser.add_argument("--check", action="store_true", help="exit 1 if a goal is missed")
    options = parser.parse_args()
    try:
        return bench(options.programs, max(1, options.rounds), options.check)
    except (BenchError, OSError) as error:
        print(f"bench: error: {error}", file=sys.stderr)
        return 1


def bench(names: list[str], rounds: int, check: bool) -> int:
    qemu = shutil.which("qemu-aarch64")
    if qemu is None:
        raise BenchError("qemu-aarch64: not found; make setup-test installs it")
    chosen = programs(names)
    commands = {program: build(program, qemu) for program in chosen}
    rows = []
    print(f"{'program':14}{'native s':>10}{'port s':>9}{'qemu s':>9}{'port/native':>13}{'qemu/port':>11}")
    for program in chosen:
        row = measure(program, commands[program], rounds)
        rows.append(row)
        print(line_of(row), flush=True)
    kernels = [row for row in rows if row.name != GAME_NAME]
    if len(kernels) > 1:
        slowdown, gain = mean_of(kernels, "slowdown"), mean_of(kernels, "gain")
        print(f"{'kernels':14}{'geometric mean':>28}{slowdown:>13.2f}{gain:>11.2f}")
    missed = [goal for row in rows if row.name == GAME_NAME for goal in game_goals(row)]
    for goal in missed:
        print(f"bench: missed: {goal}", file=sys.stderr)
    return 1 if check and missed else 0


def line_of(row: Row) -> str:
    return f"{row.name:14}{row.native:10.3f}{row.port:9.3f}{row.qemu:9.3f}{row.slowdown:13.2f}{row.gain:11.2f}"


def mean_of(rows: list[Row], ratio: str) -> float:
    return math.exp(statistics.fmean(math.log(getattr(row, ratio)) for row in rows))


def game_goals(row: Row) -> list[str]:
    """Prints the translation rate; returns the goals that were missed."""
    rate = translation_rate(WORK / GAME_NAME / "guest")
    print(f"{GAME_NAME}: lift and emit {rate:,.0f} instructions a second")
    goals = (
        (row.slowdown <= MOST_SLOWDOWN, f"port/native {row.slowdown:.2f}, expected at most {MOST_SLOWDOWN}"),
        (row.gain >= LEAST_GAIN, f"qemu/port {row.gain:.2f}, expected at least {LEAST_GAIN}"),
        (rate >= LEAST_RATE, f"lift and emit {rate:,.0f} instructions a second, expected at least {LEAST_RATE:,}"),
    )
    return [text for met, text in goals if not met]


# ---- building ------------------------------------------------------------------------------------------------------


def build(program: Program, qemu: str) -> dict[str, list[str]]:
    """The command of each side. Raises BenchError."""
    folder = WORK / program.name
    folder.mkdir(parents=True, exist_ok=True)
    level = ["-mcpu=x86_64_v3"] if has_v3() else []
    guest, native = folder / "guest", folder / "native"
    before = guest.read_bytes() if guest.exists() else b""
    compile_program(guest, "aarch64", [], (*program.sources, *program.only_guest))
    compile_program(native, os.uname().machine, level, (*program.sources, *program.only_native))
    if guest.read_bytes() != before:
        shutil.rmtree(folder / "project", ignore_errors=True)
    port = build_port(guest, folder / "project")
    programs = {"port": [str(port)], "native": [str(native)], "qemu": [qemu, str(guest)]}
    return {side: [*programs[side], *program.arguments] for side in SIDES}


def has_v3() -> bool:
    """Whether this is an x86-64 processor with AVX2 and FMA: what ports are then built for."""
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    return os.uname().machine == "x86_64" and {"avx2", "fma", "bmi2", "f16c", "movbe"} <= set(flags.split())


def compile_program(path: Path, machine: str, level: list[str], sources: tuple[Path, ...]) -> None:
    command = [sys.executable, "-m", "ziglang", "cc", f"--target={machine}-linux-musl", *level, *FLAGS]
    run_quietly([*command, *map(str, sources), "-lm", "-o", str(path)], path.name)


def build_port(guest: Path, project: Path) -> Path:
    recomp = [sys.executable, "-m", "recomp"]
    if not (project / "automation.toml").exists():
        run_quietly([*recomp, "init", str(guest), "--to", str(project)], guest.parent.name)
    config = str(project / "automation.toml")
    run_quietly([*recomp, "automate", "--config", config, "--until", "build"], guest.parent.name)
    return project / "out" / "build" / "port"


def run_quietly(command: list[str], what: str) -> None:
    environment = {"ZIG_GLOBAL_CACHE_DIR": str(ROOT / ".cache" / "zig"), **os.environ}
    environment["PYTHONPATH"] = str(ROOT / "src")
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BenchError(f"{what}: {' '.join(command[1:5])} failed:\n{(done.stderr or done.stdout).strip()}")


# ---- measuring -----------------------------------------------------------------------------------------------------


def measure(program: Program, commands: dict[str, list[str]], rounds: int) -> Row:
    """Median processor time of each side, the sides taking turns. Raises BenchError if they disagree."""
    times: dict[str, list[float]] = {side: [] for side in SIDES}
    said: dict[str, str] = {}
    for _ in range(rounds):
        for side in SIDES:
            seconds, output = timed(commands[side], program.name)
            times[side].append(seconds)
            said[side] = output
            if output != said[SIDES[0]]:
                raise BenchError(
                    f"{program.name}: {side} printed {output!r}, expected {said[SIDES[0]]!r} as the port did"
                )
    return Row(program.name, **{side: max(statistics.median(times[side]), 1e-6) for side in SIDES})


def timed(command: list[str], what: str) -> tuple[float, str]:
    """(user and system seconds of the process, its stdout)."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        resource.prlimit(process.pid, resource.RLIMIT_CPU, (MOST_CPU_S, MOST_CPU_S))
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise BenchError(f"{what}: {command[0]} ended with {process.returncode}, expected 0")
    return usage.ru_utime + usage.ru_stime, output


def translation_rate(guest: Path) -> float:
    """Instructions lifted and emitted per second of processor time, the best of three."""
    sys.path.insert(0, str(ROOT / "src"))
    from recomp.emit import EmitOptions, emit_project
    from recomp.lift.lift import lift_elf

    data = guest.read_bytes()
    instructions = 0

    def once() -> None:
        nonlocal instructions
        module, segments, summary = lift_elf(data)
        emit_project(module, segments, EmitOptions(source="guest", sha256="0" * 64))
        instructions = summary.instructions

    return max(1 / seconds_of(once) for _ in range(3)) * instructions


def seconds_of(action: Callable[[], None]) -> float:
    start = time.process_time()
    action()
    return time.process_time() - start


if __name__ == "__main__":
    sys.exit(main())
