import dataclasses
import re
import secrets
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ..services.address_block import address_block
from ..services.oauth import authorization, client_document
from ..services.oauth.authorization import Asked, Parameters, RequestRefused, RequestReturned
from ..services.oauth.errors import OAuthError
from ..services.oauth.pages import Elsewhere
from .retention import purge

LIFE = timedelta(minutes=10)
KEY = re.compile(r"[A-Za-z0-9_-]{32}")
# Requests that nobody has answered yet. One network (an office behind one address) pushes out its own oldest ones;
# the bound in all keeps a flood from many networks from filling the disk.
MOST_PER_NETWORK = 300
MOST_IN_ALL = 20_000
# Cleared on the way by each new request, so that the table stays small between two nightly purges.
CLEARED_ON_THE_WAY = 50


class McpOauthRequest(models.Model):
    """An authorization request that waits for a person to log in and answer.

    It is stored because a long query string does not survive two-factor, provider and sign-up logins; a short local
    path does. It holds what was asked, not what was found: everything is checked again at every step.
    """

    _name = "mcp.oauth.request"
    _description = "MCP Authorization Request"
    _log_access = False

    key = fields.Char(required=True)
    parameters = fields.Json(required=True)
    network = fields.Char(required=True)
    expires_at = fields.Datetime(required=True)
    decision = fields.Selection([("allow", "Allow"), ("deny", "Deny")])
    decided_at = fields.Datetime()
    user_id = fields.Many2one("res.users", ondelete="cascade", help="Who has decided.")
    profile_id = fields.Many2one("mcp.profile", ondelete="cascade")
    scope = fields.Char(help="What was granted.")

    _key_unique = models.UniqueIndex("(key)", "A request is stored once.")
    _expiry_index = models.Index("(expires_at)")
    _network_index = models.Index("(network, id)")

    @api.model
    def _receive(self, parameters: Parameters, address: str | None) -> Elsewhere:
        """Check a request as far as it can be checked before somebody is logged in, and store it.

        :return: the path on which the user goes on, or the client's redirect URI with an error
        :raises OAuthError: the client or its redirect URI is not known, so that nothing may be sent there
        """
        if not self.env["mcp.oauth.server"]._is_enabled():
            raise RequestRefused("disabled", "Connecting applications by OAuth is switched off.", "access_denied", 403)
        if not parameters.client_id:
            raise RequestRefused("client", "The parameter client_id is missing.")
        if client := self._known_client(parameters):
            try:
                self._check(parameters, client)
            except RequestReturned as error:
                return self._returned(parameters, error)
        key = self._store(parameters, address_block(address or ""))
        return Elsewhere(self._path("authorize/continue", key))

    @api.model
    def _known_client(self, parameters: Parameters):
        """Return the client if it can be told without a look at its document: that is for those who are logged in.

        :raises OAuthError: it is no client of ours
        """
        clients = self.env["mcp.oauth.client"]
        if not clients._has_document_id(parameters.client_id):
            return clients._get(parameters.client_id)
        client_document.host(parameters.client_id)
        # sudo: clients are for administrators; what is read here is not shown.
        known = clients.sudo().search([("client_id", "=", parameters.client_id), ("blocked", "=", False)])
        # With a redirect URI that it does not have, the copy may be older than its document.
        return known.filtered(lambda client: client._accepts_redirect(parameters.redirect_uri))

    def _client(self, parameters: Parameters):
        """Return the client, by a look at its document if need be; see `_known_client` for what it raises."""
        clients = self.env["mcp.oauth.client"]
        if clients._has_document_id(parameters.client_id):
            return clients._resolve_document(parameters.client_id)
        return clients._get(parameters.client_id)

    @api.model
    def _check(self, parameters: Parameters, client) -> Asked:
        """Check everything that does not depend on who answers.

        :raises RequestRefused: the redirect URI is not this client's
        :raises RequestReturned: the client has asked for something it cannot have
        """
        server = self.env["mcp.oauth.server"]
        authorization.check_redirect(parameters.redirect_uri, client._accepts_redirect)
        if "authorization_code" not in client._grant_types():
            raise RequestReturned("unauthorized_client", "This client may not ask users for access.")
        asked = authorization.check(parameters, server._canonical_resource, server._resource())
        if "none" in parameters.prompt.split():
            # We never answer without asking, and without a prompt we cannot ask.
            if self.env.user._is_public():
                raise RequestReturned("login_required", "The user has to log in.")
            raise RequestReturned("consent_required", "The user has to be asked.")
        return asked

    @api.model
    def _path(self, page: str, key: str) -> str:
        return f"{self.env['mcp.oauth.server']._path(page)}?rid={key}"

    @api.model
    def _returned(self, parameters: Parameters, error: OAuthError) -> Elsewhere:
        return Elsewhere(self._answer_url(parameters, error=error.code, error_description=error.description))

    @api.model
    def _answer_url(self, parameters: Parameters, **answer: str) -> str:
        issuer = self.env["mcp.oauth.server"]._issuer()
        return authorization.answer_url(parameters.redirect_uri, parameters.state, issuer, **answer)

    @api.model
    def _store(self, parameters: Parameters, network: str) -> str:
        """Store a request and return its key."""
        # sudo: nobody is logged in yet, and nobody has rights on the model; the key returned is what opens the row.
        requests = self.sudo()
        requests._make_room(network)
        key = secrets.token_urlsafe(24)
        requests.create(
            {
                "key": key,
                "parameters": dataclasses.asdict(parameters),
                "network": network,
                "expires_at": fields.Datetime.now() + LIFE,
            }
        )
        return key

    def _make_room(self, network: str) -> None:
        now = fields.Datetime.now()
        for superfluous in (
            SQL("expires_at < %s ORDER BY expires_at LIMIT %s", now, CLEARED_ON_THE_WAY),
            SQL("network = %s AND decision IS NULL ORDER BY id DESC OFFSET %s", network, MOST_PER_NETWORK - 1),
        ):
            self.env.cr.execute(
                SQL(
                    """
                    DELETE FROM mcp_oauth_request
                     WHERE id IN (SELECT id FROM mcp_oauth_request WHERE %s FOR UPDATE SKIP LOCKED)
                    """,
                    superfluous,
                )
            )
        self.env.cr.execute(SQL("SELECT count(*) FROM mcp_oauth_request WHERE expires_at >= %s", now))
        if self.env.cr.fetchone()[0] >= MOST_IN_ALL:
            raise RequestRefused("busy", "Too many open requests.", "temporarily_unavailable", 503)

    @api.model
    def _opened(self, key: str):
        """Return the request with this key, as superuser.

        :raises RequestRefused: there is none, or its time is up
        """
        # sudo: nobody has rights on the model; the key, 192 bits of randomness, is what opens a row.
        requests = self.sudo()
        found = requests
        if KEY.fullmatch(key):
            found = requests.search([("key", "=", key), ("expires_at", ">", fields.Datetime.now())], limit=1)
        if not found:
            raise RequestRefused("expired", "The request is not known, or its time is up.", status=410)
        return found

    def _asked(self) -> Parameters:
        stored = self.parameters
        return Parameters(**{**stored, "resource": tuple(stored["resource"])})

    @api.autovacuum
    def _gc_requests(self):
        return purge(self, SQL("expires_at < %s", fields.Datetime.now()))
