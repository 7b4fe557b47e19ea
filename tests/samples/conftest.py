"""The sample game, built once for all tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.samples.sample import SAMPLE, load_build
from tests.samples.short import make_short


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the guest program, the native one and provenance.toml."""
    out = tmp_path_factory.mktemp("emberkite")
    load_build(SAMPLE).build(out, reference=False)
    return out


@pytest.fixture(scope="session")
def short(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project of `make_short`, run once and passed."""
    return make_short(built, tmp_path_factory.mktemp("short"))
