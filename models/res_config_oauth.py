from odoo import fields, models

DAYS = [("7", "7 days"), ("30", "30 days"), ("90", "90 days"), ("180", "180 days"), ("365", "1 year")]


class ResConfigSettings(models.TransientModel):
    """How long connected applications stay connected."""

    _inherit = "res.config.settings"

    # Choices and not numbers: Odoo's settings cannot keep a 0 apart from "not set".
    mcp_access_token_seconds = fields.Selection(
        [("600", "10 minutes"), ("3600", "1 hour"), ("28800", "8 hours"), ("86400", "1 day")],
        string="An access token of an application lives for",
        default="3600",
        config_parameter="mcp_endpoint.access_token_seconds",
    )
    mcp_refresh_grace_seconds = fields.Selection(
        [("0", "Not at all"), ("30", "30 seconds"), ("120", "2 minutes"), ("600", "10 minutes"), ("3600", "1 hour")],
        string="After a refresh the old refresh token works for",
        default="120",
        config_parameter="mcp_endpoint.refresh_grace_seconds",
    )
    mcp_refresh_idle_days = fields.Selection(
        DAYS,
        string="An unused connection of an application ends after",
        default="30",
        config_parameter="mcp_endpoint.refresh_idle_days",
    )
    mcp_grant_days = fields.Selection(
        DAYS,
        string="A connection of an application ends in any case after",
        default="180",
        config_parameter="mcp_endpoint.grant_days",
    )
