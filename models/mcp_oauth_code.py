import base64
import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL, hmac

from ..services.oauth import pkce
from ..services.oauth.errors import OAuthError
from ..services.oauth.token_request import TokenRequest
from .retention import purge

_logger = logging.getLogger(__name__)

LIFE = timedelta(seconds=60)
# A client that sends its request twice (a double event, a retry after a lost answer) does so at once.
DOUBLE_SEND = timedelta(seconds=10)
# A used code is remembered for this long, so that its second use is seen for what it is.
KEEP_USED = timedelta(days=1)


class McpOauthCode(models.Model):
    _name = "mcp.oauth.code"
    _description = "MCP OAuth Authorization Code"
    _log_access = False
    _rec_name = "client_id"

    request_digest = fields.Char(required=True, groups=fields.NO_ACCESS)
    digest = fields.Char(required=True, groups=fields.NO_ACCESS)
    user_id = fields.Many2one("res.users", required=True, ondelete="cascade")
    client_id = fields.Many2one("mcp.oauth.client", required=True, index=True, ondelete="cascade")
    profile_id = fields.Many2one("mcp.profile", required=True, ondelete="cascade")
    scope = fields.Char(required=True)
    redirect_uri = fields.Char(required=True)
    challenge = fields.Char(required=True)
    resource = fields.Char(required=True)
    expires_at = fields.Datetime(required=True, index=True)
    used_at = fields.Datetime(help="First redemption, or a failed one, which uses a code up as well.")
    token_id = fields.Many2one("mcp.token", string="Grant", index="btree_not_null", ondelete="set null")

    _digest_unique = models.UniqueIndex("(digest)", "A code is stored once.")
    _request_unique = models.UniqueIndex("(request_digest)", "One request gets one code.")

    @api.model
    def _mint(
        self,
        *,
        request_key: str,
        user,
        client,
        profile,
        scopes: tuple[str, ...],
        redirect_uri: str,
        challenge: str,
        resource: str,
    ) -> str:
        """Return the authorization code of one approved request, to be redeemed once within 60 seconds.

        The same request gets the same code however often it is approved: browsers send forms twice.

        :param request_key: names the stored authorization request, and nothing else ever
        :param redirect_uri: as the authorization request gave it; it must come back byte for byte
        :param resource: canonical
        :raises OAuthError: the request was approved by another user, or its code has expired
        """
        code = self._derive(request_key)
        row = {
            "request_digest": self._digest(request_key),
            "digest": self._digest(code),
            "user_id": user.id,
            "client_id": client.id,
            "profile_id": profile.id,
            "scope": " ".join(scopes),
            "redirect_uri": redirect_uri,
            "challenge": challenge,
            "resource": resource,
            "expires_at": fields.Datetime.now() + LIFE,
        }
        # Of two approvals at the same time the second waits here for the first, and Odoo runs it again.
        self.env.cr.execute(
            SQL(
                "INSERT INTO mcp_oauth_code (%s) VALUES %s ON CONFLICT (request_digest) DO NOTHING",
                SQL(", ").join(SQL.identifier(name) for name in row),
                tuple(row.values()),
            )
        )
        if self.env.cr.rowcount:
            return code
        # sudo: nobody may read the rows; this one is that of the request just approved.
        known = self.sudo().search([("request_digest", "=", row["request_digest"])])
        if known.user_id != user or known.expires_at <= fields.Datetime.now():
            raise OAuthError("access_denied", "This request has been answered. Start again from the application.")
        return code

    @api.model
    def _redeem(self, asked: TokenRequest, client):
        """Use a code up and return its row, with the grant in `token_id` still to be opened.

        What a refusal writes (a burnt code, a revoked grant) has to be committed: answer with it, do not roll back.

        :raises OAuthError: `invalid_request`, `invalid_grant` or `invalid_target`
        """
        form = asked.form
        for name in ("code", "redirect_uri", "code_verifier"):
            if name not in form:
                raise OAuthError("invalid_request", f"The parameter {name} is missing.")
        verifier = form["code_verifier"]
        if not pkce.is_verifier(verifier):
            raise OAuthError("invalid_request", "The code_verifier has 43 to 128 characters of A-Z a-z 0-9 - . _ ~.")
        code = self._locked(form["code"], asked.ip, client)
        is_verified = pkce.verify(verifier, code.challenge)
        if code.used_at:
            code._refuse_reuse(is_double=is_verified and code.client_id == client)
        if code.expires_at <= fields.Datetime.now():
            raise OAuthError("invalid_grant", "The code has expired.")
        if code.client_id != client or code.redirect_uri != form["redirect_uri"]:
            raise OAuthError("invalid_grant", "The code was issued to another client or redirect_uri.")
        if "resource" in form and self.env["mcp.oauth.server"]._canonical_resource(form["resource"]) != code.resource:
            raise OAuthError("invalid_target", "The resource is not the one that was authorized.")
        code.used_at = fields.Datetime.now()
        if not is_verified:
            raise OAuthError("invalid_grant", "The code_verifier does not match. The code cannot be used any more.")
        if not code.user_id._may_use_mcp():
            raise OAuthError("invalid_grant", "The user may no longer connect.")
        return code

    def _locked(self, secret: str, ip: str, client):
        """Return the row of a code, locked. A second redemption at the same time waits, and Odoo runs it again."""
        digest = self._digest(secret)
        query = SQL("SELECT id FROM mcp_oauth_code WHERE digest = %s FOR UPDATE", digest)
        self.env.cr.execute(query, log_exceptions=False)
        row = self.env.cr.fetchone()
        if row is None:
            self.env["mcp.auth.failure"]._note("code", ip, client.client_id)
            raise OAuthError("invalid_grant", "The code is not known.")
        # sudo: nobody may read the rows; the caller holds this one's secret.
        return self.sudo().browse(row[0])

    def _refuse_reuse(self, *, is_double: bool) -> None:
        """:raises OAuthError: always; what the code gave is revoked unless its own client has sent it twice at once"""
        is_harmless = is_double and fields.Datetime.now() - self.used_at <= DOUBLE_SEND
        if self.token_id and not is_harmless:
            _logger.warning("An authorization code of grant %s was used again: grant revoked", self.token_id.id)
            self.token_id._revoke()
        raise OAuthError("invalid_grant", "The code has been used.")

    def _derive(self, request_key: str) -> str:
        # sudo: reads the database's secret.
        digest = hmac(self.env(su=True), "mcp_endpoint.oauth_code", request_key)
        return base64.urlsafe_b64encode(bytes.fromhex(digest)).decode().rstrip("=")

    def _digest(self, secret: str) -> str:
        return self.env["mcp.token"]._digest(secret)

    @api.autovacuum
    def _gc_expired(self):
        """Delete codes whose reuse need no longer be recognised."""
        return purge(self, SQL("expires_at < %s", fields.Datetime.now() - KEEP_USED))
