"""What a write would send out of the company, found by trying it: asked first while its token is tainted.

A rehearsal sees what no list of tools or buttons could tell: the mail that an automation sends when a field changes.
"""

from collections.abc import Callable

from odoo.api import Environment
from odoo.tools import SQL
from odoo.tools.mail import email_split_tuples

from ..services import outgoing
from ..services.errors import ToolError
from ..services.questions import Question
from .call_questions import CONSENT
from .rehearsal import rehearsed
from .side_effects import newest_ids

MOST_NAMED = 10
# Fields that show a record to everybody, or to those it is shared with, by the values that do.
PUBLISHING = {
    "is_published": (True,),
    "website_published": (True,),
    "privacy_visibility": ("portal", "invited_users"),
}


def ask_before_leaving(call, handle: Callable[[], object]) -> None:
    """Ask whether the call may send something out, if its token has lately read what outsiders wrote.

    :param handle: runs the tool; it is tried here and rolled back
    :raises NeedsInput: something would leave, and there is no answer yet
    """
    if call.consented or not call.tainted:
        return
    if found := _leaving(call, handle):
        more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
        call.need(
            CONSENT,
            Question(
                "This assistant has just read text by people outside the company, and wants to send something out: "
                f"{'; '.join(found[:MOST_NAMED])}{more}. Is that what you want?",
                preview={"leaving": found[:50]},
            ),
        )


def _leaving(call, handle: Callable[[], object]) -> list[str]:
    call.restart(rehearsing=True)
    try:
        with call.unreported(), rehearsed(call.env):
            before = _newest(call.env)
            handle()
            # Some mail is made just before the commit.
            call.env.cr.flush()
            return _sent(call.env, before) + _published(call) + _shared(call.env, before["mail_followers"])
    except ToolError as error:
        if error.code != "cannot_rehearse":
            raise
        return [error.message]
    finally:
        call.restart(rehearsing=False)


def _newest(env: Environment) -> dict[str, int]:
    env.cr.execute(
        """
        SELECT (SELECT COALESCE(MAX(id), 0) FROM mail_notification), (SELECT COALESCE(MAX(id), 0) FROM mail_followers)
        """
    )
    notification, follower = env.cr.fetchone()
    return {**newest_ids(env), "mail_notification": notification, "mail_followers": follower}


def _sent(env: Environment, before: dict[str, int]) -> list[str]:
    """Return what would go to people outside, a sentence each and each once."""
    # sudo: mails and notifications are for system users only; the caller is told whom their own call would write to.
    mails = env["mail.mail"].sudo().search([("id", ">", before["mail_mail"])], order="id")
    notified = env["mail.notification"].sudo().search([("id", ">", before["mail_notification"])], order="id")
    partners = (mails.recipient_ids | notified.res_partner_id).filtered("partner_share")
    found = [f"message to {(partner.name or '')[:60]} <{partner.email or 'no address'}>" for partner in partners]
    notes = outgoing.current()
    texts = [text for mail in mails for text in (mail.email_to, mail.email_cc) if text]
    texts += [address for each in notes.emails for address in each["to"]]
    texts += [notification.mail_email_address for notification in notified if notification.mail_email_address]
    known = {partner.email_normalized for partner in partners}
    addresses = {address.lower() for text in texts for _name, address in email_split_tuples(text)} - known
    # sudo: whether an address is an employee's.
    users = env["res.users"].sudo().search([("share", "=", False), ("email_normalized", "in", list(addresses))])
    found += [f"e-mail to {address}" for address in sorted(addresses - set(users.mapped("email_normalized")))]
    for table, what in (("sms_sms", "text message"), ("snailmail_letter", "letter")):
        if table in before:
            env.cr.execute(SQL("SELECT COUNT(*) FROM %s WHERE id > %s", SQL.identifier(table), before[table]))
            found += [f"{count} {what}(s)" for (count,) in env.cr.fetchall() if count]
    found += [f"call of the webhook {name}" for name in notes.webhooks]
    return found + [f"request to the server {host}" for host in notes.hosts]


def _published(call) -> list[str]:
    return [
        f"publish {entry.name}"
        for entry in call.journal.entries
        if any(
            entry.after.get(name) in values and entry.before.get(name) != entry.after.get(name)
            for name, values in PUBLISHING.items()
        )
    ]


def _shared(env: Environment, after: int) -> list[str]:
    """Return which records outsiders would follow, and so see in their portal, that are not about themselves."""
    # sudo: the caller is told what their own call would share.
    followers = env["mail.followers"].sudo().search([("id", ">", after), ("partner_id.partner_share", "=", True)])
    found = []
    for follower in followers:
        record = env[follower.res_model].sudo().browse(follower.res_id)
        field = record._fields.get("partner_id")
        customer = record["partner_id"] if field and field.comodel_name == "res.partner" else env["res.partner"]
        if follower.partner_id.commercial_partner_id != customer.commercial_partner_id:
            found.append(f"share {record.display_name} with {(follower.partner_id.name or '')[:60]}")
    return found
