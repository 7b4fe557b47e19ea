"""What a work root remembers of each stage between runs: attempts, what its last result was made from, and what its
command made.

Explanations and attempt numbers depend on it, and what a command that finds its work done is taken to have made; losing
it costs no work.
"""

from __future__ import annotations

import os
from typing import Any

from recomp.engine.files import read_sealed, seal, write_atomic


class State:
    def __init__(self, engine_dir: str) -> None:
        self._path = os.path.join(engine_dir, "state")
        loaded = read_sealed(self._path)
        self.steps: dict[str, dict[str, Any]] = loaded if isinstance(loaded, dict) else {}
        self._is_written = True

    def previous(self, name: str) -> dict[str, Any] | None:
        return self.steps.get(name)

    def attempts(self, name: str) -> int:
        return self.steps.get(name, {}).get("attempts", 0)

    def started(self, name: str) -> int:
        """Count another attempt of a stage; its number."""
        step = self.steps.setdefault(name, {})
        step["attempts"] = step.get("attempts", 0) + 1
        step["failed"] = True  # until it is known not to have
        self._is_written = False
        self.save()
        return step["attempts"]

    def made(self, name: str) -> list[list[str]]:
        """What a command made when it last succeeded: [base, path, SHA-256] each."""
        return self.steps.get(name, {}).get("made", [])

    def settled(
        self, name: str, parts: dict[str, Any], *, failed: bool = False, made: list[list[str]] | None = None
    ) -> None:
        """Remember what the last result was made from, and what a command made (None: as before); written with the
        next attempt, or by `save`."""
        step = self.steps.setdefault(name, {"attempts": 0})
        now = {"ingredients": parts, "failed": failed, **({} if made is None else {"made": made})}
        if any(step.get(key) != value for key, value in now.items()):
            step.update(now)
            self._is_written = False

    def save(self) -> None:
        if not self._is_written:
            write_atomic(self._path, seal(self.steps), durable=False)
            self._is_written = True
