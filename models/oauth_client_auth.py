import base64
import binascii
import hmac
from collections.abc import Mapping
from urllib.parse import unquote_plus

from odoo import models

from ..services.oauth.errors import OAuthError
from ..services.oauth.token_request import TokenRequest

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LONGEST_ID = 2048
# One text for an unknown client and a wrong secret: which it was is nobody's business.
UNKNOWN = "The client is not known, or its credentials are wrong."


class McpOauthClient(models.Model):
    """Client authentication at the token and revocation endpoints (RFC 6749 §2.3)."""

    _inherit = "mcp.oauth.client"

    def _authenticate(self, asked: TokenRequest):
        """Return the client that sent a request, authenticated by the method it is registered with.

        :raises OAuthError: `invalid_client`, `invalid_request` for two methods at once, 429 for guessing secrets
        """
        form = asked.form
        basic = _basic(asked.authorization)
        sent = [name for name in ("client_secret", "client_assertion") if name in form]
        if len(sent) + (basic is not None) > 1:
            raise OAuthError("invalid_request", "Use one client authentication method at a time.")
        if "client_assertion" in form or "client_assertion_type" in form:
            if form.get("client_assertion_type") != ASSERTION_TYPE or "client_assertion" not in form:
                raise OAuthError("invalid_request", f"client_assertion needs the type {ASSERTION_TYPE}.")
            return self._verify_assertion(form)
        if basic is not None:
            client_id, secret = basic
            if form.get("client_id", client_id) != client_id:
                raise OAuthError("invalid_request", "The client_id of the body is not that of the header.")
        else:
            client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
        client = self._known(client_id)
        if client._accepts_secret(secret) if secret else client._is_public():
            return client
        headers = [("WWW-Authenticate", 'Basic realm="mcp"')] if basic is not None else []
        if secret and (wait := self.env["mcp.auth.failure"]._note("client", asked.ip, client.client_id or None)):
            raise OAuthError("too_many_requests", "Too many wrong secrets.", 429, [("Retry-After", str(wait))])
        raise OAuthError("invalid_client", UNKNOWN, 401, headers)

    def _verify_assertion(self, form: Mapping[str, str]):
        """Return the client that signed the `client_assertion`. Extend it for the methods that need signatures.

        :raises OAuthError: `invalid_client`
        """
        raise OAuthError("invalid_client", "Client assertions are not supported by this server.", 401)

    def _known(self, client_id: str):
        """Return the client with this id, an empty record where there is none or it is blocked."""
        # sudo: clients are looked up before anybody is logged in.
        clients = self.sudo()
        # A NUL byte is no text for PostgreSQL.
        if not client_id or len(client_id) > LONGEST_ID or "\0" in client_id:
            return clients
        return clients.search([("client_id", "=", client_id), ("blocked", "=", False)], limit=1)

    def _accepts_secret(self, secret: str) -> bool:
        """Say whether a secret is this client's; for an unknown client the same work is done in vain.

        Basic and post are equally strong: a client registered for one may use the other.
        """
        digest = self.env["mcp.token"]._digest(secret)
        is_same = hmac.compare_digest(self.secret_digest or "", digest)
        return is_same and self.auth_method in ("client_secret_basic", "client_secret_post")

    def _is_public(self) -> bool:
        """Say whether the client may come without credentials."""
        return "none" in self._auth_methods()


def _basic(header: str | None) -> tuple[str, str] | None:
    """Return id and secret of a Basic header, None where there is none.

    RFC 6749 form-encodes both. Some clients send them raw, which is the same thing for the characters that our ids
    and secrets have.

    :raises OAuthError: it is malformed
    """
    scheme, _space, value = (header or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(value.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise OAuthError("invalid_request", "The Authorization header is malformed.") from None
    client_id, colon, secret = text.partition(":")
    if not colon:
        raise OAuthError("invalid_request", "The Authorization header is malformed.")
    return unquote_plus(client_id), unquote_plus(secret)
