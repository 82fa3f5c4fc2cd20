from odoo import fields, models


class McpToken(models.Model):
    """The chatter of a token: who made, rotated and ended it, and when it last got another limit."""

    _name = "mcp.token"
    _inherit = ["mcp.token", "mail.thread"]

    # Nobody writes to a token over RPC; who may see it may discuss it.
    _mail_post_access = "read"

    name = fields.Char(tracking=True)
    profile_id = fields.Many2one(tracking=True)
    expires_at = fields.Datetime(tracking=True)
    rotated_at = fields.Datetime(tracking=True)
    revoked_at = fields.Datetime(tracking=True)
