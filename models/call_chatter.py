"""The part of `ToolCall` that reaches conversations: messages, followers, activities of one record.

Their models are closed to generic tools. Here they are reached through a record that the caller may read, and what
is posted has arguments of ours only: never an author, an address, or a context of the client's.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup
from odoo.fields import Domain
from odoo.models import BaseModel

from ..services.errors import ToolError
from .mail_message import written_by

LONGEST_CLIENT = 60


@dataclass(frozen=True)
class Recipient:
    """Whom Odoo will notify of a message. `external`: a customer, supplier or portal user, not an employee."""

    partner_id: int | None
    name: str
    email: str
    by_email: bool
    external: bool

    def as_dict(self) -> dict[str, object]:
        return {"partner_id": self.partner_id, "name": self.name, "email": self.email, "external": self.external}


class CallChatter:
    """Mixed into `ToolCall`, which has `env`, `policy`, `exchange`, `journal`, `records` and `touch`."""

    @property
    def client_name(self) -> str:
        """What the client calls itself, as one short line of plain text."""
        name = self.exchange.client.get("name")
        line = " ".join(name.split()) if isinstance(name, str) else ""
        return "".join(each for each in line if each.isprintable())[:LONGEST_CLIENT] or "AI assistant"

    def thread(self, model: str, record_id: int) -> BaseModel:
        """Return a record that has a conversation and that the caller may read.

        :raises ToolError: `not_found`, or `no_chatter`
        """
        record = self.records(model, "read", [record_id])
        if "message_ids" not in record._fields:
            raise ToolError("no_chatter", f"Records of {model} have no messages.", model=model)
        return record

    def open_thread(self, model: str, record_id: int) -> BaseModel:
        """Return a record whose conversation the caller may add to.

        :raises ToolError: as `thread`, or closed for writing by the policy
        """
        record = self.thread(model, record_id)
        self.policy.check_model(model, "write")
        operation = record._mail_get_operation_for_mail_message_operation("create").get(record)
        record.check_access(operation or "write")
        return record

    def messages(self, record: BaseModel, domain: Domain, limit: int) -> BaseModel:
        """Return messages of a record, newest first: those that Odoo lets this user read."""
        thread = Domain("model", "=", record._name) & Domain("res_id", "=", record.id)
        return self.env["mail.message"].search(
            thread & Domain("message_type", "!=", "user_notification") & domain, order="id desc", limit=limit
        )

    def read_messages(self, messages: BaseModel, names: Sequence[str]) -> list[dict]:
        """Return raw values of messages that came from `messages`."""
        return messages.read(list(names))

    def tracked_changes(self, messages: BaseModel) -> dict[int, list[dict[str, str]]]:
        """Return the tracked changes by message, of the fields that this caller may read."""
        # sudo: Odoo closes the rows and opens them per field, as is done here.
        values = self.env["mail.tracking.value"].sudo().search([("mail_message_id", "in", messages.ids)], order="id")
        values = values._filter_has_field_access(self.env).filtered(
            lambda value: self.policy.allows_field(value.field_id.model or "", value.field_id.name or "")
        )
        changes: dict[int, list[dict[str, str]]] = {}
        for message, tracked in values.grouped("mail_message_id").items():
            changes[message.id] = [
                {
                    "field": each["fieldInfo"]["changedField"],
                    "before": _shown(each["oldValue"]),
                    "after": _shown(each["newValue"]),
                }
                for each in tracked._tracking_value_format()
            ]
        return changes

    def insiders(self, partner_ids: Iterable[int]) -> set[int]:
        """Return those of the partners who are employees."""
        # sudo: whether somebody is an employee, of authors whose messages this user may read.
        partners = self.env["res.partner"].sudo().browse(partner_ids)
        return {partner.id for partner in partners.exists() if not partner.partner_share}

    def internal_subtypes(self, subtype_ids: Iterable[int]) -> set[int]:
        """Return those of the subtypes that only employees see: notes."""
        # sudo: one flag of the subtypes of messages that this user may read.
        subtypes = self.env["mail.message.subtype"].sudo().browse(subtype_ids).exists()
        return {subtype.id for subtype in subtypes if subtype.internal}

    def message_files(self, attachment_ids: Iterable[int]) -> dict[int, dict[str, object]]:
        """Return id, name and size of attachments of messages, by id."""
        found = self.env["ir.attachment"].browse(attachment_ids).exists()._filtered_access("read")
        rows = found.read(["name", "file_size"])
        return {row["id"]: {"id": row["id"], "name": row["name"], "bytes": row["file_size"]} for row in rows}

    def followers(self, record: BaseModel) -> list[dict[str, object]]:
        """Return who follows a record, for employees; nobody for others, as in Odoo's own screens."""
        if not self.env.user._is_internal():
            return []
        # sudo: names of the followers of a record that this user may read, which the chatter shows too.
        partners = record.sudo().message_partner_ids
        return [{"partner_id": each.id, "name": each.name or "", "external": each.partner_share} for each in partners]

    def activities(self, record: BaseModel) -> BaseModel:
        """Return the open activities of a record that this user may see; portal users see none."""
        activities = self.env["mail.activity"]
        if not activities.has_access("read"):
            return activities
        domain = [("res_model", "=", record._name), ("res_id", "=", record.id)]
        return activities.search(domain, order="date_deadline, id", limit=100)

    def recipients(
        self, record: BaseModel, subtype: str, partner_ids: Sequence[int] = (), *, followers: bool = True
    ) -> list[Recipient]:
        """Return whom Odoo would notify of a message of this subtype, as it will compute it when it is posted."""
        values = {
            "author_id": self.env.user.partner_id.id,
            "message_type": "comment",
            "partner_ids": list(partner_ids),
            "subtype_id": self.env["ir.model.data"]._xmlid_to_res_id(subtype),
        }
        options = {} if followers else {"notify_skip_followers": True}
        found = record._notify_get_recipients(self.env["mail.message"], values, **options)
        return [
            Recipient(
                partner_id=each["id"] or None,
                name=each["name"] or "",
                email=each["email_normalized"] or "",
                by_email=each["notif"] == "email",
                external=bool(each["share"]),
            )
            for each in found
        ]

    def post(
        self,
        record: BaseModel,
        body: Markup,
        subtype: str,
        *,
        subject: str | None = None,
        partner_ids: Sequence[int] = (),
        attachments: BaseModel | None = None,
        followers: bool = True,
    ) -> BaseModel:
        """Post a message as the caller, marked with the client that wrote it, and return it.

        :param body: safe HTML
        :param followers: also notify those who follow the record; without, only `partner_ids`
        """
        options = {} if followers else {"notify_skip_followers": True}
        with written_by(self.client_name):
            return record.message_post(
                body=body,
                subject=subject or None,
                message_type="comment",
                subtype_xmlid=subtype,
                partner_ids=list(partner_ids),
                attachment_ids=attachments.ids if attachments else None,
                **options,
            )

    def close_activity(self, activity: BaseModel, feedback: str) -> int:
        """Mark an activity from `activity` as done, and return the id of the message that says so."""
        with written_by(self.client_name):
            return activity.action_feedback(feedback=feedback or False)

    def schedule(self, record: BaseModel, values: dict[str, object]) -> BaseModel:
        """Plan an activity on a record and journal it. :param values: checked values of `mail.activity`"""
        self.policy.check_model("mail.activity", "create")
        activity = record.activity_schedule(automated=False, **values)
        self.journal.created(activity)
        return activity

    def activity(self, record: BaseModel, activity_id: int) -> BaseModel:
        """Return an open activity of this record that the caller may change.

        :raises ToolError: `not_found`
        """
        activity = self.activities(record).filtered(lambda each: each.id == activity_id)
        if not activity:
            raise ToolError(
                "not_found",
                f"{record._name} {record.id} has no open activity {activity_id} that this user can see.",
                fix="odoo_read_thread lists the open activities with their ids.",
                model="mail.activity",
                record=activity_id,
            )
        return self.records("mail.activity", "write", activity.ids)


def _shown(value: object) -> str:
    return "(empty)" if value is None or value is False or value == "" else str(value)
