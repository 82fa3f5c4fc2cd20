import json

from odoo import models

from ...services.schema import MODEL, VALUES, integer, names, params
from ...services.tool import ToolResult, tool
from ..form_preview import FormReader
from ..provenance import mark_preview

LONGEST_TEXT = 500
BUDGET = 12_000
MOST_UNCLEAR = 20


class McpToolRegistry(models.AbstractModel):
    _inherit = "mcp.tool.registry"

    @tool(
        "odoo_preview_record",
        access="read",
        toolset="core",
        scoped=False,
        schema=params(
            model=MODEL,
            values=VALUES,
            id=integer("Existing record.", minimum=1),
            changed=names("Edited ones (default all).", example=["partner_id"]),
        ),
    )
    def _tool_preview_record(self, call, *, model, values=None, id=None, changed=()) -> ToolResult:
        """Fill in a form without saving: defaults, and what Odoo changes in answer to values (prices, lines). Returns
        changed values, warnings, missing and locked fields.
        """
        operation = "write" if id else "create"
        call.check_model(model, operation)
        record = call.records(model, operation, [id]) if id else call.records(model, "read", [])
        for name in changed:
            call.field(model, name, "write")
        result = FormReader(call, model).preview(record, values or {}, changed)
        mark_preview(call, record, result)
        labels = call.describe_fields(model, result.missing, ["string"]) if result.missing else {}
        facts = {
            "model": model,
            "id": id,
            "values": _fitted(call, result.values),
            "warnings": result.warnings,
            "missing_required": [
                {"field": name, "label": labels[name]["string"]} for name in result.missing if name in labels
            ],
            **result.fields,
            "unclear": dict(list(result.unclear.items())[:MOST_UNCLEAR]),
        }
        facts = {key: value for key, value in facts.items() if value or key in ("values", "missing_required")}
        return ToolResult({**facts, "saved": False}, text=_as_text(facts))


def _fitted(call, values: dict[str, object]) -> dict[str, object]:
    """Leave out values that say nothing, and shorten what does not fit."""
    kept: dict[str, object] = {}
    used = 0
    for name, value in values.items():
        if value in (None, "", {"count": 0}, []) and value is not False:
            continue
        if isinstance(value, str) and len(value) > LONGEST_TEXT:
            value = f"{value[:LONGEST_TEXT]}…"
        size = len(name) + len(json.dumps(value, default=str))
        if used + size > BUDGET:
            call.note(f"{name} was left out: the answer is too long.")
            continue
        used += size
        kept[name] = value
    return kept


def _as_text(facts: dict) -> str:
    lines = [f"Preview of {facts['model']}{' ' + str(facts['id']) if 'id' in facts else ' (new)'}, nothing saved."]
    lines += [
        f"- {name}: {json.dumps(value, ensure_ascii=False, default=str)}" for name, value in facts["values"].items()
    ]
    lines += [f"Warning: {text}" for text in facts.get("warnings", ())]
    missing = ", ".join(f"{item['field']} ({item['label']})" for item in facts["missing_required"])
    lines.append(f"Missing required: {missing or 'none'}.")
    for kind in ("required", "readonly", "hidden"):
        if kind in facts:
            lines.append(f"{kind.capitalize()}: {', '.join(facts[kind])}.")
    return "\n".join(lines)
