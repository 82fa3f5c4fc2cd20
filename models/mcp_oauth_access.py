from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ..services import secret_tokens
from .retention import purge

DEFAULT_LIFE_SECONDS = 3600
# Some clients refresh five minutes ahead: a shorter life would make them refresh before every call.
LIFE_LIMITS = (600, 86_400)
# Live access tokens of one grant. Parallel calls keep using the one before the refresh; more than this is a loop.
LIVE_PER_GRANT = 20
# A machine client gets one for each of its processes.
LIVE_PER_MACHINE = 200
# How long a dead one is kept, so that its holder is told "expired" and refreshes.
KEEP_DEAD = timedelta(days=1)


class McpOauthAccess(models.Model):
    _name = "mcp.oauth.access"
    _description = "MCP OAuth Access Token"
    _log_access = False
    _rec_name = "token_id"

    token_id = fields.Many2one("mcp.token", string="Grant", required=True, index=True, ondelete="cascade")
    digest = fields.Char(required=True, groups=fields.NO_ACCESS)
    scope = fields.Char(required=True)
    expires_at = fields.Datetime(required=True, index=True)

    _digest_unique = models.UniqueIndex("(digest)", "A token is stored once.")

    @api.model
    def _find(self, secret: str):
        """Return the row of an access token, an empty one where there is none."""
        # sudo: nobody may read the rows; the caller holds this one's secret.
        rows = self.sudo()
        if not secret_tokens.is_well_formed(secret, secret_tokens.ACCESS_PREFIX):
            return rows
        return rows.search([("digest", "=", self.env["mcp.token"]._digest(secret))])

    @api.model
    def _issue(self, grant, scopes: tuple[str, ...]) -> tuple[str, int]:
        """Make an access token of a grant; return it in clear, the only time it can be seen, and its life in seconds.

        The oldest go where a grant has more than it can have use for.
        """
        secret = secret_tokens.new_token(secret_tokens.ACCESS_PREFIX)
        now = fields.Datetime.now()
        expires_at = min(now + timedelta(seconds=self._life_seconds()), grant.expires_at)
        # sudo: nobody may touch the rows; the caller has checked what the grant's client presented.
        self.sudo().create(
            {
                "token_id": grant.id,
                "digest": grant._digest(secret),
                "scope": " ".join(scopes),
                "expires_at": expires_at,
            }
        )
        most = LIVE_PER_MACHINE if grant.oauth_client_id.kind == "machine" else LIVE_PER_GRANT
        surplus = SQL("SELECT id FROM mcp_oauth_access WHERE token_id = %s ORDER BY id DESC OFFSET %s", grant.id, most)
        self.env.cr.execute(SQL("DELETE FROM mcp_oauth_access WHERE id IN (%s)", surplus))
        return secret, int((expires_at - now).total_seconds())

    @api.model
    def _life_seconds(self) -> int:
        # sudo: a system parameter that users may not read in general.
        seconds = self.env["ir.config_parameter"].sudo().get_param("mcp_endpoint.access_token_seconds", "")
        lowest, highest = LIFE_LIMITS
        return min(max(int(seconds), lowest), highest) if seconds.isdecimal() else DEFAULT_LIFE_SECONDS

    @api.autovacuum
    def _gc_dead(self):
        """Delete access tokens past their time, and those of grants that have ended."""
        past = fields.Datetime.now() - KEEP_DEAD
        ended = SQL("SELECT id FROM mcp_token WHERE kind = 'oauth' AND revoked_at < %s", past)
        return purge(self, SQL("expires_at < %s OR token_id IN (%s)", past, ended))
