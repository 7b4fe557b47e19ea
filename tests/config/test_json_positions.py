"""Positions of JSON values, against `json`."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from recomp.config.json_positions import scan_json

SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=6))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=3)),
)


def paths(value: Any, path: tuple = ()) -> dict[tuple, Any]:
    found = {path: value}
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        found |= paths(item, (*path, key))
    return found


@settings(max_examples=150, deadline=None)
@given(VALUES, st.sampled_from([None, 0, 2]), st.booleans())
def test_every_value_is_where_it_stands(value: Any, indent: int | None, plain: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=plain)
    places = scan_json(text)
    expected = paths(value)
    assert places.keys() == expected.keys()
    lines = text.split("\n")
    for path, item in expected.items():
        span = places[path].value
        shown = lines[span.line - 1][span.column - 1 :][: span.length]
        if not isinstance(item, dict | list) and "\n" not in shown:
            assert json.loads(shown) == item


def test_nesting_as_deep_as_json_reads() -> None:
    text = "[" * 900 + "]" * 900
    json.loads(text)
    assert len(scan_json(text)) == 900
