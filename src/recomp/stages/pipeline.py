"""pipeline: the lifted module → a C project that a person can also build by hand (`build_dir/project`)."""

from __future__ import annotations

import json
import os

from recomp.engine.context import Context
from recomp.engine.stage import Input, Output, Result, Stage
from recomp.errors import FormatError
from recomp.stages.job import AFTER, Job


def stage(job: Job) -> Stage:
    settings = job.settings
    lifted = settings.path("inputs", "module_json") if settings.mode == "lifted" else None
    module = lifted or settings.lifted_module_json
    if lifted:
        inputs = (Input(os.path.basename(module), module), *_segment_inputs(module))
    else:
        inputs = job.reads("lift", "module.json", module)
    runtime_path = settings.path("inputs", "runtime_path")
    if runtime_path is not None:
        inputs += (Input("runtime", runtime_path),)
    config = {
        "title": job.project.title,
        "source": _source_name(job),
        "lift_mode": settings.raw["run"]["lift_mode"],
        "lift_entry": settings.raw["run"]["lift_entry"],
    }

    def run(context: Context) -> Result:
        return _run(context, module, config, runtime_path)

    return Stage(
        name="pipeline",
        run=run,
        inputs=inputs,
        config=config,
        tools=job.tools.recomp("emit", "semantics", "a64", "lift", "runtime", "stages/pipeline.py"),
        after=AFTER["pipeline"],
        outputs=(Output("project", job.project_dir(), tree=True, role="project"),),
        timeout_s=settings.timeout_s("pipeline"),
    )


def _source_name(job: Job) -> str:
    inputs = job.settings.raw["inputs"]
    value = inputs["elf"] or inputs["nro"] or inputs["module_json"] or inputs["xci"]
    return os.path.basename(value.replace("\\", "/"))


def _segment_inputs(module: str) -> tuple[Input, ...]:
    """The files that a ready-made module names as the initial bytes of its segments."""
    try:
        with open(module, "rb") as file:
            segments = json.load(file).get("segments", [])
        paths = [s["init_path"] for s in segments if s.get("init_path")]
    except (OSError, ValueError, AttributeError, TypeError, KeyError):
        return ()  # the pipeline will say what is wrong with it
    folder = os.path.dirname(module)
    return tuple(Input(f"segment {path}", os.path.join(folder, path), True) for path in sorted(map(str, paths)))


def _run(context: Context, module: str, config: dict, runtime_path: str | None) -> Result:
    try:
        with open(module, "rb") as file:
            data = file.read()
    except OSError as error:
        raise FormatError(
            f"{module}: the lifted module cannot be read: {error.strerror}",
            hint="the lift command must write it to the path in RECOMP_LIFTED_MODULE_JSON",
        ) from error
    files = emit_module(data, module, config)
    if runtime_path is not None:
        files = _replace_runtime(files, runtime_path)
    for name, content in sorted(files.items()):
        path = os.path.join(context.out("project"), name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)
    units = sum(name.startswith("unit_") for name in files)
    size = sum(len(content) for name, content in files.items() if name.endswith(".c") and not name.startswith("rt/"))
    return Result(found=f"{units} units, {size / 1e6:.1f} MB of C")


def emit_module(data: bytes, path: str, config: dict) -> dict[str, bytes]:
    """The files of the C project. Raises FormatError, ConfigError, LiftError."""
    try:
        root = json.loads(data)
        form = root.get("form") if isinstance(root, dict) else None
    except (ValueError, RecursionError):
        form = None  # what is wrong is said below
    import hashlib  # not for a run with nothing to do

    sha256 = hashlib.sha256(data).hexdigest()
    if form == "a64":
        return _emit_dense(data, path, config, sha256)
    from recomp.emit import EmitOptions, emit_ops_project
    from recomp.stages.module_problems import module_problems

    problems = module_problems(data, os.path.basename(path))
    if problems:
        raise FormatError("\n".join(problem.render() for problem in problems))
    options = EmitOptions(source=config["source"], sha256=sha256)
    return emit_ops_project(
        data, options, title=config["title"], read_file=lambda name: _segment_bytes(os.path.dirname(path), name, None)
    )


def _emit_dense(data: bytes, path: str, config: dict, sha256: str) -> dict[str, bytes]:
    import msgspec

    from recomp.emit import EmitOptions, emit_project
    from recomp.lift.module import decode_module

    try:
        module = decode_module(data)
    except msgspec.MsgspecError as error:
        raise FormatError(f"{path}: is not a lifted module: {error}") from error
    folder = os.path.dirname(path)
    segments = {s.init_path: _segment_bytes(folder, s.init_path, s.init_size) for s in module.segments}
    stubs = tuple(sorted(config["title"]["stubs"].items())) if module.abi == "horizon" else ()
    return emit_project(module, segments, EmitOptions(source=config["source"], sha256=sha256, stubs=stubs))


def _segment_bytes(folder: str, name: str, size: int | None) -> bytes:
    """The initial bytes of a segment. Raises FormatError, also for a path that leads out of the module's folder."""
    if not name:
        return b""
    path = os.path.normpath(os.path.join(folder, name))
    if os.path.isabs(name) or not path.startswith(folder + os.sep):
        raise FormatError(f"module: init_path {name!r} leads out of the module's folder")
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise FormatError(f"{path}: segment bytes cannot be read: {error.strerror}") from error
    if size is not None and len(data) != size:
        raise FormatError(f"{path}: found {len(data)} bytes, expected {size} as the module says")
    return data


def _replace_runtime(files: dict[str, bytes], folder: str) -> dict[str, bytes]:
    """The project with another runtime source tree under `rt/`."""
    from recomp.engine.fingerprint import list_tree

    kept = {name: content for name, content in files.items() if not name.startswith("rt/")}
    for name in list_tree(folder):
        if name.endswith((".c", ".h")):
            with open(os.path.join(folder, name), "rb") as file:
                kept[f"rt/{name}"] = file.read()
    return kept
