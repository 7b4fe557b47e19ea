"""Where the sample game is, and its build as a module."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "samples" / "emberkite"
sys.path += [str(ROOT / "samples" / "tools"), str(ROOT / "tools")]
# One cache for every copy of the sample that a test builds: the C library is compiled once.
os.environ.setdefault("ZIG_GLOBAL_CACHE_DIR", str(ROOT / ".cache" / "zig"))


def load_build(sample: Path) -> ModuleType:
    """A sample's build.py as a module of its own."""
    spec = importlib.util.spec_from_file_location("sample_build", sample / "build.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
