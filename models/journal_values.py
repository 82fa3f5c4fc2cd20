"""What records hold, in two forms: raw, to be restored, and as it is shown to people and models."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from odoo.fields import Date, Datetime, Field
from odoo.models import BaseModel

from ..services.shaping import wire_value

# Longest text in a difference; the journal keeps all of it.
LONGEST_SHOWN = 300


@dataclass(frozen=True)
class Held:
    """What one record holds. `raw` and `shown` have the same keys."""

    name: str
    raw: Mapping[str, object]
    shown: Mapping[str, object]


def held(records: BaseModel, names: Sequence[str]) -> dict[int, Held]:
    """Return what each record holds that the user may read, archived lines included, never a binary's content."""
    readable = records._filtered_access("read").with_context(bin_size=True, active_test=False)
    tz = records.env.context.get("tz")
    if files := [name for name in names if records._fields[name].type == "binary"]:
        # Odoo caches sizes and contents apart, and a write refreshes only the one it was made with.
        readable.invalidate_recordset(files)
    found = {}
    for row in readable.read([*names, "display_name"]):
        fields = {name: records._fields[name] for name in names}
        raw = {name: raw_value(field, row[name]) for name, field in fields.items()}
        shown = {name: shown_value(field, row[name], row, tz) for name, field in fields.items()}
        found[row["id"]] = Held(row["display_name"] or "", raw, shown)
    return found


def raw_value(field: Field, value: object) -> object:
    """Return a value of `read()` as plain JSON in the form that `write` takes; nothing as None."""
    if field.type == "boolean":
        return bool(value)
    if value is False or value is None:
        return None
    if field.type == "many2one":
        return value[0] if isinstance(value, list | tuple) else value
    if field.type == "binary":
        return {"binary": True}
    if field.type == "properties":
        return {item["name"]: _property(item.get("value")) for item in value if "name" in item}
    if isinstance(value, datetime):
        return Datetime.to_string(value)
    if isinstance(value, date):
        return Date.to_string(value)
    if isinstance(value, str):
        return str(value)
    return list(value) if isinstance(value, tuple) else value


def shown_value(field: Field, value: object, row: Mapping[str, object], tz: str | None) -> object:
    """Return a value of `read()` as results show it, long texts cut."""
    if field.type == "properties":
        return raw_value(field, value)
    shown = wire_value(value, {"type": field.type}, row=row, name=field.name, tz=tz)
    if field.type == "monetary" and isinstance(shown, dict):
        return shown["amount"]
    if isinstance(shown, str) and len(shown) > LONGEST_SHOWN:
        return f"{shown[:LONGEST_SHOWN]}…"
    return shown


def differences(names: Iterable[str], before: Held | None, after: Held | None, computed: Iterable[str] = ()) -> list:
    """Return one `{field, before, after}` per name, `computed` added where Odoo derives the field."""
    rows = []
    for name in names:
        row = {
            "field": name,
            "before": before.shown.get(name) if before else None,
            "after": after.shown.get(name) if after else None,
        }
        rows.append({**row, "computed": True} if name in computed else row)
    return rows


def _property(value: object) -> object:
    """Return a property's value without the display names that reading adds."""
    if isinstance(value, tuple | list) and len(value) == 2 and isinstance(value[1], str) and isinstance(value[0], int):
        return value[0]
    if isinstance(value, list | tuple):
        return [_property(item) for item in value]
    return value
