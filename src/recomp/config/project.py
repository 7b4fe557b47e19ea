"""`automation.toml` and every file that it names, loaded and checked together: all problems of all files at once."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from recomp.config import automation, input_script, provenance, title, video
from recomp.config.document import Document, resolve_path
from recomp.errors import ConfigError

if TYPE_CHECKING:
    from recomp.config.problems import Problem


class Project(NamedTuple):
    """A checked configuration. What is not configured is None."""

    settings: automation.Settings
    title: dict[str, Any]
    listed: list[provenance.Listed]
    provenance_name: str
    reference: dict[str, Any] | None
    capture: dict[str, Any] | None
    validation_config: dict[str, Any] | None
    script: dict[str, Any] | None
    documents: dict[str, Document]

    def resolve(self, document: str, value: str) -> str:
        """A path written in one of the files, absolute."""
        return self.documents[document].resolve(value)


def load(path: str) -> Project:
    """Raises ConfigProblems (or ConfigError where a file cannot be read at all)."""
    document = Document.load(path, os.path.basename(path))
    settings = automation.load(document)
    if settings is None:
        document.finish()
    assert settings is not None
    loader = _Loader(document, settings)
    title_values = loader.load("inputs", "config", title.load)
    listed = loader.load("inputs", "provenance", provenance.load) or []
    reference = loader.load("reference", "reference_video_toml", video.load_reference)
    capture = loader.load("reference", "capture_video_toml", video.load_capture, may_be_made=True)
    validation = loader.load("reference", "validation_config_toml", video.load_validation_config)
    script = loader.load("reference", "input_script_toml", input_script.load)
    if settings.raw["capture"]["audio_file"] and reference is not None and not loader.problems:
        _need_audio(loader, reference)
    if not loader.problems and not document.problems:
        _check_listed(loader, listed)
    if loader.problems or document.problems:
        from recomp.config.problems import ConfigProblems

        raise ConfigProblems([*document.problems, *loader.problems])
    assert title_values is not None
    name = os.path.relpath(settings.path("inputs", "provenance") or "", settings.folder)
    return Project(
        settings, title_values, listed, name, reference, capture, validation, script, loader.documents
    )  # fmt: skip


class _Loader:
    def __init__(self, document: Document, settings: automation.Settings) -> None:
        self.document, self.settings = document, settings
        self.problems: list[Problem] = []
        self.documents: dict[str, Document] = {}

    def load(self, section: str, key: str, loader: Callable[[Document], Any], *, may_be_made: bool = False) -> Any:
        path = self.settings.path(section, key)
        if path is None or (may_be_made and not os.path.exists(path)):
            return None
        try:
            document = Document.load(path, os.path.relpath(path, self.settings.folder))
        except ConfigError as error:
            hint = error.hint if os.path.exists(path) else similar_file(path) or error.hint
            self.document.complain((section, key), error.message, hint=hint)
            return None
        self.documents[key] = document
        value = loader(document)
        self.problems += sorted(document.problems, key=lambda p: p.span or (0, 0, 0))
        return value


def _need_audio(loader: _Loader, reference: dict[str, Any]) -> None:
    if reference["hashes"]["audio"] is None and reference["validation"]["require_audio"]:
        loader.documents["reference_video_toml"].complain(
            ("validation", "require_audio"), "needs [hashes.audio], the sound to compare with", at_key=True
        )
        loader.problems += loader.documents["reference_video_toml"].problems


def _check_listed(loader: _Loader, listed: list[provenance.Listed]) -> None:
    """Every program that `[inputs]` names must be listed in provenance.toml."""
    paths = {os.path.realpath(item.path) for item in listed}
    is_redacted = loader.settings.raw["policy"]["redaction_profile"] is not None
    for key, path in program_inputs(loader.settings):
        if key == ("keys",) and is_redacted:
            if not os.path.exists(path) or os.path.realpath(path) not in paths:
                what = "is not listed in provenance.toml" if os.path.exists(path) else "is not there"
                loader.document.complain(("inputs", "keys"), f"the key set {what}", is_private=True)
        elif not os.path.exists(path):
            loader.document.complain(("inputs", *key), f"there is no file {path}", hint=similar_file(path))
        elif os.path.realpath(path) not in paths:
            keys = ("inputs", *key)
            loader.document.complain(
                keys,
                f"{path} is not listed in provenance.toml",
                hint="add an [[inputs]] table with its path, sha256, size, format and role",
            )


def similar_file(path: str) -> str | None:
    """The file of the same folder that was probably meant."""
    from recomp.config.problems import nearest

    folder, name = os.path.split(path)
    try:
        near = nearest(name, os.listdir(folder))
    except OSError:
        return f"there is no folder {folder} either"
    return f'did you mean "{near}"?' if near else None


def program_inputs(settings: automation.Settings) -> list[tuple[tuple[str | int, ...], str]]:
    """(key path below `inputs`, absolute path) of each program input that is configured."""
    inputs = settings.raw["inputs"]
    found: list[tuple[tuple[str | int, ...], str]] = []
    for key in ("elf", "nro", "xci", "keys", "module_json"):
        if inputs[key]:
            found.append(((key,), resolve_path(settings.folder, inputs[key])))
    for index, value in enumerate(inputs["nso"] or []):
        found.append((("nso", index), resolve_path(settings.folder, value)))
    return found
