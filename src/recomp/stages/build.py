"""build: the C project → the port. How it is compiled is in `recomp.stages.compile`."""

from __future__ import annotations

import os

from recomp.engine.context import Context
from recomp.engine.files import find_program
from recomp.engine.stage import Output, Result, Stage, Tool
from recomp.stages.job import AFTER, Job, command_stage
from recomp.stages.tools import find_zig

DEFAULT_JOBS = 2


def stage(job: Job) -> Stage:
    settings = job.settings
    replaced = command_stage(job, "build", watch=(job.port_path(),))
    if replaced is not None:
        return replaced
    wanted = settings.raw["build"]
    compiler = _compiler(job, wanted["compiler"])
    config = {
        "target": wanted["target"] or (host_target() if wanted["compiler"] is None else None),
        "optimisation": wanted["optimisation"],
        "processor": None if wanted["baseline"] or wanted["target"] else processor(),
    }
    jobs = wanted["jobs"] or min(DEFAULT_JOBS, os.cpu_count() or 1)
    argv = wanted["compiler"] or [find_zig(), "cc"]

    def run(context: Context) -> Result:
        from recomp.stages.compile import Build

        return Build(context, job.project_dir(), argv, config, compiler, jobs).run()

    return Stage(
        name="build",
        run=run,
        config=config,
        tools=(compiler, *job.tools.recomp("stages/build.py", "stages/compile.py", "stages/includes.py")),
        after=AFTER["build"],
        outputs=(Output("port", job.port_path(), role="port"),),
        timeout_s=settings.timeout_s("build"),
    )


def _compiler(job: Job, argv: list[str] | None) -> Tool:
    if argv is None:
        return job.tools.program("zig", find_zig(), "version")
    path = argv[0] if "/" in argv[0] else find_program(argv[0])
    return job.tools.program("cc", os.path.join(job.settings.folder, path or argv[0]), "--version")


def host_target() -> str:
    """This machine, with a C library that a port carries in itself."""
    return f"{os.uname().machine}-linux-musl"


def processor() -> str | None:
    """The processor level to build for: x86-64-v3 where this host has it, which fused multiply-add needs."""
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
            flags = next((line.split() for line in file if line.startswith("flags")), [])
    except OSError:
        return None
    return "x86_64_v3" if {"avx2", "fma", "bmi2", "f16c", "movbe"} <= set(flags) else None
