"""`recomp batch keygen` and `approve`: a person's signature under what a batch is going to run."""

from __future__ import annotations

import argparse
import getpass
import json
import os

from recomp.batch.approval import make_key, public_hex, read_key, sign
from recomp.batch.asking import staged
from recomp.batch.staging import contents, unit_digest
from recomp.batch.units import units
from recomp.cli.text import shown
from recomp.config.batch import load
from recomp.engine.files import write_atomic
from recomp.engine.fingerprint import StatCache
from recomp.errors import ConfigError


def keygen(options: argparse.Namespace) -> int:
    public = make_key(options.file)
    print(f"wrote {shown(os.path.abspath(options.file))}; keep it to yourself")
    print(f'put the public key into the policy: approvers = ["{public}"]')
    return 0


def approve(options: argparse.Namespace) -> int:
    manifest = load(options.manifest)
    key = read_key(options.key)
    if public_hex(key) not in [known.lower() for known in manifest.policy["approvers"] or []]:
        raise ConfigError(
            f"batch approve: the key {public_hex(key)} is none of policy.approvers",
            hint="whoever owns the batch must add it first",
        )
    hashes = StatCache()
    named = {unit.name: unit_digest(contents(staged(manifest, unit, hashes), hashes)) for unit in units(manifest)}
    who = options.who or getpass.getuser()
    batch_id = manifest.raw["batch_id"]
    record = sign(key, batch_id, named, manifest.policy, who=who, valid_s=options.days * 86400)
    path = os.path.abspath(options.to or os.path.join(manifest.folder, "approval.json"))
    write_atomic(path, json.dumps(record, indent=1).encode() + b"\n")
    inside = os.path.relpath(path, manifest.folder)
    if options.json:
        print(json.dumps(record, indent=2))
        return 0
    print(f"{who} has signed for {len(named)} unit{'s'[: len(named) != 1]} of {batch_id} until {record['expires']}")
    if inside not in (manifest.policy["approvals"] or []):
        print(f'next: put it into the policy: approvals = ["{inside}"]')
    return 0


ACTIONS = {"keygen": keygen, "approve": approve}
