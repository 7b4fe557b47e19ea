"""port: one program → one executable, for people who want the program and not the project.

The same lift, emitter and build as in a project. Finished ports and objects are kept in the store that all of a user's
projects may share, so that what was built once is copied the next time.
"""

from __future__ import annotations

import os
import tempfile
from typing import NamedTuple

from recomp.engine.canonical import digest, digest_bytes
from recomp.engine.context import Context
from recomp.engine.files import remove_quietly, remove_tree, sync_folder, write_atomic
from recomp.engine.fingerprint import StatCache
from recomp.engine.reporter import Reporter
from recomp.engine.stage import Output, Result, Stage, Tool
from recomp.engine.store import BlobMissing, Store, copy_file
from recomp.errors import FormatError, RecompError
from recomp.stages.build import DEFAULT_JOBS, host_target, processor
from recomp.stages.compile import Build
from recomp.stages.modules import module_label, parse_module
from recomp.stages.tools import Tools, find_zig

#: the parts of recomp that decide what a port is
PARTS = ("lift", "formats", "a64", "emit", "semantics", "runtime", "stages")
#: everything that --march may be: what the compiler is told, by what a person says
LEVELS = {"x86-64": "x86_64", "x86-64-v2": "x86_64_v2", "x86-64-v3": "x86_64_v3", "x86-64-v4": "x86_64_v4"}
LEVELS |= {"native": "native", "baseline": "baseline"}


class Request(NamedTuple):
    """What to port and where to. `march`: a key of LEVELS, or None for the best level that this host has; `keep`: a
    folder for the C project; `optimisation`: the compiler's level; `faults`: as `LiftOptions.faults`."""

    program: str
    output: str
    name_map: str | None = None
    trace: str | None = None
    march: str | None = None
    keep: str | None = None
    optimisation: str = "2"
    faults: str = ""
    jobs: int = DEFAULT_JOBS


class Sources(NamedTuple):
    """The bytes that a port is made of."""

    program: bytes
    name_map: bytes | None
    trace: bytes


def make_port(request: Request, reporter: Reporter) -> tuple[Result, bool]:
    """Make the executable; True = it was copied from the store. `output` is replaced in one step, or not at all.

    Raises FormatError for inputs that are not what they should be, RecompError for files that cannot be read or
    written, ToolError and StageError as building does.
    """
    sources = Sources(
        read_input(request.program, "program"),
        read_input(request.name_map, "name map") if request.name_map else None,
        read_input(request.trace, "misses") if request.trace else b"",
    )
    _check_output(request.output)
    root = cache_folder()
    store = Store(root)
    hashes = StatCache(os.path.join(root, "stat-cache"))
    tools = Tools(hashes, os.getcwd(), os.path.join(root, "versions"))
    store.share()
    try:
        return _make(request, sources, store, tools, reporter)
    finally:
        hashes.save()
        store.release()


def cache_folder() -> str:
    """RECOMP_CACHE_DIR, as for projects; else the user's own cache."""
    named = os.environ.get("RECOMP_CACHE_DIR")
    if named:
        return os.path.abspath(named)
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(os.path.abspath(base), "recomp")


def read_input(path: str, what: str) -> bytes:
    """A file's bytes. Raises RecompError."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise RecompError(f"{path}: the {what} cannot be read: {error.strerror}") from error


def _check_output(path: str) -> None:
    folder = os.path.dirname(path) or "."
    if not os.path.isdir(folder):
        raise RecompError(f"{path}: the folder {folder} does not exist")
    if os.path.isdir(path):
        raise RecompError(f"{path}: is a folder: expected the name of a file")


def _make(request: Request, sources: Sources, store: Store, tools: Tools, reporter: Reporter) -> tuple[Result, bool]:
    compiler = tools.program("zig", find_zig(), "version")
    config = {
        "target": host_target(),
        "optimisation": request.optimisation,
        "processor": LEVELS[request.march] if request.march else processor(),
    }
    key = _key(request, sources, config, compiler, tools)
    if not request.keep:
        size = _restore(store, key, request.output)
        if size is not None:
            _place_romfs(request, sources)
            return Result(found=f"port of {size / 1e6:.1f} MB"), True
    scratch_root = os.path.join(store.root, "tmp")
    with tempfile.TemporaryDirectory(prefix="port-", dir=scratch_root) as scratch:
        result = _build(request, sources, config, compiler, store, reporter, scratch)
        built = os.path.join(scratch, "port")
        sha256, size = store.put_file(built)
        store.put_action(_record(key, compiler, sha256, size))
        _place(built, request.output)
        _place_romfs(request, sources)
        if request.keep:
            _keep_project(os.path.join(scratch, "project"), request.keep)
    return result, False


def _key(request: Request, sources: Sources, config: dict, compiler: Tool, tools: Tools) -> str:
    parts = [tool.identity for tool in tools.recomp(*PARTS)]
    contents = [None if data is None else digest_bytes(data) for data in sources]
    return digest(
        ["port", os.path.basename(request.program), contents, config, request.faults, compiler.identity, parts]
    )


def _record(key: str, compiler: Tool, sha256: str, size: int) -> dict:
    entry = {"base": "port", "path": "", "sha256": sha256, "size": size, "mode": 0o755, "role": "port"}
    return {
        "schema_version": "1", "step": "port", "cache_key": key, "outputs": [{**entry, "class": "derived"}],
        "tool_versions": {compiler.name: compiler.version}, "logs": {},
    }  # fmt: skip


def _restore(store: Store, key: str, output: str) -> int | None:
    """The size of the port copied from the store, or None if it is not there."""
    record = store.action(key)
    if record is None:
        return None
    try:
        store.restore(record["outputs"][0]["sha256"], os.path.abspath(output), _mode())
    except BlobMissing:
        return None
    store.touch(key)
    return int(record["outputs"][0]["size"])


def _build(
    request: Request, sources: Sources, config: dict, compiler: Tool, store: Store, reporter: Reporter, scratch: str
) -> Result:
    project = os.path.join(scratch, "project")
    stage = Stage("port", run=lambda _: Result(), outputs=(Output("port", request.output),), timeout_s=None)
    context = Context(
        stage, scratch=scratch, log_dir=scratch, cwd=scratch, env=dict(os.environ), store=store, reporter=reporter,
        settled=list,
    )  # fmt: skip
    reporter.stage_started("port", "")
    context.progress(0, None, "reading the program")
    found = write_project(request, sources, project, context)
    built = Build(context, project, [find_zig(), "cc"], config, compiler, request.jobs).run()
    return Result(found=f"{found}; {built.found}")


def write_project(request: Request, sources: Sources, folder: str, context: Context) -> str:
    """Lift the program and write its C project; returns what was found."""
    from recomp.emit import EmitOptions, emit_project
    from recomp.lift.lift import LiftOptions, lift_elf, lift_modules, read_misses
    from recomp.lift.names import read_name_map

    names = read_name_map(sources.name_map) if sources.name_map is not None else None
    try:
        misses, lift_options = read_misses(sources.trace), LiftOptions(faults=request.faults)
        if _is_console_module(sources.program):
            image, _ = parse_module(sources.program)
            named = [(module_label(request.program), image)]
            module, segments, summary = lift_modules(named, name_map=names, trace=misses, options=lift_options)
        else:
            module, segments, summary = lift_elf(sources.program, name_map=names, trace=misses, options=lift_options)
    except FormatError as error:
        raise FormatError(f"{request.program}: {error.message}", hint=error.hint) from error
    found = f"{summary.functions:,} functions, {summary.instructions:,} instructions"
    context.progress(0, None, f"writing C: {found}")
    realtime = not _is_console_module(sources.program)  # a console program plays in virtual time only
    name, digest = os.path.basename(request.program), digest_bytes(sources.program)
    options = EmitOptions(source=name, sha256=digest, realtime=realtime)
    for name, content in sorted(emit_project(module, segments, options).items()):
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)
    return found


def _mode() -> int:
    """What a linker would give an executable here."""
    umask = os.umask(0)
    os.umask(umask)
    return 0o777 & ~umask


def _place(built: str, output: str) -> None:
    """Replace `output`, which may lie on another file system, in one step."""
    temporary = os.path.join(os.path.dirname(output) or ".", f".{os.path.basename(output)}.{os.getpid()}.tmp")
    try:
        copy_file(built, temporary, _mode())
        os.replace(temporary, output)
    finally:
        remove_quietly(temporary)
    sync_folder(os.path.dirname(output) or ".")


def _is_console_module(program: bytes) -> bool:
    """An NRO, or an NSO that is a program by itself."""
    return program[0x10:0x14] == b"NRO0" or program[:4] == b"NSO0"


def _place_romfs(request: Request, sources: Sources) -> None:
    """An NRO's RomFS beside the port, where it looks for it."""
    assets = parse_module(sources.program)[1] if _is_console_module(sources.program) else None
    if assets is not None and assets.romfs:
        write_atomic(f"{request.output}.romfs", assets.romfs)


def _keep_project(project: str, folder: str) -> None:
    """Put the project at `folder`, which must be absent, empty, or an earlier project."""
    import shutil

    if os.path.isdir(folder) and os.listdir(folder) and not os.path.exists(os.path.join(folder, "manifest.json")):
        raise RecompError(f"{folder}: is neither empty nor a C project of recomp's", hint="choose another folder")
    remove_tree(folder)
    shutil.copytree(project, folder)
