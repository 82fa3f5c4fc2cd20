from odoo import api, models

from ...services.errors import ToolError
from ...services.tool import ToolResult
from ...services.uri import Template
from ..reports import offered_reports

MOST_REPORTS = 500
_OWN = (
    Template(
        "attachment", ("id",), "Attachment", "A file as text, or as an image.", "files", tool="odoo_read_files"
    ),
    Template(
        "report",
        ("report", "id"),
        "Report",
        "A printed document of one record, as text.",
        "files",
        tool="odoo_render_report",
    ),
)


class McpResource(models.Model):
    """Files and printed documents, read by the handlers of the tools that read them."""

    _inherit = "mcp.resource"

    @api.model
    def _templates(self) -> dict[str, Template]:
        return super()._templates() | {template.kind: template for template in _OWN}

    def _resource_attachment(self, call, id: int) -> ToolResult:
        result = self.env["mcp.tool.registry"]._tool_read_files(call, attachment_id=id)
        title = str(result.structured["name"])
        return ToolResult(
            {"title": title, **result.structured}, text=f"# {title}\n\n{result.text}", content=result.content
        )

    def _resource_report(self, call, report: str, id: int) -> ToolResult:
        model = self._reports(call).get(report)
        if model is None:
            raise ToolError(
                "not_found", f"There is no report {report!r} that this user may print.",
                fix="List a model's reports with odoo_render_report.",
            )  # fmt: skip
        result = self.env["mcp.tool.registry"]._tool_render_report(call, model=model, ids=[id], report=report)
        title = f"{result.structured['name']} {id}"
        return ToolResult({"title": title, **result.structured}, text=f"# {title}\n\n{result.text}")

    @api.model
    def _reports(self, call) -> dict[str, str]:
        """Return the models of the reports that this caller may print, by technical name."""
        # sudo: which models have reports; which of them are offered to this user is asked for each model.
        found = self.env["ir.actions.report"].sudo().search([], order="id", limit=MOST_REPORTS)
        models = [model for model in dict.fromkeys(found.mapped("model")) if call.allows_model(model)]
        return {report.report_name: model for model in models for report in offered_reports(call, model)}
