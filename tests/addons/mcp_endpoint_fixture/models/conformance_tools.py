"""The test tools that the official conformance suite asks of every server, added as plain definitions."""

from odoo import api, models

from . import conformance_content, conformance_questions, conformance_reporting, conformance_tasks

TOOLS = {
    **conformance_content.TOOLS,
    **conformance_reporting.TOOLS,
    **conformance_questions.TOOLS,
    **conformance_tasks.TOOLS,
}


class McpToolRegistry(models.AbstractModel):
    _inherit = "mcp.tool.registry"

    @api.private
    def get_tools(self):
        return [*super().get_tools(), *(tool.definition(name) for name, tool in TOOLS.items())]

    @api.private
    def execute_tool(self, call):
        if call.spec.name in TOOLS:
            return TOOLS[call.spec.name].run(call)
        return super().execute_tool(call)
