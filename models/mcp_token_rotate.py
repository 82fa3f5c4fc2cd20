from odoo import api, fields, models
from odoo.addons.base.models.res_users import check_identity

from .mcp_token import DEFAULT_DAYS
from .mcp_token_wizard import show_secret


# One dialog needs no folder of its own.
class McpTokenRotate(models.TransientModel):  # pylint: disable=no-wizard-in-models
    _name = "mcp.token.rotate"
    _description = "Rotate Access Token"

    token_id = fields.Many2one("mcp.token", required=True, readonly=True, ondelete="cascade")
    longest_days = fields.Integer(compute="_compute_limits")
    overlap_hours = fields.Integer(compute="_compute_limits")
    days = fields.Integer(string="Valid for", required=True, default=lambda self: self._default_days())
    keep_old = fields.Boolean(
        string="Let the old secret work on", default=True, help="Untick it when the old secret has leaked."
    )
    in_overlap = fields.Boolean(related="token_id.in_overlap")
    overlap_note = fields.Char(related="token_id.overlap_note")

    @api.model
    def _default_days(self) -> int:
        return min(DEFAULT_DAYS, self.env["mcp.token"]._longest_days())

    @api.constrains("token_id")
    def _check_token_is_own(self):
        # The fields above are read as superuser: without this they would tell of anybody's token.
        for dialog in self:
            dialog.token_id.with_user(self.env.user)._check_can_rotate()

    def _compute_limits(self):
        tokens = self.env["mcp.token"]
        self.longest_days = tokens._longest_days()
        self.overlap_hours = tokens._overlap_hours()

    @check_identity
    def action_rotate(self):
        """Button *Rotate*: make the new secret and show it, once."""
        self.ensure_one()
        secret = self.token_id._rotate(days=self.days, keep_old=self.keep_old)
        return show_secret(self.env, secret, self.env._("The new secret"))
