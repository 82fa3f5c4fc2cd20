from datetime import timedelta

from odoo import fields, models

from ...services.errors import ToolError
from ...services.policy import FOLLOW_UP_TOOL, JOB_TOOL
from ...services.schema import CURSOR, boolean, choice, free_form, integer, params, text
from ...services.times import from_wire
from ...services.tool import ToolResult, tool

LIMIT = 20
# No token lives longer.
LATEST = timedelta(days=365)
PRIORITIES = {"low": "0", "normal": "1", "high": "2"}


class McpToolRegistry(models.AbstractModel):
    _inherit = "mcp.tool.registry"

    @tool(
        JOB_TOOL,
        access="write",
        toolset="jobs",
        on_request=True,
        runs_others=True,
        schema=params(
            tool=text("Tool to run.", example="odoo_import_records"),
            arguments=free_form("Its arguments.", {"model": "res.partner", "rows": [{"id": "s1", "name": "Acme"}]}),
            in_parts=boolean("Commit part by part; up to 10,000 rows, updates, ids or records."),
            priority=choice("normal (default).", *PRIORITIES),
            not_before=text("Start time.", example="2026-07-01T20:00:00+02:00"),
            op=choice("run (default); the others take job_id.", "run", "cancel", "retry"),
            job_id=integer("To cancel, retry or answer."),
        ),
    )
    def _tool_run_job(
        self,
        call,
        *,
        tool=None,
        arguments=None,
        in_parts=False,
        priority="normal",
        not_before=None,
        op="run",
        job_id=None,
    ) -> ToolResult:
        """Run another tool in the background, for what takes long. Checked now as if called directly; returns an id.
        odoo_list_jobs tells progress and result. in_parts keeps earlier parts if a later one fails. op=retry also
        asks the user what a job waits for.
        """
        jobs = self.env["mcp.job"]
        if op != "run":
            return jobs._told(call, jobs._changed(call, op, job_id))
        if not tool:
            raise ToolError("invalid_arguments", "tool is missing.", fix='E.g. {"tool": "odoo_import_records"}.')
        job = jobs._submit(
            call,
            tool,
            arguments or {},
            in_parts=in_parts,
            priority=PRIORITIES[priority],
            not_before=_start(call, not_before),
        )
        return jobs._told(call, job)

    @tool(
        FOLLOW_UP_TOOL,
        access="read",
        toolset="jobs",
        on_request=True,
        scoped=False,
        schema=params(
            id=integer("Of one, for its result."),
            kind=choice("job or approval; default both.", "job", "approval"),
            status=text("Only these.", example="failed"),
            cursor=CURSOR,
            as_file=boolean("Link to the whole result of job id."),
        ),
    )
    def _tool_list_jobs(self, call, *, id=None, kind=None, status=None, cursor=None, as_file=False) -> ToolResult:
        """List this connection's background jobs and calls that wait for a person's approval: status, progress; with
        id also the result, page by page.
        """
        jobs, approvals = self.env["mcp.job"], self.env["mcp.approval"]
        if id is not None:
            job = jobs._own(call, id) if kind != "approval" else None
            return jobs._result(call, job, cursor, as_file) if job else approvals._listed(call, id, status, LIMIT)
        listed = [] if kind == "approval" else jobs._listed(call, status, LIMIT)
        parked = {"jobs": [], "count": 0} if kind == "job" else approvals._listed(call, None, status, LIMIT).structured
        rows = [*listed, *parked["jobs"]]
        lines = [f"{row['kind']} {row['id']}: {row['status']}: {row['request']}" for row in rows]
        return ToolResult({"jobs": rows, "count": len(rows)}, text="\n".join([f"{len(rows)} job(s).", *lines]))


def _start(call, not_before: str | None):
    if not_before is None:
        return None
    try:
        start = from_wire(not_before, call.env.context.get("tz"))
    except ValueError as error:
        raise ToolError("invalid_arguments", f"not_before: expected {error}, got {not_before!r}.") from error
    if start > fields.Datetime.now() + LATEST:
        raise ToolError("invalid_arguments", f"not_before: at most {LATEST.days} days ahead, got {not_before!r}.")
    return start
