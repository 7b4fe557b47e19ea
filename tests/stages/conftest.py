"""Fixtures of the stages' tests."""

from __future__ import annotations

import os

import pytest


@pytest.fixture
def shared_store(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """One store for all tests that compile the Horizon runtime, in whichever process they run."""
    base = tmp_path_factory.getbasetemp()
    folder = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    monkeypatch.setenv("RECOMP_CACHE_DIR", str(folder / "horizon-store"))
