"""Programs nobody here wrote: recompiled, and run side by side with an emulator on the same inputs.

`tests/compat/*.toml` says what to run; each case runs twice, in two folders with the same files: once under
`qemu-aarch64`, once as the recompiled port. Output, exit code and the files left behind must be equal.

    python tools/compat.py [--update] [PROGRAM...]     # --update rewrites docs/compatibility.md
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CASES = ROOT / "tests" / "compat"
GUESTS = ROOT / ".cache" / "guests"
PORTS = ROOT / ".cache" / "ports"
TIMEOUT_S = 60
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
    name: str
    package: str
    path: Path
    applets: tuple[str, ...]
    cases: tuple[Case, ...]


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
        found.append(Program(file.stem, data["package"], GUESTS / data["path"], tuple(data.get("applets", ())), cases))
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


def run_case(case: Case, command: list[str], applets: Path | None) -> Outcome:
    """Run one case in a fresh folder; `command` is the port, or the emulator, its options and the program."""
    with tempfile.TemporaryDirectory(prefix="recomp-compat-") as base:
        folder = Path(base) / "case"
        folder.mkdir()
        make_inputs(folder)
        for name, text in case.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        env = {"PATH": f"{applets}:/usr/bin:/bin" if applets else "/usr/bin:/bin", "HOME": "/nonexistent"}
        env |= {"LC_ALL": "C", "TZ": "UTC", "QEMU_CPU": "max,pauth=off"} | case.env
        if case.prepare:
            tools = env | {"PATH": "/usr/sbin:/sbin:/usr/bin:/bin"}
            subprocess.run(case.prepare, shell=True, cwd=folder, env=tools, check=True, stdin=subprocess.DEVNULL)
        set_times(folder)
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


def applet_folder(where: Path, names: tuple[str, ...], target: Path) -> Path | None:
    """A folder of links NAME -> target, for programs found by name through PATH."""
    if not names:
        return None
    shutil.rmtree(where, ignore_errors=True)
    where.mkdir(parents=True)
    for name in names:
        (where / name).symlink_to(target)
    return where


def build_port(program: Program) -> Path:
    port = PORTS / program.name
    PORTS.mkdir(parents=True, exist_ok=True)
    recomp = [sys.executable, "-m", "recomp", "port", str(program.path), "-o", str(port)]
    done = subprocess.run(recomp, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{program.name}: recomp port failed with exit code {done.returncode}\n{done.stderr[-2000:]}")
    return port


def compare(program: Program, port: Path) -> Iterator[tuple[Case, str]]:
    """(case, difference or ""), in file order."""
    host_busybox = shutil.which("busybox")
    links = PORTS / f"{program.name}.applets"
    qemu = shutil.which("qemu-aarch64")
    if qemu is None:
        raise SystemExit("qemu-aarch64: not found; tools/setup-test.sh installs it")
    for case in program.cases:
        theirs = None
        if program.applets:
            if host_busybox is None:
                raise SystemExit("busybox: not found; it stands in for the programs that the emulator cannot start")
            theirs = applet_folder(links.with_suffix(".host"), program.applets, Path(host_busybox))
        expected = run_case(case, [qemu, "-0", program.name, str(program.path)], theirs)
        try:
            found = run_case(case, [str(port)], applet_folder(links, program.applets, port))
        except subprocess.TimeoutExpired:
            yield case, f"did not end within {TIMEOUT_S} s"
            continue
        yield case, expected.difference(found)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("programs", nargs="*")
    parser.add_argument("--update", action="store_true", help="rewrite docs/compatibility.md")
    args = parser.parse_args()
    rows, bad = [], 0
    for program in load_programs(args.programs):
        port = build_port(program)
        digest = hashlib.sha256(program.path.read_bytes()).hexdigest()
        for case, difference in compare(program, port):
            bad += bool(difference)
            print(f"{'FAIL' if difference else 'ok':4} {program.name:10} {case.name} {difference}", flush=True)
            rows.append((program, digest, case, difference))
    if args.update:
        (ROOT / "docs" / "compatibility.md").write_text(render(rows))
    print(f"{len(rows) - bad} of {len(rows)} cases equal")
    return 1 if bad else 0


def render(rows: list[tuple[Program, str, Case, str]]) -> str:
    """docs/compatibility.md: a section per program, a row per case."""
    out = [
        "# Programs nobody here wrote",
        "",
        "Generated by `make compat` from a run: each program is recompiled, and each command runs under `qemu-aarch64`",
        "and as the port, on the same files. Equal means: same standard output, exit code and files.",
    ]
    for program in {row[0].name: row[0] for row in rows}.values():
        mine = [row for row in rows if row[0] is program]
        equal = sum(not row[3] for row in mine)
        out += ["", f"## {program.package}", ""]
        out += [f"sha256 `{mine[0][1]}`; {equal} of {len(mine)} cases equal.", "", "| case | command | result |"]
        out += ["|---|---|---|"]
        for _, _, case, difference in mine:
            command = " ".join(case.run).replace("\n", " ⏎ ").replace("|", "\\|")
            command = command if len(command) <= 90 else command[:87] + "..."
            out.append(f"| {case.name} | `{command}` | {difference.replace('|', chr(92) + '|') or 'equal'} |")
    return "\n".join(out) + "\n"


if __name__ == "__main__":
    raise SystemExit(main())
