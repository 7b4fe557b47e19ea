"""The crash campaign: kill `recomp automate` in every way there is, run it again plainly, and look whether anything is
wedged, wrong or lost (`python tools/crash.py`; `test_crash.py` runs a hundred).

A trial is a small project of eight stages, half of them shell scripts that write files piece by piece. One trial in
three begins with a finished run and a changed command. Runs are forks of this process, which has everything imported,
so that a hundred trials cost seconds; only the engine's own files and `ran`, which the scripts write, say what ran.
"""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from builders import ProjectFolder, capture_video, reference_video, sha256, toml
from engine.faults import Fault, install
from recomp.cli.main import main

#: by random delay: the engine and everything it started; the engine alone, its stage left running; the engine and the
#: supervisor of its stage. At a chosen call: before it, in the middle of a write, after it, with the power
BY_DELAY = ("everything", "engine alone", "engine and supervisor")
BY_POINT = ("before", "half", "after", "power")
SCRIPT = """\
echo "begin $RECOMP_STAGE" >> ran
mkdir -p "${1%/*}"
printf 'first of %s %s\\n' "$RECOMP_STAGE" "${3-}" > "$1"
sleep 0.01
cat "$2" >> "$1"
sleep 0.01
printf 'last of %s\\n' "$RECOMP_STAGE" >> "$1"
echo "end $RECOMP_STAGE" >> ran
"""
COMMANDS = {
    "build": ("out/build/port.txt", "module.json"),
    "run": ("out/recording/run.txt", "out/build/port.txt"),
    "capture": ("./capture.mp4", "out/recording/run.txt"),
    "extract_frames": ("frames/0001.png", "capture.mp4"),
}
#: what two runs of the same may differ in
MAY_DIFFER = ("duration_ms", "stage_attempt", "cache_hit")


class Trial(NamedTuple):
    """`problems` says what was wedged or wrong; `repeated`: finished stages that ran again."""

    how: str
    problems: list[str]
    repeated: int


def project(folder: Path) -> ProjectFolder:
    made = ProjectFolder(folder)
    frame = _expected_frame()
    (folder / "reference.hashes").write_text(sha256(frame) + "\n")
    (folder / "reference_video.toml").write_text(toml(reference_video("reference.hashes")))
    (folder / "capture_video.toml").write_text(toml(capture_video("frames", form="directory")))
    made.config["reference"] = {
        "reference_video_toml": "reference_video.toml", "capture_video_toml": "capture_video.toml",
    }  # fmt: skip
    made.config["capture"] = {"video_path": "capture.mp4", "frames_dir": "frames"}
    script = made.script("stage", SCRIPT)
    made.config["commands"] = {name: [script, *paths] for name, paths in COMMANDS.items()}
    made.write()
    return made


def _expected_frame(changed: str = "") -> bytes:
    """The frame by the definition of the scripts."""
    text = json.dumps({"arch": "aarch64", "segments": [], "functions": [{"name": "entry", "ops": [{"op": "ret"}]}]})
    for name in COMMANDS:
        text = f"first of {name} {changed if name == 'run' else ''}\n{text}last of {name}\n"
    return text.encode()


def edit(made: ProjectFolder) -> None:
    """Another argument for the command of `run`, and the reference that fits what it then makes."""
    made.config["commands"]["run"].append("changed")
    (made.root / "reference.hashes").write_text(sha256(_expected_frame("changed")) + "\n")
    made.write()


# Runs


def start(made: ProjectFolder, fault: Fault | None = None) -> int:
    """Fork a run; its process number. With a fault that counts, the count is left in `points`."""
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        os.setsid()
        said = os.open(made.root / "said", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(said, 1)
        os.dup2(said, 2)
        before = set(os.listdir("/proc/self/fd"))
        count = install(fault or Fault())
        code = main(["automate", "--config", str(made.root / "automation.toml")])
        leaked = {
            fd: os.readlink(f"/proc/self/fd/{fd}")
            for fd in set(os.listdir("/proc/self/fd")) - before
            if os.path.lexists(f"/proc/self/fd/{fd}")
        }
        if leaked:
            print(f"leaked: {leaked}", file=sys.stderr)
        sys.stdout.flush()
        sys.stderr.flush()
        if fault and fault.kind == "count":
            (made.root / "points").write_text(str(count()))
    finally:
        os._exit(code)


def run(made: ProjectFolder, fault: Fault | None = None) -> int:
    """The exit code of a run; negative if a signal ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(start(made, fault), 0)[1])


def _descendants(pid: int) -> list[int]:
    found = []
    for task in _listdir(f"/proc/{pid}/task"):
        try:
            children = Path(f"/proc/{pid}/task/{task}/children").read_text().split()
        except OSError:
            continue
        for child in map(int, children):
            found += [child, *_descendants(child)]
    return found


def _listdir(path: str) -> list[str]:
    try:
        return os.listdir(path)
    except OSError:
        return []


def _kill_later(pid: int, delay_s: float, how: str) -> None:
    time.sleep(delay_s)
    os.kill(pid, signal.SIGSTOP)
    below = _descendants(pid)
    victims = {"engine alone": [], "engine and supervisor": below[:1], "everything": below}[how]
    for victim in [pid, *victims]:
        try:
            os.kill(victim, signal.SIGKILL)
        except ProcessLookupError:
            pass
    os.waitpid(pid, 0)


# What is there


def tree(made: ProjectFolder) -> dict[str, bytes]:
    """Every file but the engine's own, the manifest without what may differ."""
    found, root = {}, str(made.root)
    for folder, below, names in os.walk(root):
        below[:] = [name for name in below if name != ".recomp"]
        for path in (os.path.join(folder, name) for name in names):
            if os.path.isfile(path):
                with open(path, "rb") as file:
                    found[path[len(root) + 1 :]] = file.read()
    for name in ("ran", "said", "points"):
        found.pop(name, None)
    manifest = json.loads(found["out/run-manifest.json"])
    found["out/run-manifest.json"] = json.dumps(_comparable(manifest)).encode()
    return found


def _comparable(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _comparable(item) for key, item in value.items() if key not in MAY_DIFFER}
    return [_comparable(item) for item in value] if isinstance(value, list) else value


def begun(made: ProjectFolder) -> list[str]:
    """Every execution of a stage so far, in order, by the event logs."""
    names = []
    for log in sorted((made.work_root / ".recomp/runs").glob("*/events.jsonl")):
        for line in log.read_bytes().split(b"\n"):
            if b'"recomp.run.stage.started"' in line and line.endswith(b"}"):
                names.append(json.loads(line)["stage"])
    return names


def manifest_problem(made: ProjectFolder) -> list[str]:
    """The manifest is absent or whole at every instant."""
    path = made.work_root / "run-manifest.json"
    try:
        manifest = json.loads(path.read_bytes())
    except FileNotFoundError:
        return []
    except ValueError:
        return ["the manifest is torn"]
    needed = {"schema_version", "run_id", "input_fingerprint", "inputs", "steps", "artifacts", "status"}
    return [] if needed <= manifest.keys() else ["the manifest is not complete"]


# The campaign


class Undisturbed(NamedTuple):
    """What runs without a kill leave behind, for a fresh project and for one that was changed after a run."""

    trees: dict[bool, dict[str, bytes]]
    stages: dict[bool, int]
    points: dict[bool, int]
    seconds: dict[bool, float]


def undisturbed(folder: Path) -> Undisturbed:
    made = project(folder)
    facts: tuple[dict, dict, dict, dict] = ({}, {}, {}, {})
    for changed in (False, True):
        if changed:
            edit(made)
        before = len(begun(made))
        started = time.monotonic()
        code = run(made, Fault("count"))
        assert code == 0, (made.root / "said").read_text()
        seconds = time.monotonic() - started
        values = (tree(made), len(begun(made)) - before, int((made.root / "points").read_text()), seconds)
        for fact, value in zip(facts, values, strict=True):
            fact[changed] = value
    return Undisturbed(*facts)


def trial(folder: Path, calm: Undisturbed, chance: random.Random, point: int | None = None) -> Trial:
    """One project, killed once or twice; `point` chooses the call at which it is killed."""
    made = project(folder)
    changed = point is None and chance.random() < 0.33
    if changed:
        assert run(made) == 0
        edit(made)
    before = len(begun(made))
    how = chance.choice(BY_POINT if point is not None else BY_DELAY + BY_POINT)
    kills = 1 if point is not None or chance.random() < 0.75 else 2
    for _ in range(kills):
        if how in BY_DELAY:
            _kill_later(start(made), chance.uniform(0.02, 1.05) * calm.seconds[changed], how)
        else:
            at = point or chance.randrange(1, calm.points[changed] + 1)
            run(made, Fault(how, at, chance.randrange(1 << 30), str(made.work_root)))
    label = f"{how} x{kills}" + (", changed" if changed else "") + (f", point {point}" if point else "")
    problems = [f"{label}: {problem}" for problem in _look(made, calm.trees[changed])]
    repeated = len(begun(made)) - before - calm.stages[changed] - (kills - 1)
    return Trial(label, problems, 0 if how == "power" else repeated)


def _look(made: ProjectFolder, expected: dict[str, bytes]) -> list[str]:
    """Run again without a flag, then once more: what is wrong."""
    problems = manifest_problem(made)
    (made.root / "said").write_text("")
    code = run(made)
    said = (made.root / "said").read_text()
    if code != 0:
        return [*problems, f"wedged: exit code {code}: {said[-300:]}"]
    if "Traceback" in said:
        problems.append(f"a traceback: {said[-300:]}")
    problems += differing(tree(made), expected)
    before = len(begun(made))
    if run(made) != 0 or begun(made)[before:]:
        problems.append(f"the run after it was not all cached: {begun(made)[before:]}")
    return problems


def differing(found: dict[str, bytes], expected: dict[str, bytes]) -> list[str]:
    """Every file that is not as it should be, with the place where it begins to differ."""
    names = sorted(name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name))
    return [f"{name}: {_difference(found.get(name), expected.get(name))}" for name in names]


def _difference(found: bytes | None, expected: bytes | None) -> str:
    if found is None or expected is None:
        return "is not there" if found is None else "should not be there"
    at = len(os.path.commonprefix([found, expected]))
    return f"found {found[max(at - 20, 0) : at + 60]!r}, expected {expected[max(at - 20, 0) : at + 60]!r}"


class Tally(NamedTuple):
    trials: int
    problems: list[str]
    most_repeated: int


def campaign(
    count: int,
    seed: int,
    folder: Path,
    *,
    every_point: bool = False,
    told: Callable[[Tally], bool] = lambda tally: True,
) -> Tally:
    """`count` random trials; or, with `every_point`, one at each call of an undisturbed run. `told` hears of each trial
    how it stands, and ends it all by answering False."""
    chance = random.Random(seed)
    calm = undisturbed(folder / "undisturbed")
    problems: list[str] = []
    most = 0
    points = range(1, calm.points[False] + 1) if every_point else [None] * count
    number = -1
    for number, point in enumerate(points):
        place = folder / "trial"
        found = trial(place, calm, chance, point)
        problems += [f"trial {number} of seed {seed}: {problem}" for problem in found.problems]
        most = max(most, found.repeated)
        shutil.rmtree(place)
        if not told(Tally(number + 1, problems, most)):
            break
    return Tally(number + 1, problems, most)


def _poor_error(made: ProjectFolder, said: str, refusal: str) -> list[str]:
    """The error of a refused run says which file it was, and a hint what to do."""
    lines = [line for line in said.splitlines() if "error: " in line]
    if not any(refusal in line and f"{made.root}/" in line for line in lines):
        return [f"an error that names no file: {lines}"]
    return [] if "hint: " in said else [f"no hint: {said[-300:]}"]


def refusals(count: int, seed: int, folder: Path, *, told: Callable[[Tally], bool] = lambda tally: True) -> Tally:
    """From a random call on, every write, new file, folder and rename is refused, as by a full or read-only disk: the
    run says so and ends with exit code 1, and the next one goes on."""
    chance = random.Random(seed)
    calm = undisturbed(folder / "undisturbed")
    problems: list[str] = []
    number = -1
    for number in range(count):
        made = project(folder / "trial")
        kind, at = chance.choice(("ENOSPC", "EROFS", "EIO")), chance.randrange(1, calm.points[False] + 1)
        code = run(made, Fault(kind, at))
        said = (made.root / "said").read_text()
        found = _look(made, calm.trees[False])
        if code not in (0, 1) or any(word in said for word in ("Traceback", "this is a bug", "leaked")):
            found.append(f"exit code {code}: {said[-300:]}")
        found += _poor_error(made, said, os.strerror(getattr(errno, kind))) if code else []
        problems += [f"refusal {number} of seed {seed}: {kind} from call {at}: {problem}" for problem in found]
        shutil.rmtree(made.root)
        if not told(Tally(number + 1, problems, 0)):
            break
    return Tally(number + 1, problems, 0)
