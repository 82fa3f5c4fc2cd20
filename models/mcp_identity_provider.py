import re
from urllib.parse import urlsplit

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..services import claims, jwt_check
from ..services.jwt_check import JwtRefused
from ..services.key_text import keys_from_text
from ..services.oauth import scopes
from ..services.safe_fetch import FetchRefused

ISSUER = re.compile(r"https://[!-~]+")


class McpIdentityProvider(models.Model):
    """An identity provider whose signed tokens are accepted. What they are accepted for is in `identity_login`."""

    _name = "mcp.identity.provider"
    _description = "MCP Identity Provider"
    _inherit = ["mail.thread"]
    _order = "name, id"

    name = fields.Char(required=True, tracking=True)
    active = fields.Boolean(default=True, tracking=True)
    issuer = fields.Char(
        required=True,
        copy=False,
        tracking=True,
        help="Exactly as the provider writes it in its tokens (“iss”), a final slash included.",
    )
    accepts_bearer = fields.Boolean(
        string="Its access tokens open /mcp",
        tracking=True,
        help="Assistants that got an access token for this server from the provider may use it directly.",
    )
    accepts_id_jag = fields.Boolean(
        string="Its grants can be exchanged",
        tracking=True,
        help="Enterprise-managed authorization: an application presents an ID-JAG of the provider at the token "
        "endpoint. The application must have been added under Clients, with a secret or a key.",
    )
    audiences = fields.Text(
        tracking=True, help="What “aud” of an access token may be, one per line. Empty: the address of this server."
    )
    algorithms = fields.Char(required=True, default=" ".join(jwt_check.DEFAULT_ALGORITHMS), tracking=True)
    accepts_plain_type = fields.Boolean(
        string="Type JWT is fine",
        tracking=True,
        help="Access tokens should have the type at+jwt. Entra ID, Auth0 and Keycloak write JWT.",
    )
    jwks_uri = fields.Char(string="Address of the Keys", tracking=True)
    jwks = fields.Text(
        string="Keys", tracking=True, help="The provider's public keys (JSON or PEM), for servers that cannot reach it."
    )
    is_internal = fields.Boolean(
        string="On our own network",
        tracking=True,
        help="Its address may be a private one, on any port. Otherwise only public addresses are connected to.",
    )
    keys_fetched_at = fields.Datetime(string="Keys of", compute="_compute_keys_state")
    keys_failure = fields.Char(compute="_compute_keys_state")
    subject_claim = fields.Selection(
        [("sub", "sub"), ("oid", "oid (Entra ID)")],
        string="People are told apart by",
        required=True,
        default="sub",
        tracking=True,
    )
    email_linking = fields.Selection(
        [
            ("no", "No: link each person here"),
            ("verified", "Yes, if the provider says that it is verified"),
            ("trusted", "Yes, all its addresses are verified"),
        ],
        string="Link by e-mail",
        required=True,
        default="no",
        tracking=True,
        help="At the first sign-in, a person is linked for good to the employee whose login is the e-mail address. "
        "Administrators and employees who are linked already never are.",
    )
    email_domains = fields.Char(tracking=True, help="Only addresses of these domains are linked. Separate with commas.")
    scope_claim = fields.Selection(
        [("scope", "scope"), ("scp", "scp"), ("roles", "roles"), ("none", "none: read and write")],
        string="Scopes are in",
        required=True,
        default="scope",
        tracking=True,
    )
    scope_mapping = fields.Text(
        tracking=True,
        help="One per line, like Mcp.Read = mcp:read. Ours are mcp:read, mcp:write and mcp:admin; these names count as "
        "they are when nothing is written here.",
    )
    profile_id = fields.Many2one(
        "mcp.profile",
        string="Access Profile",
        required=True,
        domain=[("is_baseline", "=", False)],
        default=lambda self: self.env.ref("mcp_endpoint.profile_read", raise_if_not_found=False),
        ondelete="restrict",
        tracking=True,
        help="Limits everybody who comes with a token of this provider.",
    )
    link_ids = fields.One2many("mcp.identity.link", "provider_id", string="People")
    lacks_package = fields.Boolean(compute="_compute_lacks_package")

    _issuer_unique = models.UniqueIndex("(issuer)", "There is a provider with this issuer already.")

    @api.depends("jwks_uri")
    def _compute_keys_state(self):
        # sudo: when keys were fetched is no secret; the key sets have no screen of their own.
        key_sets = self.env["mcp.key.set"].sudo().search([("uri", "in", self.filtered("jwks_uri").mapped("jwks_uri"))])
        by_uri = {key_set.uri: key_set for key_set in key_sets}
        for provider in self:
            key_set = by_uri.get(provider.jwks_uri)
            provider.keys_fetched_at = key_set and key_set.fetched_at
            provider.keys_failure = key_set and key_set.failure

    def _compute_lacks_package(self):
        self.lacks_package = not jwt_check.is_available()

    @api.constrains("issuer", "jwks_uri")
    def _check_addresses(self):
        for provider in self:
            if not ISSUER.fullmatch(provider.issuer) or "#" in provider.issuer:
                raise ValidationError(self.env._("The issuer is an address like https://login.example.com/tenant."))
            if provider.jwks_uri and not ISSUER.fullmatch(provider.jwks_uri):
                raise ValidationError(self.env._("The keys are at an address that begins with https://."))

    @api.constrains("algorithms")
    def _check_algorithms(self):
        for provider in self:
            unknown = set(provider.algorithms.split()) - jwt_check.ALGORITHMS.keys()
            if unknown or not provider.algorithms.split():
                message = self.env._("Algorithms are some of %s, with blanks between.", ", ".join(jwt_check.ALGORITHMS))
                raise ValidationError(message)

    @api.constrains("jwks")
    def _check_jwks(self):
        for provider in self.filtered("jwks"):
            try:
                provider._pasted_keys()
            except JwtRefused as error:
                raise ValidationError(self.env._("These keys cannot be used. %s", error)) from None

    @api.constrains("scope_mapping")
    def _check_scope_mapping(self):
        for provider in self:
            try:
                ours = claims.parse_mapping(provider.scope_mapping or "").values()
            except ValueError as error:
                message = self.env._("“%s” is not a mapping. Write lines like Mcp.Read = mcp:read.", error)
                raise ValidationError(message) from None
            if unknown := set(ours) - scopes.LEVELS.keys():
                message = self.env._(
                    "%(unknown)s is no scope of this server. These are: %(known)s.",
                    unknown=", ".join(sorted(unknown)),
                    known=", ".join(scopes.LEVELS),
                )
                raise ValidationError(message)

    @api.constrains("email_linking", "email_domains")
    def _check_email_domains(self):
        for provider in self:
            if provider.email_linking != "no" and not provider._email_domains():
                raise ValidationError(self.env._("Say of which e-mail domains people may be linked."))

    def write(self, vals):
        if "issuer" in vals and any(provider.link_ids and provider.issuer != vals["issuer"] for provider in self):
            # The same subject at another issuer is somebody else.
            raise UserError(self.env._("People are linked to this issuer. Add the new one as another provider."))
        result = super().write(vals)
        if "profile_id" in vals:
            # sudo: tokens are changed by nobody; these only show what applies since now.
            tokens = self.env["mcp.token"].sudo().search([("identity_provider_id", "in", self.ids)])
            tokens.profile_id = vals["profile_id"]
        return result

    def action_discover(self):
        """Button *Read from the provider*: find the address of the keys in its discovery document, and the keys."""
        self.ensure_one()
        # Before this server asks another one.
        self.check_access("write")
        self.jwks_uri = self._discovered().get("jwks_uri")
        try:
            # sudo: key sets have no access rights; an administrator may see what is published.
            keys = self.env["mcp.key.set"].sudo()._fetch(self.jwks_uri or "", internal=self.is_internal)
        except (FetchRefused, JwtRefused) as error:
            raise UserError(self.env._("The keys could not be read. %s", error)) from None
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._("%s keys found.", len(keys)),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    def _discovered(self) -> dict:
        """Return the provider's metadata (OpenID Connect Discovery, RFC 8414), which must name the same issuer."""
        parts = urlsplit(self.issuer)
        path = parts.path.rstrip("/")
        origin = f"https://{parts.netloc}"
        failures = []
        for url in (
            f"{origin}{path}/.well-known/openid-configuration",
            f"{origin}/.well-known/oauth-authorization-server{path}",
        ):
            try:
                data = self.env["mcp.egress"]._fetch_json(url, 65_536, internal=self.is_internal).data
            except FetchRefused as error:
                failures.append(f"{url}: {error}")
                continue
            if data.get("issuer") == self.issuer and isinstance(data.get("jwks_uri"), str):
                return data
            failures.append(self.env._("%s is of another issuer, or does not say where the keys are.", url))
        raise UserError(self.env._("The provider's settings could not be read.\n%s", "\n".join(failures)))

    def _pasted_keys(self) -> list[dict]:
        """:raises JwtRefused: they are no public keys"""
        return keys_from_text(self.jwks)

    def _email_domains(self) -> frozenset[str]:
        return frozenset(filter(None, re.split(r"[\s,@]+", (self.email_domains or "").lower())))
