"""What the commands that look at a project share: loading it, and its place in the store."""

from __future__ import annotations

import os
from typing import NamedTuple

from recomp.config import project as projects
from recomp.engine.fingerprint import StatCache
from recomp.engine.layout import Layout
from recomp.engine.state import State
from recomp.engine.store import Store
from recomp.stages.preflight import check_folders
from recomp.stages.setup import Prepared, layout_of, prepare


class Opened(NamedTuple):
    """A project, planned but not locked: for looking, not for writing."""

    prepared: Prepared
    layout: Layout
    store: Store
    state: State


def open_project(config: str) -> Opened:
    """Raises ConfigError, and whatever else stands in the way of a run."""
    project = projects.load(config)
    layout = layout_of(project)
    receiving = check_folders(project)
    hashes = StatCache(os.path.join(layout.engine_dir, "stat-cache"))
    prepared = prepare(project, hashes, receiving)
    return Opened(prepared, layout, Store(layout.store_dir, make=False), State(layout.engine_dir))


def open_layout(config: str) -> Layout:
    """Where a project's runs are, without looking at its inputs."""
    return layout_of(projects.load(config))
