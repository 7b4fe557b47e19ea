"""The positions of TOML values, against `tomllib`: same paths, and the text at each place is the value."""

from __future__ import annotations

import json
import tomllib
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from recomp.config.positions import scan

KEYS = st.one_of(
    st.from_regex(r"[A-Za-z0-9_-]{1,6}", fullmatch=True),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=4),
)
SPACES = st.sampled_from(["", " ", "  ", "\t"])
BLANKS = st.sampled_from(["", " ", "\n", ' # [not] a = "header"\n', "\n\n\t"])


@st.composite
def key_text(draw: st.DrawFn, key: str) -> str:
    is_bare = key != "" and all(c.isascii() and (c.isalnum() or c in "_-") for c in key)
    choices = [json.dumps(key, ensure_ascii=False)]
    if is_bare:
        choices.append(key)
    if "'" not in key:
        choices.append(f"'{key}'")
    return draw(st.sampled_from(choices))


@st.composite
def string_text(draw: st.DrawFn) -> str:
    text = draw(st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=12))
    forms = [json.dumps(text, ensure_ascii=False)]
    if "'" not in text:
        forms += [f"'{text}'", f"'''\n{text}\n{text}'''"]
    forms.append('"""' + text.replace("\\", "\\\\").replace('"', '\\"') + '\n# no comment ]"""')
    return draw(st.sampled_from(forms))


SCALARS = st.one_of(
    string_text(),
    st.integers(-(10**12), 10**12).map(str),
    st.sampled_from(
        ["true", "false", "0x1F", "1_000", "3.25", "-1e5", "inf", "nan", "1979-05-27T07:32:00Z", "07:32:00"]
    ),
    st.just("1979-05-27 07:32:00"),
)


@st.composite
def value_text(draw: st.DrawFn, depth: int = 2) -> str:
    kind = draw(st.sampled_from(["scalar", "scalar", "array", "table"] if depth else ["scalar"]))
    if kind == "scalar":
        return draw(SCALARS)
    if kind == "array":
        items = draw(st.lists(value_text(depth - 1), max_size=3))
        blank = draw(BLANKS)
        comma = draw(st.sampled_from(["", ","])) if items else ""
        return "[" + blank + f"{blank},{blank}".join(items) + blank + comma + blank + "]"
    keys = draw(st.lists(KEYS, max_size=3, unique=True))
    space = draw(SPACES)
    pairs = [draw(key_text(key)) + space + "=" + space + draw(value_text(depth - 1)) for key in keys]
    return "{" + space + f",{space} ".join(pairs) + space + "}"


@st.composite
def documents(draw: st.DrawFn) -> str:
    lines = []
    names = draw(st.lists(KEYS, min_size=1, max_size=4, unique=True))
    for position, name in enumerate(names):
        if position:
            form = draw(st.sampled_from(["[{}]", "[[{}]]", "[ {} ]", "[{0}.{0}]", "[[{}]] # here"]))
            repeats = draw(st.integers(1, 2)) if form.startswith("[[") else 1
        else:
            form, repeats = "", 1
        for _ in range(repeats):
            lines.append(form.format(draw(key_text(name))))
            for key in draw(st.lists(KEYS, max_size=3, unique=True)):
                dots = draw(st.sampled_from(["", ".x", " . y"]))
                comment = draw(st.sampled_from(["", " # c", "\t"]))
                lines.append(f"{draw(SPACES)}{draw(key_text(key))}{dots} = {draw(value_text())}{comment}")
    return "\n".join(lines) + draw(st.sampled_from(["", "\n"]))


def paths(value: Any, path: tuple = ()) -> dict[tuple, Any]:
    found = {path: value} if path else {}
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        found |= paths(item, (*path, key))
    return found


@settings(max_examples=150, deadline=None)
@given(documents())
def test_every_value_is_where_it_stands(text: str) -> None:
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return  # the generator made a duplicate: nothing to point at
    places = scan(text)
    assert places.keys() == paths(values).keys()
    lines = text.split("\n")
    for path, value in paths(values).items():
        span = places[path].value
        shown = lines[span.line - 1][span.column - 1 :][: span.length]
        if not isinstance(value, dict | list) and "\n" not in shown and not shown.startswith(('"""', "'''")):
            assert repr(tomllib.loads(f"v = {shown}")["v"]) == repr(value)
        key = lines[places[path].key.line - 1][places[path].key.column - 1 :][: places[path].key.length]
        if isinstance(path[-1], str):
            assert tomllib.loads(f"{key} = 1") == {path[-1]: 1}


def test_the_place_of_a_value_inside_an_inline_table() -> None:
    places = scan('[a]\nb = { c = [1,\n  "two"], d.e = true }\n')
    assert places[("a", "b", "c", 1)].value == (3, 3, 5)
    assert places[("a", "b", "d", "e")].key == (3, 13, 1)


def test_arrays_of_tables_count() -> None:
    places = scan("[[x]]\na = 1\n[[x]]\na = 2\n[x.y]\nb = 3\n")
    assert places[("x", 1, "a")].value == (4, 5, 1)
    assert places[("x", 1, "y", "b")].value == (6, 5, 1)
