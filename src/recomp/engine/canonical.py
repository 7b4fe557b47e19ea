"""One spelling for every value that enters a cache key, and the only place that names the hash function."""

from __future__ import annotations

import json
from typing import Any

try:  # part of the interpreter; hashlib loads OpenSSL, which takes a tenth of a run with nothing to do
    from _sha256 import sha256  # type: ignore[import-not-found]
except ImportError:
    from hashlib import sha256


def canonical(value: Any) -> bytes:
    """JSON with sorted keys, no spaces and ASCII only: equal values have equal bytes, whatever order they came in."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode()


def digest(value: Any) -> str:
    """SHA-256 of the canonical form, 64 hex digits."""
    return digest_bytes(canonical(value))


def digest_bytes(data: bytes) -> str:
    """SHA-256 of a few kilobytes; what may be large goes through `hashlib`, which is five times as fast."""
    return sha256(data).hexdigest()


def short(value: str) -> str:
    """A digest as people read it: the first six digits."""
    return value[:6] + "…"
