"""The types that configuration values have: each checks a value and says what it expects.

One description of a file serves for checking, defaults, the nearest known key, and its JSON Schema.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, NamedTuple

Path = tuple["str | int", ...]
"""Keys and array positions from the top of a document to a value."""

Complain = Callable[..., None]
"""complain(path, message, hint=None, at_key=False)"""


class Type(ABC):
    """`check` returns the value as it is used, or None after complaining."""

    expects = "a value"

    @abstractmethod
    def check(self, value: Any, path: Path, complain: Complain) -> Any: ...

    @abstractmethod
    def schema(self) -> dict[str, Any]: ...

    def _wrong(self, value: Any, path: Path, complain: Complain, hint: str | None = None) -> None:
        from recomp.config.problems import describe_value

        complain(path, f"expected {self.expects}, found {describe_value(value)}", hint=hint)


class Text(Type):
    def __init__(
        self, *choices: str, not_empty: bool = False, check: Callable[[str], str | None] | None = None
    ) -> None:
        """`check` answers with what is expected instead, or None if the text is right."""
        self.choices, self.not_empty, self._extra = choices, not_empty, check
        self.expects = " or ".join(f'"{c}"' for c in choices) if choices else "a string"

    def check(self, value: Any, path: Path, complain: Complain) -> Any:
        if not isinstance(value, str):
            quoted = isinstance(value, int | float) and str(value).lower() in self.choices
            return self._wrong(value, path, complain, f'write it in quotes: "{value}"' if quoted else None)
        if self.choices and value not in self.choices:
            from recomp.config.problems import nearest

            near = nearest(value, list(self.choices))
            complain(
                path, f'expected {self.expects}, found "{value}"', hint=f'did you mean "{near}"?' if near else None
            )
            return None
        if self.not_empty and not value:
            complain(path, "expected a string that is not empty")
            return None
        expected = self._extra(value) if self._extra else None
        if expected is not None:
            complain(path, f'expected {expected}, found "{value}"')
            return None
        if "\0" in value:
            complain(path, "contains a NUL character")
            return None
        return value

    def schema(self) -> dict[str, Any]:
        return {"enum": list(self.choices)} if self.choices else {"type": "string", **_at_least(self.not_empty)}


def _at_least(not_empty: bool) -> dict[str, Any]:
    return {"minLength": 1} if not_empty else {}


class FilePath(Text):
    """A path, relative to the folder of the file it stands in."""

    def __init__(self) -> None:
        super().__init__(not_empty=True)
        self.expects = "a path (a string)"


class Boolean(Type):
    expects = "true or false"

    def check(self, value: Any, path: Path, complain: Complain) -> Any:
        return value if isinstance(value, bool) else self._wrong(value, path, complain)

    def schema(self) -> dict[str, Any]:
        return {"type": "boolean"}


class Integer(Type):
    def __init__(self, minimum: int | None = None, maximum: int | None = None) -> None:
        self.minimum, self.maximum = minimum, maximum
        self.expects = "an integer" + _range_words(minimum, maximum)

    def check(self, value: Any, path: Path, complain: Complain) -> Any:
        if not isinstance(value, int) or isinstance(value, bool) or not _in_range(value, self.minimum, self.maximum):
            return self._wrong(value, path, complain)
        return value

    def schema(self) -> dict[str, Any]:
        return {"type": "integer", **_range_schema(self.minimum, self.maximum)}


class Number(Type):
    def __init__(self, minimum: float | None = None, maximum: float | None = None) -> None:
        self.minimum, self.maximum = minimum, maximum
        self.expects = "a number" + _range_words(minimum, maximum)

    def check(self, value: Any, path: Path, complain: Complain) -> Any:
        is_number = isinstance(value, int | float) and not isinstance(value, bool) and value == value
        if not is_number or not _in_range(value, self.minimum, self.maximum) or abs(value) == float("inf"):
            return self._wrong(value, path, complain)
        return value

    def schema(self) -> dict[str, Any]:
        return {"type": "number", **_range_schema(self.minimum, self.maximum)}


def _in_range(value: float, minimum: float | None, maximum: float | None) -> bool:
    return (minimum is None or value >= minimum) and (maximum is None or value <= maximum)


def _range_words(minimum: float | None, maximum: float | None) -> str:
    if minimum is not None and maximum is not None:
        return f" from {minimum} to {maximum}"
    return f" >= {minimum}" if minimum is not None else f" <= {maximum}" if maximum is not None else ""


def _range_schema(minimum: float | None, maximum: float | None) -> dict[str, Any]:
    return {k: v for k, v in (("minimum", minimum), ("maximum", maximum)) if v is not None}


class ListOf(Type):
    def __init__(self, item: Type, *, at_least: int = 0) -> None:
        self.item, self.at_least = item, at_least
        self.expects = f"an array of {item.expects.removeprefix('a ').removeprefix('an ')}s"
        if isinstance(item, Table):
            self.expects = "an array of tables"

    def check(self, value: Any, path: Path, complain: Complain) -> Any:
        if not isinstance(value, list):
            return self._wrong(value, path, complain, self._hint(value, path))
        if len(value) < self.at_least:
            complain(path, f"expected at least {self.at_least} element, found an array of {len(value)}")
            return None
        return [self.item.check(item, (*path, index), complain) for index, item in enumerate(value)]

    def _hint(self, value: Any, path: Path) -> str | None:
        if isinstance(self.item, Table) and isinstance(value, dict):
            return f"write [[{'.'.join(map(str, path))}]], with two brackets, for each"
        return f'write ["{value}"]' if isinstance(self.item, Text) and isinstance(value, str) else None

    def schema(self) -> dict[str, Any]:
        return {"type": "array", "items": self.item.schema(), **({"minItems": self.at_least} if self.at_least else {})}


class MapOf(Type):
    """A table with keys of the user's choice."""

    expects = "a table"

    def __init__(self, value: Type) -> None:
        self.value = value

    def check(self, value: Any, path: Path, complain: Complain) -> Any:
        if not isinstance(value, dict):
            return self._wrong(value, path, complain)
        return {key: self.value.check(item, (*path, key), complain) for key, item in value.items()}

    def schema(self) -> dict[str, Any]:
        return {"type": "object", "additionalProperties": self.value.schema()}


class Either(Type):
    """The first type whose kind of value it is."""

    def __init__(self, *options: Type) -> None:
        self.options = options
        self.expects = " or ".join(option.expects for option in options)

    def check(self, value: Any, path: Path, complain: Complain) -> Any:
        for option in self.options:
            problems: list[str] = []
            checked = option.check(value, path, lambda *args, found=problems, **kwargs: found.append(args[1]))
            if not problems:
                return checked
        return self._wrong(value, path, complain)

    def schema(self) -> dict[str, Any]:
        return {"anyOf": [option.schema() for option in self.options]}


class Field(NamedTuple):
    """A key of a table. `doc` is one line for people; it ends in the JSON Schema. A table that is left out has the
    defaults of its keys, unless it is `optional`: then it is None."""

    type: Type
    doc: str = ""
    required: bool = False
    default: Any = None
    optional: bool = False


class Table(Type):
    expects = "a table"

    def __init__(self, fields: dict[str, Field]) -> None:
        self.fields = fields

    def check(self, value: Any, path: Path, complain: Complain) -> Any:
        """All listed keys with their values or defaults, whatever was found; unlisted keys are problems."""
        if not isinstance(value, dict):
            self._wrong(value, path, complain)
            return self.check({}, path, lambda *_, **__: None)
        for key in value.keys() - self.fields.keys():
            from recomp.config.problems import nearest

            near = nearest(key, list(self.fields))
            hint = f'did you mean "{near}"?' if near else "known keys: " + ", ".join(self.fields)
            complain((*path, key), f'unknown key "{key}"', hint=hint, at_key=True)
        checked: dict[str, Any] = {}
        for key, field in self.fields.items():
            if key in value:
                checked[key] = field.type.check(value[key], (*path, key), complain)
            elif isinstance(field.type, Table) and not (field.required or field.optional):
                checked[key] = field.type.check({}, (*path, key), lambda *_, **__: None)
            else:
                if field.required:
                    complain((*path, key), f"is missing: expected {field.type.expects}", hint=field.doc or None)
                checked[key] = field.default
        return checked

    def schema(self) -> dict[str, Any]:
        properties = {}
        for key, field in self.fields.items():
            entry = dict(field.type.schema())
            if field.doc:
                entry["description"] = field.doc
            if field.default is not None:
                entry["default"] = field.default
            properties[key] = entry
        required = [key for key, field in self.fields.items() if field.required]
        return {
            "type": "object",
            "additionalProperties": False,
            "properties": properties,
            **({"required": required} if required else {}),
        }
