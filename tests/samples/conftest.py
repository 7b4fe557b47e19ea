"""The sample game, built once for all tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.samples.sample import SAMPLE, load_build


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the guest program, the native one and provenance.toml."""
    out = tmp_path_factory.mktemp("emberkite")
    load_build(SAMPLE).build(out, reference=False)
    return out
