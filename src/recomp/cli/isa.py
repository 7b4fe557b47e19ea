"""`recomp isa`: which encodings are translated, how they are tested, and which are out of scope."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from typing import Any

from recomp.a64.coverage import GroupCoverage, coverage, evidence_kinds, out_of_scope
from recomp.semantics import functions

REASON = "later than ARMv8.0-A; named where a program runs it"


def command(options: argparse.Namespace) -> int:
    report = isa_report()
    if options.json:
        print(json.dumps(report, indent=2))
    else:
        _print(report)
    return 0


def isa_report() -> dict[str, Any]:
    """`totals`; `groups[]` with `missing` and `untested` names; `out_of_scope[]` by extension, with the reason."""
    groups = [_row(group) for group in coverage(functions())]
    keys = ("encodings", "implemented", "tested")
    later = Counter(pattern.group for pattern in out_of_scope())
    return {
        "totals": {key: sum(row[key] for row in groups) for key in keys} | {"out_of_scope": later.total()},
        "groups": groups,
        "out_of_scope": [
            {"extension": name, "encodings": count, "reason": REASON} for name, count in sorted(later.items())
        ],
    }


def _row(group: GroupCoverage) -> dict[str, Any]:
    known = evidence_kinds()
    names = group.implemented
    return {
        "table": group.table.removesuffix(".decode"),
        "group": group.group,
        "encodings": len(names) + len(group.missing),
        "implemented": len(names),
        "tested": sum(bool(known.get(name)) for name in names),
        "model": sum("model" in known.get(name, ()) for name in names),
        "missing": list(group.missing),
        "untested": [name for name in names if not known.get(name)],
    }


def _print(report: dict[str, Any]) -> None:
    print(f"{'encodings':>9} {'implem.':>8} {'tested':>7}  group")
    table = ""
    for row in report["groups"]:
        if row["table"] != table:
            table = row["table"]
            print(f"{table}:")
        print(f"{row['encodings']:9} {row['implemented']:8} {row['tested']:7}  {row['group'].partition(';')[0]}")
        for what in ("missing", "untested"):
            if row[what]:
                print(f"{'':26} {what}: {', '.join(row[what])}")
    totals = report["totals"]
    print(f"{totals['encodings']:9} {totals['implemented']:8} {totals['tested']:7}  all")
    print(f"\nout of scope, {REASON}:")
    for row in report["out_of_scope"]:
        print(f"{row['encodings']:9}  {row['extension']}")
