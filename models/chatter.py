"""The conversation of one record as plain rows: messages with their changes and files, activities, followers."""

from collections.abc import Collection, Mapping, Sequence

from markupsafe import Markup
from odoo.fields import Domain
from odoo.models import BaseModel

from ..services.budget import shorten
from ..services.errors import ToolError
from ..services.html_text import html_to_markdown
from ..services.markdown import markdown_to_html
from ..services.quoted_text import MARK, cut_html, cut_text
from ..services.times import to_wire
from ..services.untrusted import Boundary
from .provenance import outside_ids

LONGEST_BODY = 3_000
MOST_CHANGES = 30
MOST_FOLLOWERS = 50
MOST_ACTIVITIES = 50
_MESSAGE_FIELDS = (
    "date", "body", "subject", "author_id", "email_from", "message_type", "subtype_id", "attachment_ids",
    "partner_ids", "mcp_client",
)  # fmt: skip


def kind_domain(kinds: Collection[str]) -> Domain:
    """Return the domain of the kinds of message asked for: `messages`, `notes`, `changes`."""
    is_change = Domain("message_type", "=", "notification")
    is_note = Domain("subtype_id.internal", "=", True)
    by_kind = {"changes": is_change, "notes": ~is_change & is_note, "messages": ~is_change & ~is_note}
    return Domain.OR(domain for kind, domain in by_kind.items() if kind in kinds)


def outsider_domain() -> Domain:
    """Return the domain of messages that no employee wrote."""
    # Whether an author is an employee is no secret of the contact, which this user may be unable to read.
    return (
        Domain("message_type", "=", "email")
        | Domain("author_id", "=", False)
        | Domain("author_id", "any!", [("partner_share", "=", True)])
    )


def message_html(body: str) -> Markup:
    """Return what is stored and mailed for a Markdown text. :raises ToolError: it is too long"""
    try:
        # Markup: the service escapes all of the source and writes a few elements of its own.
        return Markup(markdown_to_html(body))
    except ValueError as error:
        raise ToolError("invalid_arguments", str(error)) from error


def message_rows(call, record: BaseModel, messages: BaseModel) -> list[dict[str, object]]:
    """Return a row per message of a record; what outsiders wrote stands inside the boundary."""
    boundary = call.boundary
    raw = call.read_messages(messages, _MESSAGE_FIELDS)
    changes = call.tracked_changes(messages)
    insiders = call.insiders({row["author_id"][0] for row in raw if row["author_id"]})
    internal = call.internal_subtypes({row["subtype_id"][0] for row in raw if row["subtype_id"]})
    files = call.message_files({file for row in raw for file in row["attachment_ids"]})
    concerned = bool(outside_ids(call, record))
    robot = call.env["ir.model.data"]._xmlid_to_res_id("base.partner_root")
    rows = []
    for row in raw:
        trusted = bool(row["author_id"]) and row["author_id"][0] in insiders and row["message_type"] != "email"
        content = {
            "kind": _kind(row, internal),
            # Odoo's own notes repeat what a web form was filled in with.
            **_written(row, boundary, trusted=trusted and row["author_id"][0] != robot),
            "changes": [
                _change(each, boundary, trusted and not concerned)
                for each in changes.get(row["id"], ())[:MOST_CHANGES]
            ],
            "files": [_file(files[file], boundary, trusted) for file in row["attachment_ids"] if file in files],
            "to": row["partner_ids"],
            "written_by_ai": row["mcp_client"],
        }
        facts = {
            "id": row["id"],
            "date": to_wire(row["date"], call.env.context.get("tz")),
            "author": _author(row, boundary, trusted=trusted),
            "author_id": row["author_id"] and row["author_id"][0],
            "outsider": not trusted,
        }
        rows.append({key: value for key, value in {**facts, **content}.items() if value or key == "id"})
    return rows


def activity_rows(call, activities: BaseModel) -> list[dict[str, object]]:
    """Return a row per open activity, those due first at the top."""
    if not activities:
        return []
    names = ("activity_type_id", "summary", "note", "date_deadline", "user_id", "state")
    rows = call.read(activities[:MOST_ACTIVITIES], names)
    return [
        {
            # As odoo_post_message takes it, to close it.
            "activity_id": row["id"],
            "type": row["activity_type_id"] and row["activity_type_id"][1],
            "summary": row["summary"] or "",
            "due": to_wire(row["date_deadline"]),
            "state": row["state"],
            "assigned_to": row["user_id"] and row["user_id"][1],
            "note": shorten(html_to_markdown(row["note"] or ""), 500),
        }
        for row in rows
    ]


def message_text(row: Mapping[str, object]) -> str:
    """Return a message as the lines the model reads."""
    head = [f"[{row['id']}] {row['date']} {row['author']}", str(row["kind"])]
    head += ["outsider"] if row.get("outsider") else []
    head += [f"AI: {row['written_by_ai']}"] if row.get("written_by_ai") else []
    lines = [" · ".join(head)]
    lines += [f"Subject: {row['subject']}"] if row.get("subject") else []
    lines += [str(row["body"])] if row.get("body") else []
    lines += [f"- {change['field']}: {change['before']} → {change['after']}" for change in row.get("changes", ())]
    lines += [f"File {file['id']}: {file['name']}" for file in row.get("files", ())]
    return "\n".join(lines)


def activity_text(rows: Sequence[Mapping[str, object]]) -> str:
    """Return the open activities as lines, empty for none."""
    lines = [
        f"[{row['activity_id']}] {row['due']} ({row['state']}) {row['type'] or 'Activity'}: {row['summary']}"
        f" → {row['assigned_to'] or 'nobody'}" + (f"\n{row['note']}" if row["note"] else "")
        for row in rows
    ]
    return "\n".join(["Open activities [activity_id]:", *lines]) if lines else ""


def _kind(row: Mapping[str, object], internal: Collection[int]) -> str:
    if row["message_type"] == "notification":
        return "change"
    return "note" if row["subtype_id"] and row["subtype_id"][0] in internal else "message"


def _written(row: Mapping[str, object], boundary: Boundary, *, trusted: bool) -> dict[str, object]:
    """Return subject and body; cut of what it quotes, and to a length."""
    source, cut_marked = cut_html(row["body"] or "")
    text, cut_lines = cut_text(html_to_markdown(source))
    text = shorten(text.strip(), LONGEST_BODY)
    subject = _line(row["subject"] or "")
    if not trusted:
        text, subject = boundary.wrap(text), boundary.wrap(subject)
    if text and (cut_marked or cut_lines):
        text = f"{text}\n{MARK}"
    return {"subject": subject, "body": text}


def _change(change: Mapping[str, str], boundary: Boundary, trusted: bool) -> dict[str, str]:
    if trusted:
        return dict(change)
    return {name: value if name == "field" else boundary.cell(value) for name, value in change.items()}


def _author(row: Mapping[str, object], boundary: Boundary, *, trusted: bool) -> str:
    name = _line(row["author_id"][1] if row["author_id"] else row["email_from"] or "unknown")
    return name if trusted else boundary.cell(name)


def _file(file: Mapping[str, object], boundary: Boundary, trusted: bool) -> dict[str, object]:
    return dict(file) if trusted else {**file, "name": boundary.cell(str(file["name"]))}


def _line(text: str) -> str:
    return shorten(" ".join(text.split()), 200)
