"""One record as a document: every value the caller may read, and the lines that belong to it."""

from collections.abc import Mapping, Sequence

from odoo.exceptions import AccessError
from odoo.models import BaseModel

from ..services.budget import DEFAULT_BUDGET, shorten
from ..services.tables import cell_text, table_text
from ..services.tool import ToolResult
from .default_fields import default_fields
from .field_paths import X2MANY
from .model_schema import model_schema
from .provenance import marked_names
from .record_shape import all_fields, columns, shaped

# Texts longer than this get a section of their own.
LONG_TEXT = 120
LONGEST_TEXT = 6_000
MOST_TAGS = 8
MOST_LINE_FIELDS = 3
MOST_LINES = 40
# Kept by Odoo, and in every record.
_TECHNICAL = {"display_name", "create_uid", "write_uid", "message_main_attachment_id", "parent_path"}


def record_document(call, model: str, record_id: int) -> ToolResult:
    """Return a record as Markdown and as facts, empty values left out.

    :raises ToolError: no such model or record for this caller
    """
    record = call.records(model, "read", [record_id])
    schema = model_schema(call.env, model)
    name = marked_names(call, model, {record_id: call.read(record, ["display_name"])[0]["display_name"]})[record_id]
    by_name = {item["name"]: item for item in schema["fields"]}
    plain, tags = _names(call, model, schema)
    row = shaped(call, record, columns(call, model, plain)).rows[0]
    for tag in tags:
        row |= _tags(call, record, tag)
    values = {key: value for key, value in row.items() if _says_something(value)}
    lines = {item["name"]: _lines(call, record, item) for item in _line_fields(call, model, schema)}
    facts = {
        "title": str(name or f"{model} {record_id}"),
        "model": model,
        "id": record_id,
        "kind": schema["label"],
        "url": record_url(record),
        "values": values,
        "lines": {key: rows for key, rows in lines.items() if rows},
    }
    return ToolResult({key: value for key, value in facts.items() if value}, text=_markdown(facts, by_name))


def record_url(record: BaseModel) -> str:
    """Return where a person opens the record in Odoo."""
    model = record._name
    return f"{record.get_base_url()}/odoo/{model if '.' in model else f'm-{model}'}/{record.id}"


def _names(call, model: str, schema: Mapping) -> tuple[list[str], list[str]]:
    """Return the fields that hold a value of their own, the most telling first, and a few many2many fields."""
    plain = {name for name in all_fields(call, model) if name not in _TECHNICAL}
    ranked = [item for item in schema["fields"] if item["name"] in plain]
    tags = [item["name"] for item in ranked if item["type"] == "many2many"][:MOST_TAGS]
    return [item["name"] for item in ranked if item["type"] not in X2MANY], tags


def _tags(call, record: BaseModel, name: str) -> dict:
    try:
        return shaped(call, record, columns(call, record._name, [name]), resolve_names=True).rows[0]
    except AccessError:
        # Odoo reads whether linked records are active, and fails on one that is hidden from this user.
        call.note(f"{name} is left out: it links to records that are not visible to this user.")
        return {}


def _line_fields(call, model: str, schema: Mapping) -> list[Mapping]:
    readable = call.fields(model)
    found = [
        item
        for item in schema["fields"]
        if item.get("lines") and item["name"] in readable and call.allows_model(item["relation"])
    ]
    return found[:MOST_LINE_FIELDS]


def _lines(call, record, item: Mapping) -> list[dict]:
    ids = call.read(record, [item["name"]])[0][item["name"]]
    if not ids:
        return []
    relation = item["relation"]
    found = call.search(call.domain(relation, ids=ids[:1000]), limit=MOST_LINES)
    names = [name for name in default_fields(call, relation)[0] if name != item.get("inverse")]
    if len(ids) > MOST_LINES:
        call.note(f"{item['name']}: {MOST_LINES} of {len(ids)} lines are shown.")
    return shaped(call, found, columns(call, relation, names)).rows


def _says_something(value: object) -> bool:
    if isinstance(value, Mapping):
        return value.get("count") != 0
    return value is not None and value is not False


def _markdown(facts: Mapping, by_name: Mapping[str, Mapping]) -> str:
    head = [f"# {facts['title']}", f"{facts['kind']} ({facts['model']} {facts['id']})"]
    short, long = [], []
    for name, value in facts["values"].items():
        if name == "id":
            continue
        label = by_name[name]["label"]
        if isinstance(value, str) and len(value) > LONG_TEXT:
            long.append(f"## {label} ({name})\n{shorten(value, LONGEST_TEXT)}")
        else:
            short.append(f"- {label} ({name}): {cell_text(value)}")
    tables = [f"## {by_name[name]['label']} ({name})\n{_table(rows)}" for name, rows in facts["lines"].items()]
    return shorten("\n\n".join(["\n".join(head), "\n".join(short), *tables, *long]), DEFAULT_BUDGET)


def _table(rows: Sequence[Mapping]) -> str:
    return table_text(rows, list(rows[0]))
