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


def check_separation(folders: tuple[str, ...]) -> None:
    """Raises ConfigError naming every folder that git would pick up."""
    by_tree: dict[str, list[str]] = {}
    for folder in sorted(set(folders)):
        real = os.path.realpath(folder)
        tree = work_tree_of(real)
        if tree is not None:
            by_tree.setdefault(tree, []).append(real)
    exposed = [folder for tree, inside in sorted(by_tree.items()) for folder in _not_ignored(tree, inside)]
    if exposed:
        raise ConfigError(
            "\n".join(f"{folder}: lies in a git work tree and git does not ignore it" for folder in exposed),
            hint="guest-derived data must not reach a repository: add the folder to .gitignore, or choose one outside",
        )


def work_tree_of(folder: str) -> str | None:
    """The innermost git work tree that a real path lies in."""
    while True:
        if os.path.lexists(os.path.join(folder, ".git")):
            return folder
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent


def _not_ignored(tree: str, folders: list[str]) -> list[str]:
    git = find_program("git")
    if git is None:
        raise ConfigError(
            f"{tree}: is a git work tree, and git is not there to say what it ignores",
            hint="install git, or choose a work root outside the repository",
        )
    probes = [os.path.join(os.path.relpath(folder, tree), _PROBE) for folder in folders]
    status, output, error = _run([git, "-c", "safe.directory=*", "-C", tree, "check-ignore", "--", *probes])
    if status not in (0, 1):
        raise ConfigError(f"{tree}: git cannot say what it ignores: {error.strip()}", hint="check the repository")
    ignored = set(output.splitlines())
    return [folder for folder, probe in zip(folders, probes, strict=True) if probe not in ignored]


def _run(argv: list[str]) -> tuple[int, str, str]:
    import subprocess

    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    env["LC_ALL"] = "C"
    env["GIT_OPTIONAL_LOCKS"] = "0"
    done = subprocess.run([*argv[:1], "-c", "core.quotePath=false", *argv[1:]], capture_output=True, text=True, env=env)
    return done.returncode, done.stdout, done.stderr
