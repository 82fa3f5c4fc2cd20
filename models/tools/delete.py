from odoo import models

from ...services.errors import ToolError
from ...services.questions import Question
from ...services.schema import IDS, MODEL, choice, params
from ...services.tool import ToolResult, tool
from ..write_results import linked, names_of, written

MAX_RECORDS = 500


class McpToolRegistry(models.AbstractModel):
    _inherit = "mcp.tool.registry"

    @tool(
        "odoo_delete_records",
        access="write",
        scoped=False,
        toolset="write",
        destructive=True,
        schema=params(
            model=MODEL,
            ids=IDS,
            mode=choice("archive (default) or delete.", "archive", "delete"),
        ),
    )
    def _tool_delete_records(self, call, *, model, ids, mode="archive") -> ToolResult:
        """Archive (default) or delete up to 500 records, all or none. Deleting may ask the user first; archived records
        come back with active=true. Documents are cancelled by odoo_run_action.
        """
        if not 1 <= len(set(ids)) <= MAX_RECORDS:
            raise ToolError("invalid_arguments", f"Give 1 to {MAX_RECORDS} different ids.")
        return _delete(call, model, ids) if mode == "delete" else _archive(call, model, ids)


def _archive(call, model: str, ids: list[int]) -> ToolResult:
    records = call.records(model, "write", ids)
    if not records._active_name:
        raise ToolError(
            "cannot_archive",
            f"{model} has no archive. Nothing was changed.",
            fix='Use mode="delete" if the records shall really go, or the button that cancels them (odoo_run_action).',
            model=model,
        )
    call.field(model, records._active_name, "write")
    for portion in call.portions(records, f"Archiving {model}"):
        call.archive(portion)
    return written(call, records, "Archived", mode="archive")


def _delete(call, model: str, ids: list[int]) -> ToolResult:
    call.policy.check_model(model, "delete")
    records = call.records(model, "delete", ids)
    rows = linked(call, records)
    if call.policy.confirmation != "never":
        label = call.env["ir.model"]._get(model).name
        call.need(
            "confirm",
            Question(
                f"Delete {len(records)} {label} record(s): {names_of(records, rows)}? This cannot be undone.",
                preview={"model": model, "records": rows[:20]},
            ),
        )
    count = len(records)
    # At once: Odoo may let records go together that it would keep one by one.
    call.progress(0, count, f"Deleting {model}")
    call.delete(records)
    call.progress(count, count)
    listed = [{"id": row["id"], "name": row["name"]} for row in rows[:50]]
    names = ", ".join(f"{row['name']} (id {row['id']})" for row in listed[:10])
    structured = {
        "model": model,
        "ids": [row["id"] for row in rows],
        "count": count,
        "mode": "delete",
        "records": listed,
    }
    if not call.rehearsing:
        structured["change_ids"] = call.journal.ids[-50:]
    return ToolResult(
        structured,
        text=f"Deleted {count} {model} record(s): {names}.",
    )
