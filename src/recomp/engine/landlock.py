"""Confinement without root or containers: Linux's Landlock, by its system calls.

A confined program may read and execute what it is given and the system, and write only the folders it is given; it
keeps these bounds in every process it starts. Where the kernel has no Landlock, nothing is confined, and the manifest
says so. Source: the kernel's Documentation/userspace-api/landlock.rst.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_PR_SET_NO_NEW_PRIVS = 38
_PATH_BENEATH = 1
_VERSION_FLAG = 1

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_REFER, _TRUNCATE, _IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
#: all rights of the first ABI: the above, and making and removing of every kind of file
_FIRST_ABI = (1 << 13) - 1
_READ = _EXECUTE | _READ_FILE | _READ_DIR
#: rights that may be asked for a file that is no folder
_FILE_RIGHTS = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV

#: what every program needs to start, and nothing of anybody's own
SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/sbin", "/etc", "/nix/store", "/proc", "/sys/devices/system/cpu")
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")


def abi_version() -> int:
    """The kernel's Landlock ABI; 0 where there is none."""
    return max(_syscall(_CREATE_RULESET, 0, 0, _VERSION_FLAG), 0)


def confinement(read: tuple[str, ...], write: tuple[str, ...]) -> Callable[[], None] | None:
    """What a child calls before it becomes the program, or None where the kernel cannot confine.

    `read` and `write` are files or folders; those that are not there are left out. What may be written may be read.
    """
    version = abi_version()
    if version < 1:
        return None
    handled = _FIRST_ABI | (_REFER if version >= 2 else 0) | (_TRUNCATE if version >= 3 else 0)
    rules = [(path, _READ) for path in (*SYSTEM, *read)]
    rules += [(path, handled) for path in (*write, *DEVICES)]

    def confine() -> None:
        _restrict(handled, rules)

    return confine


def _restrict(handled: int, rules: list[tuple[str, int]]) -> None:
    """Raises OSError if the kernel refuses, so that the program is not started unconfined."""
    attributes = struct.pack("<Q", handled)
    ruleset = _checked(_syscall(_CREATE_RULESET, attributes, 8, 0))
    try:
        for path, rights in rules:
            _allow(ruleset, path, rights & handled)
        _checked(_no_new_privileges())
        _checked(_syscall(_RESTRICT_SELF, ruleset, 0))
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not os.path.isdir(path):
            rights &= _FILE_RIGHTS
        rule = struct.pack("<Qi", rights, fd)
        _checked(_syscall(_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0))
    finally:
        os.close(fd)


def _no_new_privileges() -> int:
    import ctypes

    return ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1), 0, 0, 0)


def _syscall(number: int, *arguments: int | bytes) -> int:
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    return libc.syscall(number, *(a if isinstance(a, bytes) else ctypes.c_long(a) for a in arguments))


def _checked(result: int) -> int:
    if result < 0:
        import ctypes

        number = ctypes.get_errno()
        raise OSError(number, f"landlock: {os.strerror(number)}")
    return result
