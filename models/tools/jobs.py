from odoo import models

from ...services.policy import FOLLOW_UP_TOOL
from ...services.schema import choice, integer, params
from ...services.tool import ToolResult, tool

LIMIT = 20


class McpToolRegistry(models.AbstractModel):
    _inherit = "mcp.tool.registry"

    @tool(
        FOLLOW_UP_TOOL,
        access="read",
        toolset="jobs",
        on_request=True,
        scoped=False,
        schema=params(
            id=integer("Of one request, for its result."),
            status=choice("Only these.", "waiting_for_approval", "done", "failed", "refused", "expired", "withdrawn"),
        ),
    )
    def _tool_list_jobs(self, call, *, id=None, status=None) -> ToolResult:
        """List your calls that wait, or waited, for a person's approval in Odoo; with id also the result."""
        return self.env["mcp.approval"]._listed(call, id, status, LIMIT)
