from odoo import models

from ...services.budget import DEFAULT_BUDGET
from ...services.errors import ToolError
from ...services.schema import CURSOR, IDS, MODEL, choice, params, text
from ...services.tool import ToolResult, tool
from ..file_links import issue
from ..paging import next_cursor, page_start
from ..reports import check_pdf, find_report, offered_reports, render_html, render_text, report_rows

MAX_RECORDS = 50


class McpToolRegistry(models.AbstractModel):
    _inherit = "mcp.tool.registry"

    @tool(
        "odoo_render_report",
        access="read",
        scoped=False,
        # An invoice's template makes its portal link, which writes the token.
        rolls_back=True,
        heavy=True,
        task="optional",
        toolset="files",
        schema=params(
            model=MODEL,
            ids=IDS,
            report=text("Name, label or id; leave out to list.", example="account.report_invoice"),
            format=choice("text (default) to read; html; pdf: one-time link.", "text", "html", "pdf"),
            cursor=CURSOR,
        ),
    )
    def _tool_render_report(self, call, *, model, ids=(), report=None, format="text", cursor=None) -> ToolResult:
        """Print invoices, quotations, delivery slips. Without report it lists what can be printed."""
        call.check_model(model)
        if not report:
            rows = report_rows(offered_reports(call, model))
            lines = [f"{model}: {len(rows) or 'no'} report(s)."]
            lines += [f"{row['report']}: {row['name']} ({row['type']})" for row in rows]
            return ToolResult({"model": model, "reports": rows}, text="\n".join(lines))
        ids = list(dict.fromkeys(ids))
        if not 1 <= len(ids) <= MAX_RECORDS:
            raise ToolError("invalid_arguments", f"Give 1 to {MAX_RECORDS} ids.", model=model)
        records = call.records(model, "read", ids)
        found = find_report(call, model, report)
        facts = {"model": model, "ids": ids, "report": found.report_name, "name": found.name, "format": format}
        if format == "pdf":
            return _pdf(call, found, records, facts)
        render = render_html if format == "html" else render_text
        call.progress(0, len(ids), found.name)
        rendered = render(call, found, records)
        call.progress(len(ids), len(ids))
        return _part(call, rendered, facts, cursor)


def _pdf(call, report, records, facts: dict[str, object]) -> ToolResult:
    if report.report_type == "qweb-text":
        raise ToolError("no_pdf", "This report is a text, it has no PDF form.", fix="Use format=text.")
    check_pdf(call)
    link = issue(call, "report", report.id, records._name, records.ids)
    block = {"type": "resource_link", "uri": link["url"], "name": f"{report.name}.pdf", "mimeType": "application/pdf"}
    text = f"One-time link to the PDF of {report.name}, valid for 1 hour: {link['url']}"
    return ToolResult({**facts, **link}, text=text, content=[block])


def _part(call, source: str, facts: dict[str, object], cursor: str | None) -> ToolResult:
    """Return as much of a rendered report as the budget holds, from where the cursor says."""
    offset = page_start(call, facts, cursor)["offset"]
    part = source[offset : offset + DEFAULT_BUDGET]
    end = offset + len(part)
    criteria, meta = dict(facts), {}
    # A printed document shows what customers and visitors have written among our own words.
    part = call.boundary.wrap(part)
    facts = {**facts, "content": part, "characters": len(source)}
    lines = [part or "The report is empty."]
    if end < len(source):
        facts["next_cursor"] = meta["next_cursor"] = next_cursor(call, criteria, {"offset": end})
        meta["truncated"] = True
        lines.append(f"{len(source) - end:,} characters follow. next_cursor: {meta['next_cursor']}")
    return ToolResult(facts, text="\n".join(lines), meta=meta)
