"""Tools added as plain definitions, handled in `execute_tool`."""

from odoo import api, models


class McpToolRegistry(models.AbstractModel):
    _inherit = "mcp.tool.registry"

    @api.private
    def get_tools(self):
        return [
            *super().get_tools(),
            {
                "name": "fixture_plain_echo",
                "description": "Return what was sent.",
                "inputSchema": {
                    "type": "object",
                    "properties": {"word": {"type": "string", "description": "Any word."}},
                    "required": ["word"],
                },
                "annotations": {"readOnlyHint": True},
                "toolset": "fixture",
            },
            {
                "name": "fixture_plain_undeclared",
                "description": "Say nothing about being harmless.",
                "inputSchema": {"type": "object", "properties": {}},
                "toolset": "fixture",
            },
        ]

    @api.private
    def execute_tool(self, call):
        match call.spec.name:
            case "fixture_plain_echo":
                return {"word": call.arguments["word"]}
            case "fixture_plain_undeclared":
                return {"done": True}
        return super().execute_tool(call)
