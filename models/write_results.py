"""What the writing tools answer: which records, what changed, how to undo it, in which company."""

from collections.abc import Sequence
from dataclasses import replace

from odoo.models import BaseModel

from ..services.budget import fit
from ..services.tool import ToolResult
from .default_fields import default_fields
from .provenance import marked_names
from .record_shape import columns, shaped

# Listed with name and link; of more records only the ids.
MOST_RECORDS = 50
MOST_CHANGES = 40
# New records shown with their most useful fields.
MOST_SHOWN = 5


def written(call, records: BaseModel, verb: str, **facts: object) -> ToolResult:
    """Return the result of a call that has written `records`.

    :param verb: past participle for the text, e.g. `Created`
    :param facts: more for the structured part
    """
    company = call.env.company
    listed = linked(call, records[:MOST_RECORDS])
    changes = call.journal.difference()
    structured = {
        "model": records._name,
        "ids": records.ids,
        "count": len(records),
        "records": listed,
        "company": {"id": company.id, "name": company.name},
        **facts,
    }
    # A preview tells the changes itself, and its journal rows are rolled back.
    if not call.rehearsing:
        structured["changes"] = changes[:MOST_CHANGES]
        structured["change_ids"] = call.journal.ids[-MOST_RECORDS:]
        if len(changes) > MOST_CHANGES:
            structured["changes_count"] = len(changes)
    names = ", ".join(f"{row['name']} (id {row['id']})" for row in listed[:10])
    more = f" and {len(records) - 10} more" if len(records) > 10 else ""
    lines = [f"{verb} {len(records)} {records._name} record(s) in {company.name}: {names}{more}."]
    lines += [_change_line(change) for change in changes[:MOST_CHANGES] if "field" in change]
    return ToolResult(structured, text="\n".join(lines))


def created(call, records: BaseModel) -> ToolResult:
    """Return the result of a call that has made `records`, with what Odoo filled in: numbers, states, totals."""
    result = written(call, records, "Created")
    names, _others = default_fields(call, records._name)
    shown = shaped(call, records[:MOST_SHOWN]._filtered_access("read"), columns(call, records._name, names))
    if not shown.rows:
        return result
    fitted = fit(shown.rows, list(shown.rows[0]))
    return replace(
        result,
        structured={**result.structured, "rows": fitted.rows},
        text=f"{result.text}\nAs Odoo has filled it in:\n{fitted.text}",
    )


def linked(call, records: BaseModel) -> list[dict[str, object]]:
    """Return id, name and web address of those records that the user can see."""
    visible = records._filtered_access("read")
    base = records[:1].get_base_url()
    rows = {row["id"]: row["display_name"] for row in call.read(visible, ["display_name"])}
    rows = marked_names(call, records._name, rows)
    return [
        {"id": record_id, "name": rows.get(record_id), "url": f"{base}/odoo/{records._name}/{record_id}"}
        for record_id in records.ids
    ]


def names_of(records: BaseModel, rows: Sequence[dict]) -> str:
    """Return some names and how many there are, for a question."""
    names = ", ".join(str(row["name"]) for row in rows[:5])
    return f"{names} and {len(records) - 5} more" if len(records) > 5 else names


def _change_line(change: dict) -> str:
    computed = " (computed)" if change.get("computed") else ""
    before = "" if change["operation"] == "create" else f"{_text(change['before'])} → "
    return f"- {change['id']} {change['field']}: {before}{_text(change['after'])}{computed}"


def _text(value: object) -> str:
    if value is None:
        return "(empty)"
    if isinstance(value, dict) and "name" in value:
        return f"{value['name']} (id {value['id']})"
    if isinstance(value, dict) and "ids" in value:
        return f"{value['count']} record(s) {value['ids']}"
    return str(value)
