#!/usr/bin/env python3
"""Speed and size: programs as recompiled ports, native builds and under qemu-aarch64; what translating them costs.

    python tools/bench.py [--rounds N] [--check] [--update] [PROGRAM...]

The three sides take turns, so that a busy machine slows all of them; processor time is measured, not the clock's, and
the median counts. All three must print the same. The native build may use what the port may (the same processor level);
busybox's is Debian's for this machine, of the same version. With PROGRAMs, only these rows. `--update` writes
docs/benchmarks.md, `--check` makes a missed goal an error. Ratios are what a run tells; seconds are this machine's.
"""

from __future__ import annotations

import argparse
import hashlib
import math
import os
import random
import re
import resource
import shutil
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WORK = ROOT / ".cache" / "bench"
KERNELS = ROOT / "samples" / "kernels"
GAME = ROOT / "samples" / "emberkite" / "src"
BUSYBOX = ROOT / ".cache" / "guests" / "busybox-static" / "bin" / "busybox"
FLAGS = ["-std=gnu11", "-O2", "-fomit-frame-pointer", "-s", "-static", "-ffp-contract=off"]
GAME_NAME = "emberkite"
MOST_CPU_S = 300

#: the size each kernel is run with: a few tenths of a second for the native build
SIZES = {
    "allocation": 3_000_000, "callbacks": 280, "calls": 6000, "compression": 1600, "hashing": 8000,
    "indirect": 9_000_000, "integer": 1_000_000, "interpreter": 190_000, "matrix": 4700, "mixture": 15_000,
    "nbody": 150_000, "paths": 500, "sorting": 320, "strings": 170_000, "vector": 150_000, "waves": 18_000,
}  # fmt: skip
#: the kernel that is a small whole program: lists, a matrix, a state machine, a checksum
MIXTURE = "mixture"
GAME_TICKS = 300
#: applet → arguments; `text` and `data` are files of the inputs' folder
APPLETS = {
    "sha256sum": ("sha256sum", "data"),
    "gzip": ("gzip", "-c", "text"),
    "awk": ("awk", "{n[$1]+=length($0); s=s+NR%7*$2} END {for (k in n) t+=n[k]; print t, s}", "text"),
}

SIDES = ("port", "native", "qemu")


class BenchError(Exception):
    """Something a user can act on."""


@dataclass(frozen=True)
class Program:
    """Built from `sources`, or busybox if there are none; `kind`: kernel, program or game."""

    name: str
    sources: tuple[Path, ...]
    arguments: tuple[str, ...]
    only_native: tuple[Path, ...] = ()
    only_guest: tuple[Path, ...] = ()
    kind: str = "kernel"


@dataclass(frozen=True)
class Row:
    """Median processor seconds of each side. `proven`: every function of the program keeps registers for its caller."""

    name: str
    port: float
    native: float
    qemu: float
    kind: str = "kernel"
    proven: bool = False

    @property
    def slowdown(self) -> float:
        return self.port / self.native

    @property
    def gain(self) -> float:
        return self.qemu / self.port


def programs(names: list[str]) -> list[Program]:
    """The named programs, or all: kernels in order of name, then whole programs, then the game."""
    kernels = [Program(n, (KERNELS / f"{n}.c", KERNELS / "main.c"), (str(size),)) for n, size in sorted(SIZES.items())]
    native, guest = GAME / "platform_native.c", GAME / "platform_linux.c"
    shared = tuple(path for path in sorted(GAME.glob("*.c")) if not path.name.startswith("platform_"))
    game = Program(GAME_NAME, shared, ("--bench", str(GAME_TICKS)), (native,), (guest,), "game")
    applets = [Program(name, (), arguments, kind="program") for name, arguments in APPLETS.items()]
    known = [*kernels, *applets, game]
    unknown = set(names) - {program.name for program in known}
    if unknown:
        raise BenchError(f"unknown program {sorted(unknown)[0]}, expected {', '.join(p.name for p in known)}")
    return [program for program in known if not names or program.name in names]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("programs", nargs="*", metavar="PROGRAM")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="runs of each side (default 3)")
    parser.add_argument("--check", action="store_true", help="exit 1 if a goal is missed")
    parser.add_argument("--update", action="store_true", help="write docs/benchmarks.md")
    options = parser.parse_args()
    try:
        return bench(options.programs, max(1, options.rounds), options.check, options.update)
    except (BenchError, OSError) as error:
        print(f"bench: error: {error}", file=sys.stderr)
        return 1


def bench(names: list[str], rounds: int, check: bool, update: bool) -> int:
    if names and update:
        raise BenchError("--update needs all programs, found a choice of them")
    busy = os.getloadavg()[0]
    rows = measure_all(programs(names), rounds)
    if names:
        return 0
    import bench_report
    from bench_translation import Translations

    costs = bench_report.measure(Translations(WORK / "translation", environment()), WORK / GAME_NAME / "guest", BUSYBOX)
    goals = bench_report.goals(rows, costs)
    print("\n".join(["", *bench_report.cost_lines(costs), "", *bench_report.goal_lines(goals)]))
    if update:
        page = bench_report.page(rows, costs, goals, busy)
        (ROOT / "docs" / "benchmarks.md").write_text(page, encoding="utf-8")
    return 1 if check and not all(goal.met for goal in goals) else 0


def measure_all(chosen: list[Program], rounds: int) -> list[Row]:
    """Builds all, then a row of the table as soon as it is measured. Raises BenchError."""
    qemu = shutil.which("qemu-aarch64")
    if qemu is None:
        raise BenchError("qemu-aarch64: not found; make setup-test installs it")
    commands = {program: build(program, qemu) for program in chosen}
    rows = []
    print(f"{'program':14}{'native s':>10}{'port s':>9}{'qemu s':>9}{'port/native':>13}{'qemu/port':>11}", flush=True)
    for program in chosen:
        rows.append(measure(program, commands[program], rounds))
        print(line_of(rows[-1]), flush=True)
    kernels = [row for row in rows if row.kind == "kernel"]
    if len(kernels) > 1:
        slowdown, gain = mean_of(kernels, "slowdown"), mean_of(kernels, "gain")
        print(f"{'kernels':14}{'geometric mean':>28}{slowdown:>13.2f}{gain:>11.2f}")
    return rows


def line_of(row: Row) -> str:
    return f"{row.name:14}{row.native:10.3f}{row.port:9.3f}{row.qemu:9.3f}{row.slowdown:13.2f}{row.gain:11.2f}"


def mean_of(rows: list[Row], ratio: str) -> float:
    return math.exp(statistics.fmean(math.log(getattr(row, ratio)) for row in rows))


# ---- building ------------------------------------------------------------------------------------------------------


def build(program: Program, qemu: str) -> dict[str, list[str]]:
    """The command of each side. Raises BenchError."""
    if not program.sources:
        return build_applet(program, qemu)
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


def build_applet(program: Program, qemu: str) -> dict[str, list[str]]:
    """Debian's busybox for arm64 as a port and under the emulator, and for this machine."""
    native = shutil.which("busybox")
    if native is None or not BUSYBOX.exists():
        raise BenchError(f"{BUSYBOX.name}: not found for both processors; make setup-test fetches it")
    folder = WORK / BUSYBOX.name
    folder.mkdir(parents=True, exist_ok=True)
    make_inputs(folder)
    run_quietly([sys.executable, "-m", "recomp", "port", str(BUSYBOX), "-o", str(folder / "busybox")], BUSYBOX.name)
    sides = {"port": [str(folder / "busybox")], "native": [native], "qemu": [qemu, str(BUSYBOX)]}
    if first_line([native]) != first_line([qemu, str(BUSYBOX)]):
        raise BenchError(f"{native}: {first_line([native])}, expected {first_line([qemu, str(BUSYBOX)])}")
    inputs = [str(folder / a) if a in ("data", "text") else a for a in program.arguments]
    return {side: [*sides[side], *inputs] for side in SIDES}


def first_line(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.partition("\n")[0]


def make_inputs(folder: Path) -> None:
    """The files that busybox works on: the same bytes everywhere."""
    source = random.Random(1)
    (folder / "data").write_bytes(source.randbytes(48 << 20))
    words = [f"{source.choice('bcdfghklmnprst')}{source.choice('aeiou')}{n % 60}" for n in range(900)]
    lines = (f"{source.choice(words)} {n % 997} {' '.join(source.choices(words, k=6))}" for n in range(160_000))
    (folder / "text").write_text("\n".join(lines) + "\n")


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


def environment() -> dict[str, str]:
    """Of everything that is started to build."""
    shared = {"ZIG_GLOBAL_CACHE_DIR": str(ROOT / ".cache" / "zig"), "RECOMP_CACHE_DIR": str(WORK / "store")}
    return {**shared, **os.environ, "PYTHONPATH": str(ROOT / "src")}


def run_quietly(command: list[str], what: str) -> None:
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
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
    medians = {side: max(statistics.median(times[side]), 1e-6) for side in SIDES}
    return Row(program.name, **medians, kind=program.kind, proven=is_proven(program))


def is_proven(program: Program) -> bool:
    """Whether the emitter proved that every function of the program keeps its caller's registers."""
    module = WORK / program.name / "project" / "out" / "build" / "project" / "module.c"
    return module.exists() and re.search(r"\.balanced = 1\b", module.read_text(encoding="utf-8")) is not None


def timed(command: list[str], what: str) -> tuple[float, str]:
    """(user and system seconds of the process, its stdout or a hash of it if it is long)."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        resource.prlimit(process.pid, resource.RLIMIT_CPU, (MOST_CPU_S, MOST_CPU_S))
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise BenchError(f"{what}: {command[0]} ended with {process.returncode}, expected 0")
    said = output.decode() if len(output) < 200 else hashlib.sha256(output).hexdigest()
    return usage.ru_utime + usage.ru_stime, said


if __name__ == "__main__":
    sys.exit(main())
