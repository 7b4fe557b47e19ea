"""Damage to every kind of file that the engine owns: what the ordinary run after it does.

Files are named by patterns, because a run may replace them. `test_damage.py` samples offsets; `python tools/crash.py
--damage` takes every offset of every file.
"""

from __future__ import annotations

import contextlib
import io
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from fnmatch import fnmatchcase
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

from builders import ProjectFolder
from engine.crash import Tally, begun, differing, project, tree
from recomp.cli.main import main
from recomp.engine.fingerprint import StatCache
from recomp.stages.tools import look_at_tools

#: pattern below the project → whether what it holds may cost work when it is lost
OWNED = {
    "out/run-manifest.json": False,
    "out/.recomp/state": False,
    "out/.recomp/stat-cache": False,
    "out/.recomp/lock": False,
    "out/.recomp/runs/*/status.json": False,
    "out/.recomp/runs/*/events.jsonl": False,
    "out/.recomp/runs/*/manifest.json": False,
    "out/.recomp/store/lock": False,
    "out/.recomp/store/publishing": False,
    "out/.recomp/store/roots/*": False,
    "out/.recomp/store/contents/*/*": False,
    "out/.recomp/store/blobs/*/*": False,
    "out/.recomp/store/actions/*/*": True,
}
#: commands that only look; whatever they find, they answer or say what is wrong
LOOKING = (["status"], ["runs"], ["explain"], ["explain", "--against", "1"], ["log", "build"], ["gc"], ["check"])
#: what a file may hold instead of what it held
STRANGE = (b"", b"null", b"[]", b"{}", b"0", b'{"steps": 1, "state": [], "pid": "x"}', b"\xff\xfe", b"{" * 5000)
#: one case in so many is also shown to the commands that only look
LOOK_EVERY = 16


class Case(NamedTuple):
    """`data` is what the file holds instead."""

    path: Path
    name: str
    data: bytes
    may_cost_work: bool


def paths(made: ProjectFolder, pattern: str) -> list[Path]:
    """Of what each run has, that of the newest: older ones are forgotten sooner or later."""
    found = sorted(path for path in made.root.glob(pattern) if path.is_file())
    return found[-1:] if "/runs/*/" in pattern else found


def sampled(made: ProjectFolder, chance: random.Random, per_pattern: int) -> Iterator[Case]:
    """A cut, a flipped bit and strange content for some files of each pattern."""
    for pattern, costly in OWNED.items():
        for number in range(per_pattern):
            path = chance.choice(paths(made, pattern))
            data = path.read_bytes()
            offset = chance.randrange(max(len(data), 1))
            name = str(path.relative_to(made.root))
            yield Case(path, f"{name} cut at {offset}", data[:offset], costly)
            bit = chance.randrange(8)
            yield Case(path, f"{name} bit {bit} of byte {offset} flipped", flipped(data, offset, bit), costly)
            strange = STRANGE[number % len(STRANGE)]
            yield Case(path, f"{name} holds {strange[:40]!r}", strange, costly)


def every_offset(made: ProjectFolder, part: int, parts: int, only: str = "*") -> Iterator[Case]:
    """One file of each pattern that `only` matches, every offset; of these, one part of so many."""
    for pattern, costly in OWNED.items():
        if not fnmatchcase(pattern, only):
            continue
        path = min(paths(made, pattern), key=lambda path: (path.stat().st_size == 0, path.stat().st_size))
        data = path.read_bytes()
        name = str(path.relative_to(made.root))
        for offset in range(part, max(len(data), 1), parts):
            for what, damaged in (("cut at", data[:offset]), ("flipped at", flipped(data, offset, offset % 8))):
                path = path if path.exists() else paths(made, pattern)[-1]
                yield Case(path, f"{name} {what} {offset}", damaged, costly)


def flipped(data: bytes, offset: int, bit: int) -> bytes:
    return data[:offset] + bytes([data[offset] ^ 1 << bit]) + data[offset + 1 :] if data else b"\x01"


def problems(made: ProjectFolder, case: Case, expected: dict[str, bytes], *, look: bool) -> list[str]:
    """What is wrong after the damage: with the commands that look (if `look`), then with the ordinary run."""
    assert case.path.exists(), f"{case.name}: nothing is damaged"
    case.path.chmod(0o644)
    case.path.write_bytes(case.data)
    found = []
    for command in LOOKING if look else ():
        code, said = call(made, *command)
        if "[this is a bug]" in said or code not in (0, 2):
            found.append(f"{case.name}: recomp {' '.join(command)}: exit code {code}: {said[-300:]}")
    before = len(begun(made))
    code, said = call(made, "automate")
    if code != 0:
        return [*found, f"{case.name}: wedged: {said[-300:]}"]
    ran = begun(made)[before:]
    if ran and not case.may_cost_work:
        found.append(f"{case.name}: cost work: {ran}")
    return found + [f"{case.name}: {line}" for line in differing(tree(made), expected)]


def damage_everything(
    folder: Path, jobs: int, only: str = "*", *, told: Callable[[Tally], bool] = lambda tally: True
) -> Tally:
    """Every offset of a file of each pattern that `only` matches, shared out to so many processes, each with a project
    of its own."""
    look_at_tools(StatCache())
    folders = [folder / str(part) for part in range(jobs)]
    with ProcessPoolExecutor(jobs, get_context("fork")) as pool:
        tallies = list(pool.map(partial(_damage_part, jobs, only, told), range(jobs), folders))
    problems_found = [problem for tally in tallies for problem in tally.problems]
    return Tally(sum(tally.trials for tally in tallies), problems_found, 0)


def _damage_part(parts: int, only: str, told: Callable[[Tally], bool], part: int, folder: Path) -> Tally:
    """Each case begins with the project whole and cached; the commands that only look are shown one in LOOK_EVERY."""
    made = project(folder / "project")
    assert call(made, "automate")[0] == 0
    expected = tree(made)
    found: list[str] = []
    number = -1
    for number, case in enumerate(every_offset(made, part, parts, only)):
        found += problems(made, case, expected, look=number % LOOK_EVERY == 0)
        if not told(Tally(number + 1, found, 0)):
            break
    return Tally(number + 1, found, 0)


def call(made: ProjectFolder, *arguments: str) -> tuple[int, str]:
    """Exit code and everything that was said."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        name, *rest = arguments
        code = main([name, "--config", str(made.root / "automation.toml"), *rest])
    return code, said.getvalue()
