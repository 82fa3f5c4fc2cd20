from datetime import datetime, timedelta

from odoo import api, fields, models, tools
from odoo.exceptions import AccessError, UserError, ValidationError

from ..services import secret_tokens

DEFAULT_DAYS = 30
LONGEST_DAYS = 365


class McpToken(models.Model):
    _name = "mcp.token"
    _description = "MCP Access Token"
    _order = "create_date desc, id desc"

    kind = fields.Selection(
        [
            ("personal", "Personal token"),
            ("oauth", "Connected application"),
            ("api_key", "Odoo API key"),
            ("external", "Identity provider"),
        ],
        required=True,
        readonly=True,
        default="personal",
    )
    name = fields.Char(required=True, help="Where the token is used, for instance “Claude Code on my laptop”.")
    user_id = fields.Many2one("res.users", required=True, readonly=True, index=True, ondelete="cascade")
    profile_id = fields.Many2one("mcp.profile", required=True, readonly=True, ondelete="restrict")
    hint = fields.Char(string="Token", readonly=True)
    digest = fields.Char(readonly=True, groups=fields.NO_ACCESS)
    expires_at = fields.Datetime(
        string="Expires", readonly=True, help="Empty: with what it stands for, an Odoo API key or a provider's token."
    )
    revoked_at = fields.Datetime(string="Revoked", readonly=True)
    last_used_at = fields.Datetime(string="Last Use", readonly=True, help="Accurate to about five minutes.")
    last_ip = fields.Char(string="Last Address", readonly=True)
    last_client = fields.Char(readonly=True)
    state = fields.Selection(
        [("active", "Active"), ("expired", "Expired"), ("revoked", "Revoked")],
        compute="_compute_state",
        search="_search_state",
    )

    _digest_unique = models.UniqueIndex("(digest)", "A token is stored once.")
    _expires = models.Constraint(
        "CHECK (expires_at IS NOT NULL OR kind IN ('api_key', 'external'))", "A token of our own making has an end."
    )

    _personal_digest = models.Constraint(
        "CHECK (digest IS NOT NULL OR kind <> 'personal')", "A personal token has its secret's digest."
    )

    @api.depends("expires_at", "revoked_at")
    def _compute_state(self):
        now = fields.Datetime.now()
        for token in self:
            if token.revoked_at:
                token.state = "revoked"
            else:
                token.state = "expired" if token.expires_at and token.expires_at <= now else "active"

    def _search_state(self, operator, value):
        if operator != "in":
            return NotImplemented
        now = fields.Datetime.now()
        domains = {
            "revoked": [("revoked_at", "!=", False)],
            "expired": [("revoked_at", "=", False), ("expires_at", "<=", now)],
            "active": [("revoked_at", "=", False), "|", ("expires_at", ">", now), ("expires_at", "=", False)],
        }
        return fields.Domain.OR(domains[state] for state in value if state in domains)

    @api.model
    def _issue(self, user, *, name, profile=None, days=DEFAULT_DAYS) -> str:
        """Make a token for `user` and return it in clear, the only time it can be seen.

        :param user: an active `res.users` record in the group MCP User, never uid 1
        :param profile: one of `mcp.profile._available_to(user)`; None takes the first of them
        :param days: life, 1 to 365 (setting `mcp_endpoint.token_max_days`)
        :raises AccessError: the user may not have tokens
        :raises ValidationError: profile or life outside what is allowed
        """
        self._check_may_mint(user)
        available = self.env["mcp.profile"]._available_to(user)
        profile = profile or available[:1]
        if not profile or profile not in available:
            raise ValidationError(self.env._("This access profile is not open to %s.", user.name))
        expires_at = self._expiry(days)
        secret = secret_tokens.new_token(secret_tokens.PERSONAL_PREFIX)
        # sudo: nobody may create rows over RPC; this method has checked who the token is for.
        self.sudo().create(
            {
                "name": name,
                "user_id": user.id,
                "profile_id": profile.id,
                "hint": secret_tokens.hint(secret),
                "digest": self._digest(secret),
                "expires_at": expires_at,
            }
        )
        return secret

    @api.model
    def _check_may_mint(self, user) -> None:
        """:raises AccessError: the user may not have personal tokens"""
        user.ensure_one()
        if not user._may_use_mcp():
            raise AccessError(self.env._("%s may not connect assistants to this database.", user.name))
        if not user._may_mint_mcp_tokens():
            raise AccessError(self.env._("Personal tokens are not open to %s. Ask an administrator.", user.name))

    def _profile_is_open(self) -> bool:
        """Say whether the owner could still choose the profile: a token is not prolonged past what they may have."""
        # As the owner: Odoo computes no groups while nobody is logged in.
        owner = self.user_id.with_user(self.user_id.id)
        return self.profile_id.id in owner.env["mcp.profile"]._available_to(owner).ids

    @api.model
    def _expiry(self, days: int) -> datetime:
        """Return when a token that lives this many days ends.

        :raises ValidationError: longer or shorter than allowed
        """
        longest = self._longest_days()
        if not 1 <= days <= longest:
            raise ValidationError(self.env._("A token lives between 1 and %s days.", longest))
        return fields.Datetime.now() + timedelta(days=days)

    @api.model
    def _longest_days(self) -> int:
        """Return the longest life that a token may be given, in days."""
        # sudo: a system parameter that users may not read in general.
        days = self.env["ir.config_parameter"].sudo().get_param("mcp_endpoint.token_max_days", "")
        return int(days) if days.isdecimal() and int(days) else LONGEST_DAYS

    def _revoke(self) -> None:
        """End the tokens; the next request with one of them is refused, in every worker."""
        self._check_is_owner_or_admin()
        # sudo: users have no write access to the model; whose tokens these are was checked above.
        self.sudo().filtered(lambda token: not token.revoked_at).revoked_at = fields.Datetime.now()

    def action_new(self):
        """Button *New token* of the list: for the person at the screen, whoever's tokens are shown."""
        return self.env.user.action_new_mcp_token()

    def action_revoke(self):
        """Button *Revoke* of the token's form and of the user's preferences."""
        self._revoke()
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._("Revoked. Assistants that used the token are cut off."),
                # Reloads what shows the token, and closes the preferences, as removing an API key does.
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    def _check_is_owner_or_admin(self) -> None:
        if self.env.su:
            # Odoo's own doing, such as a password reset by somebody who is not logged in yet.
            return
        is_own = all(token.user_id == self.env.user for token in self)
        if not is_own and not self.env.user.has_group("mcp_endpoint.group_mcp_admin"):
            raise AccessError(self.env._("Only an MCP Administrator may change the tokens of other users."))

    @api.ondelete(at_uninstall=False)
    def _unlink_only_dead(self):
        if any(token.state == "active" for token in self):
            raise UserError(self.env._("Revoke a token before you delete it."))

    @api.model
    def _digest(self, secret: str) -> str:
        return secret_tokens.digest(secret, self._database_id())

    @api.model
    @tools.ormcache(cache="stable")
    def _database_id(self) -> str:
        # sudo: the database's id is no secret, but parameters are for administrators.
        return self.env["ir.config_parameter"].sudo().get_param("database.uuid")
