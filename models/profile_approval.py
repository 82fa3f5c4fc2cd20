import dataclasses

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..services.policy import Layer


class McpProfile(models.Model):
    """Approval: the profile's assistants propose changes, and other people decide on them."""

    _inherit = "mcp.profile"

    approval = fields.Selection(
        [("never", "Never"), ("destructive", "Destructive changes"), ("always", "Every change")],
        string="Needs Approval",
        required=True,
        default="never",
        tracking=True,
        help="Such a call is not run but parked, until an approver agrees to it in Odoo. Destructive changes are those "
        "that are asked about otherwise: deleting, posting, sending, e-mail to people outside the company.",
    )
    approver_group_id = fields.Many2one("res.groups", tracking=True, help="Any member of it may approve.")
    approver_ids = fields.Many2many(
        "res.users",
        "mcp_profile_approver_rel",
        string="Approvers",
        domain="[('share', '=', False)]",
        tracking=True,
    )
    allow_self_approval = fields.Boolean(
        string="Approve own requests",
        tracking=True,
        help="An approver may also approve what their own assistant wants. It is still a person who decides, in Odoo.",
    )

    @api.constrains("approval", "approver_group_id", "approver_ids")
    def _check_approvers(self):
        for profile in self:
            if profile.approval != "never" and not (profile.approver_group_id or profile.approver_ids):
                raise ValidationError(self.env._("Say who approves: a group, or people (%s).", profile.name))

    def _layer(self, kind: str, held: frozenset[int]) -> Layer:
        return dataclasses.replace(super()._layer(kind, held), approval=self.approval, profile_id=self.id)

    @api.model
    def _approvers(self, profiles, requester):
        """Return the users who may approve a call of `requester`: those whom all of these profiles accept."""
        found = None
        # sudo: who may approve is decided here, for users who may see neither groups nor other users.
        for profile in profiles.sudo():
            users = profile.approver_ids | profile.approver_group_id.all_user_ids
            if not profile.allow_self_approval:
                users -= requester
            found = users if found is None else found & users
        users = found if found is not None else self.env["res.users"]
        return users.filtered(lambda user: user.active and not user.share and user.id != api.SUPERUSER_ID)
