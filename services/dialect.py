"""The portable JSON Schema dialect: what a listed tool may use, and how a richer schema is reduced to it.

Every client we know of accepts `type` (one name), `description`, `properties`, `required`, `items`, `enum` of strings,
`minimum`, `maximum` and `maxItems`; each further keyword makes one of them refuse the tool or the whole list. This
file checks and reduces schemas; it does not validate arguments (`services.coercion`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

KEYWORDS = frozenset(
    {"type", "description", "properties", "required", "items", "enum", "minimum", "maximum", "maxItems"}
)
TYPES = frozenset({"string", "integer", "number", "boolean", "array", "object"})
# Objects and arrays inside one another below the arguments object; scalars do not count.
MAX_DEPTH = 3
_BOUNDS = frozenset({"minimum", "maximum", "maxItems"})
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")

# The keyword and the types it may stand beside; others may stand beside any.
_ONLY_ON = {
    "properties": {"object"},
    "required": {"object"},
    "items": {"array"},
    "maxItems": {"array"},
    "enum": {"string"},
    "minimum": {"integer", "number"},
    "maximum": {"integer", "number"},
}


class Fragment(dict):
    """A schema that knows more than the client is told; lists and compares as the plain dict it is.

    :param role: `json_object` (free-form map), `json_array` (text that holds a JSON list), `names` (strings that may
        arrive comma-separated), `checked` (a whole schema that `assert_portable` has passed), or ``
    :param example: a valid value, shown in errors
    :param max_length: most characters of a string; None for the common limit
    :param listed_as: a shorter schema that clients get instead, where another tool of the list has the whole one
    """

    def __init__(
        self,
        schema: Mapping[str, object],
        role: str = "",
        example: object = None,
        max_length: int | None = None,
        listed_as: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(schema)
        self.role = role
        self.example = example
        self.max_length = max_length
        self.listed_as = listed_as


def role_of(schema: object) -> str:
    """Return the role of a fragment, or an empty string."""
    return getattr(schema, "role", "")


def assert_portable(schema: Mapping[str, object]) -> None:
    """Check the schema of a tool's arguments against the dialect.

    :raises ValueError: naming the path and the keyword that breaks it
    """
    if schema.get("type") != "object":
        raise ValueError("(root): type must be object")
    _check(schema, "", -1)


def portable(schema: Mapping[str, object]) -> dict[str, object]:
    """Return the schema with free-form maps as strings that hold JSON, and in the dialect whatever it was before.

    What the dialect cannot say (unions, references, more than three levels) becomes a string holding JSON too;
    `services.coercion.validate` accepts both forms against the original schema.
    """
    reduced = _reduce({**schema, "type": "object"}, "", -1)
    if reduced["type"] != "object":
        # An object without properties at the root: a tool without arguments still needs a declared one.
        reduced = {"type": "object", "properties": {"note": {"type": "string", "description": "Not used."}}}
    return reduced


def listed(schema: Mapping[str, object], leave_out: Collection[str] = ()) -> Fragment:
    """Return the schema as clients get it: without the bounds, which are enforced anyway and cost room in the list.

    Those that matter are in the descriptions.

    :param leave_out: names of properties that are accepted but not listed
    """
    schema = getattr(schema, "listed_as", None) or schema
    slim = {keyword: value for keyword, value in schema.items() if keyword not in _BOUNDS}
    if "properties" in slim:
        properties = slim["properties"].items()
        slim["properties"] = {name: listed(child) for name, child in properties if name not in leave_out}
    if "items" in slim:
        slim["items"] = listed(slim["items"])
    return Fragment(slim, role_of(schema), getattr(schema, "example", None), getattr(schema, "max_length", None))


def _check(schema: object, path: str, depth: int) -> None:
    where = path or "(root)"
    if not isinstance(schema, Mapping):
        raise ValueError(f"{where}: must be a schema object, not {schema!r}")
    foreign = sorted(set(schema) - KEYWORDS)
    if foreign:
        raise ValueError(f"{where}: keyword {foreign[0]} is outside the portable dialect")
    kind = schema.get("type")
    if not isinstance(kind, str) or kind not in TYPES:
        raise ValueError(f"{where}: type must be one of {', '.join(sorted(TYPES))}, not {kind!r}")
    for keyword, kinds in _ONLY_ON.items():
        if keyword in schema and kind not in kinds:
            raise ValueError(f"{where}: keyword {keyword} does not belong on type {kind}")
    if not isinstance(schema.get("description", ""), str):
        raise ValueError(f"{where}: description must be text")
    _check_scalar_keywords(schema, where)
    if kind == "object":
        _check_object(schema, path, depth + 1)
    elif kind == "array":
        _check_depth(where, depth + 1)
        if "items" not in schema:
            raise ValueError(f"{where}: items is missing")
        _check(schema["items"], f"{path}[]", depth + 1)


def _check_depth(where: str, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise ValueError(f"{where}: type nests deeper than {MAX_DEPTH} levels")


def _check_object(schema: Mapping[str, object], path: str, depth: int) -> None:
    where = path or "(root)"
    _check_depth(where, depth)
    properties = schema.get("properties")
    if not isinstance(properties, Mapping) or not properties:
        raise ValueError(f"{where}: properties must declare at least one property")
    for name, child in properties.items():
        child_path = f"{path}.{name}" if path else str(name)
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise ValueError(f"{child_path}: properties has a name that is not an identifier")
        _check(child, child_path, depth)
        if not child.get("description"):
            raise ValueError(f"{child_path}: description is missing")
    required = schema.get("required", [])
    if not isinstance(required, list) or not set(required) <= set(properties):
        raise ValueError(f"{where}: required must be a list of declared properties")


def _check_scalar_keywords(schema: Mapping[str, object], where: str) -> None:
    if "enum" in schema:
        values = schema["enum"]
        if not isinstance(values, list) or not values or not all(isinstance(value, str) for value in values):
            raise ValueError(f"{where}: enum must be a list of strings")
    for keyword in ("minimum", "maximum"):
        limit = schema.get(keyword, 0)
        if isinstance(limit, bool) or not isinstance(limit, int | float):
            raise ValueError(f"{where}: {keyword} must be a number")
    most = schema.get("maxItems", 0)
    if isinstance(most, bool) or not isinstance(most, int) or most < 0:
        raise ValueError(f"{where}: maxItems must be a whole number")


def _reduce(schema: object, name: str, depth: int) -> dict[str, object]:
    schema = schema if isinstance(schema, Mapping) else {}
    description = str(schema.get("description") or name.replace("_", " ").strip().capitalize() or "Value.")
    kind = _single_type(schema)
    free_form = role_of(schema) == "json_object" or (kind == "object" and not _named_properties(schema))
    too_deep = kind in ("object", "array") and depth + 1 > MAX_DEPTH
    if kind not in TYPES or free_form or too_deep or (kind == "array" and not isinstance(schema.get("items"), Mapping)):
        holds = "object" if kind == "object" else "array" if kind == "array" else "value"
        return {"type": "string", "description": f"{description.rstrip('. ')}. A string holding a JSON {holds}."}
    reduced: dict[str, object] = {"type": kind, "description": description}
    if kind == "object":
        properties = _named_properties(schema)
        reduced["properties"] = {key: _reduce(child, key, depth + 1) for key, child in properties.items()}
        required = schema.get("required")
        if isinstance(required, list) and (kept := [key for key in required if key in properties]):
            reduced["required"] = kept
    if kind == "array":
        reduced["items"] = _reduce(schema["items"], "", depth + 1)
    reduced.update({keyword: schema[keyword] for keyword in _ONLY_ON if _keeps(schema, keyword, kind)})
    if not schema.get("description") and not name:
        del reduced["description"]
    return reduced


def _single_type(schema: Mapping[str, object]) -> str | None:
    """Return the type; of a nullable one the other type; None when there is no single type to name."""
    kind = schema.get("type")
    if isinstance(kind, list):
        named = [one for one in kind if one != "null"]
        kind = named[0] if len(named) == 1 else None
    return kind if isinstance(kind, str) else None


def _named_properties(schema: Mapping[str, object]) -> dict[str, object]:
    properties = schema.get("properties")
    if not isinstance(properties, Mapping):
        return {}
    return {name: child for name, child in properties.items() if isinstance(name, str) and NAME.fullmatch(name)}


def _keeps(schema: Mapping[str, object], keyword: str, kind: str) -> bool:
    if keyword in ("properties", "required", "items") or keyword not in schema or kind not in _ONLY_ON[keyword]:
        return False
    try:
        _check_scalar_keywords({keyword: schema[keyword]}, "")
    except ValueError:
        return False
    return True
