"""A tool made of an e-mail template: rendered for one record and posted in its chatter, as odoo_post_message posts."""

import base64

from markupsafe import Markup
from odoo.models import BaseModel

from ...services.custom_tools import CustomTool
from ...services.errors import ToolError
from ...services.tool import ToolResult
from ..posting import MESSAGE, ask, posted
from .given import Given

_RENDERED = (
    "subject", "body_html", "partner_to", "email_to", "email_cc", "attachment_ids", "report_template_ids",
)  # fmt: skip


def send(call, tool: CustomTool, given: Given) -> ToolResult:
    """Send the template's e-mail for the given record, as the caller, to those whom the template names.

    :raises ToolError: the record is closed for writing, or there is nobody to send it to
    """
    record = call.open_thread(tool.model, given.records.id)
    template = call.env["mail.template"].browse(tool.source_id)
    template.check_access("read")
    rendered = template._generate_template([record.id], _RENDERED, find_or_create_partners=True)[record.id]
    partners = _recipients(call, tool, record, rendered.get("partner_ids") or [])
    told = call.recipients(record, MESSAGE, partners.ids, followers=False)
    files = rendered.get("attachments") or []
    ask(call, "email", told, len(files) + len(rendered.get("attachment_ids") or []))
    message = call.post(
        record,
        # Markup: the template's own HTML, rendered and escaped by Odoo.
        Markup(rendered.get("body_html") or ""),
        MESSAGE,
        subject=rendered.get("subject"),
        partner_ids=partners.ids,
        attachments=_attachments(call, record, rendered.get("attachment_ids") or [], files),
        followers=False,
    )
    facts = {"kind": "email", "message_id": message.id, "subject": rendered.get("subject") or ""}
    return posted(record, f"{tool.title}: e-mail posted", told, facts)


def _recipients(call, tool: CustomTool, record: BaseModel, ids: list[int]) -> BaseModel:
    # sudo: addresses that the template found; whether the caller may read the contacts is not asked in Odoo either.
    partners = call.env["res.partner"].sudo().browse(dict.fromkeys(ids)).exists()
    without = partners.filtered(lambda partner: not partner.email)
    if not partners - without:
        names = ", ".join(without.mapped("display_name"))
        raise ToolError(
            "no_address",
            f"{tool.title} finds nobody to write to" + (f": no e-mail address for {names}." if names else "."),
            fix="Set the e-mail address on the record's contact first.",
            model=record._name,
            record=record.id,
        )
    return partners - without


def _attachments(call, record: BaseModel, ids: list[int], rendered: list) -> BaseModel:
    """Return the template's own files and those that were printed for this record."""
    files = call.env["ir.attachment"].browse(ids)
    for name, content in rendered:
        if not call.rehearsing:
            # A rolled back file would stay in the file store.
            files |= call.attach(record, name, base64.b64decode(content))
    return files
