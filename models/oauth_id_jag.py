from odoo import api, models

from ..services.oauth import scopes
from ..services.oauth.errors import OAuthError
from ..services.oauth.token_request import TokenRequest
from .identity_login import LEEWAY

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
PROFILE = "urn:ietf:params:oauth:grant-profile:id-jag"
PURPOSE = "accepts_id_jag"


class McpOauthGrants(models.AbstractModel):
    """Enterprise-managed authorization: an identity provider's grant (ID-JAG) for an access token, without consent.

    The organisation has decided at its provider who may use which application; the provider is trusted by an
    administrator's word alone. Other JWTs of this grant type (RFC 7523 §2.1) are not accepted.
    """

    _inherit = "mcp.oauth.grants"

    @api.model
    def _grant_types(self) -> dict[str, str]:
        types = super()._grant_types()
        is_used = self.env["mcp.identity.provider"]._is_used(PURPOSE)
        return {**types, GRANT_TYPE: "_grant_jwt_bearer"} if is_used else types

    def _grant_jwt_bearer(self, client, asked: TokenRequest) -> dict:
        assertion = asked.form.get("assertion")
        if not assertion:
            raise OAuthError("invalid_request", "The parameter assertion is missing.")
        # One text for all that can be wrong with it: why is in the server's log.
        refused = OAuthError("invalid_grant", "The assertion is not accepted.")
        found = self.env["mcp.identity.provider"]._identify_id_jag(assertion)
        if found is None or found.claims["client_id"] != client.client_id:
            self.env["mcp.auth.failure"]._note("assertion", asked.ip, client.client_id)
            raise refused
        self._check_claimed_resource(found.claims.get("resource"), refused)
        claims = found.claims
        if not self.env["mcp.oauth.assertion"]._use(claims["iss"], claims["jti"], claims["exp"], LEEWAY):
            raise refused
        return self._answer_for(client, asked, found.user, found.provider.profile_id, self._ceiling(client, claims))

    def _check_claimed_resource(self, claimed: object, refused: OAuthError) -> None:
        """The claim may be left out; where it is there, it means us."""
        if claimed is None:
            return
        resources = [claimed] if isinstance(claimed, str) else claimed
        server = self.env["mcp.oauth.server"]
        is_ours = isinstance(resources, list) and len(resources) == 1 and isinstance(resources[0], str)
        if not is_ours or server._canonical_resource(resources[0]) != server._resource():
            raise refused

    def _ceiling(self, client, claims: dict[str, object]) -> tuple[str, ...]:
        """Return what the provider and the client's registration both allow."""
        allowed = client._scope_ceiling()
        if not isinstance(claims.get("scope"), str):
            return scopes.narrow(scopes.DEFAULT_SCOPES, allowed)
        return scopes.narrow(scopes.implied(scopes.parse(claims["scope"])), allowed)


class McpOauthClient(models.Model):
    _inherit = "mcp.oauth.client"

    def _grant_types(self) -> tuple[str, ...]:
        """Clients that an administrator has added and that can prove who they are may exchange grants."""
        types = super()._grant_types()
        is_trusted = self.kind in ("manual", "machine") and not self._is_public()
        return (*types, GRANT_TYPE) if is_trusted else tuple(name for name in types if name != GRANT_TYPE)


class McpOauthServer(models.AbstractModel):
    _inherit = "mcp.oauth.server"

    @api.model
    def _grant_types(self) -> list[str]:
        types = super()._grant_types()
        return [*types, GRANT_TYPE] if self.env["mcp.identity.provider"]._is_used(PURPOSE) else types

    @api.model
    def _extra_metadata(self) -> dict:
        extra = super()._extra_metadata()
        if self.env["mcp.identity.provider"]._is_used(PURPOSE):
            extra["authorization_grant_profiles_supported"] = [PROFILE]
        return extra
