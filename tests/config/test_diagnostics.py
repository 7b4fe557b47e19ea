"""What is wrong with a configuration is said all at once, each where it stands (contracts, sections 1, 5, 6 and 7)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import ProjectFolder, toml
from recomp.config import automation, input_script, provenance, title, video
from recomp.config import project as projects
from recomp.config.document import Document
from recomp.config.problems import ConfigProblems
from recomp.errors import ConfigError

GOOD = """\
schema_version = "1"
[inputs]
mode = "lifted"
module_json = "module.json"
provenance = "provenance.toml"
config = "title.toml"
[outputs]
work_root = "out"
"""


def problems(text: str, loader=automation.load, name: str = "automation.toml") -> list[str]:
    document = Document("/folder/" + name, text.encode(), name)
    loader(document)
    with pytest.raises(ConfigProblems) as caught:
        document.finish()
    return [problem.render() for problem in caught.value.problems]


def hints(text: str, loader=automation.load) -> list[str | None]:
    document = Document("/folder/automation.toml", text.encode(), "automation.toml")
    loader(document)
    return [problem.hint for problem in document.problems]


def test_section_1_a_wrong_type_is_shown_where_it_stands() -> None:
    assert problems(GOOD + '[policy]\nmax_cost_usd = "12"\n') == [
        'automation.toml:10:16: policy.max_cost_usd: expected a number >= 0, found the string "12"\n'
        '  10 | max_cost_usd = "12"\n'
        "     |                ^^^^"
    ]


def test_section_1_an_unknown_key_names_the_nearest_known_one() -> None:
    text = GOOD + '[capture]\nvideo_paht = "x"\n'
    assert problems(text) == [
        'automation.toml:10:1: capture.video_paht: unknown key "video_paht"\n  10 | video_paht = "x"\n     | ^^^^^^^^^^'
    ]
    assert hints(text) == ['did you mean "video_path"?']


def test_section_1_all_problems_at_once_in_the_order_of_the_file() -> None:
    text = GOOD.replace('"1"', '"2"').replace('"lifted"', '"liftd"') + "[run]\nresume = 1\n"
    lines = [problem.split(": ")[0:2] for problem in problems(text)]
    assert lines == [
        ["automation.toml:1:18", "schema_version"], ["automation.toml:3:8", "inputs.mode"],
        ["automation.toml:10:10", "run.resume"],
    ]  # fmt: skip


def test_section_1_a_missing_key_is_shown_at_its_table() -> None:
    assert problems(GOOD.replace('work_root = "out"\n', "")) == [
        "automation.toml:7:2: outputs.work_root: is missing: expected a path (a string)\n"
        "  7 | [outputs]\n"
        "    |  ^^^^^^^"
    ]


@pytest.mark.parametrize("mode, key", [("homebrew", "nro"), ("xci", "xci"), ("elf", "elf"), ("lifted", "module_json")])
def test_section_1_each_mode_needs_its_inputs(mode: str, key: str) -> None:
    text = GOOD.replace('"lifted"', f'"{mode}"').replace('module_json = "module.json"\n', "")
    assert any(f"inputs.{key}: is missing" in problem for problem in problems(text))


def test_section_1_a_command_is_never_a_shell_string() -> None:
    assert (
        "commands.build: expected an array of strings, found the string"
        in problems(GOOD + '[commands]\nbuild = "make"')[0]
    )
    assert "expected at least 1 element" in problems(GOOD + "[commands]\nbuild = []")[0]


def test_section_1_assets_and_project_never_share_a_root() -> None:
    text = GOOD + 'build_dir = "x"\nassets_dir = "x/assets"\n'
    assert "shares a root with outputs.build_dir" in problems(text)[0]


def test_section_1_default_folders() -> None:
    document = Document("/folder/automation.toml", GOOD.encode())
    found = automation.load(document)
    assert found is not None
    assert found.dirs["log_dir"] == "/folder/out/logs"
    assert found.lifted_module_json == "/folder/out/lift/module.json"
    assert found.run_manifest == "/folder/out/run-manifest.json"
    assert found.raw["run"]["lift_entry"] == "entry"


def test_section_1_backslashes_are_separators() -> None:
    document = Document("/folder/automation.toml", GOOD.replace('"out"', "'deep\\out'").encode())
    found = automation.load(document)
    assert found is not None and found.work_root == "/folder/deep/out"


@pytest.mark.parametrize(
    "text, place", [("a = \n", "1:5"), ("[a\n", "1:3"), ("a = 1\na = 2\n", "2:6"), ('a = "x', "1:7")]
)
def test_a_file_that_is_not_toml(text: str, place: str) -> None:
    found = problems(text)
    assert len(found) == 1
    assert found[0].startswith(f"automation.toml:{place}: is not TOML: ")


def test_a_file_that_is_not_utf_8() -> None:
    document = Document("/f.toml", "# é\r\na = ".encode() + b"\xff")
    document.check(automation.AUTOMATION)
    assert document.problems[0].render() == "f.toml:2:5: is not UTF-8: byte 0xff\n  2 | a = \ufffd\n    |     ^"


def test_a_file_that_begins_with_a_byte_order_mark() -> None:
    assert Document("/f.toml", b"\xef\xbb\xbfa = 1\r\n").values == {"a": 1}


def test_a_table_that_stands_twice() -> None:
    document = Document("/f.toml", b"[a.b]\nx = 1\n[a.b]\n")
    assert document.problems[0].render().startswith("f.toml:3:5: is not TOML: [a.b] stands here twice")


def test_section_5_regions_must_not_overlap() -> None:
    region = "[[runtime.memory_layout.regions]]\nname = {}\nbase = {}\nsize = 16\npermissions = {{ read = true }}\n"
    text = 'title = "x"\n' + region.format('"a"', 0) + region.format('"b"', 15)
    assert 'region "b" at 0xf overlaps region "a", which ends at 0x10' in problems(text, title.load)[0]


def test_section_5_default_regions() -> None:
    values = title.load(Document("/t.toml", b'title = "x"'))
    assert [region["name"] for region in values["runtime"]["memory_layout"]["regions"]] == [
        "code", "rodata", "data", "heap", "stack",
    ]  # fmt: skip


def test_section_5_stubs_know_three_behaviours() -> None:
    assert (
        'stubs.draw: expected "log" or "noop" or "panic", found "panik"'
        in problems('title = "x"\n[stubs]\ndraw = "panik"\n', title.load)[0]
    )


def test_section_6_a_limit_that_has_no_effect_any_more_is_still_a_key() -> None:
    text = 'schema_version = "1"\n[thresholds]\ndrift_ppm = 300\ncolour_deficit = 0.2\n'
    document = Document("/v.toml", text.encode(), "v.toml")
    video.load_validation_config(document)
    assert document.problems == []


def test_section_6_times() -> None:
    assert video.seconds("01:02:03.500") == 3723.5
    assert video.seconds(4) == 4.0
    text = toml({
        "schema_version": "2",
        "video": {"path": "v", "width": 1, "height": 1, "fps": 60},
        "timeline": {"start": "0:61:00"},
        "hashes.frames": {"format": "list", "path": "l"},
    })  # fmt: skip
    assert 'timeline.start: expected "HH:MM:SS.mmm" or seconds' in problems(text, video.load_reference)[0]


SCRIPT = {"schema_version": "1", "metadata": {"title": "t", "controller": "c", "timing_mode": "ms"}}


def test_section_7_an_unknown_control_names_the_nearest() -> None:
    text = toml({**SCRIPT, "events": [{"time_ms": 0, "control": "LEFFT", "value": 1}]})
    assert 'events[0].control: unknown control "LEFFT"' in problems(text, input_script.load)[0]
    assert hints(text, input_script.load) == ['did you mean "LEFT"?']


def test_a_wrong_type_hides_no_other_problem_of_the_file() -> None:
    event = {"frame": "x", "control": "LEFFT", "value": 1}
    markers = [{"name": "a", "time_ms": 0}, {"name": "a", "time_ms": -1}]
    script = problems(toml({**SCRIPT, "events": [event], "markers": markers}), input_script.load)
    assert [p.splitlines()[0].split(": ", 1)[1] for p in script] == [
        'events[0].time_ms: is missing: expected an integer in timing_mode "ms"',
        'events[0].frame: expected an integer >= 0, found the string "x"',
        'events[0].control: unknown control "LEFFT"',
        'markers[1].name: a second marker "a"',
        "markers[1].time_ms: expected an integer >= 0, found the integer -1",
    ]
    region = "[[runtime.memory_layout.regions]]\nname = {}\nbase = {}\nsize = 16\npermissions = {{ read = true }}\n"
    regions = region.format('"a"', 0) + region.format('"b"', '"x"') + region.format('"c"', 8)
    layout = problems("title = 5\n" + regions, title.load)
    assert [p.split(": ")[1] for p in layout] == ["title"] + [
        f"runtime.memory_layout.regions[{i}].base" for i in (1, 2)
    ]
    mode = problems(GOOD.replace("module_json", "elf") + "[run]\nseed = -1\n")
    assert [p.split(": ")[1] for p in mode] == ["inputs.module_json", "inputs.elf", "run.seed"]
    timeline = problems('[video]\nfps = "x"\n[timeline]\nstart = 5\nend = 4\n', video.load_reference)
    assert any("timeline.end: lies before" in p for p in timeline)
    assert any("video.fps: expected a number" in p for p in timeline)


def test_section_7_times_belong_to_the_timing_mode() -> None:
    text = toml({**SCRIPT, "events": [{"frame": 3, "control": 30, "value": 1}]})
    assert [p.splitlines()[0].split(": ", 1)[1] for p in problems(text, input_script.load)] == [
        "events[0].time_ms: is missing: expected an integer in timing_mode \"ms\"",
        "events[0].frame: does not belong to timing_mode \"ms\"",
    ]  # fmt: skip


def test_section_7_markers_are_unique() -> None:
    text = toml({**SCRIPT, "markers": [{"name": "a", "time_ms": 1}, {"name": "a", "time_ms": 2}]})
    assert 'a second marker "a"' in problems(text, input_script.load)[0]


def test_section_7_events_at_the_same_time_keep_file_order() -> None:
    events = [("B", 1, 100), ("A", 1, 100), (300, 5, 0), ("LSTICK_X", -7, 100)]
    text = toml({**SCRIPT, "events": [{"time_ms": t, "control": c, "value": v} for c, v, t in events]})
    script = input_script.load(Document("/i.toml", text.encode()))
    assert input_script.compile_script(script) == b"0 1 300 5\n0 0 0 0\n6 1 45 1\n6 1 44 1\n6 3 0 -7\n6 0 0 0\n"


@pytest.mark.parametrize("time_ms, tick", [(0, 0), (8, 0), (9, 1), (16, 1), (17, 1), (25, 2), (1000, 60)])
def test_section_7_a_time_goes_to_the_nearest_tick(time_ms: int, tick: int) -> None:
    assert input_script.to_tick(time_ms) == tick


def test_problems_of_all_files_come_together(folder: ProjectFolder) -> None:
    folder.with_reference()
    (folder.root / "title.toml").write_text("titel = 1\n")
    (folder.root / "reference_video.toml").write_text('schema_version = "1"\n')
    with pytest.raises(ConfigProblems) as caught:
        projects.load(str(folder.write()))
    files = {problem.file for problem in caught.value.problems}
    assert files == {"title.toml", "reference_video.toml"}


def test_an_input_that_is_not_there_names_the_file_that_was_meant(folder: ProjectFolder) -> None:
    folder.config["inputs"]["module_json"] = "modul.json"
    with pytest.raises(ConfigProblems, match="there is no file .*modul.json") as caught:
        projects.load(str(folder.write()))
    assert caught.value.problems[0].hint == 'did you mean "module.json"?'


def test_section_5_every_input_must_be_listed(folder: ProjectFolder) -> None:
    text = (folder.root / "provenance.toml").read_text().replace('"module.json"', '"other.json"')
    (folder.root / "provenance.toml").write_text(text)
    with pytest.raises(ConfigProblems, match="module.json is not listed in provenance.toml"):
        projects.load(str(folder.write()))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file or directory"):
        projects.load(str(tmp_path / "nothing.toml"))


LOADERS = [
    automation.load, title.load, provenance.load, video.load_reference, video.load_capture,
    video.load_validation_config, input_script.load,
]  # fmt: skip

VALUES = st.recursive(
    st.one_of(st.booleans(), st.integers(-(1 << 70), 1 << 70), st.floats(allow_nan=False), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(min_size=1, max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(LOADERS), st.data())
def test_any_values_for_known_keys_are_checked_without_a_crash(loader, data: st.DataObject) -> None:
    tables = {
        automation.load: automation.AUTOMATION, title.load: title.TITLE, provenance.load: provenance.PROVENANCE,
        video.load_reference: video.REFERENCE_VIDEO, video.load_capture: video.CAPTURE_VIDEO,
        video.load_validation_config: video.VALIDATION_CONFIG, input_script.load: input_script.INPUT_SCRIPT,
    }  # fmt: skip
    keys = data.draw(st.lists(st.sampled_from(sorted(tables[loader].fields)), unique=True))
    document = Document("/x.toml", b"")
    document.values = {key: data.draw(VALUES) for key in keys}
    loader(document)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_a_file_or_a_problem(data: bytes) -> None:
    document = Document("/x.toml", data)
    automation.load(document)
    with pytest.raises(ConfigProblems):
        document.finish()


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_mutated_good_file_gives_settings_or_problems(data: st.DataObject) -> None:
    raw = bytearray(GOOD.encode())
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    document = Document("/x.toml", bytes(raw))
    found = automation.load(document)
    assert (found is None) == bool(document.problems)
    for problem in document.problems:
        assert json.dumps(problem.render())
