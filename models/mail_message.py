from odoo import fields, models
from odoo.addons.mail.tools.discuss import Store


class MailMessage(models.Model):
    _inherit = "mail.message"

    # Set by `ToolCall.post` only. It says who typed, not who is responsible: the author is always the token's user.
    mcp_client = fields.Char(string="AI Assistant", readonly=True, copy=False)

    def _to_store_defaults(self, target: Store.Target):
        return [*super()._to_store_defaults(target), "mcp_client"]
