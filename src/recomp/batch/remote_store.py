"""The engine's store on a worker: its own folder in front, the objects that machines share behind it.

A result is published blobs first, record last, so that a record never names what is not there. The record is created
once: of two machines that made the same result, the first counts, and the second takes it over.
"""

from __future__ import annotations

import os
from typing import Any

from recomp.batch.objects import Objects, blob_name, record_name
from recomp.engine.files import seal, unseal
from recomp.engine.fingerprint import StatCache
from recomp.engine.store import BlobMissing, Store, is_made_like


class RemoteStore(Store):
    """`may_travel` names the asset classes whose content may leave this machine; of others only the hash does.
    `origin_class` is what the program itself is: what the engine calls proprietary is no more so than that."""

    def __init__(self, root: str, objects: Objects, may_travel: tuple[str, ...], origin_class: str) -> None:
        super().__init__(root)
        self._objects, self._may_travel, self._origin_class = objects, may_travel, origin_class

    def travels(self, asset_class: str) -> bool:
        real = self._origin_class if asset_class == "proprietary" else asset_class
        return real in self._may_travel

    # Blobs

    def read_blob(self, sha256: str) -> bytes:
        try:
            return super().read_blob(sha256)
        except BlobMissing:
            self.fetch(sha256)
            return super().read_blob(sha256)

    def restore(self, sha256: str, destination: str, mode: int) -> None:
        try:
            super().restore(sha256, destination, mode)
        except BlobMissing:
            self.fetch(sha256)
            super().restore(sha256, destination, mode)

    def keeps(self, sha256: str, hashes: StatCache) -> bool:
        return os.path.exists(self.blob_path(sha256)) and super().keeps(sha256, hashes)

    def fetch(self, sha256: str) -> None:
        """Bring a blob here. Raises BlobMissing."""
        data = self._objects.get_blob(sha256)
        if data is None:
            raise BlobMissing(f"store: blob {sha256} is not in {self._objects.url}")
        self.put_bytes(data)

    # Records

    def action(self, key: str) -> dict[str, Any] | None:
        record = super().action(key)
        if record is None and (record := self._remote_action(key)) is not None:
            super().put_action(record)
        return record

    def action_by_content(self, key: str) -> dict[str, Any] | None:
        record = super().action_by_content(key)
        if record is not None:
            return record
        pointer = unseal(self._objects.get(record_name("contents", key)) or b"")
        return self.action(pointer["cache_key"]) if isinstance(pointer, dict) else None

    def put_action(self, record: dict[str, Any]) -> dict[str, Any]:
        blobs = [entry["sha256"] for entry in record["outputs"] if self.travels(entry["class"])]
        for sha256 in dict.fromkeys([*blobs, *record["logs"].values()]):
            self._objects.put_blob(sha256, super().read_blob(sha256))
        kept = record
        if not self._objects.create(record_name("actions", record["cache_key"]), seal(record)):
            first = self._remote_action(record["cache_key"])
            if first is not None and is_made_like(first, record) and self._holds(first):
                kept = first
        if kept.get("content_key"):
            pointer = seal({"cache_key": kept["cache_key"]})
            self._objects.create(record_name("contents", kept["content_key"]), pointer)
        super().put_action(kept)
        return kept

    def _remote_action(self, key: str) -> dict[str, Any] | None:
        record = unseal(self._objects.get(record_name("actions", key)) or b"")
        return record if isinstance(record, dict) and record.get("cache_key") == key else None

    def _holds(self, record: dict[str, Any]) -> bool:
        """What may not travel lies on the machine that made it."""
        names = (entry["sha256"] for entry in record["outputs"])
        return all(self.has_blob(sha256) or self._objects.has(blob_name(sha256)) for sha256 in names)
