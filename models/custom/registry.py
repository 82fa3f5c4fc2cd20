from odoo import models

from ...services.custom_tools import STANDARD
from ...services.errors import ToolError
from ...services.tool import ToolResult
from .given import read_arguments
from .saved_filter import query
from .server_action import run_action
from .template import send


class McpToolRegistry(models.AbstractModel):
    """Runs the tools that administrators have made. Each kind ends in what the shipped tool of that kind does."""

    _inherit = "mcp.tool.registry"

    def _run_custom_tool(self, call, **arguments) -> ToolResult:
        tool = self.env["mcp.tool"]._governance().tools[call.spec.name]
        standard = {name: value for name, value in arguments.items() if name in STANDARD[tool.source]}
        given = read_arguments(call, tool, arguments)
        if tool.source in ("report", "template") and not given.records:
            raise ToolError(
                "tool_broken",
                f"The tool {tool.name} has no argument that names its record.",
                fix="Do without it, and tell an administrator to look at MCP Server, Tools.",
            )
        match tool.source:
            case "action":
                return run_action(call, tool, given)
            case "filter":
                method, asked = query(call, tool, given)
                return getattr(self, method)(call, **asked, **standard)
            case "report":
                return self._tool_render_report(
                    call, model=tool.model, ids=given.records.ids, report=str(tool.source_id), **standard
                )
        return send(call, tool, given)
