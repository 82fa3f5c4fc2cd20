"""Properties: fields that a user defines on a container record (a project, a team) for the records in it.

Odoo stores all of a record's properties as one value, so that setting one means writing them all.
"""

from collections.abc import Mapping, Sequence

from odoo.fields import Field
from odoo.models import BaseModel

from ..services.errors import ToolError
from ..services.plain_json import plain


def merged(check, field: Field, values: Mapping[str, object], records: BaseModel | None) -> dict[str, object]:
    """Return all properties of the records with the given ones replaced.

    :param values: the record's values; those of links are checked already
    :param records: what is written; None or empty for a record to create
    :raises ToolError: unknown property, wrong value, or records that differ in their other properties
    """
    given = values[field.name] or {}
    if not isinstance(given, Mapping):
        raise _refused(field, 'takes an object of property names and values, e.g. {"color": "red"}')
    definition = _definition(check, field, values, records)
    known = {item["name"]: item for item in definition}
    by_label = {item.get("string", "").casefold(): item["name"] for item in definition}
    result = _current(field, records) if records else {}
    for key, value in given.items():
        name = key if key in known else by_label.get(str(key).casefold())
        if name is None:
            labels = ", ".join(f"{item['name']} ({item.get('string')})" for item in definition) or "none"
            raise _refused(field, f"has no property {key!r}; it has: {labels}")
        result[name] = _value(check, field, known[name], value)
    return result


def _definition(check, field: Field, values: Mapping[str, object], records: BaseModel | None) -> Sequence[dict]:
    container = values.get(field.definition_record)
    if isinstance(container, int) and container:
        comodel = check.call.env[field.model_name]._fields[field.definition_record].comodel_name
        containers = check.call.env[comodel].browse(container)
    else:
        containers = records[field.definition_record] if records else None
    if not containers:
        raise _refused(field, f"has its properties defined by {field.definition_record}; set that first")
    if len(containers) > 1:
        raise _refused(field, f"differs between records with another {field.definition_record}; write them apart")
    # sudo: the definition belongs to records the user may write; Odoo shows it to them in the same way.
    return containers.sudo()[field.definition_record_field] or []


def _current(field: Field, records: BaseModel) -> dict[str, object]:
    found = [dict(record[field.name]._values or {}) for record in records]
    if any(values != found[0] for values in found):
        raise _refused(field, "is written as a whole and these records differ; update them one by one")
    return found[0]


def _value(check, field: Field, definition: Mapping, value: object) -> object:
    kind = definition.get("type")
    try:
        if kind == "many2one":
            return check.links.one(definition["comodel"], value) if value else False
        if kind == "many2many":
            return [check.links.one(definition["comodel"], item) for item in value or ()]
        if kind in ("selection", "tags") and value:
            options = [str(key) for key, *_rest in definition.get(kind) or ()]
            wanted = value if kind == "tags" and isinstance(value, list) else [value]
            if unknown := [item for item in wanted if item not in options]:
                raise ValueError(f"one of {', '.join(options)}, not {unknown[0]!r}")
        return plain(value)
    except ValueError as error:
        raise _refused(field, f"property {definition.get('string')!r}: expected {error}") from error


def _refused(field: Field, reason: str) -> ToolError:
    return ToolError(
        "invalid_value",
        f"{field.model_name}.{field.name} {reason}.",
        fix="Correct this value and call again; nothing was written.",
        model=field.model_name,
        field=field.name,
    )
