from odoo import api, models
from odoo.fields import Command, Domain

from ..services.custom_tools import TOOLSET
from ..services.tool_governance import default_sequence
from .mcp_tool import CODE, DECIDED, SOURCE_FIELDS


class McpTool(models.Model):
    """What administrators do with tools on their screens."""

    _inherit = "mcp.tool"

    @api.onchange(*SOURCE_FIELDS.values())
    def _onchange_source(self):
        # Nearly every tool works on a record of its source's model.
        if self.source in (CODE, "filter") or not self.model_name or self.argument_ids:
            return
        label = self.env[self.model_name]._description
        values = {"name": "record", "kind": "record", "model_name": self.model_name, "is_required": True}
        self.argument_ids = [Command.create({**values, "description": self.env._("Which %s", label.lower())})]

    @api.model
    def action_open_tools(self):
        """Open the list of all tools, with a row for each that code declares."""
        self.check_access("create")
        coded = self.env["mcp.tool.registry"]._coded()
        rows = self.search(Domain.TRUE)
        if missing := coded.keys() - set(rows.mapped("name")):
            self.create([{"name": name, "source": CODE} for name in coded if name in missing])
        rows.filtered(lambda row: row.source == CODE and row.name not in coded and not row.is_changed).unlink()
        return self.env["ir.actions.act_window"]._for_xml_id("mcp_endpoint.action_mcp_tool")

    def action_restore(self):
        """Take back all that was changed of tools that code declares."""
        for tool in self.filtered(lambda tool: tool.source == CODE):
            sequence = default_sequence(tool.code_toolset or TOOLSET)
            tool.write({"is_enabled": True, **dict.fromkeys(DECIDED, False), "sequence": sequence})
