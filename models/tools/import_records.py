from collections import Counter

from odoo import models

from ...services.errors import ToolError
from ...services.schema import MODEL, array, boolean, free_form, names, params
from ...services.tool import ToolResult, tool
from ..import_rows import Row, RowImport

MAX_ROWS = 2_000
MOST_LISTED = 200
MOST_ERRORS = 50
STATUSES = ("created", "updated", "unchanged", "error")


class McpToolRegistry(models.AbstractModel):
    _inherit = "mcp.tool.registry"

    @tool(
        "odoo_import_records",
        access="write",
        toolset="write",
        on_request=True,
        heavy=True,
        idempotent=True,
        parts="rows",
        task="optional",
        schema=params(
            model=MODEL,
            rows=array(
                "One object per record.",
                free_form("Values by field.", {"id": "supplier_17", "name": "Acme"}),
                MAX_ROWS,
            ),
            key_fields=names("Match by these instead of id.", max_items=5, example=["email"]),
            atomic=boolean("All or nothing (default); false keeps good rows."),
        ),
    )
    def _tool_import_records(self, call, *, model, rows, key_fields=(), atomic=True) -> ToolResult:
        """Create or update many records, matched by external id (key id in each row) or key_fields, so that a second
        run makes no duplicates. Reports created, updated, unchanged or error per row. Try dry_run first.
        """
        if not rows:
            raise ToolError("invalid_arguments", "rows is empty.", fix='E.g. [{"id": "supplier_17", "name": "Acme"}].')
        done = RowImport(call, model, key_fields).run(rows)
        counts = Counter(row.status for row in done)
        failed = [row for row in done if row.status == "error"]
        for row in failed[:MOST_ERRORS]:
            call.log("warning", {"row": row.number, "code": row.error.code, "field": row.error.field}, "import")
        if failed and atomic:
            raise _failed(model, failed, len(done))
        summary = ", ".join(f"{counts[status]} {status}" for status in STATUSES if counts[status])
        structured = {
            "model": model,
            "count": len(done),
            **{status: counts[status] for status in STATUSES},
            "rows": [_reported(row) for row in done[:MOST_LISTED]],
            **({"errors": [_reported(row) for row in failed[:MOST_ERRORS]]} if failed else {}),
        }
        if len(done) > MOST_LISTED:
            structured["rows_omitted"] = len(done) - MOST_LISTED
        lines = [f"Imported {len(done)} rows into {model}: {summary}.", *map(_error_line, failed[:MOST_ERRORS])]
        return ToolResult(structured, text="\n".join(lines))


def _failed(model: str, failed: list[Row], count: int) -> ToolError:
    listed = " ".join(_error_line(row) for row in failed[:5])
    return ToolError(
        "import_failed",
        f"{len(failed)} of {count} rows cannot be imported; nothing was. {listed}",
        fix="Correct these rows, or pass atomic=false to keep the others.",
        model=model,
        details={"errors": [_reported(row) for row in failed[:MOST_ERRORS]], "errors_count": len(failed)},
    )


def _reported(row: Row) -> dict[str, object]:
    facts = {"row": row.number, "status": row.status, "id": row.record_id, "external_id": row.xmlid}
    if row.error:
        facts |= {"code": row.error.code, "message": row.error.message, "field": row.error.field, "fix": row.error.fix}
    return {key: value for key, value in facts.items() if value is not None}


def _error_line(row: Row) -> str:
    return f"Row {row.number}: {row.error.message}"
