"""The sample game, built once for all tests of this folder."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "samples" / "emberkite"
# One cache for every copy of the sample that a test builds: the C library is compiled once.
os.environ.setdefault("ZIG_GLOBAL_CACHE_DIR", str(ROOT / ".cache" / "zig"))
sys.path.append(str(ROOT / "samples" / "tools"))


def load_build(sample: Path) -> ModuleType:
    """A sample's build.py as a module of its own."""
    spec = importlib.util.spec_from_file_location(f"build_{abs(hash(sample))}", sample / "build.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the guest program, the native one and provenance.toml."""
    out = tmp_path_factory.mktemp("emberkite")
    load_build(SAMPLE).build(out, reference=False)
    return out
