from odoo import api, fields, models
from odoo.addons.base.models.res_users import check_identity
from odoo.exceptions import ValidationError

from ..services import secret_tokens
from ..services.oauth import redirect_uri, scopes
from ..services.oauth.errors import OAuthError
from ..services.oauth.registration import SECRET_METHODS
from .mcp_oauth_server import MACHINE_GRANT


class McpOauthClient(models.Model):
    """What administrators do with clients: add them, give them a secret, block them."""

    _inherit = "mcp.oauth.client"

    has_secret = fields.Boolean(compute="_compute_has_secret")
    redirect_hosts = fields.Char(string="Sends Users To", compute="_compute_redirect_hosts")
    connection_count = fields.Integer(string="Connections", compute="_compute_connection_count")
    warning = fields.Char(compute="_compute_warning")

    @api.depends("secret_hint")
    def _compute_has_secret(self):
        for client in self:
            client.has_secret = bool(client.secret_hint)

    @api.depends("redirect_uris")
    def _compute_redirect_hosts(self):
        for client in self:
            hosts = (
                self.env._("this computer") if redirect_uri.kind(uri) == "loopback" else redirect_uri.host(uri)
                for uri in client._redirect_uris()
            )
            client.redirect_hosts = ", ".join(dict.fromkeys(hosts))

    def _compute_connection_count(self):
        grants = self.env["mcp.token"]._read_group(
            [("oauth_client_id", "in", self.ids), ("state", "=", "active")], ["oauth_client_id"], ["__count"]
        )
        counts = {client.id: count for client, count in grants}
        for client in self:
            client.connection_count = counts.get(client.id, 0)

    @api.depends("kind", "auth_method", "secret_hint", "is_snapshot", "blocked")
    def _compute_warning(self):
        for client in self:
            needs_secret = client.auth_method in SECRET_METHODS and not client.secret_hint
            if needs_secret and client.kind in ("manual", "machine"):
                client.warning = self.env._("It has no secret yet and cannot connect. Press “New secret”.")
            elif client.is_snapshot:
                client.warning = self.env._("The vendor's metadata could not be fetched; a shipped copy is used.")
            else:
                client.warning = False

    @api.onchange("kind")
    def _onchange_kind(self):
        if self.kind == "machine":
            self.auth_method = "client_secret_basic"
            self.redirect_uris = False
            if not self.env.user.has_group("base.group_system"):
                # The only one possible; see `_check_may_give_rights`.
                self.user_id = self.env.user

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            if vals.get("kind") == "machine":
                vals["grant_types"] = MACHINE_GRANT
        clients = super().create(vals_list)
        if any(client.kind in ("manual", "machine") for client in clients):
            self.env["mcp.oauth.server"]._keep_issuer()
        return clients

    @api.constrains("kind", "redirect_uris")
    def _check_redirect_uris(self):
        for client in self.filtered(lambda client: client.kind == "manual"):
            uris = client._redirect_uris()
            if not uris:
                raise ValidationError(self.env._("“%s” needs a redirect URI: ask its vendor for it.", client.name))
            for uri in uris:
                try:
                    redirect_uri.check(uri)
                except OAuthError as error:
                    raise ValidationError(error.description) from error

    @api.constrains("kind", "user_id", "auth_method", "active")
    def _check_machine(self):
        for client in self:
            if client.kind != "machine":
                if client.user_id:
                    raise ValidationError(self.env._("Only a machine works as a fixed user."))
                continue
            if not client.user_id or not client.profile_id:
                raise ValidationError(self.env._("A machine needs a user to work as, and an access profile."))
            if client.auth_method == "none":
                raise ValidationError(self.env._("A machine has to authenticate: choose a secret or a signature."))
            if not client.user_id._may_use_mcp():
                raise ValidationError(
                    self.env._("%s may not connect assistants; choose another user.", client.user_id.name)
                )

    @api.constrains("kind", "auth_method", "jwks", "jwks_uri")
    def _check_auth_method(self):
        for client in self.filtered(lambda client: client.kind in ("manual", "machine")):
            if client.auth_method not in self.env["mcp.oauth.server"]._auth_methods():
                raise ValidationError(self.env._("Signed assertions need the Python package PyJWT on this server."))
            has_keys = client.jwks or (client.jwks_uri or "").startswith("https://")
            if client.auth_method == "private_key_jwt" and not has_keys:
                raise ValidationError(
                    self.env._("Signatures are checked with keys: paste the public key, or say at which https address.")
                )

    @api.constrains("scope")
    def _check_scope(self):
        for client in self.filtered(lambda client: client.kind in ("manual", "machine")):
            unknown = set((client.scope or "").split()) - scopes.LEVELS.keys()
            if unknown:
                known = ", ".join(scopes.LEVELS)
                message = self.env._("There is no scope %(name)s, only %(known)s.", name=min(unknown), known=known)
                raise ValidationError(message)

    @api.model
    def _make_secret(self) -> str:
        return secret_tokens.new_token(secret_tokens.CLIENT_SECRET_PREFIX)

    @api.model
    def _secret_values(self, secret: str | None) -> dict:
        if not secret:
            return {}
        return {"secret_digest": self.env["mcp.token"]._digest(secret), "secret_hint": secret_tokens.hint(secret)}

    @check_identity
    def action_new_secret(self):
        """Button *New secret*: replace the secret and show the new one, once."""
        self.ensure_one()
        self.check_access("write")
        self._check_may_give_rights()
        if self.kind not in ("manual", "machine") or self.auth_method not in SECRET_METHODS:
            raise ValidationError(self.env._("This application has no secret that you could replace."))
        secret = self._make_secret()
        # sudo: the digest is closed to everybody; write access to the client was checked above.
        self.sudo().write(self._secret_values(secret))
        self.message_post(body=self.env._("New secret %s", self.secret_hint))
        return {
            "type": "ir.actions.act_window",
            "res_model": "mcp.oauth.secret.show",
            "name": self.env._("Your new secret"),
            "views": [(False, "form")],
            "target": "new",
            "context": self._shown_once(secret),
        }

    def _shown_once(self, secret: str) -> dict:
        server = self.env["mcp.oauth.server"]
        return {
            "default_client_id": self.client_id,
            "default_secret": secret,
            "default_authorize_url": server._url("authorize") if self.kind == "manual" else False,
            "default_token_url": server._url("token"),
        }

    def action_block(self):
        """Button *Block*: from the next request on its tokens are refused and it gets no new ones."""
        self.blocked = True

    def action_unblock(self):
        """Button *Unblock*: its tokens work again."""
        self.blocked = False
