"""Where the engine keeps its own things, and where a run's results go."""

from __future__ import annotations

import os
import re
from typing import NamedTuple


class Layout(NamedTuple):
    """Absolute paths. `roots` ("@name" → folder) are what recorded paths are relative to."""

    work_root: str
    log_dir: str
    run_manifest: str
    config_dir: str
    roots: dict[str, str]
    shared_store: str | None = None

    @property
    def engine_dir(self) -> str:
        return os.path.join(self.work_root, ".recomp")

    @property
    def store_dir(self) -> str:
        return self.shared_store or os.path.join(self.engine_dir, "store")

    @property
    def scratch_dir(self) -> str:
        return os.path.join(self.engine_dir, "scratch")

    @property
    def runs_dir(self) -> str:
        return os.path.join(self.engine_dir, "runs")

    def written(self, path: str) -> str:
        """A path as records spell it: relative to the config's folder if it lies in there."""
        folder = self.config_dir.rstrip("/") + "/"
        if path.startswith(folder):  # os.path.relpath takes ten times as long, and a manifest has a thousand
            return os.path.normpath(path[len(folder) :])
        return "." if path == self.config_dir else path

    def worded(self, text: str) -> str:
        """What somebody said, with the paths in it as records spell them."""
        folder = self.config_dir.rstrip("/") + "/"
        return text if folder == "/" else re.sub(rf"(?<![\w./-]){re.escape(folder)}", "", text)
