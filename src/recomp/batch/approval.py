"""Approvals: a person's signature under what a batch is going to run.

Ed25519 and not a shared secret: whoever can check a signature (the coordinator, every worker) must not be able to make
one. The record names each unit with the digest of everything that it is made from, and the digest of the policy that
it may run under, so that a changed input, option or policy voids it. docs/decisions/batch-approvals.md.
"""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any

from recomp.engine.canonical import canonical, digest
from recomp.engine.files import has_keys
from recomp.errors import ConfigError, ToolError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SCHEMA_VERSION = "v1"
_SHAPE = {
    "schema_version": str, "batch_id": str, "stages": list, "units": dict, "policy": str, "who": str, "expires": str,
    "key": str, "signature": str,
}  # fmt: skip
#: what of the policy a person signs for; which approvals there are is not a part of it
_SIGNED_FOR = (
    "execution_mode", "requires_approval", "approvers", "max_cost_usd", "usd_per_hour", "max_runtime_minutes",
    "title_minutes", "redaction_profile", "allowed_models", "run_windows", "private_hosts", "may_travel",
)  # fmt: skip


def policy_digest(policy: dict[str, Any]) -> str:
    return digest({key: policy[key] for key in _SIGNED_FOR})


def _ed25519() -> Any:
    try:
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError:
        raise ToolError("signatures need the package cryptography", hint="pip install 'recomp[cluster]'") from None
    return ed25519


def make_key(path: str) -> str:
    """Write a new private key, readable by its owner alone; returns the public key as hex. Never overwrites."""
    key = _ed25519().Ed25519PrivateKey.generate()
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise ConfigError(f"{path}: is there already", hint="a key is never overwritten; choose another name") from None
    with os.fdopen(fd, "w", encoding="ascii") as file:
        file.write(key.private_bytes_raw().hex() + "\n")
    return public_hex(key)


def read_key(path: str) -> Ed25519PrivateKey:
    """Raises ConfigError."""
    try:
        with open(path, encoding="ascii") as file:
            raw = bytes.fromhex(file.read().strip())
        return _ed25519().Ed25519PrivateKey.from_private_bytes(raw)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}", hint="recomp batch keygen makes one") from error
    except ValueError:
        raise ConfigError(f"{path}: is no key of recomp batch keygen: expected 64 hex digits") from None


def public_hex(key: Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes_raw().hex()


def sign(
    key: Ed25519PrivateKey,
    batch_id: str,
    units: dict[str, str],
    policy: dict[str, Any],
    *,
    who: str,
    valid_s: float,
    stages: tuple[str, ...] = ("*",),
) -> dict[str, Any]:
    """A signed record. `units` maps each unit to the digest of what it is made from; `stages` "*" is all."""
    expires = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + valid_s))
    record = {
        "schema_version": SCHEMA_VERSION, "batch_id": batch_id, "stages": list(stages), "units": units,
        "policy": policy_digest(policy), "who": who, "expires": expires, "key": public_hex(key),
    }  # fmt: skip
    return {**record, "signature": key.sign(canonical(record)).hex()}


def read_approval(path: str) -> dict[str, Any]:
    """Raises ConfigError for what is no approval record; whether it is a valid one is `objection`'s to say."""
    try:
        with open(path, "rb") as file:
            record = json.load(file)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}", hint="recomp batch approve makes one") from error
    except (ValueError, RecursionError):
        record = None
    if not is_record(record):
        raise ConfigError(f"{path}: is no approval, expected a record of recomp batch approve")
    return record


def is_record(value: Any) -> bool:
    """Whether a value has the form of an approval."""
    return has_keys(value, _SHAPE) and value["schema_version"] == SCHEMA_VERSION


def objection(
    record: dict[str, Any], approvers: list[str], batch_id: str, policy: dict[str, Any], now_s: float
) -> str | None:
    """Why a record counts for nothing, or None if it is a valid one for this batch and policy."""
    if record["key"] not in [key.lower() for key in approvers]:
        return f"its key {record['key'][:16]}… is none of the approvers"
    body = {key: value for key, value in record.items() if key != "signature"}
    if not _is_signed(body, record["key"], record["signature"]):
        return "its signature is not right: it was changed after it was signed"
    if record["batch_id"] != batch_id:
        return f'it is for batch "{record["batch_id"]}"'
    if record["policy"] != policy_digest(policy):
        return "the policy has changed since"
    if record["expires"] <= time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now_s)):
        return f"it expired at {record['expires']}"
    return None


def _is_signed(body: dict[str, Any], key: str, signature: str) -> bool:
    from cryptography.exceptions import InvalidSignature

    try:
        public = _ed25519().Ed25519PublicKey.from_public_bytes(bytes.fromhex(key))
        public.verify(bytes.fromhex(signature), canonical(body))
    except (InvalidSignature, ValueError):
        return False
    return True


def covers(record: dict[str, Any], unit: str, unit_digest: str, stages: tuple[str, ...]) -> str | None:
    """Why a valid record does not cover a unit, or None if it does."""
    if unit not in record["units"]:
        return "it does not name this unit"
    if record["units"][unit] != unit_digest:
        return "what the unit is made from has changed since"
    missing = [] if "*" in record["stages"] else [stage for stage in stages if stage not in record["stages"]]
    return f"it does not name the stage {missing[0]}" if missing else None
