"""Guest-derived data stays out of version control.

A folder that will receive such data is refused when it lies in a git work tree that does not ignore it. Links are
followed first, so that it is the real place that counts; of nested repositories the innermost one decides.
"""

from __future__ import annotations

import os

from recomp.engine.files import find_program
from recomp.errors import ConfigError

#: a name that no tracked file has: what git says of it, it says of whatever will be written there
_PROBE = "recomp-probe"
_NAMED = 10


def check_separation(folders: tuple[str, ...], files: tuple[str, ...] = ()) -> None:
    """Raises ConfigError naming every folder into which, and every file that, git would pick up; also one that is
    ignored and tracked all the same."""
    wanted = [(folder, _PROBE) for folder in sorted({os.path.realpath(folder) for folder in set(folders)})]
    for file in sorted(set(files)):  # a link is what git would pick up, not what it leads to
        wanted.append((os.path.join(os.path.realpath(os.path.dirname(file)), os.path.basename(file)), ""))
    by_tree: dict[str, list[tuple[str, str]]] = {}
    trees: dict[str, str | None] = {}
    for path, probe in wanted:
        tree = work_tree_of(path if probe else os.path.dirname(path), trees)
        if tree is not None:
            by_tree.setdefault(tree, []).append((path, probe))
    exposed = [path for tree, inside in sorted(by_tree.items()) for path in _not_ignored(tree, inside)]
    if exposed:
        lines = [f"{path}: lies in a git work tree and git does not ignore it" for path in exposed[:_NAMED]]
        more = [f"and {len(exposed) - _NAMED} more"] if len(exposed) > _NAMED else []
        raise ConfigError(
            "\n".join(lines + more),
            hint="guest-derived data must not reach a repository: add it to .gitignore (and git rm --cached what is "
            "tracked), or choose a place outside",
        )


def work_tree_of(folder: str, known: dict[str, str | None]) -> str | None:
    """The innermost git work tree that a real path lies in; `known` keeps what was found out."""
    if folder not in known:
        parent = os.path.dirname(folder)
        if os.path.lexists(os.path.join(folder, ".git")):
            known[folder] = folder
        else:
            known[folder] = None if parent == folder else work_tree_of(parent, known)
    return known[folder]


def _not_ignored(tree: str, wanted: list[tuple[str, str]]) -> list[str]:
    git = find_program("git")
    if git is None:
        raise ConfigError(
            f"{tree}: is a git work tree, and git is not there to say what it ignores",
            hint="install git, or choose a work root outside the repository",
        )
    probes = [os.path.join(os.path.relpath(path, tree), probe).rstrip("/") for path, probe in wanted]
    argv = [git, "-c", "safe.directory=*", "-C", tree, "check-ignore", "-z", "--stdin"]
    status, output, error = _run(argv, "\0".join(probes))
    if status not in (0, 1):
        raise ConfigError(f"{tree}: git cannot say what it ignores: {error.strip()}", hint="check the repository")
    ignored = set(output.split("\0"))  # without what is tracked
    return [path for (path, _), probe in zip(wanted, probes, strict=True) if probe not in ignored]


def _run(argv: list[str], said: str) -> tuple[int, str, str]:
    import subprocess

    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    env["LC_ALL"] = "C"
    env["GIT_OPTIONAL_LOCKS"] = "0"
    done = subprocess.run(argv, input=os.fsencode(said), capture_output=True, env=env)
    return done.returncode, os.fsdecode(done.stdout), os.fsdecode(done.stderr)
