"""What translating costs: lifting and emitting, compiling, size of the result, and building again after a change.

Processor seconds, unless a figure says that it is by the clock. Compilers get caches of their own, so that nothing
comes from an earlier run.
"""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from bench_guest import Guests

ROOT = Path(__file__).resolve().parents[1]
JOBS = 2
#: copies of the kernels in the guests that show growth; those up to MOST_COMPILED are compiled, too
GROWTH = (1, 4, 12, 36, 138)
MOST_COMPILED = 12
#: copies in the guest that is changed: about 100,000 instructions
CHANGED = 34
CHANGES = {"another constant": ("-DSTEP=0x1000001b5",), "a statement more": ("-DLONGER",)}
_FOUND = re.compile(r"(\d+) units, (\d+) compiled")


@dataclass(frozen=True)
class Translation:
    """Lifting and emitting one guest."""

    instructions: int
    seconds: float

    @property
    def rate(self) -> float:
        return self.instructions / self.seconds


@dataclass(frozen=True)
class Compilation:
    """Compiling the units of one guest. `text_bytes`: of code in their objects; `peak_bytes`: of the worst unit."""

    instructions: int
    units: int
    seconds: float
    peak_bytes: int
    text_bytes: int

    @property
    def per_100k(self) -> float:
        return self.seconds * 100_000 / self.instructions

    @property
    def text_ratio(self) -> float:
        return self.text_bytes / (4 * self.instructions)


@dataclass(frozen=True)
class Rebuild:
    """`recomp port` by the clock. `units` of C, of which `compiled` were not in the cache; both 0: all was cached."""

    what: str
    seconds: float
    units: int
    compiled: int


class Translations:
    """Measures below `work`, which is emptied by nobody; `environment`: of everything that is started."""

    def __init__(self, work: Path, environment: dict[str, str]) -> None:
        self.work, self.environment = work, environment
        work.mkdir(parents=True, exist_ok=True)
        self.guests = Guests(work / "guests", environment)

    def translate(self, guest: Path, project: Path | None = None, rounds: int = 1) -> Translation:
        """Lift and emit in a process of its own, the best of `rounds`; the C project goes to `project`."""
        command = [sys.executable, __file__, str(guest), str(rounds), *([str(project)] if project else [])]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise OSError(f"{guest}: cannot be translated:\n{done.stderr.strip()}")
        return Translation(**json.loads(done.stdout))

    def compile(self, guest: Path, flags: list[str]) -> Compilation:
        """Every unit of the guest's code, with the project's flags and `flags`."""
        with tempfile.TemporaryDirectory(dir=self.work) as folder:
            project = Path(folder) / "project"
            instructions = self.translate(guest, project).instructions
            wanted = json.loads((project / "manifest.json").read_text())["flags"]
            units = sorted(project.glob("unit_*.c"))

            def one(unit: Path) -> tuple[float, int, int]:
                cache = {name: f"{folder}/zig-{unit.stem}" for name in ("ZIG_GLOBAL_CACHE_DIR", "ZIG_LOCAL_CACHE_DIR")}
                made = unit.with_suffix(".o")
                command = [sys.executable, "-m", "ziglang", "cc", *wanted, *flags, "-Irt/include"]
                return _compiled([*command, "-c", unit.name, "-o", made.name], made, self.environment | cache)

            with ThreadPoolExecutor(JOBS) as pool:
                done = list(pool.map(one, units))
        seconds, peaks, texts = zip(*done, strict=True)
        return Compilation(instructions, len(units), sum(seconds), max(peaks), sum(texts))

    def port(self, guest: Path, cache: Path, what: str) -> Rebuild:
        """`recomp port` of the guest with a cache of its own."""
        command = [sys.executable, "-m", "recomp", "port", str(guest), "-o", str(cache / "port")]
        started = time.perf_counter()
        environment = self.environment | {"RECOMP_CACHE_DIR": str(cache)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - started
        if done.returncode != 0:
            raise OSError(f"{what}: recomp port failed:\n{done.stderr.strip()}")
        found = _FOUND.search(done.stdout)
        return Rebuild(what, seconds, int(found[1]) if found else 0, int(found[2]) if found else 0)

    def rebuilds(self) -> list[Rebuild]:
        """From nothing, and after each change of one function in the middle."""
        guests = {"from nothing": self.guests.make("unchanged", CHANGED)}
        for number, (what, options) in enumerate(CHANGES.items()):
            guests[what] = self.guests.make(f"changed-{number}", CHANGED, options)
        with tempfile.TemporaryDirectory(dir=self.work) as cache:
            return [self.port(guest, Path(cache), what) for what, guest in guests.items()]

    def growth(self, flags: list[str]) -> list[tuple[Translation, Compilation | None]]:
        """Guests of growing size."""
        result = []
        for copies in GROWTH:
            guest = self.guests.make(f"growth-{copies}", copies)
            compiled = self.compile(guest, flags) if copies <= MOST_COMPILED else None
            result.append((self.translate(guest, rounds=3 if copies <= 4 else 1), compiled))
        return result

    def from_zero(self, guest: Path) -> tuple[Rebuild, Rebuild]:
        """(first, second) port of a guest with an empty cache."""
        with tempfile.TemporaryDirectory(dir=self.work) as cache:
            return self.port(guest, Path(cache), "from nothing"), self.port(guest, Path(cache), "again")


def exponent(points: list[tuple[float, float]]) -> float:
    """Of the power law through (size, cost) points, by least squares of their logarithms; 1 is linear."""
    logs = [(math.log(size), math.log(cost)) for size, cost in points]
    middle_x, middle_y = (sum(values) / len(logs) for values in zip(*logs, strict=True))
    return sum((x - middle_x) * (y - middle_y) for x, y in logs) / sum((x - middle_x) ** 2 for x, _ in logs)


def _compiled(command: list[str], made: Path, environment: dict[str, str]) -> tuple[float, int, int]:
    """(processor seconds, peak bytes, bytes of code) of one compilation."""
    process = subprocess.Popen(command, cwd=made.parent, env=environment, stderr=subprocess.PIPE)
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise OSError(f"{made.stem}: does not compile:\n{said.decode(errors='replace').strip()}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, code_bytes(made)


def code_bytes(made: Path) -> int:
    """Bytes of the executable sections of an object file."""
    from elftools.elf.constants import SH_FLAGS
    from elftools.elf.elffile import ELFFile

    with open(made, "rb") as file:
        sections = list(ELFFile(file).iter_sections())
        return sum(s["sh_size"] for s in sections if s["sh_flags"] & SH_FLAGS.SHF_EXECINSTR)


def _translate() -> None:
    """GUEST ROUNDS [PROJECT]: the figures as JSON on stdout."""
    from recomp.emit import EmitOptions, emit_project
    from recomp.lift.lift import lift_elf

    data, best, instructions = Path(sys.argv[1]).read_bytes(), math.inf, 0
    files: dict[str, bytes] = {}
    for _ in range(int(sys.argv[2])):
        start = time.process_time()
        module, segments, summary = lift_elf(data)
        files = emit_project(module, segments, EmitOptions(source="guest", sha256="0" * 64))
        best = min(best, time.process_time() - start)
        instructions = summary.instructions
    for name, content in files.items() if len(sys.argv) > 3 else ():
        path = Path(sys.argv[3]) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    print(json.dumps({"instructions": instructions, "seconds": best}))


if __name__ == "__main__":
    _translate()
