"""What a call causes besides its own change: mail, activities, messages, calls of other servers."""

from odoo.api import Environment
from odoo.tools import SQL

from ..services.outgoing import MOST_LISTED, Outgoing

# Rows of these, made during a rehearsal, are what would have followed it.
WATCHED_TABLES = ("mail_mail", "mail_activity", "mail_message", "sms_sms", "snailmail_letter")


def newest_ids(env: Environment) -> dict[str, int]:
    """Return the highest id of each watched table, read from its primary key."""
    tables = [name for name in WATCHED_TABLES if name.replace("_", ".") in env]
    maxima = SQL(", ").join(SQL("(SELECT COALESCE(MAX(id), 0) FROM %s)", SQL.identifier(name)) for name in tables)
    env.cr.execute(SQL("SELECT %s", maxima))
    return dict(zip(tables, env.cr.fetchone(), strict=True))


def since(env: Environment, before: dict[str, int], outgoing: Outgoing) -> dict[str, object]:
    """Return what has been made since `newest_ids`, and what was kept from leaving. Absent kinds did not occur."""
    found: dict[str, list] = {
        "emails": [*outgoing.emails, *_emails(env, before["mail_mail"])],
        "activities": _activities(env, before["mail_activity"]),
        "messages": _messages(env, before["mail_message"]),
        "sms": _texts(env, "sms_sms", "number", before),
        "letters": _texts(env, "snailmail_letter", "model", before),
        "webhooks": outgoing.webhooks,
        "outside_services": outgoing.hosts,
    }
    effects: dict[str, object] = {}
    for kind, items in found.items():
        if items:
            effects[kind] = items[:MOST_LISTED]
        if len(items) > MOST_LISTED:
            effects[f"{kind}_count"] = len(items)
    return effects


def _emails(env: Environment, after: int) -> list[dict[str, object]]:
    # sudo: mails are for system users only; the user is told what their own call would send, and to whom.
    mails = env["mail.mail"].sudo().search([("id", ">", after)], order="id")
    emails = []
    for mail in mails:
        recipients = [partner.email_formatted or partner.name for partner in mail.recipient_ids]
        recipients += [address for address in (mail.email_to, mail.email_cc) if address]
        emails.append({"to": recipients, "subject": mail.subject or mail.record_name or ""})
    return emails


def _activities(env: Environment, after: int) -> list[dict[str, object]]:
    # sudo: an activity for somebody else may be hidden from the user whose call would plan it.
    activities = env["mail.activity"].sudo().search([("id", ">", after)], order="id")
    return [
        {
            "model": activity.res_model,
            "id": activity.res_id,
            "type": activity.activity_type_id.name or "",
            "summary": activity.summary or "",
            "assigned_to": activity.user_id.name or "",
            "deadline": str(activity.date_deadline),
        }
        for activity in activities
    ]


def _messages(env: Environment, after: int) -> list[dict[str, object]]:
    # sudo: as above; only where and of which kind is told, not the text.
    messages = env["mail.message"].sudo().search([("id", ">", after)], order="id")
    return [
        {"model": message.model, "id": message.res_id, "kind": message.subtype_id.name or message.message_type}
        for message in messages
        if message.model
    ]


def _texts(env: Environment, table: str, column: str, before: dict[str, int]) -> list[str]:
    if table not in before:
        return []
    env.cr.execute(SQL("SELECT %s FROM %s WHERE id > %s", SQL.identifier(column), SQL.identifier(table), before[table]))
    return [value or "" for (value,) in env.cr.fetchall()]
