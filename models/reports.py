"""Reports of a model: which a user may print, and what they say as text, HTML or PDF.

Odoo reads the templates with the user's own rights but does not look at the groups of a report; that is done here.
"""

import re
from collections.abc import Sequence

from lxml import etree
from markupsafe import escape
from odoo.fields import Field
from odoo.models import BaseModel

from ..services.errors import PolicyDenied, ToolError
from ..services.html_text import html_to_markdown
from ..services.nearest import nearest
from .call_files import Content

_UNSAFE_NAME = re.compile(r"[^\w.() -]+")
_DROPPED = ("script", "style", "link", "meta", "head", "iframe", "object")


def check_printable(call, model: str) -> None:
    """Check that no profile closes fields of the model, or of its lines: a report prints what its layout says.

    What a layout takes from further away cannot be seen beforehand and is printed.

    :raises PolicyDenied: a profile limits the fields
    """
    lines = (
        field.comodel_name
        for field in call.env[model]._fields.values()
        if field.type == "one2many" and field.inverse_name and _is_line(call, field)
    )
    for printed in (model, *lines):
        if call.policy.limits_fields(printed):
            message = (
                f"Reports of {model} are closed to this token: they show fields of {printed} that its profile closes."
            )
            raise PolicyDenied("profile:report", message, model=model)


def _is_line(call, field: Field) -> bool:
    inverse = call.env[field.comodel_name]._fields.get(field.inverse_name)
    return inverse is not None and getattr(inverse, "ondelete", None) == "cascade"


def offered_reports(call, model: str) -> BaseModel:
    """Return the reports of a model that the user's groups open, none where a profile closes what they print."""
    try:
        check_printable(call, model)
    except PolicyDenied:
        return call.env["ir.actions.report"]
    # sudo: definitions of reports are closed to users; these are the ones that Odoo's Print menu offers, by groups.
    reports = call.env["ir.actions.report"].sudo().search([("model", "=", model)], order="id")
    groups = call.env.user.all_group_ids
    return reports.filtered(lambda report: not report.group_ids or report.group_ids & groups)


def report_rows(reports: BaseModel) -> list[dict[str, object]]:
    """Return id, technical name, label and type of reports."""
    return [
        {"id": each.id, "report": each.report_name, "name": each.name, "type": each.report_type.removeprefix("qweb-")}
        for each in reports
    ]


def find_report(call, model: str, wanted: str) -> BaseModel:
    """Return the report with this id, technical name, external id or label.

    :raises ToolError: `not_found`, with the names there are
    """
    check_printable(call, model)
    reports = offered_reports(call, model)
    external = {xmlid: each for each in reports for xmlid in each.get_external_id().values() if xmlid}
    for report in reports:
        labels = (str(report.id), report.report_name, report.name.lower())
        if wanted in labels or wanted.lower() in labels:
            return report
    if wanted in external:
        return external[wanted]
    labels = {report.report_name: report.name for report in reports}
    names = nearest(wanted, labels) or list(labels)[:10]
    raise ToolError(
        "not_found",
        f"{model} has no report {wanted!r} that this user may print.",
        fix=f"Use one of: {', '.join(names)}." if names else f"{model} has no reports; read its fields instead.",
        model=model,
        details={"nearest": names},
    )


def render_html(call, report: BaseModel, records: BaseModel) -> str:
    """Return the body of the report as HTML without styles and scripts; a text report in one block."""
    if report.report_type == "qweb-text":
        return f"<pre>{escape(render_text(call, report, records))}</pre>"
    source = _source(call.env["ir.actions.report"]._render_qweb_html(report.report_name, records.ids))
    root = etree.fromstring(source.encode(), etree.HTMLParser(encoding="utf-8", no_network=True))
    body = next(iter(root.xpath("//main | //body")), root)
    for element in body.iter(*_DROPPED):
        element.clear(keep_tail=True)
    etree.strip_tags(body, *_DROPPED)
    return etree.tostring(body, encoding="unicode", method="html")


def render_text(call, report: BaseModel, records: BaseModel) -> str:
    """Return the report as Markdown."""
    if report.report_type == "qweb-text":
        return _source(call.env["ir.actions.report"]._render_qweb_text(report.report_name, records.ids))
    return html_to_markdown(render_html(call, report, records))


def check_pdf(call) -> None:
    """:raises ToolError: `no_pdf`, when this server cannot make PDF files"""
    state = call.env["ir.actions.report"].get_wkhtmltopdf_state()
    if state in ("install", "broken"):
        raise ToolError(
            "no_pdf",
            "This Odoo server cannot make PDF files: wkhtmltopdf is not installed.",
            fix="Use format=text or html; an administrator can install wkhtmltopdf.",
        )


def render_pdf(call, report_id: int, records: BaseModel) -> Content:
    """Return the report as PDF. A copy that Odoo keeps of a printed document is used; none is added.

    :raises ToolError: the report is not (or no longer) open to the user, or PDF cannot be made
    """
    report = find_report(call, records._name, str(report_id))
    check_pdf(call)
    # Else Odoo would file what it prints, and printing for an assistant is reading.
    kept = report.attachment and report.attachment_use and all(report.retrieve_attachment(each) for each in records)
    context = {} if kept else {"report_pdf_no_attachment": True}
    reports = call.env["ir.actions.report"].with_context(**context)
    data, kind = reports._render_qweb_pdf(report.report_name, res_ids=records.ids)
    if kind != "pdf":
        raise ToolError("no_pdf", "This report has no PDF form.", fix="Use format=text.")
    return Content(f"{_file_name(report, records.ids)}.pdf", "application/pdf", data)


def _source(rendered: tuple[bytes | str, str]) -> str:
    content = rendered[0]
    return content.decode() if isinstance(content, bytes) else str(content)


def _file_name(report: BaseModel, ids: Sequence[int]) -> str:
    label = " ".join(_UNSAFE_NAME.sub(" ", report.name).split()) or "report"
    return f"{label} {ids[0]}" if len(ids) == 1 else label
