"""Fields of Odoo as a form that a client can show, and what was filled in as values again.

Only what a form can hold (specification, client/elicitation: flat, no nesting, no secrets): where one of the fields is
something else there is no form.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

MOST_FIELDS = 12
LONGEST_TEXT = 2_000
_TYPES: dict[str, dict[str, object]] = {
    "char": {"type": "string", "minLength": 1, "maxLength": LONGEST_TEXT},
    "text": {"type": "string", "minLength": 1, "maxLength": LONGEST_TEXT},
    "integer": {"type": "integer"},
    "float": {"type": "number"},
    "monetary": {"type": "number"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"},
    # By its name, where there are too many to choose from.
    "many2one": {"type": "string", "minLength": 1, "maxLength": 200},
}
_CHOSEN = ("many2one", "selection")


def form(fields: Sequence[Mapping[str, object]]) -> dict[str, object] | None:
    """Return the schema of a form, None where one of the fields cannot be asked for.

    :param fields: each `name`, `label`, `type` as Odoo's, perhaps `help`, and for what can be chosen from `options`, a
        list of (value, label)
    """
    properties = {str(field["name"]): _property(field) for field in fields}
    if not properties or len(properties) > MOST_FIELDS or None in properties.values():
        return None
    return {"type": "object", "properties": properties, "required": list(properties)}


def values(fields: Sequence[Mapping[str, object]], content: Mapping[str, object]) -> dict[str, object]:
    """Return what was filled in as values of the fields: a chosen record as its id."""
    found: dict[str, object] = {}
    for field in fields:
        name = str(field["name"])
        if name in content:
            by_text = {str(value): value for value, _label in field.get("options") or ()}
            found[name] = by_text.get(str(content[name]), content[name]) if field["type"] in _CHOSEN else content[name]
    return found


def _property(field: Mapping[str, object]) -> dict[str, object] | None:
    kind, options = field["type"], field.get("options")
    told = {"title": field["label"]}
    if field.get("help"):
        told["description"] = field["help"]
    if kind in _CHOSEN and options:
        choices = [{"const": str(value), "title": str(label)} for value, label in options]
        return {"type": "string", **told, "oneOf": choices}
    return {**_TYPES[kind], **told} if kind in _TYPES else None
