"""Records to wire rows: which fields are read when none are named, and how dotted paths are followed.

Values come from `ToolCall.read` only, never from attributes of records: those are not checked again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from odoo.fields import Field
from odoo.models import BaseModel

from ..services.errors import ToolError
from ..services.shaping import X2MANY_SHOWN, selection_labels, wire_rows
from .field_paths import OPAQUE, X2MANY, FieldPath, resolve
from .provenance import mark_rows

MAX_DEPTH = 3
# All fields of more records than this fit no answer.
MAX_ALL_FIELDS = 5


@dataclass(frozen=True)
class Shaped:
    """Wire rows and what their selection values mean, by column."""

    rows: list[dict[str, object]]
    labels: dict[str, dict[str, str]]


def columns(call, model: str, names: Sequence[str]) -> list[FieldPath]:
    """Return the checked paths of the fields that were asked for, without repetition.

    :raises ToolError: an unknown or closed field, or a path that cannot be followed
    """
    paths = [resolve(call, model, name) for name in dict.fromkeys(names)]
    for path in paths:
        if path.part or len(path.steps) >= MAX_DEPTH or any(step.type != "many2one" for step in path.steps):
            raise ToolError(
                "invalid_fields",
                f"{path.name} cannot be read as a path: at most {MAX_DEPTH} fields, all but the last many2one.",
                fix=f"Read {path.name.split('.')[0]}, then search the model it leads to by ids.",
                model=model,
                field=path.name,
            )
    return paths


def all_fields(call, model: str) -> list[str]:
    """Return every readable field whose value is stored: what is computed may cost much, or fail on one record."""
    return [name for name, field in call.fields(model).items() if _is_plain(call, field)]


def shaped(call, records: BaseModel, paths: Sequence[FieldPath], *, resolve_names: bool = False) -> Shaped:
    """Read the records and return one wire row each, in their order, `id` first.

    :param resolve_names: add display names to the first records of one2many and many2many fields
    """
    direct = {path.field.name: path.field for path in paths if not path.steps}
    branches = _branches(paths)
    _note_company(call, direct.values())
    read = _names_to_read(call, records, [*direct.values(), *(path.steps[0] for path in paths if path.steps)])
    raw = call.read(records, read)
    _make_presentable(call, raw, direct)
    facts = {name: _facts(call, field) for name, field in direct.items()}
    names = _x2many_names(call, raw, direct) if resolve_names else {}
    hidden = [name for name in read if name not in direct]
    rows = wire_rows(raw, facts, tz=call.env.context.get("tz"), names=names)
    mark_rows(call, records, rows, direct)
    labels = selection_labels(raw, facts)
    for name, inner in branches.items():
        beyond = _followed(call, records._fields[name], raw, inner)
        for row, source in zip(rows, raw, strict=True):
            linked = beyond.rows_by_id.get(source[name][0]) if source[name] else None
            row.update({f"{name}.{path.name}": linked and linked.get(path.name) for path in inner})
        labels.update({f"{name}.{column}": values for column, values in beyond.labels.items()})
    order = ["id", *(path.name for path in paths if path.name != "id")]
    kept = [{column: row.get(column) for column in order} for row in rows] if hidden or branches else rows
    return Shaped(kept, labels)


@dataclass(frozen=True)
class _Linked:
    rows_by_id: dict[int, dict[str, object]]
    labels: dict[str, dict[str, str]]


def _followed(call, field: Field, raw: Sequence[Mapping], inner: Sequence[FieldPath]) -> _Linked:
    """Read the records that a many2one leads to, as far as this user sees them."""
    linked = call.env[field.comodel_name].browse({row[field.name][0] for row in raw if row[field.name]})
    # The link was readable; the record behind it has rules of its own.
    visible = linked._filtered_access("read")
    if len(visible) < len(linked):
        call.note(f"Some records of {field.comodel_name} behind {field.name} are not visible to this user.")
    result = shaped(call, visible, inner)
    return _Linked({row["id"]: row for row in result.rows}, result.labels)


def _branches(paths: Sequence[FieldPath]) -> dict[str, list[FieldPath]]:
    """Return, by the many2one they start with, the rests of the dotted paths."""
    branches: dict[str, list[FieldPath]] = {}
    for path in paths:
        if path.steps:
            rest = FieldPath(path.name.partition(".")[2], path.steps[1:], path.field)
            branches.setdefault(path.steps[0].name, []).append(rest)
    return branches


def _names_to_read(call, records: BaseModel, fields: Sequence[Field]) -> list[str]:
    names = [field.name for field in fields]
    for field in fields:
        currency = field.get_currency_field(records) if field.type == "monetary" else None
        # Not everybody may read a document's currency; the amount is then shown without.
        if currency and call.allows_field(records._name, currency):
            names.append(currency)
    # Never an empty list, by which `read` would take all fields there are.
    return list(dict.fromkeys(["id", *names]))


def _make_presentable(call, rows: Sequence[dict], fields: Mapping[str, Field]) -> None:
    """Take out what `read` gives beyond the value: definitions of properties, names of records of closed models."""
    for name, field in fields.items():
        if field.type == "many2one" and not call.policy.allows_name(field.comodel_name):
            for row in rows:
                row[name] = row[name] and row[name][0]
        elif field.type == "properties":
            for row in rows:
                row[name] = row[name] and {
                    item["name"]: {"label": item.get("string"), "value": item.get("value")} for item in row[name]
                }


def _facts(call, field: Field) -> dict[str, object]:
    """Return what `services.shaping` wants to know of a field."""
    facts: dict[str, object] = {"type": field.type}
    if field.type == "float":
        facts["digits"] = field.get_digits(call.env)
    elif field.type == "monetary":
        facts["currency_field"] = field.get_currency_field(call.env[field.model_name])
    elif field.type == "selection":
        facts["selection"] = field._description_selection(call.env)
    return facts


def _x2many_names(call, raw: Sequence[Mapping], fields: Mapping[str, Field]) -> dict[str, dict[int, str]]:
    """Return display names of the first records of each x2many, one read per field."""
    names = {}
    for name, field in fields.items():
        if field.type in X2MANY:
            call.check_model(field.comodel_name)
            wanted = {record_id for row in raw for record_id in row[name][:X2MANY_SHOWN]}
            visible = call.env[field.comodel_name].browse(wanted)._filtered_access("read")
            names[name] = {row["id"]: row["display_name"] for row in call.read(visible, ["display_name"])}
    return names


def _is_stored(field: Field) -> bool:
    """Say whether there is a stored value behind a field, also behind one that its model inherits from another."""
    while field.inherited:
        field = field.inherited_field
    return bool(field.store)


def _is_plain(call, field: Field) -> bool:
    if field.type in X2MANY and not call.allows_model(field.comodel_name):
        return False
    return _is_stored(field) and field.type not in OPAQUE - {"binary"}


def _note_company(call, fields: Sequence[Field]) -> None:
    dependent = [field.name for field in fields if field.company_dependent]
    if dependent:
        company = call.env.company
        call.note(f"{', '.join(dependent)}: kept per company; shown for {company.display_name} (id {company.id}).")
