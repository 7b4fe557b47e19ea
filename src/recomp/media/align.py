"""Exact alignment of two hash lists: which frames are other, missing or extra, and where.

Three steps, each exact where the one before cannot decide: the common head and tail are cut off; hashes that occur once
on each side anchor the rest (patience, as in `git diff --patience`: a longest increasing run of such pairs); the gaps
between anchors are solved by edit distance. Of equally short scripts the one that differs as late as possible is
taken, so the first edit is always at the first position where the lists differ.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

_MAX_CELLS = 16_000_000
"""Largest gap (reference x capture frames) that is solved exactly: 4,000 by 4,000, 16 MB, about 0.1 s."""


Edit = tuple[str, int, int]
"""Kind, reference index, capture index."""


@dataclass(frozen=True)
class Run:
    """`count` consecutive edits of one kind, from these positions on.

    `substitute`: reference and capture both have a frame, and it differs. `delete`: the capture lacks frames that the
    reference has, before its `capture_start`. `insert`: the capture has extra frames, before `reference_start`.
    """

    kind: str
    reference_start: int
    capture_start: int
    count: int


@dataclass(frozen=True)
class Alignment:
    """How many frames of the reference were found in the capture, in order, and all that differs."""

    matched: int
    runs: tuple[Run, ...]

    def count(self, kind: str) -> int:
        return sum(run.count for run in self.runs if run.kind == kind)


def align(reference: Sequence[str], capture: Sequence[str]) -> Alignment:
    """Align two lists of hashes."""
    edits: list[Edit] = []
    for r0, r1, c0, c1 in _gaps(reference, capture):
        edits += [(kind, r0 + r, c0 + c) for kind, r, c in _solve(reference[r0:r1], capture[c0:c1])]
    removed = sum(kind != "insert" for kind, _, _ in edits)
    return Alignment(len(reference) - removed, tuple(_collapse(edits)))


def _gaps(reference: Sequence[str], capture: Sequence[str]) -> Iterator[tuple[int, int, int, int]]:
    """Yield the unmatched stretches (reference start, end, capture start, end) between anchors, in order."""
    head, r_end, c_end = _trim(reference, capture)
    r, c = head, head
    for anchor_r, anchor_c in _anchors(reference[head:r_end], capture[head:c_end]):
        yield r, head + anchor_r, c, head + anchor_c
        r, c = head + anchor_r + 1, head + anchor_c + 1
    yield r, r_end, c, c_end


def _trim(reference: Sequence[str], capture: Sequence[str]) -> tuple[int, int, int]:
    """Return (length of the common head, end of the reference's rest, end of the capture's rest)."""
    r_end, c_end = len(reference), len(capture)
    head = 0
    while head < min(r_end, c_end) and reference[head] == capture[head]:
        head += 1
    while r_end > head and c_end > head and reference[r_end - 1] == capture[c_end - 1]:
        r_end, c_end = r_end - 1, c_end - 1
    return head, r_end, c_end


def _anchors(reference: Sequence[str], capture: Sequence[str]) -> list[tuple[int, int]]:
    """Return the longest increasing run of pairs whose hash occurs exactly once on each side."""
    in_reference, in_capture = Counter(reference), Counter(capture)
    position = {digest: index for index, digest in enumerate(capture) if in_capture[digest] == 1}
    pairs = [(r, position[h]) for r, h in enumerate(reference) if in_reference[h] == 1 and h in position]
    tops: list[int] = []  # smallest last capture position of an increasing run of each length
    top_pairs: list[int] = []
    before: list[int] = []
    for number, (_, c) in enumerate(pairs):
        length = bisect_left(tops, c)
        before.append(top_pairs[length - 1] if length else -1)
        tops[length:] = [c] if length == len(tops) else [c, *tops[length + 1 :]]
        top_pairs[length:] = [number] if length == len(top_pairs) else [number, *top_pairs[length + 1 :]]
    chain: list[tuple[int, int]] = []
    number = top_pairs[-1] if top_pairs else -1
    while number >= 0:
        chain.append(pairs[number])
        number = before[number]
    return chain[::-1]


def _solve(reference: Sequence[str], capture: Sequence[str]) -> list[Edit]:
    """Align one gap."""
    head, r_end, c_end = _trim(reference, capture)
    inner_r, inner_c = reference[head:r_end], capture[head:c_end]
    if not inner_r or not inner_c or len(inner_r) * len(inner_c) > _MAX_CELLS or not set(inner_r) & set(inner_c):
        edits = _pair_off(len(inner_r), len(inner_c))
    else:
        edits = _edit_distance(inner_r, inner_c)
    return [(kind, head + r, head + c) for kind, r, c in edits]


def _pair_off(reference_count: int, capture_count: int) -> list[Edit]:
    """Nothing in common: other frames one for one, then the rest missing or extra."""
    both = min(reference_count, capture_count)
    edits = [("substitute", k, k) for k in range(both)]
    edits += [("delete", r, both) for r in range(both, reference_count)]
    edits += [("insert", both, c) for c in range(both, capture_count)]
    return edits


def _edit_distance(reference: Sequence[str], capture: Sequence[str]) -> list[Edit]:
    """Levenshtein distance by rows, from the end, so that reading it from the start prefers matches early."""
    import numpy as np

    numbers = {digest: number for number, digest in enumerate(dict.fromkeys([*reference, *capture]))}
    ours = np.array([numbers[h] for h in reference], np.int32)
    theirs = np.array([numbers[h] for h in capture], np.int32)
    rows, columns = len(ours), len(theirs)
    steps = np.empty((rows, columns), np.uint8)  # 0 match, 1 substitute, 2 delete, 3 insert
    to_end = np.arange(columns, -1, -1, dtype=np.int32)
    below = to_end.copy()  # cost from (row + 1, column)
    for row in range(rows - 1, -1, -1):
        equal = theirs == ours[row]
        diagonal = below[1:] + ~equal
        best = np.append(np.minimum(diagonal, below[:-1] + 1), rows - row)
        # An insertion moves right at cost 1: a running minimum of (cost - distance to the end), from the right.
        cost = np.minimum.accumulate((best - to_end)[::-1])[::-1] + to_end
        here = cost[:-1]
        steps[row] = np.select(
            [equal & (here == below[1:]), here == below[1:] + 1, here == below[:-1] + 1], [0, 1, 2], 3
        )
        below = cost
    return _read_steps(steps)


def _read_steps(steps: np.ndarray) -> list[Edit]:
    rows, columns = steps.shape
    edits: list[Edit] = []
    r = c = 0
    while r < rows and c < columns:
        step = int(steps[r, c])  # a numpy integer would make positions that JSON does not know
        if step:
            edits.append((("substitute", "delete", "insert")[step - 1], r, c))
        r, c = r + (step != 3), c + (step != 2)
    edits += [("delete", k, columns) for k in range(r, rows)]
    edits += [("insert", rows, k) for k in range(c, columns)]
    return edits


def _collapse(edits: list[Edit]) -> Iterator[Run]:
    start = 0
    for end in range(1, len(edits) + 1):
        kind, r, c = edits[start]
        count = end - start
        following = (kind, r + count * (kind != "insert"), c + count * (kind != "delete"))
        if end == len(edits) or edits[end] != following:
            yield Run(kind, r, c, count)
            start = end
