"""The part of `ToolCall` that reaches files: attachments of a record, and binary fields.

`ir.attachment` is closed to generic tools. An attachment is as open as the record it belongs to: that record must be
readable by the user, and its model and field open to the policy. One that belongs to none is its creator's only.
"""

import base64
import binascii
from dataclasses import dataclass

from odoo.models import BaseModel

from ..services.document_text import MAX_FILE
from ..services.errors import PolicyDenied, ToolError
from ..services.times import to_wire
from .provenance import outside_ids

_NAME_SUFFIXES = ("_filename", "_fname", "_name")


@dataclass(frozen=True)
class Content:
    """The bytes of a file and what it is called."""

    name: str
    mimetype: str
    data: bytes


class CallFiles:
    """Mixed into `ToolCall`, which has `env`, `policy`, `records`, `field`, `read` and `touch`."""

    def attachments(self, record: BaseModel, *, limit: int, offset: int = 0) -> BaseModel:
        """Return the attachments of a record, newest first, without those that hold its binary fields."""
        domain = [("res_model", "=", record._name), ("res_id", "=", record.id)]
        return self.env["ir.attachment"].search(domain, order="id desc", limit=limit, offset=offset)

    def attachment(self, attachment_id: int) -> BaseModel:
        """Return one attachment that this caller may read.

        :raises ToolError: `not_found`, or the refusal of the record it belongs to
        """
        found = self.env["ir.attachment"].browse(attachment_id).exists()._filtered_access("read")
        if not found:
            raise self._no_attachment(attachment_id)
        # sudo: where an attachment belongs that this user may read; decides only what is checked next.
        owner = found.sudo()
        model, record_id, field = owner.res_model, owner.res_id, owner.res_field
        if not record_id:
            is_own = owner.create_uid.id == self.env.uid and not (model and not self.policy.allows_model(model))
            if not is_own:
                raise self._no_attachment(attachment_id)
            self.touch("ir.attachment", found.ids)
            return found
        record = self.records(model, "read", [record_id])
        if field:
            self.field(model, field, "read")
        if model == "mail.message" and (about := self.read(record, ["model", "res_id"])[0])["model"]:
            self.records(about["model"], "read", [about["res_id"]])
        return found

    def file_facts(self, attachment: BaseModel) -> dict[str, object]:
        """Return id, name, type, size and date of an attachment from `attachment` or `attachments`."""
        row = attachment.read(["name", "mimetype", "file_size", "create_date", "type", "url"])[0]
        facts = {
            "id": row["id"],
            "name": row["name"],
            "mimetype": row["mimetype"] or "",
            "bytes": row["file_size"] or 0,
            "date": to_wire(row["create_date"], self.env.context.get("tz")),
        }
        return facts if row["type"] == "binary" else {**facts, "mimetype": "link", "url": row["url"] or ""}

    def filled_binaries(self, record: BaseModel) -> dict[str, str]:
        """Return the sizes of a record's own binary fields that hold something, by name."""
        names = [
            name
            for name, field in self.fields(record._name).items()
            if field.type == "binary" and field.store and not field.related and not field.compute
        ]
        row = self.read(record, names)[0] if names else {}
        return {name: str(row[name]) for name in names if row.get(name)}

    def content(self, attachment: BaseModel) -> Content:
        """Return the bytes of an attachment from `attachment` or `attachments`.

        :raises ToolError: `no_content`, for a link to elsewhere; `too_large`, before it is read
        """
        facts = attachment.read(["name", "mimetype", "type", "url", "file_size"])[0]
        if facts["type"] != "binary":
            raise ToolError(
                "no_content",
                f"{facts['name']} is a link, not a file: {facts['url'] or 'stored outside Odoo'}.",
                record=attachment.id,
            )
        if facts["file_size"] > MAX_FILE:
            raise ToolError(
                "too_large",
                f"{facts['name']} has {facts['file_size']:,} bytes; files are read up to {MAX_FILE:,}.",
                fix="Ask for a one-time link: mode=link.",
            )
        return Content(facts["name"], facts["mimetype"] or "", attachment.raw or b"")

    def binary(self, record: BaseModel, name: str) -> Content:
        """Return the bytes of a binary field of one record.

        :raises ToolError: closed, no binary field, or empty
        """
        field = self.field(record._name, name, "read")
        if field.type != "binary":
            raise ToolError("invalid_field", f"{name} is no file but a {field.type} field.", model=record._name)
        value = record.with_context(bin_size=False).read([name])[0][name]
        if not value:
            raise ToolError("no_content", f"{name} of {record._name} {record.id} is empty.", model=record._name)
        try:
            data = base64.b64decode(value)
        except binascii.Error:
            raise ToolError("no_content", f"{name} holds no file.", model=record._name) from None
        return Content(self._file_name(record, name), self._guessed_type(data), data)

    def give_file_of(self, records: BaseModel) -> None:
        """Note that a file of these records is given away as it is: what an outsider wrote in it cannot be marked.

        :raises PolicyDenied: the profile hides what outsiders wrote
        """
        if not outside_ids(self, records):
            return
        if self.policy.lockdown:
            message = "This file is from outside the company, and the access profile of this connection is in lockdown."
            raise PolicyDenied("profile:lockdown", message, model=records._name)
        self.gives_outsiders_file = True

    def attach(self, record: BaseModel, name: str, data: bytes) -> BaseModel:
        """Attach a new file to a record that the caller may change, and return the attachment."""
        self.policy.check_model(record._name, "write")
        record.check_access("write")
        # Pages and drawings are kept as plain text, also for those whose uploads Odoo would trust.
        attachments = self.env["ir.attachment"].with_context(attachments_mime_plainxml=True)
        return attachments.create({"name": name, "raw": data, "res_model": record._name, "res_id": record.id})

    def _file_name(self, record: BaseModel, name: str) -> str:
        """Return what a model's companion field says a binary field's file is called."""
        for suffix in _NAME_SUFFIXES:
            companion = f"{name}{suffix}"
            field = record._fields.get(companion)
            if field is not None and field.type == "char" and companion in self.fields(record._name):
                return record.read([companion])[0][companion] or name
        return f"{record._name.replace('.', '_')}_{record.id}_{name}"

    def _guessed_type(self, data: bytes) -> str:
        return self.env["ir.attachment"]._compute_mimetype({"raw": data})

    def _no_attachment(self, attachment_id: int) -> ToolError:
        return ToolError(
            "not_found",
            f"There is no attachment {attachment_id} that this user can see.",
            fix="List the files of a record: odoo_read_files with model and id.",
            model="ir.attachment",
            record=attachment_id,
        )
