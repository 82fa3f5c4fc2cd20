import secrets

from odoo import api, fields, models
from odoo.tools import SQL

from ..services.oauth import redirect_uri, scopes
from ..services.oauth.errors import OAuthError
from .late_write import after_commit

DEFAULT_GRANTS = "authorization_code refresh_token"
# Secrets and ids use A-Z a-z 0-9 - _ alone: clients disagree whether to url-encode them in a Basic header.
ID_PREFIX = "omcp_ci_"


class McpOauthClient(models.Model):
    """An application that may ask users for access. Who authenticates it and how is in `oauth_client_auth`."""

    _name = "mcp.oauth.client"
    _description = "MCP Client"
    _inherit = ["mail.thread"]
    _order = "create_date desc, id desc"

    name = fields.Char(required=True, tracking=True)
    client_id = fields.Char(
        string="Client ID", required=True, readonly=True, copy=False, default=lambda self: self._new_id()
    )
    kind = fields.Selection(
        [
            ("dcr", "Registered itself"),
            ("cimd", "Publishes its metadata"),
            ("manual", "Added by an administrator"),
            ("machine", "Machine"),
        ],
        required=True,
        default="manual",
        help="A machine works as one fixed user; with all others, people log in and agree.",
    )
    redirect_uris = fields.Text(string="Redirect URIs", tracking=True, help="Where users are sent back. One per line.")
    auth_method = fields.Selection(
        [
            ("none", "None (public client)"),
            ("client_secret_basic", "Secret in the Authorization header"),
            ("client_secret_post", "Secret in the form"),
            ("private_key_jwt", "Signed assertion"),
        ],
        string="Authentication",
        required=True,
        default="none",
    )
    other_auth_methods = fields.Char(readonly=True, help="Further methods the application's metadata offers.")
    secret_digest = fields.Char(readonly=True, copy=False, groups=fields.NO_ACCESS)
    secret_hint = fields.Char(string="Secret", readonly=True, copy=False)
    grant_types = fields.Char(required=True, readonly=True, default=DEFAULT_GRANTS)
    scope = fields.Char(
        string="Highest Scopes", tracking=True, help="Separated by blanks. Empty: as far as the user and consent go."
    )
    client_uri = fields.Char(string="Web Site", readonly=True)
    jwks = fields.Json(readonly=True)
    jwks_uri = fields.Char(string="Address of Its Keys")
    application_type = fields.Char(readonly=True)
    active = fields.Boolean(default=True, tracking=True)
    blocked = fields.Boolean(readonly=True, tracking=True, copy=False)
    user_id = fields.Many2one(
        "res.users", string="Works As", ondelete="cascade", tracking=True, help="The user whose access rights apply."
    )
    profile_id = fields.Many2one(
        "mcp.profile",
        string="Access Profile",
        ondelete="restrict",
        tracking=True,
        help="Its limits hold for every connection of this application, besides the profile that its user chose.",
    )
    last_used_at = fields.Datetime(string="Last Use", readonly=True, copy=False, help="Last time it got a token.")
    metadata_digest = fields.Char(readonly=True, copy=False)

    _client_id_unique = models.UniqueIndex("(client_id)", "This client ID exists already.")

    @api.model
    def _new_id(self) -> str:
        return ID_PREFIX + secrets.token_urlsafe(24)

    @api.model
    def _get(self, client_id: str | None):
        """Return the client with this id, as superuser; one with a URL as its id only if it is known already.

        :raises OAuthError: `invalid_client`, 401: unknown or blocked, which is told apart for nobody
        """
        # sudo: clients are for administrators; a program proves here that it is one of them.
        client = self.sudo().search([("client_id", "=", client_id)], limit=1) if client_id else self
        if not client or client.blocked:
            raise OAuthError("invalid_client", "Unknown client. Register again.", 401)
        return client

    @api.model
    def _has_document_id(self, client_id: str) -> bool:
        """Say whether a client id is the address of a metadata document, see `_resolve_document`."""
        return client_id.startswith("https://")

    def _redirect_uris(self) -> list[str]:
        return (self.redirect_uris or "").split()

    def _accepts_redirect(self, uri: str | None) -> bool:
        """Say whether users may be sent back to `uri`."""
        return bool(uri) and any(redirect_uri.matches(known, uri) for known in self._redirect_uris())

    def _grant_types(self) -> tuple[str, ...]:
        return tuple(self.grant_types.split())

    def _auth_methods(self) -> tuple[str, ...]:
        """Return the ways in which this client may authenticate. Both ways of sending a secret are equally good."""
        methods = {self.auth_method, *(self.other_auth_methods or "").split()}
        if methods & {"client_secret_basic", "client_secret_post"}:
            methods |= {"client_secret_basic", "client_secret_post"}
        return tuple(sorted(methods))

    def _scope_ceiling(self) -> tuple[str, ...]:
        """Return what this client can be granted at most. What a client says of itself limits nothing: it could
        register anew. The user's consent and groups do."""
        if self.kind in ("dcr", "cimd") or not self.scope:
            return scopes.DEFAULT_SCOPES if self.kind == "machine" else tuple(scopes.LEVELS)
        return scopes.implied(scopes.parse(self.scope))

    def _note_use(self) -> None:
        """Remember, after this transaction, that the client got a token. Unused clients are purged."""
        self.ensure_one()
        after_commit(self.env, _use_query(self.id))


def _use_query(client_id: int) -> SQL:
    return SQL(
        """
        UPDATE mcp_oauth_client SET last_used_at = (now() AT TIME ZONE 'UTC')
         WHERE id IN (SELECT id FROM mcp_oauth_client
                       WHERE id = %s
                         AND (last_used_at IS NULL OR last_used_at < now() AT TIME ZONE 'UTC' - interval '5 minutes')
                         FOR NO KEY UPDATE SKIP LOCKED)
        """,
        client_id,
    )
