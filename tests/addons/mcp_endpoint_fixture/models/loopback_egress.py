import dataclasses
import ssl

from odoo import api, models


class McpEgress(models.AbstractModel):
    """Lets the tests be the internet: every name leads to this machine, where their own authority is trusted."""

    _inherit = "mcp.egress"

    @api.model
    def _egress(self, internal: bool = False):
        egress = super()._egress(internal)
        authority = self.env["ir.config_parameter"].sudo().get_param("mcp_endpoint_fixture.authority")
        if not authority:
            return egress
        return dataclasses.replace(
            egress,
            guard=lambda address: address.is_loopback,
            ports=None,
            context=ssl.create_default_context(cadata=authority),
            resolver=lambda host, port: ["127.0.0.1"],
        )
