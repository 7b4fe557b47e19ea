#!/usr/bin/env python3
"""The engine against other build and pipeline tools: ten trivial stages in a row, all in one run on this machine.

    python tools/bench_engine.py [--repeat N] [--gib SIZE] [--bin FOLDER]

Each tool that is found (on PATH or in FOLDER) runs a chain of ten shell commands: cold, with nothing to do, after the
last command changed, and with nothing to do beside an input of SIZE GiB. `recomp automate` has ten stages, too: a
lifted module whose stages are commands, with hashes and validation built in. Medians, in milliseconds of CPU time of
the tool and its children (on a shared machine wall-clock time says little), and as multiples of `python -c pass`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
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
STAGES = 10
PYTHON = sys.executable


class Cost(NamedTuple):
    """Milliseconds."""

    cpu: float
    wall: float


class Case(NamedTuple):
    """`write` writes the project with the last command's text; `command` runs it; `clean` names what a cold run must
    not find."""

    name: str
    write: Callable[[Path, str], None]
    command: list[str]
    clean: tuple[str, ...]


def measure(command: list[str], folder: Path) -> Cost:
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    wall = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(cpu * 1000, wall * 1000)


def median(costs: list[Cost]) -> Cost:
    return Cost(statistics.median(c.cpu for c in costs), statistics.median(c.wall for c in costs))


def line(number: int, text: str) -> str:
    """The command of a stage: copy what was before it, and add a line."""
    return f"cat {source(number)} > out/{number}.txt; echo {text} >> out/{number}.txt"


def source(number: int) -> str:
    return "input" if number == 1 else f"out/{number - 1}.txt"


def texts(last: str) -> list[str]:
    return [f"stage {number}" for number in range(1, STAGES)] + [last]


# Projects


def write_make(folder: Path, last: str) -> None:
    rules = [f"out/{n}.txt: {source(n)}\n\t@{line(n, t)}\n" for n, t in enumerate(texts(last), 1)]
    (folder / "Makefile").write_text(f"all: out/{STAGES}.txt\n" + "".join(rules))


def write_ninja(folder: Path, last: str) -> None:
    rules = [
        f"rule r{n}\n  command = {line(n, t)}\nbuild out/{n}.txt: r{n} {source(n)}\n"
        for n, t in enumerate(texts(last), 1)
    ]
    (folder / "build.ninja").write_text("".join(rules))


def write_doit(folder: Path, last: str) -> None:
    tasks = [
        f"def task_s{n:02}():\n    return {{'actions': [{line(n, t)!r}], 'file_dep': [{source(n)!r}], "
        f"'targets': ['out/{n}.txt'], 'uptodate': [config_changed({t!r})]}}\n"
        for n, t in enumerate(texts(last), 1)
    ]
    (folder / "dodo.py").write_text("from doit.tools import config_changed\n" + "".join(tasks))


def write_snakemake(folder: Path, last: str) -> None:
    rules = [
        f"rule s{n}:\n    input: {source(n)!r}\n    output: 'out/{n}.txt'\n    shell: {line(n, t)!r}\n"
        for n, t in enumerate(texts(last), 1)
    ]
    (folder / "Snakefile").write_text(f"rule all:\n    input: 'out/{STAGES}.txt'\n" + "".join(rules))


def write_dvc(folder: Path, last: str) -> None:
    if not (folder / ".dvc").exists():
        subprocess.run(["dvc", "init", "--no-scm", "-q"], cwd=folder, check=True)
    stages = {
        f"s{n:02}": {"cmd": line(n, t), "deps": [source(n)], "outs": [f"out/{n}.txt"]}
        for n, t in enumerate(texts(last), 1)
    }
    (folder / "dvc.yaml").write_text(json.dumps({"stages": stages}))


def write_recomp(folder: Path, last: str) -> None:
    """The toy pipeline of the engine's tests, with stages that are commands."""
    from engine.toy import Toy

    toy = Toy(folder)
    for number, text in enumerate(texts(last), 1):
        after = (f"s{number - 1:02}",) if number > 1 else ()
        toy.add(f"s{number:02}", after=after, inputs=("input",) if number == 1 else (), kind="command")
        toy.stages[-1]["text"] = text
    toy.write()


def write_automate(folder: Path, last: str) -> None:
    """`input` counts as one more listed input, whatever its size."""
    from builders import ProjectFolder, provenance, toml

    project = ProjectFolder(folder).with_reference().with_commands("/bin/sh", "-c", "true")
    project.config["commands"]["extract_audio"] = ["/bin/sh", "-c", "echo sound > sound"]
    project.config["commands"]["extract_frames"] = ["/bin/sh", "-c", f": {last}"]
    project.config["capture"]["audio_file"] = "sound"
    project.write()
    entries = []
    for name, form in (("module.json", "lifted_json"), ("input", "nca")):
        path = folder / name
        if path.stat().st_size < 4096 and form == "nca":
            continue
        with open(path, "rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        size = path.stat().st_size
        entries.append({"path": name, "sha256": sha256, "size": size, "format": form, "role": name})
    (folder / "provenance.toml").write_text(toml(provenance(entries)))


def cases() -> list[Case]:
    toy = str(ROOT / "tests" / "engine" / "toy.py")
    automate = [PYTHON, "-m", "recomp", "automate", "--config", "automation.toml"]
    known = [
        Case("recomp automate", write_automate, automate, ("out", "frames")),
        Case("recomp engine", write_recomp, [PYTHON, toy, "."], ("out",)),
        Case("make", write_make, ["make", "-s"], ("out",)),
        Case("ninja", write_ninja, ["ninja", "--quiet"], ("out", ".ninja_log", ".ninja_deps")),
        Case("doit", write_doit, ["doit", "-v0"], ("out", ".doit.db", ".doit.db.db")),
        Case("dvc", write_dvc, ["dvc", "repro", "-q"], ("out", ".dvc", "dvc.lock")),
        Case("snakemake", write_snakemake, ["snakemake", "-q", "-c1"], ("out", ".snakemake")),
    ]
    return [case for case in known if shutil.which(case.command[0])]


def clean(folder: Path, case: Case) -> None:
    for name in case.clean:
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    (folder / "out").mkdir()


def run_case(case: Case, folder: Path, repeat: int) -> dict[str, Cost]:
    folder.mkdir()
    (folder / "input").write_text("input\n")
    colds, changes = [], []
    for _ in range(max(repeat // 3, 1)):
        clean(folder, case)
        case.write(folder, "last")
        colds.append(measure(case.command, folder))
    measure(case.command, folder)
    nothing = [measure(case.command, folder) for _ in range(repeat)]
    for number in range(max(repeat // 3, 1)):
        case.write(folder, f"last {number}")
        changes.append(measure(case.command, folder))
    return {"cold": median(colds), "nothing to do": median(nothing), "last changed": median(changes)}


def run_large(case: Case, folder: Path, repeat: int, gib: float) -> Cost:
    """With a large input that has been looked at before."""
    with open(folder / "input", "wb") as file:
        file.truncate(int(gib * (1 << 30)))
    clean(folder, case)
    case.write(folder, "last")
    _first_stage_counts(case, folder)
    for _ in range(2):
        measure(case.command, folder)
    return median([measure(case.command, folder) for _ in range(max(repeat // 2, 3))])


def _first_stage_counts(case: Case, folder: Path) -> None:
    """Copying gigabytes ten times is not what is measured: the first stage only counts its input's bytes."""
    for name in ("Makefile", "build.ninja", "dodo.py", "Snakefile", "dvc.yaml", "stage.sh"):
        path = folder / name
        if path.exists():
            text = path.read_text().replace("cat input > out/1.txt", "wc -c < input > out/1.txt")
            path.write_text(
                text.replace('cat "$file"', 'if [ "$name" = s01 ]; then wc -c < "$file"; else cat "$file"; fi')
            )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeat", type=int, default=9)
    parser.add_argument("--gib", type=float, default=2.0, help="size of the large input")
    parser.add_argument("--bin", help="a folder with more tools")
    options = parser.parse_args()
    if options.bin:
        os.environ["PATH"] = options.bin + os.pathsep + os.environ["PATH"]
    paths = [str(ROOT / "src"), str(ROOT / "tests")]
    sys.path[:0] = paths
    os.environ["PYTHONPATH"] = os.pathsep.join(paths)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    floor = median([measure([PYTHON, "-c", "pass"], Path.cwd()) for _ in range(options.repeat * 2)])
    help_cost = median([measure([PYTHON, "-m", "recomp", "--help"], Path.cwd()) for _ in range(options.repeat)])
    print(f"python -c pass: {floor.cpu:.1f} ms CPU; recomp --help: {help_cost.cpu / floor.cpu:.1f}x")
    print(f"{'ms CPU (multiple of python -c pass)':<40}cold        nothing to do    last changed     large input")
    with tempfile.TemporaryDirectory() as root:
        for case in cases():
            folder = Path(root) / case.name.replace(" ", "-")
            found = run_case(case, folder, options.repeat)
            found["large input"] = run_large(case, folder, options.repeat, options.gib)
            cells = "".join(f"{c.cpu:9.1f} ({c.cpu / floor.cpu:5.1f}x)" for c in found.values())
            print(f"{case.name:<30}{cells}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
