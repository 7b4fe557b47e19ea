"""Every error that may reach a user. Library code raises; `recomp.cli` prints once and picks the exit code.

The voice: `where: what is wrong: found X, expected Y`, lower case, no full stop, values quoted, offsets and guest
addresses in hex; what to do stands in `hint`, on its own line.
"""

from __future__ import annotations

import errno


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


def system_error(error: OSError) -> str:
    """What the system refused, and where."""
    text = error.strerror or str(error)
    return f"{error.filename}: {text}" if error.filename else text


def system_hint(error: OSError) -> str | None:
    """What to do about what the system refused, where that is known."""
    return {
        errno.ENOSPC: "free some space, or choose another work root",
        errno.EDQUOT: "free some space, raise the quota, or choose another work root",
        errno.EROFS: "make it writable, or choose another work root",
        errno.EACCES: "make it writable for this user, or choose another work root",
        errno.EMFILE: "raise the limit on open files: ulimit -n",
        errno.ENFILE: "close some programs: the system has no more open files to give",
        errno.EIO: "the disk or its connection fails: look at the system's log, or choose another work root",
    }.get(error.errno or 0)
