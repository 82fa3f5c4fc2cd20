from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..services.address_block import address_block
from ..services.oauth import known_clients
from ..services.oauth.errors import OAuthError
from ..services.oauth.registration import SECRET_METHODS, Registration, parse

# Registrations of an hour: from one sender, from one sender that are vendors' (who register for many users from few
# addresses), and from all.
PER_NETWORK, PER_NETWORK_VENDOR, IN_ALL = 60, 300, 1000
# Clients that never got a token, at any time: what keeps the table small between two purges.
MOST_UNUSED = 10_000
UNUSED_LIFE = timedelta(hours=72)
# Dead grants go with the audit log that names them; only then may their application go.
IDLE_LIFE = timedelta(days=90)
PURGE_BATCH = 500


class McpOauthClient(models.Model):
    """Applications that register themselves (RFC 7591)."""

    _inherit = "mcp.oauth.client"

    network = fields.Char(readonly=True, copy=False, groups=fields.NO_ACCESS)
    registered_at = fields.Datetime(string="Registered", readonly=True, copy=False, default=fields.Datetime.now)

    _unused = models.Index("(registered_at) WHERE last_used_at IS NULL")
    _metadata_index = models.Index("(metadata_digest) WHERE kind = 'dcr'")

    @api.model
    def _register_application(self, data: dict, address: str | None) -> dict:
        """Register an application and return what the answer to it says; a secret in it is shown this once.

        A public client that registers again gets the id that it has.

        :raises OAuthError: metadata that cannot be accepted, registration closed, or too many of them
        """
        server = self.env["mcp.oauth.server"]
        if not server._registration_is_open():
            raise OAuthError("access_denied", "Ask an administrator to add this application.", 403)
        told = parse(data, server._auth_methods())
        self._check_may_register(told)
        client = self._registered_before(told)
        secret = None
        if not client:
            network = address_block(address or "")
            self._check_quota(network, told)
            secret = self._make_secret() if told.auth_methods[0] in SECRET_METHODS else None
            client = self._create_from(told, kind="dcr", network=network, **self._secret_values(secret))
        answer = {**told.as_dict(), "client_id": client.client_id}
        answer["client_id_issued_at"] = int(client.create_date.timestamp())
        return answer | ({"client_secret": secret, "client_secret_expires_at": 0} if secret else {})

    @api.model
    def _check_may_register(self, told: Registration) -> None:
        """:raises OAuthError: the mode `known` is on and this application would send users elsewhere"""
        server = self.env["mcp.oauth.server"]
        if server._registration_mode() != "known":
            return
        more = server._parameter("known_redirects").replace(",", " ").split()
        unknown = [uri for uri in told.redirect_uris if not known_clients.is_known(uri, more)]
        if unknown:
            message = "This server takes well-known applications only. Ask an administrator to add yours."
            raise OAuthError("access_denied", f"{message} Unknown: {unknown[0][:200]}", 403)

    def _registered_before(self, told: Registration):
        """Return the public client with the same metadata, so that one that registers at each start fills no table.

        :raises OAuthError: `access_denied`, an administrator has blocked it
        """
        # sudo: clients are for administrators; a public client's id is no secret.
        clients = self.sudo()
        if told.auth_methods != ("none",):
            return clients
        same = Domain("kind", "=", "dcr") & Domain("metadata_digest", "=", told.digest)
        client = clients.search(same & Domain("auth_method", "=", "none"), limit=1)
        if client.blocked:
            raise OAuthError("access_denied", "An administrator has blocked this application.", 403)
        if client and not client.last_used_at and client.registered_at < fields.Datetime.now() - timedelta(hours=1):
            # It is alive: the purge counts from now.
            client.registered_at = fields.Datetime.now()
        return client

    @api.model
    def _check_quota(self, network: str, told: Registration) -> None:
        """:raises OAuthError: 429, too many registrations"""
        hour_ago = fields.Datetime.now() - timedelta(hours=1)
        self.env.cr.execute(
            SQL(
                """
                SELECT count(*) FILTER (WHERE registered_at > %s),
                       count(*) FILTER (WHERE registered_at > %s AND network = %s),
                       count(*) FILTER (WHERE last_used_at IS NULL)
                  FROM mcp_oauth_client
                 WHERE kind = 'dcr' AND (registered_at > %s OR last_used_at IS NULL)
                """,
                hour_ago,
                hour_ago,
                network,
                hour_ago,
            )
        )
        in_all, of_network, unused = self.env.cr.fetchone()
        is_vendor = all(uri in known_clients.REDIRECT_URIS for uri in told.redirect_uris)
        most = PER_NETWORK_VENDOR if is_vendor else PER_NETWORK
        if in_all >= IN_ALL or of_network >= most or unused >= MOST_UNUSED:
            raise OAuthError("too_many_requests", "Too many registrations. Try later.", 429, [("Retry-After", "3600")])

    @api.model
    def _create_from(self, told: Registration, **values):
        """Create a client from what it says of itself; nobody is told and nothing is tracked."""
        self.env["mcp.oauth.server"]._keep_issuer()
        # sudo: clients are for administrators; what may be registered was checked before.
        clients = self.sudo()
        quiet = clients.with_context(tracking_disable=True, mail_create_nosubscribe=True, mail_create_nolog=True)
        return clients.browse(quiet.create({**self._values_from(told), **values}).id)

    @api.model
    def _values_from(self, told: Registration) -> dict:
        return {
            "name": told.name,
            "redirect_uris": "\n".join(told.redirect_uris),
            "auth_method": told.auth_methods[0],
            "other_auth_methods": " ".join(told.auth_methods[1:]),
            "scope": told.scope,
            "client_uri": told.client_uri,
            "application_type": told.application_type,
            "jwks": told.jwks,
            "jwks_uri": told.jwks_uri,
            "metadata_digest": told.digest,
        }

    @api.autovacuum
    def _gc_unused(self):
        """Delete applications that introduced themselves and never got a token, or none for long, and hold no grant.

        One that comes back learns from `invalid_client` that it has to register again.
        """
        now = fields.Datetime.now()
        query = SQL(
            """
            SELECT c.id FROM mcp_oauth_client c
             WHERE c.kind IN ('dcr', 'cimd') AND c.blocked IS NOT TRUE
               AND (c.registered_at < %s AND c.last_used_at IS NULL OR c.last_used_at < %s)
               AND NOT EXISTS (SELECT FROM mcp_token t WHERE t.oauth_client_id = c.id)
             ORDER BY c.id LIMIT %s
            """,
            now - UNUSED_LIFE,
            now - IDLE_LIFE,
            PURGE_BATCH,
        )
        self.env.flush_all()
        self.env.cr.execute(query)
        clients = self.browse(row[0] for row in self.env.cr.fetchall())
        clients.unlink()
        return len(clients), len(clients) == PURGE_BATCH
