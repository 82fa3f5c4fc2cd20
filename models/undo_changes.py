"""Which rows of the journal a caller may see and undo: their own; in Odoo's screens what the record rules allow."""

from odoo.models import BaseModel

from ..services.errors import ToolError
from .tool_call import ToolCall


def undoable(call: ToolCall, change_id: int | None, request_id: str | None) -> BaseModel:
    """Return the rows of one change, or of one request.

    :raises ToolError: `not_found`, also for changes of somebody else
    """
    found = own_changes(call, [("id", "=", change_id)] if change_id else [("request_id", "=", request_id)])
    if not change_id:
        # What has been undone already, and the undoing itself, stay as they are.
        found = found.filtered(lambda change: not change.reverted_at and change.tool != call.spec.name) or found
    if not found:
        what = f"id {change_id}" if change_id else f"request_id {request_id!r}"
        raise ToolError(
            "not_found",
            f"There is no change of yours with {what}.",
            fix="Call odoo_undo without arguments to list what can be undone.",
        )
    return found


def recent(call: ToolCall, limit: int) -> list[dict[str, object]]:
    """Return the latest own changes of models that are still open, newest first, without values."""
    rows = []
    for change in own_changes(call, [], limit=limit * 3):
        if not call.allows_model(change.model) or len(rows) >= limit:
            continue
        open_fields = call.policy.readable_fields(change.model, {**(change.before or {}), **(change.after or {})})
        rows.append(
            {
                "change_id": change.id,
                "date": change.date.isoformat() + "Z",
                "operation": change.operation,
                "model": change.model,
                "id": change.res_id,
                "name": change.res_name,
                "fields": open_fields[:10] if change.operation in ("write", "archive") else [],
                "tool": change.tool,
                "request_id": change.request_id,
                "undone": bool(change.reverted_at),
            }
        )
    return rows


def own_changes(call: ToolCall, terms: list, limit: int | None = None) -> BaseModel:
    """Return the rows of the journal that this caller may see and undo, the latest first."""
    journal = call.env["mcp.change"]
    if call.exchange.transport == "odoo":
        # In Odoo's own screens the journal's record rules decide: own changes, for administrators all.
        journal.check_access("read")
        # sudo: of rows that were just found with the user's own rights.
        return journal.search(terms, limit=limit).sudo()
    # sudo: users without the MCP groups may not read the journal's model; limited to the user's own rows.
    return journal.sudo().search([*terms, ("user_id", "=", call.env.uid)], limit=limit)
