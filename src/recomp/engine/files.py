"""Writing files so that a reader, or the next run after a crash, never takes half a file for a whole one.

A sealed record is one line with the SHA-256 of the rest, then JSON. Whatever a crash, a full disk or a flipped bit does
to it, `unseal` answers None, and the caller does the work again: it fails closed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any

from recomp.engine.canonical import canonical, digest_bytes

#: a disk takes hardly longer for sixteen syncs at once than for one
SYNC_THREADS = 16


class naming:
    """Within, an error of the system that names no file (a write to a full disk) gets the name `path`."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError) and error.filename is None:
            error.filename = self._path


def write_atomic(
    path: str, data: bytes, *, durable: bool = True, mode: int = 0o644, temporary: str | None = None
) -> None:
    """Replace `path` with `data` in one step: temporary name in the same folder, sync, rename, sync the folder.

    `temporary` chooses that name; otherwise `remove_leftovers` knows it. `durable=False` leaves out both syncs: for
    what may be lost with the power, never for what must not be torn unseen.
    """
    folder = os.path.dirname(path) or "."
    temporary = temporary or os.path.join(folder, f".{os.path.basename(path)}.{os.getpid()}.tmp")
    try:
        with naming(path):
            fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
            try:
                write_all(fd, data)
                if durable:
                    os.fsync(fd)
            finally:
                os.close(fd)
            os.replace(temporary, path)
    except OSError:
        remove_quietly(temporary)
        raise
    if durable:
        sync_folder(folder)


def write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def sync_folder(folder: str) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    except OSError:
        pass  # some file systems cannot sync a folder; the rename is still atomic there
    finally:
        os.close(fd)


def sync_files(paths: Sequence[str]) -> None:
    """Sync these files and no others: what somebody else writes meanwhile, or a file system that does not answer, is
    not waited for. Raises OSError."""
    if len(paths) <= 4:
        _sync_each(paths)
        return
    import threading

    refused: list[OSError] = []

    def work(first: int) -> None:
        try:
            _sync_each(paths[first::SYNC_THREADS])
        except OSError as error:
            refused.append(error)

    threads = [threading.Thread(target=work, args=(number,), daemon=True) for number in range(SYNC_THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if refused:
        raise refused[0]


def _sync_each(paths: Sequence[str]) -> None:
    for path in paths:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            with naming(path):
                os.fsync(fd)
        finally:
            os.close(fd)


def find_program(name: str) -> str | None:
    """An executable by its name, as a shell would find it."""
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        path = os.path.join(folder or ".", name)
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    return None


def remove_leftovers(folder: str, name: str = "") -> None:
    """Remove what `write_atomic` was writing in `folder` (only to `name`, if given) when its process was killed."""
    for found in os.listdir(folder):
        if found.startswith(f".{name}") and found.endswith(".tmp"):
            pid = found[:-4].rpartition(".")[2]
            if pid.isdigit() and not os.path.exists(f"/proc/{pid}"):
                remove_quietly(os.path.join(folder, found))


def remove_quietly(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass


def remove_tree(path: str) -> None:
    """Remove a file or folder, if it is there; never follows a symbolic link."""
    if os.path.isdir(path) and not os.path.islink(path):
        with os.scandir(path) as entries:
            for entry in list(entries):
                remove_tree(entry.path)
        os.rmdir(path)
    elif os.path.lexists(path):
        os.unlink(path)


def seal(value: Any) -> bytes:
    body = canonical(value) + b"\n"
    return digest_bytes(body).encode() + b"\n" + body


def unseal(data: bytes) -> Any | None:
    """The sealed value, or None if any byte of it is missing or changed."""
    if len(data) < 66 or data[64:65] != b"\n" or digest_bytes(data[65:]).encode() != data[:64]:
        return None
    return json.loads(data[65:])


def has_keys(value: Any, shape: dict[str, Any]) -> bool:
    """Whether a value read from a file is an object with these keys, each of its type (or tuple of types)."""
    return isinstance(value, dict) and all(
        name in value and isinstance(value[name], kind) for name, kind in shape.items()
    )


def read_sealed(path: str) -> Any | None:
    """The value sealed in `path`, or None if the file is absent, unreadable or damaged."""
    try:
        with open(path, "rb") as file:
            return unseal(file.read())
    except OSError:
        return None
