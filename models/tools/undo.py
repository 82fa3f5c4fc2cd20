from odoo import models

from ...services.schema import LIMIT, integer, params, text
from ...services.tool import ToolResult, tool
from ..undo import Undo
from ..undo_changes import recent, undoable

DEFAULT_LIMIT = 20
MAX_LIMIT = 100
MOST_LISTED = 50


class McpToolRegistry(models.AbstractModel):
    _inherit = "mcp.tool.registry"

    @tool(
        "odoo_undo",
        access="write",
        toolset="write",
        destructive=True,
        scoped=False,
        schema=params(
            change_id=integer("One change, from change_ids or the list.", minimum=1),
            request_id=text("All of one call or batch, from the list."),
            limit=LIMIT(DEFAULT_LIMIT, MAX_LIMIT),
        ),
    )
    def _tool_undo(self, call, *, change_id=None, request_id=None, limit=DEFAULT_LIMIT) -> ToolResult:
        """Without arguments lists your recent changes; with change_id or request_id takes them back (deleted records
        get a new id). Refused if changed since. E-mails and buttons are not undone.
        """
        if change_id is None and request_id is None:
            return _listed(recent(call, limit))
        undone = Undo(call, undoable(call, change_id, request_id)).run()
        rows = undone.rows
        lines = [f"Undone: {len(rows)} change(s)."]
        lines += [f"- {row['model']} {row['id']} {row['name'] or ''}: {row['done']}" for row in rows[:MOST_LISTED]]
        structured = {"count": len(rows), "undone": rows[:MOST_LISTED], "change_ids": call.journal.ids[-MOST_LISTED:]}
        return ToolResult(structured, text="\n".join(lines))


def _listed(rows: list[dict]) -> ToolResult:
    lines = [f"{len(rows)} recent change(s), newest first:" if rows else "You have changed nothing that can be undone."]
    for row in rows:
        fields = f" ({', '.join(row['fields'])})" if row["fields"] else ""
        undone = " [undone]" if row["undone"] else ""
        lines.append(
            f"- {row['change_id']}: {row['date']} {row['operation']} {row['model']} {row['id']} "
            f"{row['name'] or ''}{fields}, request {row['request_id']}{undone}"
        )
    return ToolResult({"count": len(rows), "changes": rows}, text="\n".join(lines))
