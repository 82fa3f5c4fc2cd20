"""What it takes to create, change, filter and group records of a model, by its schema and the caller's rights."""

import re
from datetime import date, datetime

import psycopg2.errors
from odoo.exceptions import UserError
from odoo.tools import mute_logger

from ..services.times import to_wire
from .model_schema import model_schema

MOST_LINE_MODELS = 3
MOST_LINE_FIELDS = 10
MOST_GROUPS = 15
MOST_MEASURES = 10
# Defaults of these are too large or too opaque to be of use.
_NO_DEFAULTS = frozenset({"binary", "html", "json", "properties", "properties_definition"})
_NUMBERS = frozenset({"integer", "float", "monetary"})
_GROUPS = frozenset({"many2one", "many2many", "selection", "boolean", "date", "datetime"})
# Kept by the chatter; odoo_post_message writes there.
_CONVERSATION = ("message_", "website_message_", "activity_", "my_activity_", "rating_")
# Numbers that Odoo would add up although their sum means nothing.
_SENSELESS_SUM = re.compile(r"(^|_)(rate|percent|percentage|id|res_id|sequence|color|position)$")


def writable(call, model: str, fields: list[dict]) -> list[dict]:
    """Return those of the fields that the caller may set.

    What Odoo's forms show as read-only is not among them, nor are messages, followers and activities.
    """
    allowed = call.fields(model, "write")
    return [
        item
        for item in fields
        if item["name"] in allowed and not item.get("readonly") and not item["name"].startswith(_CONVERSATION)
    ]


def creation(call, model: str, schema: dict, fields: list[dict]) -> dict:
    """Return what to know before creating a record.

    `required` have no default; `required_computed` are filled by Odoo, but only where the other values let it;
    `defaults` are those of this caller; `lines` says what the parts of a document need.

    :param fields: the model's fields that are open to the caller
    """
    settable = writable(call, model, fields)
    names = [item["name"] for item in settable if item["type"] not in _NO_DEFAULTS]
    defaults = _defaults(call, model, names)
    if defaults is None:
        call.note("The defaults of this model can only be computed by creating a record; dry_run shows them.")
    needed = required_names(schema)
    open_required = [item for item in fields if not _has_default(item, defaults)]
    facts = {
        "required": [item for item in open_required if item["name"] in needed],
        "required_computed": [
            item["name"]
            for item in open_required
            if item.get("required") and item.get("computed") and not item.get("readonly")
        ],
        "defaults": defaults or {},
        "lines": _lines(call, settable),
    }
    return {key: value for key, value in facts.items() if value or key == "required"}


def required_names(schema: dict) -> set[str]:
    """Return the fields that somebody has to fill: required, and neither computed nor made with the record."""
    parents = schema.get("parents", ())
    return {
        item["name"]
        for item in schema["fields"]
        if item.get("required") and not item.get("computed") and item["name"] not in parents
    }


def filtering(call, fields: list[dict]) -> dict:
    """Return what to group by and to sum up, and an example filter, all of real fields."""
    groups = [
        f"{item['name']}:month" if item["type"] in ("date", "datetime") else item["name"]
        for item in fields
        if item.get("groupable")
        and item["type"] in _GROUPS
        and ("relation" not in item or call.allows_model(item["relation"]))
    ]
    measures = [
        f"{item['name']}:{item['aggregator']}"
        for item in fields
        if item.get("aggregator") and item["type"] in _NUMBERS and not _SENSELESS_SUM.search(item["name"])
    ]
    facts = {"group_by": groups[:MOST_GROUPS], "measures": measures[:MOST_MEASURES], "example": _example(fields)}
    return {key: value for key, value in facts.items() if value}


def _defaults(call, model: str, names: list[str]) -> dict | None:
    """Return the default values in plain JSON; None when they cannot be had without writing."""
    records = call.records(model, "create", [])
    try:
        # A savepoint: a default that draws a number from a sequence fails in a read-only transaction and must not
        # take the rest of the call with it.
        with call.env.cr.savepoint(), mute_logger("odoo.sql_db"):
            values = records.default_get(names)
    except (UserError, psycopg2.errors.ReadOnlySqlTransaction):
        return None
    allowed = set(names)
    tz = call.env.context.get("tz")
    plain = {
        name: _plain_default(records._fields[name].type, value, tz) for name, value in values.items() if name in allowed
    }
    return {name: value for name, value in plain.items() if value is not None}


def _plain_default(kind: str, value: object, tz: str | None) -> object:
    """Return a default as the caller would send it; None when there is nothing to say."""
    if kind == "boolean":
        return bool(value)
    if kind in ("one2many", "many2many"):
        linked = [id_ for command in value or () for id_ in (command[2] if command[0] == 6 else [command[1]])
                  if command[0] in (4, 6)]  # fmt: skip
        return linked or None
    if isinstance(value, datetime):
        return to_wire(value, tz)
    if isinstance(value, date):
        return value.isoformat()
    if value is False or value is None or value == "":
        return None
    return value if isinstance(value, int | float) else str(value)[:200]


def _has_default(item: dict, defaults: dict | None) -> bool:
    return bool(item.get("has_default")) if defaults is None else item["name"] in defaults


def _lines(call, settable: list[dict]) -> list[dict]:
    """Return, for the one2many fields that hold a document's lines, which fields a line needs and knows."""
    lines = []
    for item in settable:
        if not item.get("lines") or not call.allows_model(item["relation"], "create"):
            continue
        schema = model_schema(call.env, item["relation"])
        needed = required_names(schema) - {item.get("inverse")}
        open_fields = writable(call, item["relation"], schema["fields"])
        skipped = {*needed, item.get("inverse")}
        useful = [line["name"] for line in open_fields if line["name"] not in skipped and line["type"] != "one2many"]
        required = [line["name"] for line in open_fields if line["name"] in needed and not line.get("has_default")]
        facts = {"field": item["name"], "model": item["relation"], "required": required}
        lines.append({**facts, "fields": useful[:MOST_LINE_FIELDS]})
        if len(lines) == MOST_LINE_MODELS:
            break
    return lines


def _example(fields: list[dict]) -> dict | None:
    """Return one filter in both forms that a search takes, with a field and a value that exist."""
    flat, domain = [], []
    searchable = [item for item in fields if item.get("searchable")]
    for item in searchable:
        if item["type"] == "selection" and item.get("selection"):
            value = item["selection"][0][0]
            flat.append({"field": item["name"], "op": "eq", "value": value})
            domain.append([item["name"], "=", value])
            break
    for item in searchable:
        if item["type"] in ("date", "datetime") and item["name"] not in ("create_date", "write_date"):
            flat.append({"field": item["name"], "op": "within", "value": "this_month"})
            domain.append([item["name"], ">=", f"{date.today():%Y-%m-01}"])
            break
        if item["type"] == "char":
            flat.append({"field": item["name"], "op": "contains", "value": "acme"})
            domain.append([item["name"], "ilike", "acme"])
            break
    return {"filters": flat, "domain": domain} if flat else None
