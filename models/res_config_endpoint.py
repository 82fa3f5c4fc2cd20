from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    """The switch that stops everything."""

    _inherit = "res.config.settings"

    mcp_paused = fields.Boolean(string="Switch the endpoint off", config_parameter="mcp_endpoint.paused")
