"""Schemas of tool arguments: builders, shared fragments, and what the decorator adds to each tool.

With `services.errors` and `services.tool` this is what other addons import; the dialect itself is in
`services.dialect` and validation in `services.coercion`, both re-exported here. Texts are sent with every
`tools/list`: keep them short.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .coercion import Validated, validate
from .dialect import Fragment, assert_portable, listed, portable

__all__ = [
    "ARCHIVED", "COMPANY_ID", "CONFIRM_TOKEN", "CURSOR", "DOMAIN", "DRY_RUN", "FIELDS", "FILTERS", "FILTER_OPERATORS",
    "FORMAT", "IDEMPOTENCY_KEY", "IDS", "LANG", "LIMIT", "MODEL", "ORDER", "QUERY", "RECORDS", "SAME_FILTERS",
    "VALUES", "Fragment", "Validated", "array", "assert_portable", "boolean", "choice", "common", "free_form",
    "integer", "listed", "names", "number", "params", "portable", "record", "text", "validate", "with_common",
]  # fmt: skip


def text(description: str, *, example: str | None = None, max_length: int | None = None) -> Fragment:
    """A string; `max_length` replaces the common limit of 200,000 characters (for file contents and the like)."""
    return Fragment({"type": "string", "description": description}, example=example, max_length=max_length)


def integer(description: str, *, minimum: int | None = None, maximum: int | None = None) -> Fragment:
    """A whole number; above `maximum` is an error, except for an argument named `limit`, which is lowered."""
    return Fragment({"type": "integer", "description": description, **_range(minimum, maximum)})


def number(description: str, *, minimum: float | None = None, maximum: float | None = None) -> Fragment:
    """A number, whole or not."""
    return Fragment({"type": "number", "description": description, **_range(minimum, maximum)})


def boolean(description: str) -> Fragment:
    """True or false; the text "true" or "false" is accepted."""
    return Fragment({"type": "boolean", "description": description})


def choice(description: str, *values: str) -> Fragment:
    """One of `values`, in any case; name the default in the description."""
    return Fragment({"type": "string", "description": description, "enum": list(values)})


def array(description: str, items: Mapping[str, object], max_items: int | None = None) -> Fragment:
    """A list; one bare item is accepted as a list of one."""
    limit = {} if max_items is None else {"maxItems": max_items}
    return Fragment({"type": "array", "description": description, "items": items, **limit})


def names(description: str, *, max_items: int | None = None, example: Sequence[str] | None = None) -> Fragment:
    """A list of field names or the like, also accepted as one comma-separated string."""
    schema = array(description, {"type": "string"}, max_items)
    return Fragment(schema, role="names", example=list(example) if example else None)


def record(description: str, *, required: Sequence[str] = (), **properties: Mapping[str, object]) -> Fragment:
    """An object with exactly these properties; as items of an array it needs no description."""
    told = {"description": description} if description else {}
    needs = {"required": list(required)} if required else {}
    return Fragment({"type": "object", **told, "properties": properties, **needs})


def free_form(description: str, example: Mapping[str, object], **properties: Mapping[str, object]) -> Fragment:
    """An object with any keys, of which `properties` are listed as examples; a JSON string is accepted too."""
    listed = properties or {"name": {"type": "string", "description": "A key."}}
    schema = {"type": "object", "description": description, "properties": listed}
    return Fragment(schema, role="json_object", example=dict(example))


def params(**properties: Mapping[str, object]) -> dict[str, object]:
    """Return the schema of a tool's arguments; which of them are required follows from the handler's signature."""
    return {"type": "object", "properties": properties}


def common(access: str) -> dict[str, Mapping[str, object]]:
    """Return the arguments that every tool of this access takes and the pipeline handles."""
    return dict(_SCOPE) if access == "read" else {**_SCOPE, **_WRITE}


def with_common(schema: Mapping[str, object], *, required: Sequence[str], access: str) -> Fragment:
    """Return the schema that arguments are validated by: with `required` and the common arguments.

    :raises ValueError: when it leaves the portable dialect, or declares an argument that is added here
    """
    properties = schema["properties"]
    added = common(access)
    clash = sorted(set(added) & set(properties))
    if clash:
        raise ValueError(f"{clash[0]}: is added to every {access} tool, do not declare it")
    needs = {"required": list(required)} if required else {}
    complete = {**schema, "properties": {**properties, **added}, **needs}
    assert_portable(complete)
    return Fragment(complete, role="checked")


def LIMIT(default: int = 25, maximum: int = 200) -> Fragment:
    """How many rows at most; more than `maximum` is lowered to it and said."""
    return integer(f"{default}; most {maximum}.", minimum=1, maximum=maximum)


def _range(minimum: float | None, maximum: float | None) -> dict[str, float]:
    limits = {"minimum": minimum, "maximum": maximum}
    return {keyword: limit for keyword, limit in limits.items() if limit is not None}


FILTER_OPERATORS = (
    "eq", "ne", "lt", "lte", "gt", "gte", "in", "not_in", "contains", "not_contains", "starts_with",
    "is_set", "is_not_set", "between", "child_of", "within",
)  # fmt: skip

MODEL = text("Technical name.", example="res.partner", max_length=128)
IDS = Fragment(
    array("Record ids.", {"type": "integer", "minimum": 1}, 1000),
    example=[42],
)
FIELDS = names("Dotted paths too.", max_items=100, example=["name", "email"])
DOMAIN = Fragment(
    text('Odoo domain, e.g. [["state","=","sale"]].'),
    role="json_array",
    example=[["state", "=", "sale"]],
)
FILTERS = Fragment(
    array(
        "Values: text, ISO dates, me, my_company, today, this_month, last_30_days.",
        record(
            "",
            required=["field", "op"],
            field=text("Field or dotted path.", example="name"),
            op=choice("within takes a period.", *FILTER_OPERATORS),
            value=text("The value.", example="acme"),
            values=array("For in, not_in, between.", {"type": "string"}, 1000),
        ),
        50,
    ),
    example=[{"field": "name", "op": "contains", "value": "acme"}],
)
SAME_FILTERS = Fragment(
    FILTERS,
    example=FILTERS.example,
    listed_as=array("Conditions as odoo_search_records takes them.", record("", field=text("Field."))),
)
QUERY = text("Words to look for.", example="acme")
ORDER = text('e.g. "date desc, id"', example="name, id desc")
CURSOR = text("For more.")
ARCHIVED = choice("exclude (default), include or only.", "exclude", "include", "only")
FORMAT = choice("table (default) or json.", "table", "json")
VALUES = free_form(
    "Values by field name.",
    {"name": "Acme", "country_id": 75},
)
RECORDS = Fragment(
    array("Field values, one object each.", free_form("Field values by name.", {"name": "Acme"}), 500),
    example=[{"name": "Acme"}],
)

COMPANY_ID = integer("Company id to work in.")
LANG = text("e.g. fr_FR", example="fr_FR")
DRY_RUN = boolean("Only try it.")
IDEMPOTENCY_KEY = text("Repeat-safe.")
CONFIRM_TOKEN = text("From a preview.")

_SCOPE = {"company_id": COMPANY_ID, "lang": LANG}
_WRITE = {"dry_run": DRY_RUN, "idempotency_key": IDEMPOTENCY_KEY, "confirm_token": CONFIRM_TOKEN}
