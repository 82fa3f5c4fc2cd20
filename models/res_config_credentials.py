from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    """Who may have which credentials."""

    _inherit = "res.config.settings"

    mcp_minting_group_id = fields.Many2one(
        "res.groups", string="Who may make personal tokens", config_parameter="mcp_endpoint.minting_group_id"
    )
    # A choice and not a number: Odoo's settings cannot keep a 0 apart from "not set".
    mcp_token_overlap_hours = fields.Selection(
        [("0", "Not at all"), ("1", "1 hour"), ("24", "1 day"), ("72", "3 days"), ("168", "7 days")],
        string="After a rotation the old secret works for",
        default="24",
        config_parameter="mcp_endpoint.token_overlap_hours",
    )
    mcp_portal_users = fields.Boolean(
        string="Portal users may connect assistants", config_parameter="mcp_endpoint.portal_users"
    )
    mcp_api_keys = fields.Boolean(string="Odoo API keys as tokens", config_parameter="mcp_endpoint.api_keys")
