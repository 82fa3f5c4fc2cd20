import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import SQL

from ..services import secret_tokens
from .late_write import after_commit

# How stale "last used" may get. Writing it on every call would turn each read into a conflicting write.
LAST_USE_RESOLUTION = timedelta(minutes=5)
DEFAULT_DAYS = 30
LONGEST_DAYS = 365


@dataclass(frozen=True)
class TokenState:
    """The row behind a presented token. `refusal` says why it cannot be used, None when it can.

    `is_previous`: it is the secret before the last rotation, `last_used_at` then its own.
    """

    id: int
    user_id: int
    profile_id: int
    last_used_at: datetime | None
    refusal: str | None
    kind: str = "personal"
    is_previous: bool = False


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
    digest = fields.Char(required=True, readonly=True, groups=fields.NO_ACCESS)
    expires_at = fields.Datetime(
        string="Expires", readonly=True, help="Empty: with the Odoo API key that it stands for."
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
        "CHECK (expires_at IS NOT NULL OR kind = 'api_key')", "Only what stands for an API key has no end of its own."
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

    @api.model
    def _find(self, secret: str) -> TokenState | None:
        """Return the state of the token presented, None when there is no such token in this database."""
        if not secret_tokens.is_well_formed(secret, secret_tokens.PERSONAL_PREFIX):
            return None
        digest = self._digest(secret)
        # One indexed query, without the ORM: it runs before every call.
        self.env.cr.execute(
            SQL(
                """
                SELECT t.id, t.user_id, t.profile_id, t.kind, t.digest, t.previous_digest, t.last_used_at,
                       t.previous_used_at, t.revoked_at IS NOT NULL, t.expires_at <= (now() AT TIME ZONE 'UTC'),
                       t.previous_valid_until > (now() AT TIME ZONE 'UTC'), u.active
                  FROM mcp_token t JOIN res_users u ON u.id = t.user_id
                 WHERE t.digest = %s OR t.previous_digest = %s
                """,
                digest,
                digest,
            )
        )
        row = self.env.cr.fetchone()
        if row is None:
            return None
        token_id, user_id, profile_id, kind, current, previous, used_at, previous_used_at, *facts = row
        is_previous = not hmac.compare_digest(current or "", digest)
        if is_previous and not hmac.compare_digest(previous or "", digest):
            return None
        revoked, expired, in_overlap, is_active = facts
        refusal = None
        if revoked:
            refusal = "token_revoked"
        elif expired:
            refusal = "token_expired"
        elif is_previous and not in_overlap:
            refusal = "token_rotated"
        elif not is_active:
            refusal = "user_archived"
        elif user_id == api.SUPERUSER_ID:
            refusal = "user_not_allowed"
        used_at = previous_used_at if is_previous else used_at
        return TokenState(token_id, user_id, profile_id, used_at, refusal, kind, is_previous)

    @api.model
    def _note_use(self, state: TokenState, ip: str, client: str) -> None:
        """Remember the use after this transaction, at most every few minutes."""
        now = fields.Datetime.now()
        if state.last_used_at and now - state.last_used_at < LAST_USE_RESOLUTION:
            return
        # Each secret of a rotated token has a last use of its own: it says whether the old one is still needed.
        prefix = "previous" if state.is_previous else "last"
        query = SQL(
            """
            UPDATE mcp_token
               SET %(used_at)s = %(now)s, %(ip_column)s = %(ip)s,
                   %(client_column)s = COALESCE(%(client)s, %(client_column)s)
             WHERE id IN (SELECT id FROM mcp_token WHERE id = %(id)s FOR NO KEY UPDATE SKIP LOCKED)
            """,
            used_at=SQL.identifier(f"{prefix}_used_at"),
            ip_column=SQL.identifier(f"{prefix}_ip"),
            client_column=SQL.identifier(f"{prefix}_client"),
            now=now,
            ip=ip,
            client=client or None,
            id=state.id,
        )
        after_commit(self.env, query)

    def _revoke(self) -> None:
        """End the tokens; the next request with one of them is refused, in every worker."""
        self._check_is_owner_or_admin()
        # sudo: users have no write access to the model; whose tokens these are was checked above.
        self.sudo().filtered(lambda token: not token.revoked_at).revoked_at = fields.Datetime.now()

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
        # sudo: the database's id is no secret, but parameters are for administrators.
        return secret_tokens.digest(secret, self.env["ir.config_parameter"].sudo().get_param("database.uuid"))
