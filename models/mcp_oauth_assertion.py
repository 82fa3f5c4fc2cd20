import hashlib
from datetime import UTC, datetime

from odoo import api, fields, models
from odoo.tools import SQL

from .retention import purge


class McpOauthAssertion(models.Model):
    """Assertions that were used: none counts twice, in any worker (RFC 7523 §3)."""

    _name = "mcp.oauth.assertion"
    _description = "MCP Used Assertion"
    _log_access = False

    digest = fields.Char(required=True, readonly=True, groups=fields.NO_ACCESS)
    expires_at = fields.Datetime(required=True, readonly=True, index=True)

    _digest_unique = models.UniqueIndex("(digest)", "An assertion is used once.")

    @api.model
    def _use(self, issuer: str, jti: str, expires: float, leeway: int) -> bool:
        """Remember an assertion for as long as it could be used; say whether it is new.

        The row is part of the request's transaction: when Odoo runs the request again, it is new again. Of two at the
        same time, the later one waits for the first, fails to serialize, runs again, and is told the truth.

        :param expires: its `exp`
        """
        digest = hashlib.sha256(f"{issuer}\0{jti}".encode()).hexdigest()
        self.env.cr.execute(
            SQL(
                "INSERT INTO mcp_oauth_assertion (digest, expires_at) VALUES (%s, %s) ON CONFLICT DO NOTHING",
                digest,
                datetime.fromtimestamp(int(expires) + leeway + 1, UTC).replace(tzinfo=None),
            )
        )
        return self.env.cr.rowcount == 1

    @api.autovacuum
    def _gc_expired(self):
        """Delete those that have expired and are refused for that."""
        return purge(self, SQL("expires_at < %s", fields.Datetime.now()))
