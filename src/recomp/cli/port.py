"""`recomp port`: a program, one command, an executable."""

from __future__ import annotations

import argparse
import os
import time

from recomp.cli.interrupt import EXIT_INTERRUPTED, interruptible
from recomp.cli.progress import Lines
from recomp.cli.text import duration, printable
from recomp.engine.loop import Interrupted
from recomp.errors import ConfigError
from recomp.stages.port import Request, make_port


def command(options: argparse.Namespace) -> int:
    import sys

    if options.jobs < 1:
        raise ConfigError(f"--jobs: found {options.jobs}, expected 1 or more")
    request = Request(
        program=options.program,
        output=options.output,
        name_map=options.name_map,
        trace=options.trace,
        march=options.march,
        faults=options.faults or "",
        keep=options.keep,
        jobs=options.jobs,
    )
    started = time.monotonic()
    lines = Lines(sys.stderr)
    try:
        with interruptible():
            result, cached = make_port(request, lines)
    except Interrupted:
        print("recomp: interrupted; what was compiled is kept", file=sys.stderr)
        return EXIT_INTERRUPTED
    finally:
        lines.close()
    name = os.path.relpath(options.output) if not os.path.isabs(options.output) else options.output
    took = "cached" if cached else duration(time.monotonic() - started)
    print(f"{printable(name)}: {result.found} ({took})")
    return 0
