"""Arguments of a call against the tool's schema: coerced where the meaning is certain, refused with a lesson otherwise.

A closed dialect (`services.dialect`) has one type per value, so that `"42"` for a whole number has one meaning. What
is accepted is, after coercion, valid JSON Schema; what JSON Schema accepts is accepted, but for the size limits of
`services.plain_json`. Schemas of other addons may use more keywords: those are validated by `jsonschema` where it is
installed, and otherwise only by type, required, properties, items, enum and range. Whether a model or field exists
is not decided here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .argument_errors import MAX_PROBLEMS, Problem, example_for, invalid_arguments, missing, path_text, shortened_name
from .dialect import TYPES, assert_portable, role_of
from .foreign_schema import foreign_problems
from .nearest import near_miss, nearest
from .plain_json import MAX_ITEMS, from_json_text, plain, to_boolean, to_integer, to_number, to_string

Path = tuple[str | int, ...]

# Without one of these a search finds everything, so a misspelt one is never ignored, not even by a reading tool.
_NARROWING = ("domain", "filters", "id", "ids", "query")
# Clients add a handful of names of their own. Each is compared with the real ones, which takes time.
MAX_UNKNOWN = 50
_ABSENT = object()


@dataclass(frozen=True)
class Validated:
    """Arguments as the handler takes them.

    :param ignored: paths of arguments that the tool does not have, e.g. `toolCallId`
    :param notes: sentences for the result: what was ignored, lowered or read differently
    """

    arguments: dict[str, object]
    ignored: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def validate(schema: Mapping[str, object], arguments: object, *, access: str = "read") -> Validated:
    """Return the coerced arguments of a call.

    Null and an empty string stand for an absent optional argument. An unknown argument is ignored and reported,
    unless it is nearly a real one and the tool writes, or it would have narrowed the result.

    :param schema: the tool's input schema, an object schema
    :param arguments: the client's `arguments`: an object, absent, or an object as JSON text
    :param access: `read`, `write` or `admin`
    :raises ToolError: `invalid_arguments`, naming up to five problems and a corrected example
    """
    reader = _Reader(strict=access != "read")
    clean: object = {}
    try:
        clean = reader.read({**schema, "type": "object"}, {} if arguments is None else arguments, ())
    except Problem as problem:
        reader.problems.append(problem)
    if not reader.problems and not _is_portable(schema):
        reader.problems.extend(foreign_problems(schema, clean))
    if reader.problems:
        raise invalid_arguments(schema, reader.problems)
    return Validated(clean, tuple(reader.ignored), tuple(reader.notes))


def _is_portable(schema: Mapping[str, object]) -> bool:
    if role_of(schema) == "checked":
        return True
    try:
        assert_portable(schema)
    except ValueError:
        return False
    return True


class _Reader:
    """One pass over the arguments of one call; collects what is wrong, ignored and noteworthy."""

    def __init__(self, *, strict: bool) -> None:
        self.strict = strict
        self.problems: list[Problem] = []
        self.ignored: list[str] = []
        self.notes: list[str] = []

    def read(self, schema: Mapping[str, object], value: object, path: Path) -> object:
        """Return the value as the schema has it.

        :raises Problem: for a value that is wrong as a whole; problems inside it are collected
        """
        kind = schema.get("type")
        try:
            if not isinstance(kind, str) or kind not in TYPES:
                return self._untyped(value)
            if role_of(schema) == "json_array":
                return plain(from_json_text(value, list) if isinstance(value, str) else _expect_list(value))
            return getattr(self, f"_{kind}")(schema, value, path)
        except ValueError as error:
            raise Problem(path, value, str(error), suggestion=example_for(schema)) from error

    def _untyped(self, value: object) -> object:
        """Take a value of no single type; JSON text is read, as `?schema=portable` offers such values so."""
        if isinstance(value, str) and value[:1] in ("{", "["):
            try:
                return plain(from_json_text(value, dict if value[0] == "{" else list))
            except ValueError:
                return plain(value)
        return plain(value)

    def _string(self, schema: Mapping[str, object], value: object, path: Path) -> str:
        text = to_string(value, getattr(schema, "max_length", None))
        choices = schema.get("enum")
        if not choices or text in choices:
            return text
        for option in choices:
            if isinstance(option, str) and option.lower() == text.strip().lower():
                return option
        near = nearest(text, [option for option in choices if isinstance(option, str)], 1)
        hint = f"; nearest: {near[0]}" if near else ""
        expected = f"one of {', '.join(map(str, choices))}{hint}"
        raise Problem(path, value, expected, suggestion=near[0] if near else choices[0])

    def _boolean(self, schema: Mapping[str, object], value: object, path: Path) -> bool:
        return to_boolean(value)

    def _integer(self, schema: Mapping[str, object], value: object, path: Path) -> int:
        return self._in_range(schema, to_integer(value), path)

    def _number(self, schema: Mapping[str, object], value: object, path: Path) -> int | float:
        return self._in_range(schema, to_number(value), path)

    def _in_range(self, schema: Mapping[str, object], value: int | float, path: Path) -> int | float:
        minimum, maximum = schema.get("minimum"), schema.get("maximum")
        if maximum is not None and value > maximum:
            if path != ("limit",):
                raise Problem(path, value, f"at most {maximum}", suggestion=maximum)
            self.notes.append(f"limit {value} lowered to {maximum}, the most one call returns.")
            return maximum
        if minimum is not None and value < minimum:
            raise Problem(path, value, f"at least {minimum}", suggestion=minimum)
        if schema.get("enum") and value not in schema["enum"]:
            raise Problem(path, value, f"one of {', '.join(map(str, schema['enum']))}", suggestion=schema["enum"][0])
        return value

    def _array(self, schema: Mapping[str, object], value: object, path: Path) -> list[object]:
        items = schema.get("items")
        items = items if isinstance(items, Mapping) else {}
        values = _as_list(value, items, role_of(schema))
        most = schema.get("maxItems", MAX_ITEMS)
        if len(values) > most:
            raise Problem(path, f"{len(values):,} items", f"at most {most:,} items; split the call")
        clean = []
        for index, item in enumerate(values):
            if len(self.problems) >= MAX_PROBLEMS:
                break
            try:
                clean.append(self.read(items, item, (*path, index)))
            except Problem as problem:
                self.problems.append(problem)
        return clean

    def _object(self, schema: Mapping[str, object], value: object, path: Path) -> dict[str, object]:
        if isinstance(value, str):
            value = from_json_text(value, dict)
        if not isinstance(value, dict):
            raise ValueError("an object")
        properties = schema.get("properties") or {}
        if role_of(schema) == "json_object" or not properties:
            return plain(value)
        clean: dict[str, object] = {}
        value = self._known(schema, value, path)
        for name, child in properties.items():
            try:
                item = _present(child, value.get(name, _ABSENT), name in schema.get("required", ()))
                if item is not _ABSENT:
                    clean[name] = self.read(child, item, (*path, name))
                elif name in schema.get("required", ()):
                    raise missing((*path, name), _expected(child))
            except Problem as problem:
                self.problems.append(problem)
        clean.update({name: plain(item) for name, item in value.items() if name not in properties})
        return clean

    def _known(self, schema: Mapping[str, object], value: dict, path: Path) -> dict:
        """Return the members that may be read: without unknown ones, unless the schema welcomes those."""
        properties = schema["properties"]
        if schema.get("additionalProperties") or schema.get("patternProperties"):
            return value
        unknown = [name for name in value if name not in properties]
        if not unknown:
            return self._plural(properties, value, path)
        if len(unknown) > MAX_UNKNOWN:
            raise Problem(path, f"{len(unknown):,} unknown names", f"at most {MAX_UNKNOWN}; leave out what has no use")
        kept = {name: item for name, item in value.items() if name in properties}
        for name in unknown:
            near = near_miss(str(name), properties)
            if near and (self.strict or (near not in kept and (path or near in _NARROWING))):
                self.problems.append(self._misspelt((*path, str(name)), value[name], near, properties[near]))
                continue
            where = path_text((*path, str(name)))
            self.ignored.append(where)
            hint = f"; did you mean {near}?" if near else "."
            self.notes.append(f"Ignored {where}, which this tool does not have{hint}")
        return self._plural(properties, kept, path)

    def _misspelt(self, path: Path, value: object, near: str, schema: Mapping[str, object]) -> Problem:
        """Return the problem of a name that is nearly `near`, with the given value as example where it fits."""
        probe = _Reader(strict=self.strict)
        try:
            suggestion = probe.read(schema, value, path)
        except Problem:
            suggestion = example_for(schema)
        suggestion = example_for(schema) if probe.problems or len(str(suggestion)) > 200 else suggestion
        return Problem(path, value, f"{near}, perhaps", suggestion=suggestion, rename=near)

    def _plural(self, properties: Mapping[str, object], value: dict, path: Path) -> dict:
        """Move a list given for `value` to its absent sibling `values`: models mix the two up."""
        for name, item in value.items():
            several = f"{name}s"
            if isinstance(item, list) and properties[name].get("type") not in ("array", "object", None):
                sibling = properties.get(several, {})
                if sibling.get("type") == "array" and not value.get(several) and not role_of(properties[name]):
                    return self._plural(
                        properties, {**{key: kept for key, kept in value.items() if key != name}, several: item}, path
                    )
        return value


def _present(schema: Mapping[str, object], value: object, required: bool) -> object:
    """Return the value, or `_ABSENT` where null or an empty string stands for nothing."""
    kind = schema.get("type")
    if value is None and isinstance(kind, str) and kind != "null":
        return _ABSENT
    if isinstance(value, str) and not value.strip() and isinstance(kind, str):
        text_is_fine = required and kind == "string" and role_of(schema) != "json_array"
        return value if text_is_fine else _ABSENT
    return value


def _expected(schema: Mapping[str, object]) -> str:
    description = str(schema.get("description") or schema.get("type") or "a value")
    return shortened_name(description).rstrip(". ") if len(description) > 60 else description.rstrip(". ")


def _expect_list(value: object) -> list | tuple:
    if not isinstance(value, list | tuple):
        raise ValueError("a JSON list")
    return value


def _as_list(value: object, items: Mapping[str, object], role: str) -> list[object]:
    """Return a list from a list, its JSON text, comma-separated names or ids, or one bare item."""
    if isinstance(value, list | tuple):
        return list(value)
    kind = items.get("type")
    if isinstance(value, str):
        text = value.strip()
        if text.startswith("["):
            return from_json_text(text, list)
        if "," in text and (role == "names" or kind in ("integer", "number")):
            return [part.strip() for part in text.split(",") if part.strip()]
        return [text if role == "names" else value]
    if isinstance(value, dict) and kind != "object":
        raise ValueError("a list")
    return [value]
