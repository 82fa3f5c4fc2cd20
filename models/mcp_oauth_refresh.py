import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL, hmac

from ..services import secret_tokens
from ..services.oauth.errors import OAuthError
from ..services.oauth.token_request import TokenRequest
from .retention import purge

_logger = logging.getLogger(__name__)

DEFAULT_IDLE_DAYS = 30
DEFAULT_GRACE_SECONDS = 120
LONGEST_GRACE_SECONDS = 3600
# So often may the predecessor of the current token be presented again within its grace.
MOST_REPLAYS = 20


class McpOauthRefresh(models.Model):
    """Refresh tokens, one generation after another of a grant (mcp.token); only the last one is current.

    A client that loses our answer, or a second process of it, presents the one before: for a short time it gets the
    same successor again. Whoever comes with an older one may be a thief, or the thief's victim, so the grant ends.
    """

    _name = "mcp.oauth.refresh"
    _description = "MCP OAuth Refresh Token"
    _log_access = False
    _rec_name = "token_id"

    token_id = fields.Many2one("mcp.token", string="Grant", required=True, ondelete="cascade")
    generation = fields.Integer(required=True)
    digest = fields.Char(required=True, groups=fields.NO_ACCESS)
    expires_at = fields.Datetime(required=True, help="When it has not been used until then, the grant is idle.")
    first_used_at = fields.Datetime()
    replays = fields.Integer()

    _digest_unique = models.UniqueIndex("(digest)", "A token is stored once.")
    _generation_unique = models.UniqueIndex("(token_id, generation)", "Each generation of a grant has one token.")

    @api.model
    def _start(self, grant) -> str:
        """Return the first refresh token of a new grant."""
        secret = secret_tokens.new_token(secret_tokens.REFRESH_PREFIX)
        self._store(grant, secret)
        return secret

    @api.model
    def _find(self, secret: str):
        """Return the row of a refresh token, an empty one where there is none."""
        # sudo: nobody may read the rows; the caller holds this one's secret.
        rows = self.sudo()
        if not secret_tokens.is_well_formed(secret, secret_tokens.REFRESH_PREFIX):
            return rows
        return rows.search([("digest", "=", self.env["mcp.token"]._digest(secret))])

    def _exchange(self, secret: str, asked: TokenRequest) -> str:
        """Use the token and return its successor. The caller has checked that its client presents it.

        What a refusal writes (a revoked grant) has to be committed: answer with it, do not roll back.

        :raises OAuthError: `invalid_grant`
        """
        grant = self._locked_grant()
        now = fields.Datetime.now()
        if grant.revoked_at or grant.expires_at <= now or self.expires_at <= now:
            raise OAuthError("invalid_grant", "The refresh token has expired or was revoked.")
        if not grant.user_id._may_use_mcp():
            raise OAuthError("invalid_grant", "The user may no longer connect.")
        if not grant._profile_is_open():
            raise OAuthError("invalid_grant", "What was granted is not open to the user any more.")
        if self.generation == grant.generation:
            return self._rotate(grant, secret)
        grace = self._grace_seconds()
        # Another worker's clock may be a little ahead: what it has just used is not old.
        is_fresh = grace > 0 and now - self.first_used_at <= timedelta(seconds=grace)
        if is_fresh and self.generation == grant.generation - 1 and self.replays < MOST_REPLAYS:
            self.replays += 1
            _logger.info("Refresh token of grant %s came again within its grace (%s)", grant.id, self.replays)
            return self._successor(secret)
        if not is_fresh:
            _logger.warning("An old refresh token of grant %s was used again: grant revoked", grant.id)
            grant._end_for_reuse(asked)
        raise OAuthError("invalid_grant", "The refresh token has been used.")

    def _locked_grant(self):
        """Return the grant, locked. Of two at the same time the second waits here, fails, and Odoo runs it again."""
        # Not FOR UPDATE, which would wait for every call that has written an audit row.
        query = SQL("SELECT 1 FROM mcp_token WHERE id = %s FOR NO KEY UPDATE", self.token_id.id)
        self.env.cr.execute(query, log_exceptions=False)
        return self.token_id

    def _rotate(self, grant, secret: str) -> str:
        successor = self._successor(secret)
        self.first_used_at = fields.Datetime.now()
        grant.generation += 1
        self._store(grant, successor)
        return successor

    def _successor(self, secret: str) -> str:
        """Return the next generation's token: the same one every time, and only to who holds this one.

        Nothing that is stored is enough to compute it.
        """
        message = (self.token_id.id, self.generation + 1, secret)
        # sudo: reads the database's secret.
        digest = hmac(self.env(su=True), "mcp_endpoint.oauth_refresh", message)
        return secret_tokens.token_of(secret_tokens.REFRESH_PREFIX, bytes.fromhex(digest))

    def _store(self, grant, secret: str) -> None:
        idle = timedelta(days=self._idle_days())
        # sudo: nobody may create rows; the grant is the caller's business.
        self.sudo().create(
            {
                "token_id": grant.id,
                "generation": grant.generation,
                "digest": grant._digest(secret),
                "expires_at": min(fields.Datetime.now() + idle, grant.expires_at),
            }
        )

    def _grace_seconds(self) -> int:
        # sudo: a system parameter that users may not read in general.
        seconds = self.env["ir.config_parameter"].sudo().get_param("mcp_endpoint.refresh_grace_seconds", "")
        return min(int(seconds), LONGEST_GRACE_SECONDS) if seconds.isdecimal() else DEFAULT_GRACE_SECONDS

    def _idle_days(self) -> int:
        # sudo: a system parameter that users may not read in general.
        days = self.env["ir.config_parameter"].sudo().get_param("mcp_endpoint.refresh_idle_days", "")
        return int(days) if days.isdecimal() and int(days) else DEFAULT_IDLE_DAYS

    @api.autovacuum
    def _gc_ended(self):
        """Delete the tokens of grants that have ended. Until then old ones are kept, so that their reuse is seen."""
        now = fields.Datetime.now()
        ended = SQL("SELECT id FROM mcp_token WHERE kind = 'oauth' AND least(revoked_at, expires_at) < %s", now)
        return purge(self, SQL("token_id IN (%s)", ended))
