from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    """How long a parked call waits, and how long an assistant is watched that has read outsiders' text."""

    _inherit = "res.config.settings"

    # A choice and not a number: Odoo's settings cannot keep a 0 apart from "not set".
    mcp_approval_hours = fields.Selection(
        [("1", "1 hour"), ("4", "4 hours"), ("24", "1 day"), ("72", "3 days"), ("168", "7 days")],
        string="A request for approval expires after",
        default="24",
        config_parameter="mcp_endpoint.approval_hours",
    )
    mcp_taint_minutes = fields.Selection(
        [("0", "Not at all"), ("10", "10 minutes"), ("30", "30 minutes"), ("120", "2 hours"), ("480", "8 hours")],
        string="After reading outsiders' text, ask before sending out for",
        default="30",
        config_parameter="mcp_endpoint.taint_minutes",
    )
