"""The tools that stages use, identified by what they are and not by where they lie.

A program is its content; a part of this package is its source files; a library is its version. Versions for people are
asked of the tools themselves, once for each content.
"""

from __future__ import annotations

import itertools
import os
import sys

from recomp import __version__
from recomp.engine.canonical import digest
from recomp.engine.files import find_program, read_sealed, seal, write_atomic
from recomp.engine.fingerprint import ABSENT, StatCache, list_tree
from recomp.engine.stage import Tool
from recomp.errors import ToolError

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
#: programs whose first argument is the program that counts
#: an interpreter → options behind which there is no script
_INTERPRETERS = {
    "python": ("-c", "-m", "-"), "sh": ("-c", "-s", "-"), "bash": ("-c", "-s", "-"), "dash": ("-c", "-s", "-"),
    "zsh": ("-c", "-s", "-"), "perl": ("-e", "-E", "-"), "ruby": ("-e", "-"), "node": ("-e", "-p", "-"),
    "lua": ("-e", "-"), "tclsh": ("-",),
}  # fmt: skip


#: what tools said of themselves in this process, by their content: a batch's attempts inherit it
_said: dict[str, str] = {}
#: what this package's parts were when a batch began: what its attempts have loaded, whatever lies there meanwhile
_parts: dict[str, str] = {}


class Tools:
    """`config_dir` is where commands run; `memo_path` keeps versions between runs."""

    def __init__(self, hashes: StatCache, config_dir: str, memo_path: str | None = None) -> None:
        self._hashes, self._config_dir, self._memo_path = hashes, config_dir, memo_path
        self._parts = dict(_parts)
        self._libraries: dict[str, str | None] = {}
        memo = read_sealed(memo_path) if memo_path else None
        self._versions: dict[str, str] = {**_said, **(memo if isinstance(memo, dict) else {})}

    def recomp(self, *parts: str) -> tuple[Tool, ...]:
        """Packages (`lift`) or modules (`stages/lift.py`) of recomp itself, one tool each."""
        return tuple(Tool(f"recomp.{part}", __version__, self._part(part), internal=True) for part in parts)

    def _part(self, part: str) -> str:
        if part not in self._parts:
            path = os.path.join(_PACKAGE, part)
            names = [name for name in list_tree(path) if "__pycache__" not in name] if os.path.isdir(path) else [""]
            listing = [[name, self._hashes.file(os.path.join(path, name) if name else path)[0]] for name in names]
            self._parts[part] = digest(listing)
        return self._parts[part]

    def library(self, name: str) -> tuple[Tool, ...]:
        """An installed Python package, by its version."""
        if name not in self._libraries:
            self._libraries[name] = installed_version(name)
        version = self._libraries[name]
        return (Tool(name, version, version or ABSENT),)

    def program(self, name: str, path: str, *version_arguments: str) -> Tool:
        """An executable by its content. Raises ToolError if it is not there."""
        try:
            sha256, _ = self._hashes.file(path)
        except OSError as error:
            raise ToolError(f"{path}: {name} cannot be read: {error.strerror}", hint="is it installed?") from error
        return Tool(name, self._version(sha256, [path, *version_arguments]) if version_arguments else None, sha256)

    def command(self, step: str, argv: tuple[str, ...]) -> tuple[Tool, ...]:
        """The executable of a command, the one that `env` starts and, where that is an interpreter, the script it is
        given. One that cannot be found has the identity "absent": starting it will say what is wrong."""
        found = [Tool(f"command:{step}", None, self._content(self._find(argv[0])))]
        inner = _behind_env(argv)
        if inner and inner != argv:
            found.append(Tool(f"command:{step}:program", None, self._content(self._find(inner[0]))))
        script = self._script(inner) if inner else None
        if script is not None:
            found.append(Tool(f"command:{step}:script", None, self._content(os.path.join(self._config_dir, script))))
        return tuple(found)

    def _script(self, argv: tuple[str, ...]) -> str | None:
        """The script that an interpreter is told to run, if one is: the first argument that is a file, since which
        options take a value only the interpreter knows; else the first that is no option."""
        ends = _INTERPRETERS.get(os.path.basename(argv[0]).rstrip("0123456789."))
        if ends is None:
            return None
        words = list(itertools.takewhile(lambda argument: argument not in ends, argv[1:]))
        words = [word for word in words if not word.startswith("-")]
        files = (word for word in words if os.path.isfile(os.path.join(self._config_dir, word)))
        return next(files, words[0] if words else None)

    def _find(self, name: str) -> str | None:
        if "/" in name:
            return os.path.join(self._config_dir, name)
        return find_program(name)

    def _content(self, path: str | None) -> str:
        try:
            return self._hashes.file(path)[0] if path else ABSENT
        except OSError:
            return ABSENT

    def _version(self, sha256: str, argv: list[str]) -> str | None:
        if sha256 not in self._versions:
            import subprocess

            try:
                answer = subprocess.run(argv, capture_output=True, text=True, timeout=20, check=False).stdout
            except (OSError, subprocess.TimeoutExpired):
                return None
            lines = answer.splitlines()
            self._versions[sha256] = _said[sha256] = lines[0].strip() if lines else ""
            if self._memo_path and os.path.isdir(os.path.dirname(self._memo_path)):
                write_atomic(self._memo_path, seal(self._versions), durable=False)
        return self._versions[sha256] or None


def look_at_tools(hashes: StatCache) -> None:
    """Hash this package and its compiler, and ask the compiler's version: before there are many who need it."""
    tools = Tools(hashes, os.getcwd())
    names = [name for name in list_tree(_PACKAGE) if "__pycache__" not in name]
    tools.recomp(*names, *sorted({name.partition("/")[0] for name in names if "/" in name}))
    _parts.update(tools._parts)
    try:
        tools.program("zig", find_zig(), "version")
    except ToolError:
        pass  # whoever needs it says so


def _behind_env(argv: tuple[str, ...]) -> tuple[str, ...]:
    """The command that `env` starts, as far as its usual options go; any other as it is."""
    words = list(argv)
    while words and os.path.basename(words[0]) == "env":
        words.pop(0)
        while words and (words[0].startswith("-") or "=" in words[0]):
            word = words.pop(0)
            if word in ("-u", "--unset", "-C", "--chdir"):
                del words[:1]
            elif word in ("-S", "--split-string") and words:
                words[:1] = words[0].split()
    return tuple(words)


def find_package_folder(name: str) -> str | None:
    """The folder of an installed package, without importing it."""
    return next((p for entry in sys.path if os.path.isdir(p := os.path.join(entry or ".", name))), None)


def installed_version(name: str) -> str | None:
    """The version of an installed distribution by its metadata folder, without importing anything."""
    for entry in sys.path:
        try:
            listing = sorted(os.listdir(entry or "."))
        except OSError:
            continue
        for item in listing:
            if item.startswith(name + "-") and item.endswith(".dist-info"):
                return item[len(name) + 1 : -len(".dist-info")]
    return None


def find_zig() -> str:
    """The compiler of the ziglang wheel. Raises ToolError."""
    folder = find_package_folder("ziglang")
    path = os.path.join(folder, "zig") if folder else None
    if path is None or not os.path.isfile(path):
        raise ToolError("zig: the ziglang package is not installed", hint="install it, or set [build] compiler")
    return path
