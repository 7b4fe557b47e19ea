#!/usr/bin/env python3
"""The engine's own cost: ten trivial stages under recomp, and the same ten shell commands under other tools.

    python tools/bench_engine.py [--rounds N] [--peers] [--check]

Four situations: nothing done before; all cached; the last command changed; all cached with an input of 2 GiB. The unit
is `python -c pass` in the same environment. All sides take turns in every round, so that a busy machine slows them
alike; the median counts. Processor time decides, because it does not depend on what else the machine does; the clock
is printed beside it. `--peers` installs ninja, doit, DVC and Snakemake into an environment of their own below .cache
(with pip, from wherever that is set up to fetch); without it, those that are installed already take part.
`--check` makes a missed goal an error.

What a trivial stage costs is measured apart, as the difference between a chain of FEW and one of MANY of them, divided
by their number, less what its command costs alone: emission and hashing, which do real work, are not in it.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

from builders import ProjectFolder, provenance, sha256, toml  # noqa: E402
from engine.toy import Toy  # noqa: E402

PEERS = ROOT / ".cache" / "bench-peers"
STAGES = 10
BIG = 2 << 30
FEW, MANY = 2, 12
KINDS = ("command", "builtin")
SITUATIONS = ("cold", "all cached", "last changed", "2 GiB input")
MOST_CACHED, MOST_HELP, MOST_STAGE_MS, LEAST_GAIN = 6.0, 6.0, 15.0, 8.0
"""Goals: all cached with the big input and `--help` in units at most; overhead a stage in ms of processor time at most;
all cached, DVC and Snakemake against recomp at least."""
COMMAND = "echo stage >> ran"
#: what the installed `recomp` does
ENTRY = [sys.executable, "-c", "import sys; from recomp.cli.main import entry; sys.exit(entry())"]


class Cost(NamedTuple):
    """Seconds of processor time, and by the clock."""

    cpu: float
    wall: float


class Side(NamedTuple):
    """`prepare` writes a fresh project into a folder, `change` changes its last command; `argv` runs it there."""

    name: str
    argv: list[str]
    prepare: Callable[[Path, bool], None]
    change: Callable[[Path], None]


def cost(argv: list[str], cwd: Path) -> Cost:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("RECOMP_", "MAKE"))}
    env |= {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT / 'tests'}"}
    env.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed program has its bytecode
    env |= {"DVC_NO_ANALYTICS": "1", "PATH": f"{PEERS / 'bin'}{os.pathsep}{env['PATH']}"}
    started = time.perf_counter()
    with open(cwd / "said", "wb") as said:
        process = subprocess.Popen(argv, cwd=cwd, env=env, stdout=said, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"bench: {' '.join(argv)} in {cwd} ended with {process.returncode}:\n{(cwd / 'said').read_text()}")
    return Cost(usage.ru_utime + usage.ru_stime, wall)


# recomp: six commands and the four built-in stages around them


def _recomp_prepare(folder: Path, big: bool) -> None:
    project = ProjectFolder(folder)
    script = project.script("stage.sh", COMMAND)
    project.config["commands"] = {
        name: [script] for name in ("build", "run", "capture", "extract_frames", "extract_audio")
    }
    project.config["analysis"] = {"command": [script]}
    project.config["capture"] = {"video_path": "out/v/capture.mp4", "frames_dir": "out/f", "audio_file": "out/a/sound"}
    project.config["commands"]["extract_audio"] = [
        project.script("sound.sh", "mkdir -p out/a; echo sound > out/a/sound")
    ]
    if big:
        make_big(folder)
        entries = [
            {"path": name, "sha256": digest, "size": size, "format": form, "role": "input"}
            for name, digest, size, form in (
                ("module.json", sha256(project.module), len(project.module), "lifted_json"),
                ("big", _zeros_digest(), BIG, "nca"),
            )
        ]
        (folder / "provenance.toml").write_text(toml(provenance(entries)))
    project.write()


def _recomp_change(folder: Path) -> None:
    path = folder / "sound.sh"
    path.write_text(path.read_text() + "# changed\n")


def make_big(folder: Path) -> None:
    with open(folder / "big", "wb") as file:
        file.truncate(BIG)


_ZEROS: list[str] = []


def _zeros_digest() -> str:
    if not _ZEROS:
        state, chunk = hashlib.sha256(), bytes(1 << 20)
        for _ in range(BIG >> 20):
            state.update(chunk)
        _ZEROS.append(state.hexdigest())
    return _ZEROS[0]


# The others: a chain of ten commands, each writing its file from the one before


def _chain(big: bool) -> list[tuple[str, str, str]]:
    """(input, output, command) of each stage."""
    names = ["big" if big else "input", *(f"out{number}" for number in range(STAGES))]
    return [(names[i], names[i + 1], f"echo stage {i} > {names[i + 1]}") for i in range(STAGES)]


def _writer(file_name: str, head: str, rule: str) -> tuple[Callable[[Path, bool], None], Callable[[Path], None]]:
    def prepare(folder: Path, big: bool) -> None:
        folder.mkdir(parents=True)
        (folder / "input").write_text("input\n")
        if big:
            make_big(folder)
        last = f"out{STAGES - 1}"
        body = "".join(rule.format(i=i, o=o, c=c, n=o) for i, o, c in _chain(big))
        (folder / file_name).write_text(head.format(last=last) + body)

    def change(folder: Path) -> None:
        path = folder / file_name
        path.write_text(path.read_text().replace(f"echo stage {STAGES - 1} ", "echo changed "))

    return prepare, change


def _with_git(prepare: Callable[[Path, bool], None]) -> Callable[[Path, bool], None]:
    def prepared(folder: Path, big: bool) -> None:
        prepare(folder, big)
        for argv in (["git", "init", "-q"], [_find("dvc") or "dvc", "init", "-q"]):
            cost(argv, folder)

    return prepared


def _find(name: str) -> str | None:
    return shutil.which(name, path=f"{PEERS / 'bin'}{os.pathsep}{os.environ['PATH']}")


def sides() -> list[Side]:
    found = [
        Side("recomp", [*ENTRY, "automate", "--config", "automation.toml"],
             _recomp_prepare, _recomp_change),
    ]  # fmt: skip
    doit_rule = (
        "def task_{n}(): return {{'actions': ['{c}'], 'file_dep': ['{i}'], 'targets': ['{o}'], "
        "'uptodate': [config_changed('{c}')]}}\n"
    )
    for name, arguments, file_name, head, rule in (
        ("make", [], "Makefile", "{last}:\n", "{o}: {i}\n\t{c}\n"),
        ("ninja", [], "build.ninja", "rule run\n  command = $command\n", "build {o}: run {i}\n  command = {c}\n"),
        ("doit", [], "dodo.py", "from doit.tools import config_changed\n", doit_rule),
        ("dvc", ["repro", "-q"], "dvc.yaml", "stages:\n",
         "  {n}:\n    cmd: {c}\n    deps: [{i}]\n    outs: [{o}]\n"),
        ("snakemake", ["-q", "-c1"], "Snakefile", "rule all:\n  input: '{last}'\n",
         "rule {n}:\n  input: '{i}'\n  output: '{o}'\n  shell: '{c}'\n"),
    ):  # fmt: skip
        program = _find(name)
        if program is None:
            print(f"{name} is not installed and takes no part (--peers installs it)", file=sys.stderr)
            continue
        prepare, change = _writer(file_name, head, rule)
        found.append(Side(name, [program, *arguments], _with_git(prepare) if name == "dvc" else prepare, change))
    return found


# Measuring


Table = dict[tuple[str, str], list[Cost]]


def measure(chosen: list[Side], rounds: int, work: Path) -> Table:
    table: Table = {}
    for number in range(rounds):
        for side in chosen:
            folder = work / f"{side.name}-{number}"
            side.prepare(folder, False)
            for situation in SITUATIONS[:3]:
                if situation == "last changed":
                    side.change(folder)
                table.setdefault((side.name, situation), []).append(cost(side.argv, folder))
            shutil.rmtree(folder)
        _measure_stages(work, table)
        unit = [sys.executable, "-c", "pass"]
        table.setdefault(("unit", ""), []).extend(cost(unit, work) for _ in range(3))
        helped = [*ENTRY, "--help"]
        table.setdefault(("recomp --help", ""), []).append(cost(helped, work))
    _measure_big(chosen, rounds, work, table)
    return table


#: a chain of trivial stages, run with a journal as `recomp automate` does
CHAIN = """
import os, sys
from pathlib import Path
from engine.toy import Toy
from recomp.engine.fingerprint import StatCache
from recomp.engine.journal import Journal
from recomp.engine.loop import open_work_root, run
toy = Toy.read(Path(sys.argv[1]))
plan = toy.plan()
lock = open_work_root(plan.layout.engine_dir)
journal = Journal(plan.layout.runs_dir)
result = run(plan, journal, hashes=StatCache(os.path.join(plan.layout.engine_dir, "stat-cache")))
journal.finished(result.status, None)
sys.exit(result.status != "succeeded")
"""


def _measure_stages(work: Path, table: Table) -> None:
    for kind in KINDS:
        for count in (FEW, MANY):
            folder = work / f"chain-{kind}-{count}"
            toy = Toy(folder)
            for number in range(count):
                toy.add(f"s{number}", kind=kind)
            toy.write()
            table.setdefault((kind, str(count)), []).append(cost([sys.executable, "-c", CHAIN, str(folder)], work))
            shutil.rmtree(folder)
    for count in (FEW, MANY):
        toy = Toy(work / f"alone-{count}")
        toy.write()
        script = "; ".join(f"TOY={toy.folder} {toy.folder}/stage.sh s{number} text" for number in range(count))
        table.setdefault(("alone", str(count)), []).append(cost(["sh", "-c", script], work))
        shutil.rmtree(toy.folder)


def _per_stage(middle: dict[tuple[str, str], Cost], kind: str) -> float:
    """Milliseconds of processor time."""
    return (middle[kind, str(MANY)].cpu - middle[kind, str(FEW)].cpu) * 1000 / (MANY - FEW)


def _measure_big(chosen: list[Side], rounds: int, work: Path, table: Table) -> None:
    for side in chosen:
        side.prepare(work / f"{side.name}-big", True)
        for _ in range(2):  # the second lets every tool remember what it has hashed
            cost(side.argv, work / f"{side.name}-big")
    for _ in range(2 * rounds):
        for side in chosen:
            table.setdefault((side.name, SITUATIONS[3]), []).append(cost(side.argv, work / f"{side.name}-big"))


def median(costs: list[Cost]) -> Cost:
    return Cost(statistics.median(c.cpu for c in costs), statistics.median(c.wall for c in costs))


def report(chosen: list[Side], table: Table) -> list[str]:
    """Print the table; what missed its goal."""
    middle = {key: median(costs) for key, costs in table.items()}
    unit = middle["unit", ""]
    print(f"unit: python -c pass: {unit.cpu * 1000:.1f} ms of processor time, {unit.wall * 1000:.1f} ms by the clock")
    print(f"\n{'ms of processor time (by the clock)':<36}" + "".join(f"{name:>18}" for name in SITUATIONS))
    for side in chosen:
        cells = [middle[side.name, situation] for situation in SITUATIONS]
        print(f"{side.name:<36}" + "".join(f"{c.cpu * 1000:>9.0f} ({c.wall * 1000:>6.0f})" for c in cells))
    ours = middle["recomp", SITUATIONS[3]]
    helped = middle["recomp --help", ""]
    command_ms = _per_stage(middle, "command") - _per_stage(middle, "alone")
    goals = [
        ("all cached, 2 GiB input, in units", ours.cpu / unit.cpu, MOST_CACHED, False),
        ("recomp --help, in units", helped.cpu / unit.cpu, MOST_HELP, False),
        ("overhead a trivial command, ms", command_ms, MOST_STAGE_MS, False),
        ("overhead a trivial built-in, ms", _per_stage(middle, "builtin"), MOST_STAGE_MS, False),
    ]
    for name, least in (("doit", 1.0), ("dvc", LEAST_GAIN), ("snakemake", LEAST_GAIN)):
        if (name, SITUATIONS[3]) in middle:
            goals.append(
                (f"{name} against recomp, 2 GiB input", middle[name, SITUATIONS[3]].cpu / ours.cpu, least, True)
            )
    print()
    first = middle["recomp", "cold"].cpu - middle["recomp", "all cached"].cpu
    print(f"{'of a cold run, emission and other work':<36}{first * 1000 - STAGES * command_ms:>8.0f} ms")
    missed = []
    for name, value, goal, is_least in goals:
        ok = value >= goal if is_least else value <= goal
        print(f"{name:<36}{value:>8.1f}   goal {'>=' if is_least else '<='} {goal:g}{'' if ok else '   MISSED'}")
        if not ok:
            missed.append(name)
    print(
        f"\n{len(goals) - len(missed)} of {len(goals)} goals met" + (f", missed: {', '.join(missed)}" if missed else "")
    )
    return missed


def install_peers() -> None:
    subprocess.run([sys.executable, "-m", "venv", str(PEERS)], check=True)
    subprocess.run([str(PEERS / "bin/pip"), "install", "-q", "ninja", "doit", "dvc", "snakemake"], check=True)


def main() -> int:
    parser = argparse.ArgumentParser(description="What the engine costs, beside other tools.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peers", action="store_true", help="install ninja, doit, DVC and Snakemake to compare with")
    parser.add_argument("--check", action="store_true", help="exit 1 if a goal is missed")
    options = parser.parse_args()
    if options.peers and not (PEERS / "bin/snakemake").exists():
        install_peers()
    chosen = sides()
    with tempfile.TemporaryDirectory() as work:
        missed = report(chosen, measure(chosen, options.rounds, Path(work)))
    return 1 if missed and options.check else 0


if __name__ == "__main__":
    sys.exit(main())
