import json
from collections.abc import Mapping

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..services import jwt_check
from ..services.jwt_check import DEFAULT_ALGORITHMS, JwtRefused, Rules
from ..services.key_text import keys_from_text
from ..services.oauth.errors import OAuthError

METHOD = "private_key_jwt"
TYPES = frozenset({"jwt", "", "client-authentication+jwt"})
LONGEST_LIFE = 600
LEEWAY = 60


class McpOauthClient(models.Model):
    """Clients that sign instead of sending a secret: `private_key_jwt` (RFC 7523 §2.2)."""

    _inherit = "mcp.oauth.client"

    public_key = fields.Text(
        compute="_compute_public_key",
        inverse="_inverse_public_key",
        help="Of the machine's own key pair, in PEM or JSON. The private key stays where it is.",
    )

    @api.depends("jwks")
    def _compute_public_key(self):
        for client in self:
            client.public_key = json.dumps(client.jwks, indent=1) if client.jwks else False

    def _inverse_public_key(self):
        for client in self:
            client.jwks = self._jwks_of(client.public_key)

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            if text := vals.pop("public_key", None):
                # Odoo checks what is stored before it calls inverse methods, and a signed client needs its keys.
                vals["jwks"] = self._jwks_of(text)
        return super().create(vals_list)

    @api.model
    def _jwks_of(self, text: str | None) -> dict | bool:
        try:
            return {"keys": keys_from_text(text)} if text else False
        except JwtRefused as error:
            raise ValidationError(self.env._("This key cannot be used. %s", error)) from None

    def _verify_assertion(self, form: Mapping[str, str]):
        if not jwt_check.is_available():
            text = "Client assertions need the Python package PyJWT, which is not installed on this server."
            raise OAuthError("invalid_client", text, 401)
        assertion = form["client_assertion"]
        try:
            seen = jwt_check.glance(assertion)
            if form.get("client_id", seen.subject) != seen.subject:
                raise JwtRefused("Its subject is not the client_id.")
            client = self._known(seen.subject)
            if METHOD not in client._auth_methods():
                raise JwtRefused("The client is not known, or is not registered for it.")
            return client._checked_assertion(assertion, seen.kid)
        except JwtRefused as error:
            raise OAuthError("invalid_client", f"The client_assertion is not accepted. {error}", 401) from None

    def _checked_assertion(self, assertion: str, kid: str | None):
        """Return the client if the assertion is its own and new. :raises JwtRefused: it is not"""
        server = self.env["mcp.oauth.server"]
        issuer = server._issuer()
        rules = Rules(
            self.client_id,
            (issuer, issuer + "/", server._url("token")),
            TYPES,
            single_audience=True,
            leeway=LEEWAY,
            longest_life=LONGEST_LIFE,
            required=frozenset({"jti"}),
        )
        claims = jwt_check.verify(assertion, self._assertion_keys(kid), rules)
        if claims["sub"] != self.client_id:
            raise JwtRefused("Its subject is not its issuer.")
        if not self.env["mcp.oauth.assertion"]._use(self.client_id, claims["jti"], claims["exp"], LEEWAY):
            raise JwtRefused("It was used before.")
        return self

    def _assertion_keys(self, kid: str | None) -> list[dict]:
        if self.jwks:
            return jwt_check.public_keys(self.jwks)
        if self.kind == "dcr":
            # Nobody has vouched for it: strangers could keep workers waiting for servers of theirs.
            return []
        # sudo: no screen and no access rights are there for published keys.
        return self.env["mcp.key.set"].sudo()._keys(self.jwks_uri, kid) if self.jwks_uri else []


class McpOauthServer(models.AbstractModel):
    _inherit = "mcp.oauth.server"

    @api.model
    def _auth_methods(self) -> list[str]:
        methods = super()._auth_methods()
        return [*methods, METHOD] if jwt_check.is_available() else methods

    @api.model
    def _extra_metadata(self) -> dict:
        extra = super()._extra_metadata()
        if jwt_check.is_available():
            for endpoint in ("token", "revocation"):
                extra[f"{endpoint}_endpoint_auth_signing_alg_values_supported"] = list(DEFAULT_ALGORITHMS)
        return extra
