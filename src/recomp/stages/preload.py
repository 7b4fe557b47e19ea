"""What the stages import when they first need it, imported beforehand: for a process whose children are attempts."""

from __future__ import annotations

import os


def preload() -> None:
    """Import what every attempt needs, and make what takes long to make, once, before there are any attempts.
    Nothing that starts threads, which a fork does not take along: numpy's library of algebra would."""
    name = "OPENBLAS_NUM_THREADS"
    before = os.environ.get(name)
    os.environ[name] = "1"
    try:
        import numpy  # noqa: F401
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
    import ctypes  # noqa: F401
    import hashlib  # noqa: F401
    import traceback  # noqa: F401

    import recomp.emit.project
    import recomp.engine.landlock
    import recomp.engine.process
    import recomp.formats.elf
    import recomp.lift.lift
    import recomp.media.compare
    import recomp.media.video
    import recomp.stages.compile
    import recomp.stages.module_problems  # noqa: F401
    from recomp.emit.code import Code
    from recomp.lift.words import NOP
    from recomp.report.page import template

    Code((), {}).pieces((NOP,), 0)
    template()
