"""How each pattern is tested, as `recomp isa` lists it (`src/recomp/a64/evidence.table`).

python -m tests.a64.evidence     # rewrites the table
"""

from __future__ import annotations

from pathlib import Path

import recomp.a64
from recomp.a64 import decode, patterns
from recomp.a64.coverage import BRANCHES
from recomp.semantics import functions
from recomp.semantics.branch import CONDITIONAL
from tests.a64.cases import read_cases
from tests.a64.fuzz import groups
from tests.a64.words import NOT_IN_MODEL

TABLE = Path(recomp.a64.__file__).with_name("evidence.table")
UNCONDITIONAL = Path(__file__).with_name("unconditional.txt")
HEADER = """# How each pattern is tested: `model` = against an independent CPU model on random words and states,
# `case` = one-line cases with the result written out, `program` = in whole programs.
# Made from the tests: python -m tests.a64.evidence
"""


def evidence() -> str:
    """The table's text."""
    model = {pattern.name for members in groups().values() for pattern in members} | CONDITIONAL
    words = {word for line in read_cases() for word in line.words}
    cases = {insn.name for word in words if (insn := decode(word)) is not None} | NOT_IN_MODEL.keys()
    cases |= {line.split()[0] for line in UNCONDITIONAL.read_text("utf-8").splitlines() if not line.startswith("#")}
    lines = []
    for name in sorted({pattern.name for pattern in patterns()} & (functions().keys() | BRANCHES)):
        kinds = [kind for kind, names in (("model", model), ("case", cases), ("program", BRANCHES)) if name in names]
        lines.append(" ".join([name, *kinds]) + "\n")
    return HEADER + "".join(lines)


if __name__ == "__main__":
    TABLE.write_text(evidence(), "utf-8")
