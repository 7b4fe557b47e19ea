"""Programs nobody here wrote: recompiled, and run side by side with an emulator on the same inputs.

`tests/compat/*.toml` says what to run; each case runs twice, in two folders with the same files: once under
`qemu-aarch64`, once as the recompiled port. Output, exit code and the files left behind must be equal.

    python tools/compat.py [--update] [PROGRAM...]

`--update` builds from zero and rewrites docs/compatibility.md; with names, those programs run anew and the others keep
what they had, if it was seen with the same sources.

A branch that nobody discovered is fed back and the program is built and run again: a further round.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import MappingProxyType

ROOT = Path(__file__).resolve().parent.parent
CASES = ROOT / "tests" / "compat"
GUESTS = ROOT / ".cache" / "guests"
PORTS = ROOT / ".cache" / "ports"
ROWS = PORTS / "rows"
SOURCES = (".py", ".c", ".h", ".cpp", ".toml", ".decode")
TIMEOUT_S = 120
MOST_ROUNDS = 3
NO_SETTINGS: Mapping[str, str] = MappingProxyType({})
INPUT_TIME = 1_000_000_000  # seconds: 2001-09-09


@dataclass(frozen=True)
class Case:
    """One command line. `files` are written besides the common inputs; `prepare` is a shell command of the host's that
    makes further ones."""

    program: str
    name: str
    run: tuple[str, ...]
    stdin: str = ""
    files: dict[str, str] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)
    prepare: str = ""


@dataclass(frozen=True)
class Program:
    """`path`: the guest, fetched by make compat or built from `source` by the project's compiler; `options`: of
    `recomp port`; `heavy`: takes too long to build for `make test`."""

    name: str
    package: str
    path: Path
    source: Path | None
    options: tuple[str, ...]
    applets: tuple[str, ...]
    cases: tuple[Case, ...]
    heavy: bool


@dataclass(frozen=True)
class Outcome:
    """What a run left: bytes on stdout, exit code (negative: signal), files as {path: description}."""

    stdout: bytes
    code: int
    tree: dict[str, str]

    def difference(self, other: Outcome) -> str:
        """One line that says how `other` differs, or an empty string."""
        if self.code != other.code:
            return f"exit code {other.code}, expected {self.code}"
        if self.stdout != other.stdout:
            at = next((i for i, (a, b) in enumerate(zip(self.stdout, other.stdout, strict=False)) if a != b), None)
            at = min(len(self.stdout), len(other.stdout)) if at is None else at
            return (
                f"stdout differs at byte {at}: found {other.stdout[at : at + 24]!r}, "
                f"expected {self.stdout[at : at + 24]!r}"
            )
        for path in sorted(self.tree.keys() | other.tree.keys()):
            if self.tree.get(path) != other.tree.get(path):
                return f"{path}: found {other.tree.get(path, 'nothing')}, expected {self.tree.get(path, 'nothing')}"
        return ""


def load_programs(names: list[str] | None = None) -> list[Program]:
    found = []
    for file in sorted(CASES.glob("*.toml")):
        if names and file.stem not in names:
            continue
        data = tomllib.loads(file.read_text("utf-8"))
        cases = tuple(Case(program=file.stem, **_frozen(case)) for case in data["case"])
        source = CASES / data["source"] if "source" in data else None
        applets = tuple(data.get("applets", ()))
        options = tuple(data.get("options", ()))
        path, heavy = GUESTS / data["path"], data.get("heavy", False)
        found.append(Program(file.stem, data["package"], path, source, options, applets, cases, heavy))
    return found


def _frozen(case: dict) -> dict:
    return {**case, "run": tuple(case["run"])}


def make_inputs(folder: Path) -> None:
    """The files every case finds: text, binary, tables, a small tree. The same bytes every time."""
    state = 12345
    words = "the quick brown fox jumps over a lazy dog while seven wizards box and drink their strange brew".split()

    def rand() -> int:
        nonlocal state
        state = (state * 6364136223846793005 + 1442695040888963407) & ((1 << 64) - 1)
        return state >> 33

    lines = [" ".join(words[rand() % len(words)] for _ in range(3 + rand() % 9)) for _ in range(1500)]
    (folder / "text.txt").write_text("\n".join(lines) + "\n")
    (folder / "numbers.txt").write_text("\n".join(str(rand() % 100000 - 50000) for _ in range(3000)) + "\n")
    (folder / "data.bin").write_bytes(bytes(rand() & 0xFF for _ in range(60000)) + b"\0" * 20000 + b"abc" * 9000)
    rows = [f"{i},{words[rand() % len(words)]},{rand() % 1000 / 8}" for i in range(400)]
    (folder / "table.csv").write_text("\n".join(rows) + "\n")
    lines[700:710] = ["changed line"] * 4
    (folder / "other.txt").write_text("\n".join(lines) + "\n")
    (folder / "tree" / "a" / "deep").mkdir(parents=True)
    (folder / "tree" / "b").mkdir()
    for i in range(12):
        (folder / "tree" / "a" / f"file{i:02}.txt").write_text(f"{i} {words[i]}\n" * (i + 1))
    (folder / "tree" / "a" / "deep" / "x.c").write_text("int main(void) { return 42; }\n")
    (folder / "tree" / "b" / "empty").touch()
    (folder / "tree" / "b" / "link").symlink_to("../a/file03.txt")


def set_times(folder: Path) -> None:
    """One time for everything: archives of a folder are the same bytes whenever it was made."""
    for path in [*sorted(folder.rglob("*")), folder]:
        os.utime(path, (INPUT_TIME, INPUT_TIME), follow_symlinks=False)


def describe_tree(folder: Path) -> dict[str, str]:
    """{relative path: kind, mode and content hash}: all that two runs must agree on."""
    tree = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            tree[name] = f"link to {os.readlink(path)}"
            continue
        mode = path.stat().st_mode & 0o7777
        if path.is_file():
            digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
            tree[name] = f"file {mode:o} {path.stat().st_size} bytes {digest}"
        else:
            tree[name] = f"folder {mode:o}" if path.is_dir() else "special"
    return tree


ENVIRONMENT = {"HOME": "/nonexistent", "LC_ALL": "C", "TZ": "UTC", "QEMU_CPU": "max,pauth=off"}


def prepare(case: Case, folder: Path) -> None:
    """The files of a case, made once for every run of it: what a tool writes may depend on the clock."""
    folder.mkdir()
    make_inputs(folder)
    for name, text in case.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    if case.prepare:
        env = ENVIRONMENT | case.env | {"PATH": "/usr/sbin:/sbin:/usr/bin:/bin"}
        subprocess.run(case.prepare, shell=True, cwd=folder, env=env, check=True, capture_output=True)


def run_case(
    case: Case, prepared: Path, command: list[str], applets: Path | None, settings: Mapping[str, str] = NO_SETTINGS
) -> Outcome:
    """Run one case in a copy of the folder `prepared`; `command` is the port, or the emulator, its options and the
    program; `settings`: environment of the runtime's own. Every run of a case has the same folder: some programs
    print its name."""
    folder = prepared.with_name("case")
    shutil.copytree(prepared, folder, symlinks=True)
    try:
        set_times(folder)
        env = ENVIRONMENT | {"PATH": f"{applets}:/usr/bin:/bin" if applets else "/usr/bin:/bin"} | case.env | settings
        process = subprocess.Popen(
            [*(command if len(command) > 1 else [case.program]), *case.run],
            executable=command[0],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=env,
            umask=0o022,
            start_new_session=True,
        )
        try:
            stdout, _ = process.communicate(case.stdin.encode(), timeout=TIMEOUT_S)
        except subprocess.TimeoutExpired:
            # What it has started may hold the pipes open: all of it goes.
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise
        return Outcome(stdout, process.returncode, describe_tree(folder))
    finally:
        shutil.rmtree(folder)


def make_links(where: Path, names: tuple[str, ...], target: Path) -> Path | None:
    """A folder of links NAME -> target, for programs found by name through PATH."""
    if not names:
        return None
    where.mkdir(parents=True)
    for name in names:
        (where / name).symlink_to(target)
    return where


@contextmanager
def locked(program: Program) -> Iterator[None]:
    """One process at a time builds a program's guest or port."""
    PORTS.mkdir(parents=True, exist_ok=True)
    with open(PORTS / f"{program.name}.lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@dataclass(frozen=True)
class Port:
    """A built port. `summary`: what `recomp port` said; `wall_s`, `cpu_s`: what it took, of all its processes."""

    path: Path
    summary: str
    wall_s: float
    cpu_s: float


def build_port(
    program: Program, misses: Path | None = None, cache: Path | None = None, output: Path | None = None
) -> Port:
    """Build the port or take it from the cache in the folder `cache`; `misses`: what earlier rounds missed."""
    with locked(program):
        _build_guest(program)
        port = output or PORTS / program.name
        command = [sys.executable, "-m", "recomp", "port", str(program.path), "-o", str(port)]
        command += [*program.options, *(["--trace", str(misses)] if misses else [])]
        env = os.environ | {
            "PYTHONPATH": str(ROOT / "src"),
            "RECOMP_CACHE_DIR": str(cache or ROOT / ".cache" / "recomp"),
        }
        before, started = os.times(), time.monotonic()
        done = subprocess.run(command, capture_output=True, text=True, env=env)
        after = os.times()
    if done.returncode:
        raise SystemExit(f"{program.name}: recomp port failed with exit code {done.returncode}\n{done.stderr[-2000:]}")
    cpu_s = after.children_user + after.children_system - before.children_user - before.children_system
    return Port(port, done.stdout.strip().partition(": ")[2], time.monotonic() - started, cpu_s)


def _build_guest(program: Program) -> None:
    if program.source is None:
        if not program.path.is_file():
            raise SystemExit(f"{program.path}: not found; make compat fetches it")
        return
    program.path.parent.mkdir(parents=True, exist_ok=True)
    driver = "cc" if program.source.suffix == ".c" else "c++"
    compiler = [sys.executable, "-m", "ziglang", driver, "-target", "aarch64-linux-musl", "-static"]
    fresh = program.path.with_suffix(".new")
    subprocess.run([*compiler, "-O2", "-g0", "-s", "-w", str(program.source), "-o", str(fresh)], check=True)
    os.replace(fresh, program.path)  # another process may be running the old one


def compare(program: Program, case: Case, port: Path, misses: Path | None = None) -> str:
    """How the port differs from the emulator in one case, or "". Branches missed are added to the file `misses`."""
    qemu, busybox = shutil.which("qemu-aarch64"), shutil.which("busybox")
    if qemu is None or busybox is None:
        raise SystemExit("qemu-aarch64 and busybox: not found; tools/setup-test.sh installs them")
    with tempfile.TemporaryDirectory(prefix="recomp-applets-") as folder:
        prepared = Path(folder, "prepared")
        prepare(case, prepared)
        # The emulator cannot start other guests by name: the host's busybox stands in for them.
        theirs = make_links(Path(folder, "theirs"), program.applets, Path(busybox))
        ours = make_links(Path(folder, "ours"), program.applets, port)
        expected = run_case(case, prepared, [qemu, "-0", program.name, str(program.path)], theirs)
        try:
            settings = {"RECOMP_RT_MISSES": str(misses)} if misses else {}
            found = run_case(case, prepared, [str(port)], ours, settings)
        except subprocess.TimeoutExpired:
            return f"did not end within {TIMEOUT_S} s"
    return expected.difference(found)


@dataclass(frozen=True)
class Row:
    """A program's part of the page. `results`: (case, its command, how it differs or "")."""

    package: str
    heavy: bool
    sha256: str
    size: str
    cpu_s: float
    wall_s: float
    rounds: int
    results: list[tuple[str, str, str]]


def run_program(program: Program, cache: Path | None) -> Row:
    """Build and compare until a round misses nothing, MOST_ROUNDS at most."""
    misses = PORTS / f"{program.name}.misses.jsonl"
    misses.unlink(missing_ok=True)
    first = build_port(program, None, cache)
    port = first
    for number in range(1, MOST_ROUNDS + 1):
        known = misses.stat().st_size if misses.exists() else 0
        results = []
        for case in program.cases:
            difference = compare(program, case, port.path, misses)
            print(f"{'FAIL' if difference else 'ok':4} {program.name:10} {case.name} {difference}", flush=True)
            results.append((case, difference))
        if not misses.exists() or misses.stat().st_size == known or number == MOST_ROUNDS:
            break
        print(f"     {program.name}: round {number} missed branches; once more with them", flush=True)
        port = build_port(program, misses, cache)
    digest = hashlib.sha256(program.path.read_bytes()).hexdigest()
    rows = [(case.name, " ".join(case.run), difference) for case, difference in results]
    return Row(
        program.package, program.heavy, digest, first.summary.partition(";")[0], first.cpu_s, first.wall_s, number, rows
    )


def sources() -> str:
    """A hash of everything that a row depends on."""
    files = [*(ROOT / "src" / "recomp").rglob("*"), *CASES.rglob("*"), Path(__file__)]
    named = sorted((path.relative_to(ROOT).as_posix(), path) for path in files if path.suffix in SOURCES)
    return hashlib.sha256(b"".join(name.encode() + path.read_bytes() for name, path in named)).hexdigest()


def keep_row(name: str, row: Row) -> None:
    ROWS.mkdir(parents=True, exist_ok=True)
    (ROWS / f"{name}.json").write_text(json.dumps({"sources": sources(), "row": asdict(row)}))


def kept_row(name: str) -> Row:
    """What an earlier run of the same sources saw."""
    file = ROWS / f"{name}.json"
    kept = json.loads(file.read_text()) if file.exists() else {}
    if kept.get("sources") != sources():
        raise SystemExit(f"{name}: not seen with these sources yet: name it, too")
    return Row(**kept["row"])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("programs", nargs="*")
    parser.add_argument("--update", action="store_true", help="build from zero and rewrite docs/compatibility.md")
    args = parser.parse_args()
    total = bad = 0
    with tempfile.TemporaryDirectory(prefix="recomp-compat-cache-") as fresh:
        for program in load_programs(args.programs):
            row = run_program(program, Path(fresh) if args.update else None)
            total += len(row.results)
            bad += sum(bool(difference) for _, _, difference in row.results)
            if args.update:
                keep_row(program.name, row)
    if args.update:
        page = ROOT / "docs" / "compatibility.md"
        _, heading, homebrew = page.read_text().partition("\n## Console homebrew")  # of compat_nro.py
        page.write_text(render([kept_row(program.name) for program in load_programs()]) + heading + homebrew)
    print(f"{total - bad} of {total} cases equal")
    return 1 if bad else 0


def machine() -> str:
    """The host in a line: processor, cores that this process may use, memory, system."""
    model = platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores = len(os.sched_getaffinity(0))
    return (
        f"{model}, {cores} cores, {memory:.0f} GiB, Linux {platform.release().partition('-')[0]} {platform.machine()}"
    )


def render(rows: list[Row]) -> str:
    """docs/compatibility.md: a table of programs, then a section for each with a row per case."""
    qemu = subprocess.run(["qemu-aarch64", "--version"], capture_output=True, text=True).stdout.split("\n")[0]
    out = [
        "# Programs nobody here wrote",
        "",
        "Generated by `make compat` from a run: each program is recompiled, and each command runs under `qemu-aarch64`",
        "and as the port, on the same files. Equal means: same standard output, exit code and files. `make test`",
        "compares them too (`tests/compat`), all but those marked *: they take too long to build there.",
        "",
        f"Machine: {machine()}; {qemu}.",
        "Built from zero with two jobs; whatever else the machine did is in the wall time, not in the CPU time.",
        "Rounds: builds until no indirect branch is missed (1 = the first build missed none).",
        "",
        "| program | functions, instructions | port, CPU s | wall s | rounds | equal |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        equal = sum(not difference for _, _, difference in row.results)
        counts = f"{row.rounds} | {equal} of {len(row.results)}"
        out.append(f"| {row.package}{' *' * row.heavy} | {row.size} | {row.cpu_s:.0f} | {row.wall_s:.0f} | {counts} |")
    for row in rows:
        out += [
            "",
            f"## {row.package}",
            "",
            f"sha256 `{row.sha256}`",
            "",
            "| case | command | result |",
            "|---|---|---|",
        ]
        for name, command, difference in row.results:
            command = command.replace("\n", " ⏎ ").replace("|", "\\|")
            command = command if len(command) <= 90 else command[:87] + "..."
            out.append(f"| {name} | `{command}` | {difference.replace('|', chr(92) + '|') or 'equal'} |")
    return "\n".join(out) + "\n"


if __name__ == "__main__":
    raise SystemExit(main())
