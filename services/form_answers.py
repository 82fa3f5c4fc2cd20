"""What a person has filled in, checked against the flat schema of the form (specification, client/elicitation).

Clients check too, or do not, or have nobody fill in anything: nothing here is taken on their word.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import date, datetime

LONGEST_TEXT = 4_000
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")


def checked(schema: Mapping[str, object], content: object) -> dict[str, object] | None:
    """Return the properties of `schema` in an accepted answer, None where it does not fit: then it is asked again."""
    if not isinstance(content, dict):
        return None
    properties = schema.get("properties") or {}
    given = {name: content[name] for name in properties if content.get(name) is not None}
    if any(name not in given for name in schema.get("required") or ()):
        return None
    if not all(_fits(properties[name], value) for name, value in given.items()):
        return None
    return given


def choices(schema: Mapping[str, object]) -> list[object] | None:
    """Return the values of a choice, in any of the forms it may be written in; None for a field that is none."""
    for member in ("oneOf", "anyOf"):
        if isinstance(schema.get(member), list):
            return [each.get("const") for each in schema[member]]
    return schema.get("enum")


def _fits(schema: Mapping[str, object], value: object) -> bool:
    match schema.get("type"):
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return _is_number(value) and float(value).is_integer() and _within(schema, value)
        case "number":
            return _is_number(value) and _within(schema, value)
        case "array":
            return _is_selection(schema, value)
    return _is_text(schema, value)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _within(schema: Mapping[str, object], value: float) -> bool:
    return schema.get("minimum", value) <= value <= schema.get("maximum", value)


def _is_selection(schema: Mapping[str, object], value: object) -> bool:
    allowed = choices(schema.get("items") or {})
    if not isinstance(value, list) or not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", 100):
        return False
    return all(isinstance(item, str) and (allowed is None or item in allowed) for item in value)


def _is_text(schema: Mapping[str, object], value: object) -> bool:
    if not isinstance(value, str):
        return False
    allowed = choices(schema)
    if allowed is not None:
        return value in allowed
    longest = min(schema.get("maxLength", LONGEST_TEXT), LONGEST_TEXT)
    return schema.get("minLength", 0) <= len(value) <= longest and _has_format(schema.get("format"), value)


def _has_format(name: object, value: str) -> bool:
    try:
        match name:
            case "date":
                return bool(date.fromisoformat(value))
            case "date-time":
                return bool(datetime.fromisoformat(value))
    except ValueError:
        return False
    pattern = {"email": _EMAIL, "uri": _URI}.get(str(name))
    return pattern is None or pattern.fullmatch(value) is not None
