from odoo import api, fields, models


class McpAuditLog(models.Model):
    """What an error said, apart from its code: Odoo's words, and ours where a name fits several records, may name what
    the reader of the log may not read. Refusals of the policy name models and fields, and are for whoever governs it.
    """

    _inherit = "mcp.audit.log"

    message = fields.Char(readonly=True, groups=fields.NO_ACCESS)
    explanation = fields.Char(string="Why", compute="_compute_explanation")
    message_hidden = fields.Boolean(compute="_compute_explanation")

    @api.depends("reason", "message")
    @api.depends_context("uid")
    def _compute_explanation(self):
        sees_all = self.env.su or self.env.user.has_group("base.group_system")
        for row in self:
            # sudo: shown to whoever's call it was, and to administrators of the settings, as requests for approval are.
            message = row.sudo().message
            is_shown = sees_all or row.user_id == self.env.user
            row.explanation = f"{row.reason}: {message}" if message and is_shown else row.reason
            row.message_hidden = bool(message) and not is_shown
