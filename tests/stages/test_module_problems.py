"""A portable module.json that is wrong: every function that is, where it is (contracts, section 5)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import ProjectFolder, ops_module
from recomp.cli.main import main
from recomp.stages.module_problems import module_problems


def rendered(module: Any) -> list[str]:
    return [problem.render() for problem in module_problems(json.dumps(module, indent=1).encode(), "module.json")]


def test_a_right_module_has_none() -> None:
    assert rendered(ops_module()) == []


def test_each_function_that_is_wrong_is_shown() -> None:
    good = {"name": "entry", "ops": [{"op": "ret"}]}
    bad_op = {"name": "a", "ops": [{"op": "rett"}]}
    bad_operand = {"name": "b", "ops": [{"op": "const_i64", "dst": "x0", "imm": "seven"}]}
    found = rendered({"arch": "aarch64", "functions": [good, bad_op, bad_operand]})
    assert len(found) == 2
    assert found[0].startswith('module.json:16:12: functions[1].ops[0]: op: found "rett", expected ret\n')
    assert '\n  16 |      "op": "rett"\n     |            ^^^^^^' in found[0]
    assert found[1].startswith('module.json:26:13: functions[2].ops[0]: imm: found "seven", expected an integer')


def test_all_that_is_wrong_is_said_at_once() -> None:
    function = {"name": "a", "ops": [{"op": "ad_i64"}, {"op": "ret"}, {"op": "mov_i64", "dst": "x0"}, {"op": "qqq"}]}
    segment = {"name": "d", "base": 0, "size": 8, "permissons": {}, "init_path": "../../passwd"}
    module = {"arch": "arm", "segments": [segment], "functions": [function, {"name": "a", "ops": []}]}
    found = [line.partition(": ")[2].splitlines()[0] for line in rendered(module)]
    assert found[:3] == [
        'arch: found "arm", expected "aarch64"',
        "segments[0]: permissons: is not known, expected permissions",
        'segments[0]: init_path: "../../passwd" leads out of the module\'s folder',
    ]
    assert found[3] == 'functions[0].ops[0]: op: found "ad_i64", expected add_i64 or and_i64 or load_i64'
    assert found[4] == "functions[0].ops[2]: src: found null, expected text"
    assert found[5].startswith('functions[0].ops[3]: op: found "qqq", expected one of const_i64, ')
    assert found[6] == 'functions[1]: name "a" is taken by functions[0]'


def test_more_than_anybody_reads_are_counted() -> None:
    module = {"functions": [{"name": f"f{k}", "ops": [{"op": "no"}]} for k in range(100)]}
    assert rendered(module)[-1] == "module.json: and 80 problems more"


def test_a_line_as_long_as_a_file_is_shown_around_the_place() -> None:
    module = {"functions": [{"name": f"f{k}", "ops": [{"op": "ret"}]} for k in range(1000)]}
    module["functions"][500]["ops"][0]["op"] = "rett"
    (problem,) = module_problems(json.dumps(module).encode(), "m.json")
    first, line, caret = problem.render().splitlines()
    assert first.startswith("m.json:1:") and len(line) < 130
    assert line[caret.index("^") :].startswith('"rett"')
    assert line.startswith("  1 | …") and line.endswith("…")


def test_what_is_not_json_is_shown_where_it_ends() -> None:
    found = module_problems(b'{"arch": "aarch64",\n "functions": [}', "m.json")
    assert found[0].render().startswith("m.json:2:16: is not JSON: expecting value")


def test_check_and_automate_say_it(folder: ProjectFolder, capsys: pytest.CaptureFixture[str]) -> None:
    module = ops_module()
    module["functions"][0]["ops"] = [{"op": "jump"}]
    (folder.root / "module.json").write_text(json.dumps(module))
    folder.list_inputs()
    config = str(folder.write())
    assert main(["check", "--config", config]) == 2
    assert "module.json:1:" in capsys.readouterr().err
    assert main(["automate", "--config", config]) == 1
    assert 'functions[0].ops[0]: op: found "jump"' in capsys.readouterr().err


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_mutated_module_is_right_or_has_a_problem(data: st.DataObject) -> None:
    raw = bytearray(json.dumps(ops_module()).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    for problem in module_problems(bytes(raw), "m.json"):
        assert problem.render()
