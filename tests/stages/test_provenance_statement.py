"""The provenance statement of a port is one that in-toto's own package reads."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict, ParseError
from in_toto_attestation.predicates.provenance.v1.provenance_pb2 import Provenance
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement

from builders import ProjectFolder, sha256
from recomp.cli.main import main


def read(statement: dict[str, Any]) -> Provenance:
    """Raises ValueError, ParseError."""
    Statement.copy_from_pb(ParseDict(statement, statement_pb2.Statement())).validate()
    return ParseDict(statement["predicate"], Provenance())


def test_in_toto_reads_the_statement_and_refuses_a_damaged_one(folder: ProjectFolder) -> None:
    command = folder.script("make", 'mkdir -p "$RECOMP_BUILD_DIR"; printf port > "$RECOMP_BUILD_DIR/port"')
    folder.with_reference().with_commands(command)
    assert main(["automate", "--config", str(folder.write())]) == 0
    statement = json.loads((folder.work_root / "provenance.intoto.json").read_bytes())
    provenance = read(statement)
    assert statement["predicateType"] == "https://slsa.dev/provenance/v1"
    assert [subject["digest"]["sha256"] for subject in statement["subject"]] == [sha256(b"port")]
    assert provenance.run_details.metadata.invocation_id == folder.manifest()["run_id"]
    dependencies = [item.digest["sha256"] for item in provenance.build_definition.resolved_dependencies]
    assert dependencies == [sha256(folder.module)]

    without_digest = copy.deepcopy(statement)
    del without_digest["subject"][0]["digest"]
    with pytest.raises(ValueError):
        read(without_digest)
    unknown = copy.deepcopy(statement)
    unknown["predicate"]["buildDefinition"]["buildtype"] = "x"
    with pytest.raises(ParseError):
        read(unknown)
