from odoo import models
from odoo.exceptions import AccessDenied, UserError

from .mcp_token import DEFAULT_DAYS
from .mcp_token_wizard import LONGEST_NAME


class ResUsers(models.Model):
    """A portal user's own tokens: portal users have no preferences, and no dialog that asks for their password."""

    _inherit = "res.users"

    def _has_mcp_portal_page(self) -> bool:
        """Say whether this user finds tokens on the portal; employees have them in their preferences."""
        return self.share and self._may_use_mcp()

    def _mcp_portal_values(self) -> dict:
        """Return what the portal page shows: own tokens, the newest first, and what a new one can be."""
        # sudo: their own rows only; the page names their profiles, whose model is not for portal users.
        tokens = self.env["mcp.token"].sudo().search([("user_id", "=", self.id)])
        return {
            "tokens": tokens,
            "profiles": self.env["mcp.profile"]._available_to(self),
            "may_mint": self._may_mint_mcp_tokens(),
            "longest_days": tokens._longest_days(),
            "default_days": min(DEFAULT_DAYS, tokens._longest_days()),
            "longest_name": LONGEST_NAME,
            "url": self.mcp_url,
        }

    def _mint_mcp_token_on_portal(self, form) -> str:
        """Mint for the user at the screen, who gives the password in the same form; return the token in clear.

        :param form: `name`, `profile_id`, `days` and `password`, as the browser sends them
        :raises UserError: with what to correct
        """
        # A NUL character is no text for PostgreSQL.
        name = " ".join(form.get("name", "").replace("\0", " ").split())
        if not 1 <= len(name) <= LONGEST_NAME:
            raise UserError(self.env._("Give the token a name of 1 to %s characters.", LONGEST_NAME))
        days = form.get("days", "")
        if not days.isdecimal() or len(days) > 4:
            raise UserError(self.env._("Say for how many days the token is valid."))
        profile_id = form.get("profile_id", "")
        profiles = self.env["mcp.profile"]._available_to(self)
        profile = profiles.filtered(lambda profile: str(profile.id) == profile_id)
        if not profile:
            raise UserError(self.env._("Choose what the assistant may do."))
        self._check_password(form.get("password", ""))
        return self.env["mcp.token"]._issue(self, name=name, profile=profile, days=int(days))

    def _check_password(self, password: str) -> None:
        """:raises UserError: wrong, or too many wrong ones lately (Odoo's login cooldown)"""
        try:
            with self._assert_can_auth(user=self.id):
                self._check_credentials(
                    {"type": "password", "login": self.login, "password": password}, {"interactive": True}
                )
        except AccessDenied as error:
            raise UserError(self.env._("The password is not right.")) from error

    def _revoke_mcp_token_on_portal(self, token_id: str) -> None:
        """Revoke one of one's own tokens; anything else in the form is ignored."""
        own = self.env["mcp.token"].search([("user_id", "=", self.id)])
        own.filtered(lambda token: str(token.id) == token_id)._revoke()
