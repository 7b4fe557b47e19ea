"""The content-addressed store: blobs by their SHA-256, and one sealed record for every finished stage by its cache key.

    blobs/ab/cdef…      content, read-only
    actions/ab/cdef…    record of a finished stage
    contents/ab/cdef…   content key → cache key
    quarantine/…        blobs found damaged
    lock, publishing    held by runs against garbage collection, and by who publishes a record

Blobs are verified whenever they are used, so that they need no sync: one that a power cut emptied is found out, put
aside, and its stage runs again. Several runs may use one store at once: every write is a rename.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from recomp.engine.files import naming, read_sealed, remove_quietly, seal, write_all, write_atomic
from recomp.engine.fingerprint import StatCache
from recomp.engine.stage import ASSET_CLASSES
from recomp.errors import GateError, RecompError

CHUNK_BYTES = 1 << 20
FOLDERS = ("blobs", "actions", "contents", "tmp")
#: ioctl FICLONE of linux/fs.h: share the extents of a file where the file system can
FICLONE = 0x40049409


class BlobMissing(RecompError):
    """A blob is not in the store, or was damaged and has been put aside."""


class Store:
    def __init__(self, root: str, *, make: bool = True) -> None:
        """`make` its folders; who only looks need not."""
        self.root = root
        for name in FOLDERS if make else ():
            os.makedirs(os.path.join(root, name), exist_ok=True)
        self._lock_fd: int | None = None
        self.allowed = self._allowed_classes()

    def _allowed_classes(self) -> tuple[str, ...]:
        """The asset classes that this store may hold: the words of its file `allowed-classes`; without one, all."""
        try:
            with open(os.path.join(self.root, "allowed-classes"), encoding="utf-8") as file:
                return tuple(file.read().split())
        except FileNotFoundError:
            return ASSET_CLASSES

    def check_class(self, asset_class: str, what: str) -> None:
        """Raises GateError where the store must not hold such a thing."""
        if asset_class not in self.allowed:
            raise GateError(
                f"{self.root}: this store may hold {', '.join(self.allowed) or 'nothing'}, and {what} is {asset_class}",
                hint="unset RECOMP_CACHE_DIR to keep results in the work root, or use a store of your own",
            )

    def share(self) -> None:
        """Keep garbage collection out while this process uses the store."""
        path = os.path.join(self.root, "lock")
        self._lock_fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        with naming(path):
            fcntl.flock(self._lock_fd, fcntl.LOCK_SH)

    def release(self) -> None:
        """Give way to garbage collection again."""
        if self._lock_fd is not None:
            os.close(self._lock_fd)
            self._lock_fd = None

    # Blobs

    def blob_path(self, sha256: str) -> str:
        return os.path.join(self.root, "blobs", sha256[:2], sha256[2:])

    def has_blob(self, sha256: str) -> bool:
        return os.path.exists(self.blob_path(sha256))

    def keeps(self, sha256: str, hashes: StatCache) -> bool:
        """Whether a blob is there and still what it was, by what `stat` says of it; a damaged one is put aside."""
        try:
            return hashes.file(self.blob_path(sha256))[0] == sha256 or self._quarantine(sha256)
        except (OSError, BlobMissing):
            return False

    def could_give(self, sha256: str, hashes: StatCache) -> bool:
        """As `keeps`, and leaves a damaged one where it is."""
        try:
            return hashes.file(self.blob_path(sha256))[0] == sha256
        except (OSError, BlobMissing):
            return False

    def put_file(self, path: str) -> tuple[str, int]:
        """Take a copy of a file; returns its (SHA-256, size in bytes). What is hashed is the copy itself."""
        temporary = self._temporary()
        try:
            value, size = copy_file(path, temporary, 0o444)
            self._keep(temporary, value)
            return value, size
        finally:
            remove_quietly(temporary)

    def put_bytes(self, data: bytes) -> str:
        value = _sha256(data)
        if not self.has_blob(value):
            temporary = self._temporary()
            try:
                fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o444)
                try:
                    with naming(temporary):
                        write_all(fd, data)
                finally:
                    os.close(fd)
                self._keep(temporary, value)
            finally:
                remove_quietly(temporary)
        return value

    def read_blob(self, sha256: str) -> bytes:
        """Raises BlobMissing."""
        try:
            with open(self.blob_path(sha256), "rb") as file:
                data = file.read()
        except OSError as error:
            raise BlobMissing(f"store: blob {sha256} cannot be read: {error.strerror}") from error
        if _sha256(data) != sha256:
            self._quarantine(sha256)
        return data

    def restore(self, sha256: str, destination: str, mode: int) -> None:
        """Write a blob to `destination`, which is replaced only once the copy is proven. Raises BlobMissing."""
        folder = os.path.dirname(destination)
        os.makedirs(folder, exist_ok=True)
        # always the same name, so that what a kill leaves is overwritten by the next attempt
        temporary = os.path.join(folder, f".{os.path.basename(destination)}.recomp.tmp")
        try:
            try:
                value, _ = copy_file(self.blob_path(sha256), temporary, mode)
            except FileNotFoundError as error:
                raise BlobMissing(f"store: blob {sha256} is not there") from error
            if value != sha256:
                self._quarantine(sha256)
            os.replace(temporary, destination)
        finally:
            remove_quietly(temporary)

    def _keep(self, temporary: str, sha256: str) -> None:
        final = self.blob_path(sha256)
        try:
            known = os.stat(final).st_size == os.stat(temporary).st_size
        except FileNotFoundError:
            known = False
        if not known:  # a shorter one is what a power cut left: replace it
            os.makedirs(os.path.dirname(final), exist_ok=True)
            os.replace(temporary, final)

    def _quarantine(self, sha256: str) -> NoReturn:
        folder = os.path.join(self.root, "quarantine")
        os.makedirs(folder, exist_ok=True)
        try:
            os.replace(self.blob_path(sha256), os.path.join(folder, sha256))
        except OSError:
            pass
        raise BlobMissing(f"store: blob {sha256} was damaged and has been put aside")

    def _temporary(self) -> str:
        return os.path.join(self.root, "tmp", f"{os.getpid()}-{os.urandom(6).hex()}")

    # Records

    def action(self, key: str) -> dict[str, Any] | None:
        """The record of the finished stage with this cache key; a damaged one is none."""
        record = read_sealed(self._record_path("actions", key))
        return record if isinstance(record, dict) and record.get("cache_key") == key else None

    def action_by_content(self, key: str) -> dict[str, Any] | None:
        pointer = read_sealed(self._record_path("contents", key))
        return self.action(pointer["cache_key"]) if isinstance(pointer, dict) else None

    def publish(self, record: dict[str, Any], seen: dict[str, Any] | None) -> dict[str, Any]:
        """Keep the result of a stage that ran; returns the one that counts, on which what follows has to build.

        `seen` is the record that lay there when it was decided to run. Where another run has put a different one there
        since, made from the same results upstream, that one was first and counts: of two runs at once, one alone is
        the origin of everything behind.
        """
        with self._publishing(record["cache_key"]):
            first = self.action(record["cache_key"])
            if first is not None and first != seen and is_made_like(first, record) and self._holds(first):
                return first
            return self.put_action(record)

    @contextmanager
    def _publishing(self, key: str) -> Iterator[None]:
        """Exclude other processes that publish under this key. A lock of bytes, for it also works over NFS."""
        path = os.path.join(self.root, "publishing")
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            with naming(path):
                fcntl.lockf(fd, fcntl.LOCK_EX, 1, int(key[:8], 16))
            yield
        finally:
            os.close(fd)

    def _holds(self, record: dict[str, Any]) -> bool:
        """Whether everything of a result can be had."""
        return all(self.has_blob(entry["sha256"]) for entry in record["outputs"])

    def put_action(self, record: dict[str, Any]) -> dict[str, Any]:
        """Keep a finished result; returns the one that counts: this one here, the first where a store is shared by
        machines."""
        self._put("actions", record["cache_key"], record, durable=True)
        if record.get("content_key"):
            pointer = {"cache_key": record["cache_key"]}
            self._put("contents", record["content_key"], pointer, durable=False)
        return record

    def drop_action(self, key: str) -> None:
        remove_quietly(self._record_path("actions", key))

    def actions(self) -> list[dict[str, Any]]:
        """Every readable record, in the order of their keys."""
        root = os.path.join(self.root, "actions")
        if not os.path.isdir(root):
            return []
        keys = [a + b for a in sorted(os.listdir(root)) for b in sorted(os.listdir(os.path.join(root, a)))]
        return [record for record in map(self.action, keys) if record is not None]

    def record_path(self, key: str) -> str:
        return self._record_path("actions", key)

    def touch(self, key: str) -> None:
        """Note that a result was used, for garbage collection."""
        try:
            os.utime(self.record_path(key))
        except OSError:
            pass

    def _record_path(self, kind: str, key: str) -> str:
        return os.path.join(self.root, kind, key[:2], key[2:])

    def _put(self, kind: str, key: str, value: Any, *, durable: bool) -> None:
        path = self._record_path(kind, key)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        write_atomic(path, seal(value), durable=durable, temporary=self._temporary())


def is_made_like(record: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two results with one key were made from the very same results upstream."""
    return record.get("made_from") == other.get("made_from")


def copy_file(source: str, destination: str, mode: int) -> tuple[str, int]:
    """Copy to a new file, sharing extents where possible; returns (SHA-256, size) of what now lies at `destination`."""
    import hashlib

    state, size = hashlib.sha256(), 0
    read_fd = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    try:
        write_fd = os.open(destination, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
        try:
            os.fchmod(write_fd, mode)
            cloned = _clone(read_fd, write_fd)
            from_fd = write_fd if cloned else read_fd
            with naming(destination):
                while chunk := os.read(from_fd, CHUNK_BYTES):
                    state.update(chunk)
                    size += len(chunk)
                    if not cloned:
                        write_all(write_fd, chunk)
        finally:
            os.close(write_fd)
    finally:
        os.close(read_fd)
    return state.hexdigest(), size


def _sha256(data: bytes) -> str:
    import hashlib  # not for a run that takes nothing into the store

    return hashlib.sha256(data).hexdigest()


def _clone(read_fd: int, write_fd: int) -> bool:
    try:
        fcntl.ioctl(write_fd, FICLONE, read_fd)
        return True
    except OSError:
        return False
