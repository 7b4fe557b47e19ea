"""Every error that may reach a user. Library code raises; `recomp.cli` prints once and picks the exit code.

The voice: `where: what is wrong: found X, expected Y`, lower case, no full stop, values quoted, offsets and guest
addresses in hex; what to do stands in `hint`, on its own line.
"""

from __future__ import annotations


class RecompError(Exception):
    """An error a user can act on.

    `message` is one line without the program's name; `hint` says what to do; `exit_code` as in docs/cli.md.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class ConfigError(RecompError):
    """A usage or configuration error."""

    exit_code = 2


class FormatError(RecompError):
    """Bytes that are not what their format promises."""


class LiftError(RecompError):
    """The lifter cannot go on (never raised for an unknown instruction: those become traps)."""


class ToolError(RecompError):
    """An external tool failed or is missing."""


class StageError(RecompError):
    """A stage ran and failed."""


class GateError(RecompError):
    """A policy gate refused."""

    exit_code = 3


class LockError(RecompError):
    """Another run holds the work root."""

    exit_code = 4
