from odoo import models
from odoo.fields import Domain
from odoo.models import BaseModel

from ...services.budget import DEFAULT_BUDGET, first_that_fit
from ...services.errors import ToolError
from ...services.html_text import html_to_markdown
from ...services.schema import CURSOR, LIMIT, MODEL, array, boolean, choice, integer, params, text
from ...services.tool import ToolResult, tool
from ..activities import close, plan
from ..chatter import (
    MOST_FOLLOWERS,
    activity_rows,
    activity_text,
    kind_domain,
    message_html,
    message_rows,
    message_text,
    outsider_domain,
)
from ..paging import next_cursor, page_start
from ..posting import DONE, MESSAGE, NOTE, ask, posted
from ..provenance import marked_names

KINDS = ("messages", "notes", "changes", "activities", "followers")
DEFAULT_LIMIT = 20
MAX_LIMIT = 100
MAX_RECIPIENTS = 50
_KIND = {"type": "string", "enum": list(KINDS)}


class McpToolRegistry(models.AbstractModel):
    _inherit = "mcp.tool.registry"

    @tool(
        "odoo_read_thread",
        access="read",
        scoped=False,
        toolset="chatter",
        schema=params(
            model=MODEL,
            id=integer("Record id."),
            kinds=array("Default: all.", _KIND, len(KINDS)),
            external_only=boolean("Only what outsiders wrote."),
            limit=LIMIT(DEFAULT_LIMIT, MAX_LIMIT),
            cursor=CURSOR,
        ),
    )
    def _tool_read_thread(
        self, call, *, model, id, kinds=(), external_only=False, limit=DEFAULT_LIMIT, cursor=None
    ) -> ToolResult:
        """Read a record's chatter as plain text, newest first: messages, notes, tracked changes, activities,
        followers.
        """
        record = call.thread(model, id)
        kinds = list(kinds or KINDS)
        criteria = {"model": model, "id": id, "kinds": kinds, "external_only": external_only, "limit": limit}
        before = page_start(call, criteria, cursor).get("before")
        name = marked_names(call, model, {id: call.read(record, ["display_name"])[0]["display_name"]})[id]
        facts: dict[str, object] = {"model": model, "id": id, "name": name}
        lines = [f"{model} {id}: {name}"]
        if not before:
            lines += _around(call, record, kinds, facts)
        domain = kind_domain(kinds) & (outsider_domain() if external_only else Domain.TRUE)
        limit = min(limit, MAX_LIMIT)
        found = call.messages(record, domain & Domain("id", "<", before) if before else domain, limit + 1)
        rows = message_rows(call, record, found[:limit])
        shown = first_that_fit(rows, lambda row: len(message_text(row)) + 2, DEFAULT_BUDGET - sum(map(len, lines)))
        facts["messages"] = shown
        lines += [message_text(row) for row in shown] or ["No messages." if not before else "No older messages."]
        meta = {}
        if len(shown) < len(found):
            facts["next_cursor"] = next_cursor(call, criteria, {"before": shown[-1]["id"]})
            meta["next_cursor"] = facts["next_cursor"]
            lines.append(f"Older messages follow. next_cursor: {facts['next_cursor']}")
        return ToolResult(facts, text="\n\n".join(line for line in lines if line), meta=meta)

    @tool(
        "odoo_post_message",
        access="write",
        scoped=False,
        toolset="chatter",
        open_world=True,
        schema=params(
            model=MODEL,
            id=integer("Record id."),
            kind=choice(
                "note (default): internal; message: followers; email: recipients; activity: plan; "
                "done: close one.",
                "note", "message", "email", "activity", "done",
            ),
            body=text("Markdown."),
            subject=text("Of the message or activity."),
            recipients=array("Partner ids.", {"type": "integer"}, MAX_RECIPIENTS),
            attachment_ids=array("Files of this record.", {"type": "integer"}, 20),
            activity_type=text("Name.", example="To-Do"),
            user_id=integer("Assignee."),
            due=text("Date.", example="2025-12-31"),
            activity_id=integer("To close."),
        ),
    )  # fmt: skip
    def _tool_post_message(
        self,
        call,
        *,
        model,
        id,
        kind="note",
        body="",
        subject=None,
        recipients=(),
        attachment_ids=(),
        activity_type=None,
        user_id=None,
        due=None,
        activity_id=None,
    ) -> ToolResult:
        """Write in a record's chatter, marked as written by AI. Default: a note no customer sees. Says who is
        e-mailed; mail to outsiders may ask the user first.
        """
        record = call.open_thread(model, id)
        if kind == "activity":
            facts = plan(call, record, body=body, summary=subject, kind=activity_type, user_id=user_id, due=due)
            what = f"Planned: {facts['type']} for {facts['assigned_to']} by {facts['due']}"
            return posted(record, what, [], {"kind": kind, **facts})
        if kind == "done":
            told = call.recipients(record, DONE)
            ask(call, kind, told, 0)
            return posted(record, "Activity closed", told, {"kind": kind, **close(call, record, body, activity_id)})
        if not body.strip() and not attachment_ids:
            raise ToolError("invalid_arguments", "body is empty.", fix="Give the text to post, as Markdown.")
        partners = _partners(call, recipients, kind)
        files = _files(call, record, attachment_ids)
        followers = kind != "email"
        subtype = NOTE if kind == "note" else MESSAGE
        told = call.recipients(record, subtype, partners.ids, followers=followers)
        ask(call, kind, told, len(files))
        html = message_html(body)
        message = call.post(
            record, html, subtype,
            subject=subject, partner_ids=partners.ids, attachments=files, followers=followers,
        )  # fmt: skip
        what = {"note": "Internal note posted", "message": "Message posted", "email": "E-mail posted"}[kind]
        return posted(record, what, told, {"kind": kind, "message_id": message.id, "body": html_to_markdown(html)})


def _around(call, record: BaseModel, kinds: list[str], facts: dict[str, object]) -> list[str]:
    """Add activities and followers to the facts, and return their lines."""
    lines = []
    if "activities" in kinds:
        facts["activities"] = activity_rows(call, call.activities(record))
        lines.append(activity_text(facts["activities"]))
    if "followers" in kinds:
        followers = call.followers(record)
        for each in followers:
            each["name"] = call.boundary.cell(each["name"]) if each["external"] else each["name"]
        facts["followers"] = shown = followers[:MOST_FOLLOWERS]
        facts["followers_count"] = len(followers)
        names = [f"{each['name']} ({'external, ' * each['external']}partner {each['partner_id']})" for each in shown]
        lines.append(f"Followers ({len(followers)}): {', '.join(names)}" if names else "")
    return lines


def _partners(call, ids: list[int], kind: str) -> BaseModel:
    """Return the recipients. :raises ToolError: unknown, hidden, or without an address"""
    if kind == "email" and not ids:
        raise ToolError(
            "invalid_arguments",
            "kind=email needs recipients.",
            fix="Give partner ids; find them with odoo_search_records on res.partner.",
        )
    if kind == "note" and ids:
        raise ToolError("invalid_arguments", "A note has no recipients.", fix="Use kind=message or kind=email.")
    partners = call.records("res.partner", "read", list(ids))
    without = [row for row in call.read(partners, ["email", "display_name"]) if not row["email"]]
    if kind == "email" and without:
        names = ", ".join(f"{row['display_name']} (id {row['id']})" for row in without)
        raise ToolError("no_address", f"No e-mail address: {names}.", fix="Leave them out, or ask for the address.")
    return partners


def _files(call, record: BaseModel, ids: list[int]) -> BaseModel | None:
    """Return attachments of this very record. :raises ToolError: of another one, which would be disclosed by it"""
    files = call.env["ir.attachment"]
    for attachment_id in dict.fromkeys(ids):
        files |= call.attachment(attachment_id)
    for row in files.read(["res_model", "res_id"]):
        if (row["res_model"], row["res_id"]) != (record._name, record.id):
            raise ToolError(
                "not_found",
                f"Attachment {row['id']} does not belong to {record._name} {record.id}.",
                fix="Attach the file to this record first: odoo_upload_file.",
                record=row["id"],
            )
    return files
