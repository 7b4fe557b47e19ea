"""`recomp doctor`: whether everything that a run needs is there, and what to do where it is not."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from typing import NamedTuple

from recomp.cli.text import paint
from recomp.engine.landlock import abi_version
from recomp.errors import ToolError
from recomp.stages.tools import find_zig, installed_version

NEEDED_DISK_BYTES = 4 << 30
NEEDED_MEMORY_BYTES = 2 << 30


class Check(NamedTuple):
    """`cure` is empty where nothing is to be done; only what is `required` makes the exit code 1."""

    name: str
    ok: bool
    found: str
    cure: str = ""
    required: bool = True


def command(options: argparse.Namespace) -> int:
    checks = [check() for check in CHECKS]
    if options.json:
        print(json.dumps([check._asdict() for check in checks], indent=2))
    else:
        for check in checks:
            mark = paint("ok  ", "green", sys.stdout) if check.ok else paint("FAIL", "red", sys.stdout)
            if not check.ok and not check.required:
                mark = paint("note", "yellow", sys.stdout)
            print(f"{mark} {check.name:<12} {check.found}")
            if not check.ok:
                print(f"     {'':<12} {check.cure}")
    return 1 if any(not check.ok and check.required for check in checks) else 0


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    return Check("python", sys.version_info >= (3, 11), version, "install Python 3.11 or later")


def _compiler() -> Check:
    try:
        path = find_zig()
    except ToolError as error:
        return Check("compiler", False, error.message, "install the package ziglang into this environment")
    import subprocess

    done = subprocess.run([path, "version"], capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0:
        return Check("compiler", False, f"{path} does not run: {done.stderr.strip()[:200]}", "reinstall ziglang")
    return Check("compiler", True, f"zig {done.stdout.strip()}")


def _codecs() -> Check:
    version = installed_version("av")
    if version is None:
        return Check("codecs", False, "PyAV is not installed", "install the package av into this environment")
    import av

    lossless = [name for name in ("libx264rgb", "ffv1") if name in av.codecs_available]
    return Check("codecs", bool(lossless), f"PyAV {version}: {', '.join(lossless) or 'no lossless video codec'}",
                 "install a PyAV wheel that has ffv1")  # fmt: skip


def _disk() -> Check:
    free = shutil.disk_usage(os.getcwd()).free
    return Check("disk", free >= NEEDED_DISK_BYTES, f"{free / 1e9:.1f} GB free here",
                 f"a run may need {NEEDED_DISK_BYTES / 1e9:.0f} GB: free some, or put work_root elsewhere")  # fmt: skip


def _memory() -> Check:
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            line = next(line for line in file if line.startswith("MemAvailable"))
        free = int(line.split()[1]) * 1024
    except (OSError, StopIteration, ValueError):
        return Check("memory", True, "unknown")
    return Check("memory", free >= NEEDED_MEMORY_BYTES, f"{free / 1e9:.1f} GB available",
                 "set [build] jobs = 1, and close what you can")  # fmt: skip


def _reservation() -> Check:
    """A port reserves 4 GiB of addresses, which a limit on virtual memory forbids."""
    import resource

    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    ok = limit == resource.RLIM_INFINITY or limit > 6 << 30
    return Check("addresses", ok, "unlimited" if limit == resource.RLIM_INFINITY else f"{limit / 1e9:.1f} GB",
                 "raise the limit on virtual memory: ulimit -v unlimited")  # fmt: skip


def _git() -> Check:
    path = shutil.which("git")
    return Check("git", path is not None, path or "is not installed",
                 "install git, or keep work roots outside repositories", required=False)  # fmt: skip


def _confinement() -> Check:
    version = abi_version()
    return Check("confinement", version > 0, f"Landlock ABI {version}" if version else "the kernel has no Landlock",
                 "ports run unconfined here: run only programs that you trust", required=False)  # fmt: skip


def _temporary() -> Check:
    try:
        with tempfile.TemporaryFile():
            return Check("temporary", True, tempfile.gettempdir())
    except OSError as error:
        return Check("temporary", False, f"cannot write to {tempfile.gettempdir()}: {error.strerror}", "set TMPDIR")


CHECKS: tuple[Callable[[], Check], ...] = (
    _python, _compiler, _codecs, _disk, _memory, _reservation, _temporary, _git, _confinement,
)  # fmt: skip
