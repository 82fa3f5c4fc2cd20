import re

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..services import jwt_check

PROXY = re.compile(r"http://([^\s/@]+@)?[A-Za-z0-9.-]+(:\d{1,5})?/?")


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    mcp_egress_proxy = fields.Char(
        string="Proxy for outgoing requests",
        config_parameter="mcp_endpoint.egress_proxy",
    )
    mcp_lacks_jwt_package = fields.Boolean(compute="_compute_mcp_lacks_jwt_package")

    def _compute_mcp_lacks_jwt_package(self):
        self.mcp_lacks_jwt_package = not jwt_check.is_available()

    @api.constrains("mcp_egress_proxy")
    def _check_mcp_egress_proxy(self):
        for settings in self.filtered("mcp_egress_proxy"):
            if not PROXY.fullmatch(settings.mcp_egress_proxy):
                message = self.env._("MCP Server: a proxy is written like http://proxy.example.com:3128.")
                raise ValidationError(message)
