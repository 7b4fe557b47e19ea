"""Join the parts of functions that the compiler moved away (`.cold`, `.text.unlikely`) with the rest.

Exploration leaves such a part as a function of its own, since it lies beyond the function's limit. It is a fragment
when it looks like one by itself: its unwind information says that the frame is already set up; or it was found by
branches alone and is fallen into, branched to conditionally, or goes back into the middle of a function. A fragment
that can be reached from one function only is joined with it. What two functions share stays a function that both
branch to.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from recomp.lift.module import Block

#: In place of a root: several functions lead to the fragment.
_SHARED = -1


def join_fragments(
    blocks_of: dict[int, list[Block]], candidates: Iterable[int], cold: set[int], outside: set[int]
) -> tuple[dict[int, list[Block]], dict[int, set[int]]]:
    """(blocks, entries) by function start, after joining.

    `candidates` are the starts known from branches alone, `cold` those whose frame is set up; `outside` are addresses
    where control comes in by other ways than branches of the program.
    """
    home = {block.start: start for start, blocks in blocks_of.items() for block in blocks}
    edges = _leaving_edges(blocks_of, home)
    fragments = _find_fragments(blocks_of, edges, home, set(candidates), cold, outside)
    root_of = _find_roots(edges, home, fragments)
    joined = {start: list(blocks) for start, blocks in blocks_of.items() if start not in root_of}
    for fragment, root in sorted(root_of.items()):
        joined[root] += blocks_of[fragment]
    for root in sorted(set(root_of.values())):
        joined[root] = [_rejoin(b, home, root, root_of) for b in sorted(joined[root], key=lambda b: b.start)]
    entries: dict[int, set[int]] = {}
    for source, _, target in edges:
        owner = home.get(target)
        if owner is not None and root_of.get(owner, owner) != root_of.get(source, source):
            entries.setdefault(root_of.get(owner, owner), set()).add(target)
    for address in sorted(outside & home.keys()):
        owner = home[address]
        entries.setdefault(root_of.get(owner, owner), set()).add(address)
    return joined, entries


def _leaving_edges(blocks_of: Mapping[int, list[Block]], home: Mapping[int, int]) -> list[tuple[int, str, int]]:
    """(function, kind, target) of every branch or fall out of a function; kind is "jump" for a plain `b`."""
    edges = []
    for start, blocks in blocks_of.items():
        for block in blocks:
            if block.terminator == "tail_call":
                edges.append((start, "cond" if block.successors else "jump", block.target))
            for successor in block.successors:
                if home.get(successor) != start:
                    edges.append((start, "fall", successor))
    return edges


def _find_fragments(
    blocks_of: Mapping[int, list[Block]],
    edges: list[tuple[int, str, int]],
    home: Mapping[int, int],
    candidates: set[int],
    cold: set[int],
    outside: set[int],
) -> set[int]:
    fragments = set(cold)
    for source, kind, target in edges:
        if kind != "jump" and target in candidates:
            fragments.add(target)
        if source in candidates and target in home and target not in blocks_of:
            fragments.add(source)
    called = {b.target for blocks in blocks_of.values() for b in blocks if b.terminator == "call"}
    return {f for f in fragments & blocks_of.keys() if f not in called and f not in outside}


def _find_roots(edges: list[tuple[int, str, int]], home: Mapping[int, int], fragments: set[int]) -> dict[int, int]:
    """Fragment -> the only function from which branches lead to it, by whatever other fragments."""
    following: dict[int, set[int]] = {}
    for source, _, target in edges:
        owner = home.get(target)
        if owner in fragments and owner != source:
            following.setdefault(source, set()).add(owner)
    state: dict[int, int] = {}
    work = [(f, root) for root in sorted(following) if root not in fragments for f in sorted(following[root])]
    while work:
        fragment, root = work.pop()
        known = state.get(fragment)
        new = root if known in (None, root) else _SHARED
        if new != known:
            state[fragment] = new
            work += [(f, new) for f in sorted(following.get(fragment, ()))]
    return {fragment: root for fragment, root in state.items() if root != _SHARED}


def _rejoin(block: Block, home: Mapping[int, int], root: int, root_of: Mapping[int, int]) -> Block:
    """A branch that left its part and now stays inside is an ordinary one."""
    owner = home.get(block.target)
    if block.terminator != "tail_call" or owner is None or root_of.get(owner, owner) != root:
        return block
    terminator = "cond" if block.successors else "branch"
    return msgspec.structs.replace(block, terminator=terminator, successors=(block.target, *block.successors), target=0)
