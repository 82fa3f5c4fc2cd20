from dataclasses import replace

from odoo import api, models

from ..services.oauth import scopes
from ..services.oauth.errors import OAuthError
from ..services.oauth.token_request import TokenRequest

# By any of these a client says who it is.
SAY_WHO = {"client_id", "client_secret", "client_assertion"}


class McpOauthGrants(models.AbstractModel):
    """The token endpoint (RFC 6749 §3.2): one method for each grant type.

    An addon adds a grant type by extending `_grant_types` and defining the method it names. Such a method gets the
    authenticated client and the request, and returns the answer's JSON; what it raises is answered, and what it wrote
    before is committed, so that a revocation outlives the refusal that it comes with.
    """

    _name = "mcp.oauth.grants"
    _description = "MCP OAuth Grant Types"

    @api.model
    def _grant_types(self) -> dict[str, str]:
        """Return the method of this model for each grant type."""
        return {
            "authorization_code": "_grant_authorization_code",
            "refresh_token": "_grant_refresh_token",
            "client_credentials": "_grant_client_credentials",
        }

    @api.model
    def _token(self, asked: TokenRequest) -> dict:
        """Answer a token request. :raises OAuthError: the refusal"""
        grant_type = _needed(asked, "grant_type")
        handler = self._grant_types().get(grant_type)
        if handler is None:
            raise OAuthError("unsupported_grant_type", f"Supported are: {', '.join(self._grant_types())}.")
        client = self._client(asked, asked.form.get("refresh_token"))
        if grant_type not in client._grant_types():
            raise OAuthError("unauthorized_client", "This client is not registered for this grant type.")
        answer = getattr(self, handler)(client, asked)
        client._note_use()
        return answer

    @api.model
    def _revoke(self, asked: TokenRequest) -> None:
        """Revoke a token (RFC 7009): a refresh token with its whole grant, an access token alone.

        Nothing happens for one that is not known, not any more, or not of a kind that clients hold.

        :raises OAuthError: the refusal
        """
        secret = _needed(asked, "token")
        client = self._client(asked, secret)
        refresh = self.env["mcp.oauth.refresh"]._find(secret)
        access = self.env["mcp.oauth.access"]._find(secret)
        grant = (refresh or access).token_id
        if grant and grant.oauth_client_id != client:
            raise OAuthError("invalid_grant", "The token was issued to another client.")
        if refresh:
            grant._revoke()
        elif access:
            access.unlink()

    def _client(self, asked: TokenRequest, secret: str | None):
        """Return the authenticated client; a public one that does not say who it is, is known by its refresh token."""
        if secret and not asked.authorization and not asked.form.keys() & SAY_WHO:
            client = self.env["mcp.oauth.refresh"]._find(secret).token_id.oauth_client_id
            asked = replace(asked, form={**asked.form, "client_id": client.client_id or ""})
        return self.env["mcp.oauth.client"]._authenticate(asked)

    def _grant_authorization_code(self, client, asked: TokenRequest) -> dict:
        code = self.env["mcp.oauth.code"]._redeem(asked, client)
        granted = scopes.parse(code.scope)
        grant = self.env["mcp.token"]._open_grant(code.user_id, client, code.profile_id, granted, code.resource)
        code.token_id = grant
        refresh = self.env["mcp.oauth.refresh"]._start(grant) if "refresh_token" in client._grant_types() else None
        return self._answer(grant, granted, refresh)

    def _grant_refresh_token(self, client, asked: TokenRequest) -> dict:
        """Answer §6 of RFC 6749. More scope than granted is left out, not refused: clients repeat what they know."""
        secret = _needed(asked, "refresh_token")
        refresh = self.env["mcp.oauth.refresh"]._find(secret)
        grant = refresh.token_id
        if grant.oauth_client_id != client:
            self.env["mcp.auth.failure"]._note("refresh", asked.ip, client.client_id)
            raise OAuthError("invalid_grant", "The refresh token is not known.")
        self._check_resource(asked, grant.resource)
        successor = refresh._exchange(secret, asked)
        granted = scopes.parse(grant.scope)
        wanted = scopes.narrow(scopes.parse(asked.form.get("scope")), granted)
        return self._answer(grant, wanted or granted, successor)

    def _grant_client_credentials(self, client, asked: TokenRequest) -> dict:
        """Answer §4.4 of RFC 6749 for a client that an administrator has bound to a user."""
        if client.kind != "machine" or client._is_public():
            raise OAuthError("unauthorized_client", "This client acts for no user of its own.")
        return self._answer_for(client, asked, client.user_id, client.profile_id, client._scope_ceiling())

    def _answer_for(self, client, asked: TokenRequest, user, profile, ceiling: tuple[str, ...]) -> dict:
        """Answer a grant without a person at a browser: an access token, no refresh token.

        :param ceiling: the most that may be granted; of these it is what the request asks for, or the default set
        :raises OAuthError: `invalid_grant`, `invalid_scope` or `invalid_target`
        """
        resource = self.env["mcp.oauth.server"]._resource()
        self._check_resource(asked, resource)
        if not user._may_use_mcp():
            raise OAuthError("invalid_grant", "The user may not connect.")
        granted = scopes.narrow(scopes.requested(asked.form.get("scope")), ceiling)
        if scopes.ADMIN in granted and not user.has_group("mcp_endpoint.group_mcp_admin"):
            granted = scopes.narrow(granted, scopes.DEFAULT_SCOPES)
        if not granted:
            raise OAuthError("invalid_scope", "None of the scopes may be granted to this client.")
        grant = self.env["mcp.token"]._standing_grant(user, client, profile, granted, resource)
        return self._answer(grant, granted)

    def _check_resource(self, asked: TokenRequest, resource: str) -> None:
        """:raises OAuthError: the request is for another resource than was granted (RFC 8707)"""
        wanted = asked.form.get("resource")
        if wanted and self.env["mcp.oauth.server"]._canonical_resource(wanted) != resource:
            raise OAuthError("invalid_target", "The resource is not the one that was authorized.")

    def _answer(self, grant, granted: tuple[str, ...], refresh: str | None = None) -> dict:
        secret, seconds = self.env["mcp.oauth.access"]._issue(grant, granted)
        answer = {
            "access_token": secret,
            "token_type": "Bearer",
            "expires_in": seconds,
            "scope": " ".join(granted),
        }
        return {**answer, "refresh_token": refresh} if refresh else answer


def _needed(asked: TokenRequest, name: str) -> str:
    if name not in asked.form:
        raise OAuthError("invalid_request", f"The parameter {name} is missing.")
    return asked.form[name]
