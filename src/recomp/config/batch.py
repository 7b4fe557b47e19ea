"""The batch manifest: a catalogue of titles, what they share, and what a batch is allowed to do (docs/batch.md)."""

from __future__ import annotations

import itertools
import os
import re
from typing import Any, NamedTuple

from recomp.config.automation import AUTOMATION, STEPS, check_window
from recomp.config.document import Document, JsonDocument
from recomp.config.project import similar_file
from recomp.config.types import Boolean, Field, FilePath, Integer, ListOf, MapOf, Number, Table, Text
from recomp.errors import ConfigError

STATUSES = ("pending", "running", "passed", "failed", "needs_review")
ASSET_CLASSES = ("proprietary", "derived", "generated", "public")
#: what a variant may differ in
AXES = ("compiler", "target", "optimisation", "baseline", "lift_skip", "lift_mode", "input_script", "seed")

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")
_KEY = re.compile(r"[0-9a-f]{64}")
#: sections of automation.toml that a batch may set for its titles
_SECTIONS = ("capture", "commands", "tools", "analysis", "run", "build", "lift")


def _name(text: str) -> str | None:
    return None if _NAME.fullmatch(text) else "a name of letters, digits and . _ + - that begins with a letter or digit"


def _hex(text: str) -> str | None:
    return None if _KEY.fullmatch(text.lower()) else "64 hex digits"


AUTOMATION_PART = Table({
    name: AUTOMATION.fields[name]._replace(required=False) for name in _SECTIONS
})  # fmt: skip

MATRIX = Table({
    "compiler": Field(ListOf(ListOf(Text(not_empty=True), at_least=1), at_least=1), "C compilers, each an argv."),
    "target": Field(ListOf(Text(not_empty=True), at_least=1), "Target triples."),
    "optimisation": Field(ListOf(Text("0", "1", "2", "3", "s"), at_least=1), "Optimisation levels."),
    "baseline": Field(ListOf(Boolean(), at_least=1), "Build for every processor of the target, or for recent ones."),
    "lift_skip": Field(ListOf(ListOf(Text(not_empty=True)), at_least=1), "Lists of functions to leave out."),
    "lift_mode": Field(ListOf(Text("decode", "stub"), at_least=1), "What is lifted."),
    "input_script": Field(ListOf(FilePath(), at_least=1), "Input scripts."),
    "seed": Field(ListOf(Integer(0, (1 << 64) - 1), at_least=1), "Seeds of the guest's random sources."),
})  # fmt: skip

POLICY = Table({
    "execution_mode": Field(Text("local", "cloud", "hybrid"), "Where titles may run.", default="local"),
    "requires_approval": Field(Boolean(), "A person must sign for the batch: recomp batch approve.", default=False),
    "approvals": Field(ListOf(FilePath()), "Signed records, as recomp batch approve writes them.", default=[]),
    "approvers": Field(ListOf(Text(check=_hex)), "Public keys (ed25519, hex) whose signature counts.", default=[]),
    "max_cost_usd": Field(Number(minimum=0), "Upper bound of what the whole batch may cost."),
    "usd_per_hour": Field(Number(minimum=0), "What an hour of one worker costs."),
    "max_runtime_minutes": Field(Number(minimum=0), "Upper bound of the batch's working time, over all workers."),
    "title_minutes": Field(Number(minimum=0.001), "Upper bound of one title's working time.", default=30),
    "redaction_profile": Field(Text(not_empty=True), "How paths and notes are shown in what leaves this host."),
    "allowed_models": Field(ListOf(Text(not_empty=True)), "Models that may see what is not proprietary."),
    "run_windows": Field(ListOf(Text(check=check_window)), 'When titles may start: "weekday:09:00-18:00".', default=[]),
    "private_hosts": Field(ListOf(Text(not_empty=True)), "Machines that proprietary inputs may lie on.", default=[]),
    "may_travel": Field(
        ListOf(Text(*ASSET_CLASSES)), "Asset classes that may be put into the shared store.",
        default=["derived", "generated", "public"],
    ),
})  # fmt: skip

_INPUTS = Table({
    "automation": Field(FilePath(), "The title's automation.toml; or one of the programs below."),
    "elf": Field(FilePath(), "A static AArch64 Linux ELF."),
    "nro": Field(FilePath(), "A homebrew program."),
    "sha256": Field(Text(check=_hex), "What the program must be; default: whatever it is."),
    "asset_class": Field(Text(*ASSET_CLASSES), "What the program may be used for.", default="proprietary"),
})  # fmt: skip

_VALIDATION = Table({
    "reference_video_toml": Field(FilePath(), "What the capture is compared with."),
    "capture_video_toml": Field(FilePath(), "What the capture is, where commands make it."),
    "validation_config_toml": Field(FilePath(), "Thresholds that override the reference's own."),
    "input_script_toml": Field(FilePath(), "The recorded input that is replayed."),
})  # fmt: skip

_ARTIFACT = Table({
    "variant": Field(Text(), required=True),
    "path": Field(Text(), required=True),
    "sha256": Field(Text(check=_hex), required=True),
    "size": Field(Integer(0), "Bytes.", required=True),
    "role": Field(Text(), required=True),
})  # fmt: skip

BATCH = Table({
    "schema_version": Field(Text("v1"), "Version of this file's schema.", required=True),
    "batch_id": Field(Text(check=_name), "The batch's name.", required=True),
    "created_at": Field(Text(not_empty=True), "When it was written (RFC 3339).", required=True),
    "toolchain": Field(Table({
        "recomp_cli": Field(Text(not_empty=True), "The version of recomp that must run it; default: any."),
        "zig": Field(Text(not_empty=True), "The version of the built-in compiler; default: any."),
    }), "What it must be run with."),
    "global_defaults": Field(Table({
        "work_root": Field(FilePath(), "Every title's work root lies in this folder.", default="batch"),
        "retries": Field(Integer(0, 20), "How often a title whose worker died is tried again.", default=3),
        "memory_mb": Field(MapOf(Integer(1)), "Memory that a stage needs, by its name."),
        "resource": Field(MapOf(Text("build", "capture", "gpu")), "The kind of worker a stage needs, by its name."),
        "automation": Field(AUTOMATION_PART, "What automation.toml of every title says beside its own."),
        "matrix": Field(MATRIX, "Variants of every title: each combination of these is one."),
    }), "What titles share."),
    "policy": Field(POLICY, "What a batch is allowed to do."),
    "titles": Field(ListOf(Table({
        "title_id": Field(Text(check=_name), "Unique in the batch; names the title's folder.", required=True),
        "title_name": Field(Text(not_empty=True), "For people.", required=True),
        "version": Field(Text(not_empty=True), required=True),
        "region": Field(Text(not_empty=True), required=True),
        "inputs": Field(_INPUTS, "What goes in.", required=True),
        "validation": Field(_VALIDATION, "What to compare with, and what to play."),
        "automation": Field(AUTOMATION_PART, "As in global_defaults, for this title."),
        "matrix": Field(MATRIX, "As in global_defaults, for this title; replaces that key by key."),
        "status": Field(Text(*STATUSES), "Where it stands; recomp never writes it into this file.", default="pending"),
        "artifacts": Field(ListOf(_ARTIFACT), "What its runs made; as status.", default=[]),
    })), "The catalogue.", required=True),
})  # fmt: skip


class Manifest(NamedTuple):
    """A checked batch manifest. `raw` has every value with defaults filled in, `values` what the file itself says;
    paths in both are as written, relative to `folder`."""

    path: str
    folder: str
    raw: dict[str, Any]
    values: dict[str, Any]
    work_root: str

    @property
    def titles(self) -> list[dict[str, Any]]:
        return self.raw["titles"]

    @property
    def defaults(self) -> dict[str, Any]:
        return self.raw["global_defaults"]

    @property
    def policy(self) -> dict[str, Any]:
        return self.raw["policy"]


def load(path: str) -> Manifest:
    """Read a manifest, TOML or (by its name) JSON; of a folder, the one in it that `recomp batch init` names. Raises
    ConfigError, ConfigProblems with every problem."""
    if os.path.isdir(path):
        found = [name for name in ("batch.toml", "batch.json") if os.path.isfile(os.path.join(path, name))]
        if not found:
            raise ConfigError(f"{path}: no batch.toml in this folder", hint=f"recomp batch init {path} writes one")
        path = os.path.join(path, found[0])
    elif not os.path.exists(path):
        raise ConfigError(
            f"{path}: there is no such file", hint=similar_file(os.path.abspath(path)) or "check the path"
        )
    kind = JsonDocument if path.endswith(".json") else Document
    document = kind.load(path, os.path.basename(path))
    raw = document.check(BATCH)
    _check_titles(document, raw["titles"] or [])
    _check_names(document, raw["global_defaults"])
    document.finish()
    _share(raw["titles"])
    work_root = document.resolve(raw["global_defaults"]["work_root"])
    return Manifest(os.path.abspath(path), document.folder, raw, document.values, work_root)


def _share(titles: list[dict[str, Any]]) -> None:
    """What a title says like the one before it, which is mostly nothing, is kept once."""
    for before, title in itertools.pairwise(titles):
        for key in ("automation", "matrix", "validation", "artifacts"):
            if title[key] == before[key]:
                title[key] = before[key]


def _check_titles(document: Document, titles: list[dict[str, Any]]) -> None:
    seen: dict[str, int] = {}
    for index, title in enumerate(titles):
        name = (title["title_id"] or "").casefold()  # names of folders, and some file systems fold case
        if name and name in seen:
            document.complain(("titles", index, "title_id"), f'a second title "{title["title_id"]}"',
                              hint=f"the first is titles[{seen[name]}]")  # fmt: skip
        seen.setdefault(name, index)
        _check_scripts(document, index, title)
        if title["inputs"] is None:
            continue
        given = [key for key in ("automation", "elf", "nro") if title["inputs"][key]]
        if len(given) != 1:
            found = " and ".join(given) if given else "none of them"
            document.complain(("titles", index, "inputs"),
                              f"expected one of automation, elf, nro, found {found}", at_key=True)  # fmt: skip
        elif not os.path.isfile(path := document.resolve(title["inputs"][given[0]])):
            document.complain(
                ("titles", index, "inputs", given[0]), f"there is no file {path}", hint=similar_file(path)
            )


def _check_scripts(document: Document, index: int, title: dict[str, Any]) -> None:
    for key, value in title["validation"].items():
        if value and not os.path.isfile(path := document.resolve(value)):
            document.complain(("titles", index, "validation", key), f"there is no file {path}", hint=similar_file(path))


def _check_names(document: Document, defaults: dict[str, Any]) -> None:
    from recomp.config.problems import nearest

    for table in ("memory_mb", "resource"):
        for step in (defaults[table] or {}).keys() - set(STEPS):
            near = nearest(step, list(STEPS))
            document.complain(("global_defaults", table, step), f'there is no stage "{step}"', at_key=True,
                              hint=f'did you mean "{near}"?' if near else "stages: " + ", ".join(STEPS))  # fmt: skip
