"""What is checked before any stage runs: every listed input, and every folder that will take guest-derived data."""

from __future__ import annotations

import os
from typing import Any

from recomp.config.document import Document, resolve_path
from recomp.config.project import Project, program_inputs
from recomp.config.provenance import Listed
from recomp.engine.canonical import digest
from recomp.engine.fingerprint import StatCache
from recomp.engine.layout import Layout
from recomp.engine.separation import check_separation
from recomp.errors import ConfigError
from recomp.stages.detect import HEAD_BYTES, detect, is_format
from recomp.stages.secrets import REDACTED, places_of_secrets, read_secrets


def check_inputs(project: Project, hashes: StatCache) -> None:
    """Presence, size, hash and format of every input in provenance.toml. Raises ConfigProblems with all problems."""
    document = project.documents["provenance"]
    is_redacted = project.settings.raw["policy"]["redaction_profile"] is not None
    for listed in project.listed:
        key: tuple[str | int, ...] = ("inputs", listed.position)
        shown = REDACTED if is_redacted and listed.format == "keyset" else listed.path
        try:
            size = os.stat(listed.path).st_size
            sha256, _ = hashes.file(listed.path)
            if size != listed.size:
                document.complain(
                    (*key, "size"), f"{shown}: found {size} bytes, expected {listed.size}",
                    hint=f'the file was cut short or is another one; to list it as it is: size = {size}, '
                         f'sha256 = "{sha256}"',
                )  # fmt: skip
                continue
        except OSError as error:
            document.complain((*key, "path"), f"{shown}: cannot be read: {error.strerror}")
            continue
        if sha256 != listed.sha256:
            document.complain(
                (*key, "sha256"), f"{shown}: found SHA-256 {sha256}, expected {listed.sha256}",
                hint="this is not the file that was listed; if it should be, list the hash that was found",
            )  # fmt: skip
        _check_format(document, key, listed, shown)
    document.finish()


def check_secrets(project: Project) -> tuple[bytes, ...] | None:
    """No file of a project spells a key out: commands stand in the process list, and the rest in manifests. Raises
    ConfigError, which names places and shows no line; returns the values of the key set."""
    secrets = read_secrets(project.settings.path("inputs", "keys"))
    files = {document.path: document.values for document in project.documents.values()}
    files[project.settings.file] = project.settings.raw
    found = [
        f"{os.path.relpath(path, project.settings.folder)}: {place}"
        for path, values in (files.items() if secrets else ())
        for place in places_of_secrets(values, secrets or ())
    ]
    if found:
        raise ConfigError(
            "\n".join(f"{place} holds a value of the key set (inputs.keys)" for place in sorted(set(found))),
            hint="let the command read the key set itself",
        )
    return secrets


def check_module(project: Project) -> None:
    """A ready-made module: that it can be emitted. Raises ConfigProblems and other RecompErrors."""
    path = project.settings.path("inputs", "module_json")
    if path is None:
        return
    from recomp.config.problems import ConfigProblems
    from recomp.stages.module_problems import module_problems

    with open(path, "rb") as file:
        problems = module_problems(file.read(), os.path.relpath(path, project.settings.folder))
        if problems:
            raise ConfigProblems(problems)
        file.seek(0)
        _try_module(project, path, file.read())


def _try_module(project: Project, path: str, data: bytes) -> None:
    """What only shows with the title and the segments' files beside it."""
    from recomp.stages.pipeline import emit_module

    emit_module(data, path, {"title": project.title, "source": os.path.basename(path)})


def check_reference(project: Project) -> None:
    """Whether the lists of the reference are there, where no command of the user's could still make them. Raises
    ConfigProblems."""
    raw = project.settings.raw
    if project.reference is None or project.reference["validation"]["mode"] == "perceptual":
        return
    if any(raw["commands"].values()) or raw["analysis"]["command"]:
        return
    document = project.documents["reference_video_toml"]
    for what, wanted in project.reference["hashes"].items():
        path = document.resolve(wanted["path"]) if wanted else None
        if path is not None and not os.path.exists(path) and (what == "frames" or project.settings.audio_file):
            document.complain(
                ("hashes", what, "path"), f"there is no file {path}",
                hint="recomp reference makes one, of the last run (record) or of a recording (normalize); until then "
                     "leave reference.reference_video_toml out",
            )  # fmt: skip
    document.finish()


def _check_format(document: Document, key: tuple[str | int, ...], listed: Listed, shown: str) -> None:
    with open(listed.path, "rb") as file:
        head = file.read(HEAD_BYTES)
    if not is_format(head, listed.format):
        found = detect(head)
        document.complain(
            (*key, "format"), f'{shown}: found {found or "an unknown format"}, expected "{listed.format}"'
        )


def manifest_inputs(project: Project, layout: Layout, hashes: StatCache) -> list[dict[str, Any]]:
    """Every file that decides what a run does, as the manifest lists it."""
    settings = project.settings
    found: list[tuple[str, str]] = [("automation", settings.file)]
    for place, program in program_inputs(settings):
        found.append(("inputs." + ".".join(str(part) for part in place), program))
    for section, key in (
        ("inputs", "provenance"), ("inputs", "config"), ("reference", "reference_video_toml"),
        ("reference", "capture_video_toml"), ("reference", "validation_config_toml"),
        ("reference", "input_script_toml"),
        ("analysis", "name_map_json"), ("analysis", "runtime_trace_manifest"),
    ):  # fmt: skip
        path = settings.path(section, key)
        if path is not None and os.path.exists(path):
            found.append((f"{section}.{key}", path))
    is_redacted = settings.raw["policy"]["redaction_profile"] is not None
    entries = []
    for name, path in found:
        sha256, size = hashes.file(path)
        shown = REDACTED if name == "inputs.keys" and is_redacted else layout.written(path)
        entries.append({"name": name, "path": shown, "sha256": sha256, "size": size})
    return entries


def input_fingerprint(project: Project, inputs: list[dict[str, Any]]) -> str:
    """The identity of what goes in. Configuration files count by their values, so that comments change nothing; what
    automation.toml asks for counts with the stages that read it."""
    parts: list[list[str]] = []
    for item in inputs:
        document = project.documents.get(item["name"].rpartition(".")[2])
        if item["name"] != "automation":
            identity = digest(repr(sorted_values(document.values))) if document else item["sha256"]
            parts.append([item["name"], identity])
    return digest(parts)


def sorted_values(value: Any) -> Any:
    """TOML values with keys in order: `repr` then spells equal documents alike, times and all."""
    if isinstance(value, dict):
        return [(key, sorted_values(value[key])) for key in sorted(value)]
    return [sorted_values(item) for item in value] if isinstance(value, list) else value


def receiving_folders(project: Project) -> tuple[str, ...]:
    """Folders that take guest-derived data."""
    settings = project.settings
    files = [settings.run_manifest, settings.lifted_module_json, settings.video_path]
    if settings.audio_file:
        files.append(settings.audio_file)
    below = (os.path.join(settings.work_root, name) for name in ("recording", "files", ".recomp"))
    store = os.environ.get("RECOMP_CACHE_DIR")
    shared = (os.path.abspath(store),) if store else ()
    exported = (resolve_path(settings.folder, path) for path in settings.raw["analysis"]["expected_outputs"] or ())
    folders = (settings.work_root, *below, *settings.dirs.values(), settings.frames_dir, *exported, *shared)
    return (*folders, *map(os.path.dirname, files))


def check_folders(project: Project) -> tuple[str, ...]:
    """Raises ConfigError where git would pick up what a run writes; returns the folders."""
    folders = receiving_folders(project)
    check_separation(folders)
    return folders
