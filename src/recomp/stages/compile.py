"""Compiling a C project, every translation unit cached by its content.

A unit's key covers its bytes, those of every file of the project that it includes or embeds, flags, target and the
compiler's own content: nothing else can change the object file, so that nothing need be preprocessed to know it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from functools import partial

from recomp.engine.canonical import digest
from recomp.engine.context import Context
from recomp.engine.fingerprint import list_tree
from recomp.engine.process import Outcome, Program, run_programs
from recomp.engine.stage import Result, Tool
from recomp.engine.store import BlobMissing
from recomp.errors import StageError
from recomp.stages.includes import Includes

INCLUDE_FOLDER = "rt/include"


class Build:
    """One build: restores what the store has, compiles the rest, links. `config`: target, optimisation, processor."""

    def __init__(
        self, context: Context, project: str, argv: list[str], config: dict, compiler: Tool, jobs: int
    ) -> None:
        self.context, self.project, self.argv, self.config = context, project, argv, config
        self.compiler, self.jobs = compiler, jobs
        self.objects = os.path.join(context.scratch, "objects")
        self.logs = os.path.join(context.scratch, "logs")
        self.done = 0

    def run(self) -> Result:
        os.makedirs(self.objects)
        os.makedirs(self.logs)
        names = list_tree(self.project)
        sources = [name for name in names if name.endswith(".c")]
        if not sources:
            raise StageError(f"build: no C files in {self.project}", hint="did the pipeline stage write a project?")
        flags = [flag for flag in self._project_flags() if not flag.startswith("-O")]
        flags.append(f"-O{self.config['optimisation']}")
        self.flags = [*flags, *self._target_flags()]
        self.includes = Includes(self.project, names, (INCLUDE_FOLDER,))
        keys = {name: self._unit_key(name) for name in sources}
        missing = [name for name in sources if not self._restore(name, keys[name])]
        self.done = len(sources) - len(missing)
        self.total = len(sources)
        self._compile(missing, keys)
        self._link(sources)
        size = os.path.getsize(self.context.out("port"))
        return Result(found=f"{len(sources)} units, {len(missing)} compiled, port of {size / 1e6:.1f} MB")

    def _project_flags(self) -> list[str]:
        """What the project says it is to be compiled with; the emitter's defaults for a project without a manifest."""
        from recomp.emit.project import FLAGS

        path = os.path.join(self.project, "manifest.json")
        if not os.path.exists(path):
            return list(FLAGS)
        try:
            return [str(flag) for flag in json.loads(_read(path))["flags"]]
        except (ValueError, KeyError, TypeError):
            raise StageError(f"build: {path}: no list of compiler flags in it") from None

    def _target_flags(self) -> list[str]:
        flags = ["-target", self.config["target"]] if self.config["target"] else []
        if self.config["processor"]:
            is_zig = self.config["target"] is not None
            flags.append(f"-mcpu={self.config['processor']}" if is_zig else "-march=x86-64-v3")
        return flags

    # Units

    def _unit_key(self, name: str) -> str:
        return digest(["object", name, self.includes.contents(name), self.flags, self.compiler.identity])

    def _object(self, name: str) -> str:
        return os.path.join(self.objects, name.replace("/", "__")[:-2] + ".o")

    def _restore(self, name: str, key: str) -> bool:
        record = None if self.context.is_audit else self.context.store.action(key)
        if record is None:
            return False
        self.context.store.touch(key)
        try:
            self.context.store.restore(record["outputs"][0]["sha256"], self._object(name), 0o644)
        except BlobMissing:
            return False
        return True

    def _keep(self, name: str, key: str) -> None:
        sha256, size = self.context.store.put_file(self._object(name))
        entry = {"base": "object", "path": "", "sha256": sha256, "size": size, "mode": 0o644, "role": "object"}
        self.context.store.put_action({
            "schema_version": "1", "step": "unit", "cache_key": key, "outputs": [{**entry, "class": "derived"}],
            "ingredients": {"tools": {self.compiler.name: self.compiler.identity}},
            "tool_versions": {self.compiler.name: self.compiler.version}, "logs": {},
        })  # fmt: skip

    def _compile(self, names: list[str], keys: dict[str, str]) -> None:
        running: dict[Program, str] = {}

        def starters() -> Iterator[Callable[[], Program]]:
            for name in _rotated(names, os.getpid()):
                if self._restore(name, keys[name]):  # another build of the same runtime has compiled it meanwhile
                    self.done += 1
                else:
                    yield partial(self._start, name, running)

        def ended(program: Program, outcome: Outcome) -> None:
            name = running.pop(program)
            self._check(outcome, f"compiling {name}", self._log(name))
            self._keep(name, keys[name])
            self.done += 1
            self.context.progress(self.done, self.total, name)

        self.context.progress(self.done, self.total, "")
        run_programs(starters(), jobs=self.jobs, ended=ended)

    def _start(self, name: str, running: dict[Program, str]) -> Program:
        argv = [*self.argv, *self.flags, f"-I{INCLUDE_FOLDER}", "-c", name, "-o", self._object(name)]
        program = self._program(argv, self._log(name))
        running[program] = name
        return program

    def _log(self, name: str) -> str:
        return os.path.join(self.logs, name.replace("/", "__"))

    def _program(self, argv: list[str], log: str) -> Program:
        return Program(
            argv,
            cwd=self.project,
            env={**self.context.env, "ZIG_LOCAL_CACHE_DIR": os.path.join(self.context.scratch, "zig")},
            stdout_path=log + ".stdout",
            stderr_path=log + ".stderr",
        )

    def _check(self, outcome: Outcome, what: str, log: str) -> None:
        with open(self.context.log_path("stderr"), "ab") as file:
            text = _read(log + ".stderr")
            file.write(f"== {what}\n".encode() + text if text else b"")
        self.context.check(outcome, what)

    # Link

    def _link(self, sources: list[str]) -> None:
        from recomp.engine.process import run_program

        if self.config["target"] and not os.path.exists(self._warm_marker()):
            self.context.message("the first link for a target builds its libc: this takes up to a minute, once")
        argv = [*self.argv, *self._target_flags(), "-s", "-o", self.context.out("port")]
        argv += [*map(self._object, sources), "-lm", "-lpthread"]
        log = os.path.join(self.logs, "link")
        self._check(run_program(self._program(argv, log)), "linking the port", log)
        if self.config["target"]:
            marker = self._warm_marker()
            os.makedirs(os.path.dirname(marker), exist_ok=True)
            with open(marker, "wb"):
                pass

    def _warm_marker(self) -> str:
        base = os.environ.get("ZIG_GLOBAL_CACHE_DIR")
        if not base:
            cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
            base = os.path.join(cache, "zig")
        return os.path.join(base, f"recomp-warm-{self.config['target']}-{self.compiler[:12]}")


def _rotated(names: list[str], number: int) -> list[str]:
    """The names from another one on for each number, neighbours far apart: builds that begin at the same time with an
    empty store share the runtime's files among them."""
    first = int(number * 0.6180339887 % 1.0 * len(names))
    return names[first:] + names[:first]


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()
