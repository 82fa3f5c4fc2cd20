from odoo import models

from odoo.addons.mcp_endpoint.services.resource import resource
from odoo.addons.mcp_endpoint.services.schema import params, text
from odoo.addons.mcp_endpoint.services.tool import tool


class McpToolRegistry(models.AbstractModel):
    _inherit = "mcp.tool.registry"

    @tool("example_count_contacts", access="read", toolset="example", schema=params(name=text("Part of the name.")))
    def _tool_count_contacts(self, call, *, name):
        """Count the contacts whose name contains a text."""
        return {"count": call.count(call.domain("res.partner", [["name", "ilike", name]]))}


class McpResource(models.Model):
    _inherit = "mcp.resource"

    @resource("odoo://country/{code}", title="Contacts of a country")
    def _resource_country(self, call, *, code):
        """How many contacts there are in a country, by its code of two letters."""
        return f"# {code}\n\nContacts: {call.count(call.domain('res.partner', [['country_id.code', '=', code]]))}"
