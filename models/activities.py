"""Activities of one record: to plan one, and to mark one as done."""

from datetime import date, timedelta

from odoo.fields import Date
from odoo.models import BaseModel

from ..services.budget import shorten
from ..services.errors import ToolError
from .chatter import message_html

LONGEST_SUMMARY = 200


def plan(
    call,
    record: BaseModel,
    *,
    body: str,
    summary: str | None,
    kind: str | None,
    user_id: int | None,
    due: str | None,
) -> dict[str, object]:
    """Plan an activity and return what was planned.

    :param kind: name of the activity type, None for a to-do
    :param user_id: who shall do it, None for the caller
    :param due: ISO date, None for tomorrow
    :raises ToolError: unknown type, user or date
    """
    values: dict[str, object] = {
        "activity_type_id": _type_id(call, record, kind),
        "date_deadline": _due(call, due),
        "summary": shorten(summary or "", LONGEST_SUMMARY),
    }
    if body.strip():
        values["note"] = message_html(body)
    user = call.env.user
    if user_id and user_id != user.id:
        user = call.records("res.users", "read", [user_id])
        if user.share:
            raise ToolError("invalid_value", f"User {user_id} is no employee and cannot have activities.")
        call.note("Odoo tells the assigned user about it.")
    activity = call.schedule(record, {**values, "user_id": user.id})
    row = call.read(activity, ["activity_type_id", "date_deadline", "user_id"])[0]
    return {
        "activity_id": activity.id,
        "type": row["activity_type_id"] and row["activity_type_id"][1],
        "due": row["date_deadline"].isoformat(),
        "assigned_to": row["user_id"] and row["user_id"][1],
    }


def close(call, record: BaseModel, feedback: str, activity_id: int | None) -> dict[str, object]:
    """Mark an activity of the record as done and return which, and the message that says so.

    :raises ToolError: none given, or not one of this record
    """
    if not activity_id:
        raise ToolError(
            "invalid_arguments", "kind=done needs activity_id.", fix="odoo_read_thread lists the open activities."
        )
    activity = call.activity(record, activity_id)
    return {"activity_id": activity_id, "message_id": call.close_activity(activity, feedback.strip())}


def _due(call, due: str | None) -> date:
    if not due:
        return Date.context_today(call.env["mail.activity"]) + timedelta(days=1)
    try:
        return date.fromisoformat(due.strip()[:10])
    except ValueError as error:
        raise ToolError("invalid_value", f"due={due!r} is no date. Write it like 2025-12-31.") from error


def _type_id(call, record: BaseModel, name: str | None) -> int:
    types = call.env["mail.activity.type"].search([("res_model", "in", (False, record._name))])
    rows = call.read(types, ["name"])
    if not name:
        to_do = call.env["ir.model.data"]._xmlid_to_res_id("mail.mail_activity_data_todo")
        return to_do if to_do in types.ids else types[:1].id
    wanted = _plain(name)
    found = [row["id"] for row in rows if _plain(row["name"]) == wanted]
    found = found or [row["id"] for row in rows if wanted in _plain(row["name"])]
    if not found:
        raise ToolError(
            "invalid_value",
            f"There is no activity type {name!r}.",
            fix=f"Use one of: {', '.join(row['name'] for row in rows[:20])}.",
        )
    return found[0]


def _plain(name: str) -> str:
    return "".join(each for each in name.lower() if each.isalnum())
