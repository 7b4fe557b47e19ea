"""A configuration file: its text, its values, and its problems."""

from __future__ import annotations

import os
import tomllib
from typing import TYPE_CHECKING, Any

from recomp.config.types import Path, Table
from recomp.errors import ConfigError

if TYPE_CHECKING:
    from recomp.config.positions import Place, Span
    from recomp.config.problems import Problem

#: what some editors begin a file with
BOM = b"\xef\xbb\xbf"
#: no configuration of ours comes near; a larger file is a mistake
SIZE_LIMIT_BYTES = 64 << 20


class Document:
    """`name` is how problems call the file. Problems are gathered; `finish` raises them all."""

    def __init__(self, path: str, data: bytes, name: str | None = None) -> None:
        self.path = os.path.abspath(path)
        self.name = name or os.path.basename(path)
        self.problems: list[Problem] = []
        self._places: dict[Path, Place] | None = None
        self.values: dict[str, Any] = {}
        try:
            self.text = data.removeprefix(BOM).decode("utf-8").replace("\r\n", "\n")
        except UnicodeDecodeError as error:
            self._not_text(data.removeprefix(BOM), error.start)
            return
        self._parse()

    def _not_text(self, data: bytes, start: int) -> None:
        from recomp.config.positions import Span

        self.text = data.decode("utf-8", errors="replace").replace("\r\n", "\n")
        before = data[:start].decode("utf-8").split("\n")
        span = Span(len(before), len(before[-1]) + 1, 1)
        self._add(span, "", f"is not UTF-8: byte {data[start]:#04x}", "save it as UTF-8")

    def _parse(self) -> None:
        try:
            self.values = tomllib.loads(self.text)
        except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
            self._syntax_problem(error)

    def _scan(self) -> dict[Path, Place]:
        from recomp.config.positions import scan

        return scan(self.text)

    @classmethod
    def load(cls, path: str, name: str | None = None) -> Document:
        """Raises ConfigError if the file cannot be read."""
        try:
            with open(path, "rb") as file:
                data = file.read(SIZE_LIMIT_BYTES + 1)
        except OSError as error:
            raise ConfigError(f"{path}: cannot be read: {error.strerror}", hint="check the path") from error
        if len(data) > SIZE_LIMIT_BYTES:
            raise ConfigError(f"{path}: is larger than {SIZE_LIMIT_BYTES >> 20} MiB, expected a configuration file")
        return cls(path, data, name)

    @property
    def folder(self) -> str:
        return os.path.dirname(self.path)

    def check(self, table: Table) -> dict[str, Any]:
        """The values with defaults filled in; what is wrong is gathered."""
        if self.problems:  # not TOML: nothing further to say
            return table.check({}, (), lambda *_, **__: None)
        return table.check(self.values, (), self.complain)

    def has(self, path: Path) -> bool:
        """Whether anything, right or wrong, is written at `path`."""
        value: Any = self.values
        for step in path:
            try:
                value = value[step]
            except (KeyError, IndexError, TypeError):
                return False
        return True

    def complain(
        self, path: Path, message: str, hint: str | None = None, at_key: bool = False, is_private: bool = False
    ) -> None:
        """A problem with the value (or key) at `path`; a path that is not there is shown where it should be. Of one
        that is private the line is not shown."""
        self._add(self._span(path, at_key), dotted(path), message, hint)
        if is_private:
            self.problems[-1] = self.problems[-1]._replace(source_line=None)

    def finish(self) -> None:
        """Raises ConfigProblems if there are any."""
        if self.problems:
            from recomp.config.problems import ConfigProblems

            raise ConfigProblems(sorted(self.problems, key=lambda p: p.span or (0, 0, 0)))

    def resolve(self, value: str) -> str:
        """A path as this file writes it, absolute."""
        return resolve_path(self.folder, value)

    def _span(self, path: Path, at_key: bool) -> Span | None:
        if self._places is None:
            self._places = self._scan()
        place = self._places.get(path)
        if place is not None:
            return place.key if at_key else place.value
        while path:
            path = path[:-1]
            if path in self._places:
                return self._places[path].key
        return None

    def _add(self, span: Span | None, where: str, message: str, hint: str | None) -> None:
        from recomp.config.problems import Problem

        lines = self.text.split("\n")
        line = lines[span.line - 1] if span and span.line <= len(lines) else None
        self.problems.append(Problem(self.name, span, where, message, hint, line))

    def _syntax_problem(self, error: Exception) -> None:
        import re

        from recomp.config.positions import Span

        message = str(error) or "is nested too deeply"
        match = re.search(r"\(at line (\d+), column (\d+)\)|\(at end of document\)", message)
        span = None
        if match:
            lines = self.text.split("\n")
            line = int(match[1]) if match[1] else len(lines)
            column = int(match[2]) if match[2] else len(lines[-1]) + 1
            span = Span(line, column, 1)
            message = message[: match.start()].rstrip()
            if "'\\n'" in message and span.line <= len(lines):
                self._add(span, "", "is not TOML: the line ends inside a string or value", 'close it with "')
                return
            if message == """Expected "'\"""":
                self._add(span, "", "is not TOML: the line ends inside a string", "close it with '")
                return
            twice = re.fullmatch(r"Cannot declare (\(.*\)) twice", message)
            if twice:
                name = ".".join(re.findall(r"'([^']*)'", twice[1]))
                self._add(span, "", f"is not TOML: [{name}] stands here twice", "put what is in both into one")
                return
            if message == "Cannot overwrite a value":
                self._add(span, "", "is not TOML: sets a key that is already set", "remove one of the two")
                return
        self._add(span, "", f"is not TOML: {message[:1].lower()}{message[1:]}", None)


class JsonDocument(Document):
    """The same for a file that is JSON."""

    def _parse(self) -> None:
        import json

        try:
            self.values = json.loads(self.text)
        except json.JSONDecodeError as error:
            from recomp.config.positions import Span

            message = f"is not JSON: {error.msg[:1].lower()}{error.msg[1:]}"
            self._add(Span(error.lineno, error.colno, 1), "", message, None)
        except (RecursionError, ValueError) as error:
            self._add(None, "", f"is not JSON: {error}", None)

    def _scan(self) -> dict[Path, Place]:
        from recomp.config.json_positions import scan_json

        return scan_json(self.text)


def dotted(path: Path) -> str:
    """`reference.events[2].time`"""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def resolve_path(folder: str, value: str) -> str:
    """A configured path, absolute. Backslashes are separators unless a file of that very name exists."""
    plain = os.path.join(folder, value)
    if "\\" in value and not os.path.lexists(plain):
        plain = os.path.join(folder, value.replace("\\", "/"))
    return os.path.normpath(plain)
