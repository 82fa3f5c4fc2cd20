from datetime import timedelta
from time import monotonic

import psycopg2
from odoo import api, fields, models
from odoo.exceptions import ConcurrencyError
from odoo.tools.lru import LRU

from ..services.oauth import client_document, known_clients
from ..services.oauth.errors import OAuthError
from ..services.oauth.registration import Registration
from ..services.safe_fetch import FetchRefused

SHORTEST, LONGEST = timedelta(minutes=5), timedelta(hours=24)
# How long a copy that could not be renewed may still be used, counted from when it was fetched.
STALE = timedelta(hours=24)
SNAPSHOT_LIFE = timedelta(minutes=30)
# An address that has just failed is not asked again for so long: seconds.
DAMPER = 30
# Documents of one host that no user has ever said yes to.
MOST_UNUSED_PER_HOST = 20

# (database, url): when and why. In memory: it only keeps one worker from hammering.
_failures = LRU(256)


class McpOauthClient(models.Model):
    """Applications whose id is the address of a document about them (client ID metadata documents)."""

    _inherit = "mcp.oauth.client"

    document_expires_at = fields.Datetime(string="Metadata Valid Until", readonly=True, copy=False)
    document_fetched_at = fields.Datetime(string="Metadata Fetched", readonly=True, copy=False)
    is_snapshot = fields.Boolean(
        string="From the Shipped Copy",
        readonly=True,
        copy=False,
        help="The vendor's document could not be fetched; the copy that comes with this app is used.",
    )

    @api.model
    def _resolve_document(self, url: str):
        """Return the client that the document at `url` describes, fetched anew where the copy here has expired.

        To be called when a user has logged in: it may ask another server and take up to 5 seconds.

        :raises OAuthError: not accepted; the description says why, fit for an administrator
        """
        host = client_document.host(url)
        # sudo: clients are for administrators; a user who connects one has logged in.
        client = self.sudo().with_context(active_test=False).search([("client_id", "=", url)], limit=1)
        if client and (client.blocked or not client.active):
            raise OAuthError("invalid_client", "An administrator has blocked this application.", 401)
        self._check_takes_document(host)
        now = fields.Datetime.now()
        if client and client.document_expires_at and client.document_expires_at > now:
            return client
        supported = self.env["mcp.oauth.server"]._auth_methods()
        try:
            data, max_age = self._fetch_document(url)
        except FetchRefused as error:
            return self._document_at_hand(client, url, str(error))
        told = client_document.parse(url, data, supported)
        life = min(max(timedelta(seconds=max_age or 0), SHORTEST), LONGEST)
        return self._keep_document(client, url, told, life, is_snapshot=False)

    @api.model
    def _takes_documents(self) -> bool:
        """Say whether applications may come with an address as their id."""
        server = self.env["mcp.oauth.server"]
        return server._is_on("cimd") and server._registration_is_open()

    @api.model
    def _check_takes_document(self, host: str) -> None:
        """:raises OAuthError: such ids are off, or this host is not on the administrator's list"""
        if not self._takes_documents():
            raise OAuthError("invalid_client", "This server takes no client ids that are addresses.", 401)
        allowed = self.env["mcp.oauth.server"]._parameter("cimd_hosts").lower().replace(",", " ").split()
        if allowed and host not in allowed:
            raise OAuthError("invalid_client", f"An administrator has not allowed applications of {host}.", 401)

    @api.model
    def _fetch_document(self, url: str) -> tuple[dict, int | None]:
        """:raises FetchRefused: also where it has failed a moment ago"""
        key = (self.env.cr.dbname, url)
        when, reason = _failures.get(key, (None, None))
        if when is not None and monotonic() - when < DAMPER:
            raise FetchRefused(reason)
        try:
            fetched = self.env["mcp.egress"]._fetch_json(url)
        except FetchRefused as error:
            _failures[key] = (monotonic(), str(error))
            raise
        return fetched.data, fetched.max_age

    def _document_at_hand(self, client, url: str, reason: str):
        """Return the client from its stored copy, or from the one that is shipped.

        :raises OAuthError: there is none
        """
        if client.document_fetched_at and client.document_fetched_at > fields.Datetime.now() - STALE:
            return client
        server = self.env["mcp.oauth.server"]
        snapshot = known_clients.SNAPSHOTS.get(url) if server._is_on("cimd_snapshots") else None
        if snapshot is None:
            raise OAuthError("invalid_client", f"The application's metadata could not be fetched: {reason}", 401)
        told = client_document.parse(url, snapshot, server._auth_methods())
        return self._keep_document(client, url, told, SNAPSHOT_LIFE, is_snapshot=True)

    def _keep_document(self, client, url: str, told: Registration, life: timedelta, *, is_snapshot: bool):
        """Store what a document says. Changed metadata has another digest, by which consents are remembered."""
        self._check_may_register(told)
        now = fields.Datetime.now()
        values = {"document_expires_at": now + life, "is_snapshot": is_snapshot}
        if not is_snapshot:
            values["document_fetched_at"] = now
        if client:
            changed = told.digest != client.metadata_digest
            client.write({**values, **(self._values_from(told) if changed else {})})
            return client
        self._check_room(url)
        try:
            with self.env.cr.savepoint():
                return self._create_from(told, kind="cimd", client_id=url, **values)
        except psycopg2.errors.UniqueViolation:
            # Another worker has just stored it, which this transaction cannot see: Odoo runs the request again.
            raise ConcurrencyError("The client has just been stored.") from None

    def _check_room(self, url: str) -> None:
        """:raises OAuthError: 429, a host invents documents"""
        prefix = f"https://{client_document.host(url)}/"
        unused = [("kind", "=", "cimd"), ("last_used_at", "=", False), ("client_id", "=like", f"{_literal(prefix)}%")]
        # sudo: clients are for administrators; they are counted only.
        if self.sudo().search_count(unused, limit=MOST_UNUSED_PER_HOST) >= MOST_UNUSED_PER_HOST:
            message = "Too many unused applications of this host. Try tomorrow."
            raise OAuthError("too_many_requests", message, 429, [("Retry-After", "86400")])


def _literal(text: str) -> str:
    return text.replace("\\", "\\\\").replace("_", "\\_").replace("%", "\\%")
