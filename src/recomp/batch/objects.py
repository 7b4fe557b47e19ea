"""Objects that machines share: a folder, S3, and whatever else `obstore` reaches.

    blobs/ab/cdef…       content, by its SHA-256
    actions/ab/cdef…     sealed record of a finished stage, by its cache key, created once
    contents/ab/cdef…    content key → cache key, created once

Creating once is the only primitive that every store has and that is enough: who comes second learns it, and nobody
sees half of anything. Compare-and-swap is not used: some stores lack it (docs/decisions/batch-cluster.md).
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from typing import Any, TypeVar

from recomp.errors import ConfigError, ToolError

T = TypeVar("T")
#: how long a store may be unreachable before an attempt gives up; the coordinator then tries the unit again
PATIENCE_S = 300.0
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.2, 5.0


class Objects:
    """A store by its URL: `file:///folder`, `s3://bucket/prefix`. Credentials and endpoints come from the environment
    (AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL, …) and are in no manifest. Not to be used across a fork."""

    def __init__(self, url: str, *, patience_s: float = PATIENCE_S) -> None:
        try:
            import obstore
            from obstore.store import from_url
        except ImportError:
            raise ToolError(f"{url}: needs the package obstore", hint="pip install 'recomp[cluster]'") from None
        import os

        self.url, self._patience_s, self._obstore = url, patience_s, obstore
        try:
            if url.startswith("file://"):
                os.makedirs(url.removeprefix("file://"), exist_ok=True)
                self._store: Any = from_url(url)
            else:
                plain = _is_plain(os.environ.get("AWS_ENDPOINT_URL", ""))
                self._store = from_url(
                    url,
                    client_options={"allow_http": plain, "timeout": "60s", "connect_timeout": "5s"},
                    retry_config={"max_retries": 1, "retry_timeout": _seconds(5)},
                )
        except (ValueError, OSError, obstore.exceptions.BaseError) as error:
            raise ConfigError(
                f"{url}: is no store: {_first_line(error)}", hint="file:///folder or s3://bucket/prefix"
            ) from error

    def get(self, name: str) -> bytes | None:
        """The object, or None if there is none."""
        try:
            return self._patiently(lambda: bytes(self._obstore.get(self._store, name).bytes()), name)
        except FileNotFoundError:
            return None

    def has(self, name: str) -> bool:
        try:
            self._patiently(lambda: self._obstore.head(self._store, name), name)
            return True
        except FileNotFoundError:
            return False

    def create(self, name: str, data: bytes) -> bool:
        """Create an object, whole; False if it was there before. After an answer that was lost, what is there is
        compared: it may be this very write that is found."""
        tries = 0

        def put() -> bool:
            nonlocal tries
            tries += 1
            try:
                self._obstore.put(self._store, name, data, mode="create", use_multipart=False)
                return True
            except self._obstore.exceptions.AlreadyExistsError:
                return tries > 1 and bytes(self._obstore.get(self._store, name).bytes()) == data

        return self._patiently(put, name)

    def put_blob(self, sha256: str, data: bytes) -> None:
        """Content under its hash: whoever writes it writes the same. Never over what another is just reading."""
        if not self.has(name := blob_name(sha256)):
            self.create(name, data)

    def get_blob(self, sha256: str) -> bytes | None:
        """Content, checked against its hash; None if it is not there, or is another."""
        data = self.get(blob_name(sha256))
        return data if data is not None and hashlib.sha256(data).hexdigest() == sha256 else None

    def _patiently(self, call: Callable[[], T], name: str) -> T:
        """Try until it works or patience ends. Raises FileNotFoundError, ToolError."""
        errors = self._obstore.exceptions
        started, wait = time.monotonic(), _FIRST_WAIT_S
        while True:
            try:
                return call()
            except (FileNotFoundError, errors.NotFoundError) as error:
                raise FileNotFoundError(name) from error
            except (errors.PermissionDeniedError, errors.UnauthenticatedError) as error:
                raise ToolError(f"{self.url}: refused: {_first_line(error)}", hint="check the credentials") from error
            except (OSError, errors.BaseError) as error:
                if time.monotonic() - started > self._patience_s:
                    raise ToolError(
                        f"{self.url}: cannot be reached: {_first_line(error)}", hint="check the address and the network"
                    ) from error
                time.sleep(wait)
                wait = min(wait * 2, _LONGEST_WAIT_S)


def _is_plain(endpoint: str) -> bool:
    """Whether an endpoint is without TLS, which it may be on this machine only. Raises ConfigError."""
    from urllib.parse import urlsplit

    parts = urlsplit(endpoint)
    if parts.scheme == "http" and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
        raise ConfigError(f"AWS_ENDPOINT_URL: {endpoint} is another machine: without TLS anybody on the way reads it",
                          hint="use an https:// endpoint")  # fmt: skip
    return parts.scheme == "http"


def _seconds(number: int) -> Any:
    from datetime import timedelta

    return timedelta(seconds=number)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:300]


def blob_name(sha256: str) -> str:
    return f"blobs/{sha256[:2]}/{sha256[2:]}"


def record_name(kind: str, key: str) -> str:
    return f"{kind}/{key[:2]}/{key[2:]}"
