from datetime import timedelta

from odoo import api, fields, models
from odoo.addons.base.models.res_users import check_identity
from odoo.exceptions import AccessError, UserError

from ..services import secret_tokens

DEFAULT_OVERLAP_HOURS = 24
LONGEST_OVERLAP_HOURS = 7 * 24
NO_PREDECESSOR = dict.fromkeys(
    (
        "previous_digest",
        "previous_hint",
        "previous_valid_until",
        "previous_used_at",
        "previous_ip",
        "previous_client",
    ),
    False,
)


class McpToken(models.Model):
    """A new secret for a token, with a time in which the old one still works."""

    _inherit = "mcp.token"

    rotated_at = fields.Datetime(string="Rotated", readonly=True)
    previous_digest = fields.Char(readonly=True, groups=fields.NO_ACCESS)
    previous_hint = fields.Char(string="Old Secret", readonly=True)
    previous_valid_until = fields.Datetime(string="Old Secret Works Until", readonly=True)
    previous_used_at = fields.Datetime(string="Old Secret's Last Use", readonly=True)
    previous_ip = fields.Char(string="Old Secret's Last Address", readonly=True)
    previous_client = fields.Char(string="Old Secret's Last Client", readonly=True)
    in_overlap = fields.Boolean(compute="_compute_in_overlap")
    overlap_note = fields.Char(compute="_compute_in_overlap")

    _previous_digest_unique = models.UniqueIndex(
        "(previous_digest) WHERE previous_digest IS NOT NULL", "A token is stored once."
    )

    @api.depends("previous_valid_until", "previous_used_at", "previous_ip", "revoked_at", "expires_at")
    def _compute_in_overlap(self):
        now = fields.Datetime.now()
        for token in self:
            until = token.previous_valid_until
            token.in_overlap = token.state == "active" and bool(until) and until > now
            token.overlap_note = token._overlap_note() if token.in_overlap else False

    def _overlap_note(self) -> str:
        """Say until when the old secret works and who still uses it."""
        until = fields.Datetime.context_timestamp(self, self.previous_valid_until).strftime("%Y-%m-%d %H:%M")
        used_at = self.previous_used_at
        if not used_at or (self.rotated_at and used_at < self.rotated_at):
            return self.env._("The old secret works until %s. Nobody has used it since the rotation.", until)
        return self.env._(
            "The old secret works until %(until)s. It was last used %(when)s from %(ip)s.",
            until=until,
            when=self._ago(used_at),
            ip=self.previous_ip or self.env._("an unknown address"),
        )

    def _ago(self, moment) -> str:
        minutes = int((fields.Datetime.now() - moment).total_seconds() // 60)
        if minutes < 1:
            return self.env._("just now")
        if minutes < 120:
            return self.env._("%s minutes ago", minutes)
        return self.env._("%s hours ago", minutes // 60)

    @api.model
    def _overlap_hours(self) -> int:
        """Return how long an old secret goes on working after a rotation, in hours; 0 for not at all."""
        # sudo: a system parameter that users may not read in general.
        hours = self.env["ir.config_parameter"].sudo().get_param("mcp_endpoint.token_overlap_hours", "")
        return min(int(hours), LONGEST_OVERLAP_HOURS) if hours.isdecimal() else DEFAULT_OVERLAP_HOURS

    def _rotate(self, *, days: int, keep_old: bool = True) -> str:
        """Give the token a new secret and a new life, and return the secret in clear, the only time it can be seen.

        The old secret works on for the overlap, never beyond its own end. One predecessor is kept: rotating again
        within the overlap ends the oldest at once.

        :param days: life from now on, as for `_issue`
        :param keep_old: False ends the old secret at once, as after a leak
        :raises AccessError: not one's own token; an administrator would see a secret that works in another's name
        :raises UserError: the token cannot be rotated
        """
        self.ensure_one()
        self._check_can_rotate()
        now = fields.Datetime.now()
        expires_at = self._expiry(days)
        # sudo: users have no write access to the model; whose token it is was checked above.
        token = self.sudo()
        secret = secret_tokens.new_token(secret_tokens.PERSONAL_PREFIX)
        until = min(now + timedelta(hours=self._overlap_hours()), token.expires_at)
        predecessor = {
            "previous_digest": token.digest,
            "previous_hint": token.hint,
            "previous_valid_until": until,
            "previous_used_at": token.last_used_at,
            "previous_ip": token.last_ip,
            "previous_client": token.last_client,
        }
        token.write(
            {
                **(predecessor if keep_old and until > now else NO_PREDECESSOR),
                "digest": self._digest(secret),
                "hint": secret_tokens.hint(secret),
                "expires_at": expires_at,
                "rotated_at": now,
                "last_used_at": False,
                "last_ip": False,
                "last_client": False,
            }
        )
        return secret

    def _check_can_rotate(self) -> None:
        """:raises AccessError, UserError: see `_rotate`"""
        if self.user_id != self.env.user:
            raise AccessError(self.env._("Only its owner can rotate a token; you can revoke it."))
        if self.kind != "personal" or self.state != "active":
            raise UserError(self.env._("Only a personal token that is still active can be rotated. Make a new one."))
        self._check_may_mint(self.env.user)
        if not self._profile_is_open():
            raise UserError(self.env._("The access profile of this token is not open to you any more. Make a new one."))

    # Asked again by the dialog's button, whose rows can be made without this one.
    @check_identity
    def action_rotate(self):
        """Button *Rotate*: asks for the password, then for the new life."""
        self.ensure_one()
        self._check_can_rotate()
        return {
            "type": "ir.actions.act_window",
            "res_model": "mcp.token.rotate",
            "name": self.env._("Rotate “%s”", self.name),
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_token_id": self.id},
        }

    def action_end_overlap(self):
        """Button *End overlap now*: the old secret stops working with the next request."""
        self._check_is_owner_or_admin()
        # sudo: users have no write access to the model; whose tokens these are was checked above.
        self.sudo().write(NO_PREDECESSOR)
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._("The old secret has stopped working."),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }
