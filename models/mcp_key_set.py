import logging
import time
from datetime import timedelta

import psycopg2
import psycopg2.extras
from odoo import api, fields, models
from odoo.tools import SQL

from ..services import jwt_check
from ..services.jwt_check import JwtRefused
from ..services.safe_fetch import FetchRefused
from .retention import purge

_logger = logging.getLogger(__name__)

MAX_SIZE = 65_536
FRESH = timedelta(seconds=300)
# Tokens with made-up key ids must not make this server call theirs all the time.
COOLDOWN = timedelta(seconds=30)
# Seconds that a worker waits for another one to fetch the first keys: as long as fetching may take.
LONGEST_WAIT = 5
# With keys older than this nothing is accepted: a withdrawn key has to go at last.
LONGEST_USE = timedelta(hours=24)
KEPT_DAYS = 7


class McpKeySet(models.Model):
    """Public keys that others publish at an address, kept for all workers.

    Fetching happens outside every transaction that holds a lock: who fetches is settled, then fetched, then stored,
    each for itself. Meanwhile the others go on with the keys that are known.
    """

    _name = "mcp.key.set"
    _description = "MCP Published Keys"
    _log_access = False
    _rec_name = "uri"

    uri = fields.Char(required=True, readonly=True)
    keys = fields.Json(readonly=True)
    attempted_at = fields.Datetime(readonly=True, index=True)
    fetched_at = fields.Datetime(readonly=True)
    failure = fields.Char(readonly=True)

    _uri_unique = models.UniqueIndex("(uri)", "Keys are kept once for each address.")

    @api.model
    def _keys(self, uri: str, kid: str | None, *, internal: bool = False) -> list[dict]:
        """Return the keys published at `uri`, fetched anew if they are old or do not have `kid`.

        :param internal: see `mcp.egress._fetch_json`
        :return: what is known, empty if nothing is
        """
        now = fields.Datetime.now()
        self.env.cr.execute(SQL("SELECT keys, fetched_at, attempted_at FROM mcp_key_set WHERE uri = %s", uri))
        keys, fetched_at, attempted_at = self.env.cr.fetchone() or (None, None, None)
        known = keys if keys and fetched_at > now - LONGEST_USE else []
        has_key = kid is None or any(key.get("kid") == kid for key in known)
        if known and has_key and fetched_at > now - FRESH:
            return known
        if attempted_at and attempted_at > now - COOLDOWN or not self._claim(uri):
            return known or self._awaited(uri)
        try:
            return self._fetch(uri, internal=internal)
        except (FetchRefused, JwtRefused) as error:
            _logger.warning("MCP Server: the keys at %s could not be fetched: %s", uri, error)
            return known

    @api.model
    def _fetch(self, uri: str, *, internal: bool = False) -> list[dict]:
        """Fetch the keys at `uri`, keep and return them.

        :raises FetchRefused, JwtRefused: they were not to be had, which is kept as well
        """
        try:
            keys = jwt_check.public_keys(self.env["mcp.egress"]._fetch_json(uri, MAX_SIZE, internal=internal).data)
        except (FetchRefused, JwtRefused) as error:
            self._store(uri, {"failure": str(error)})
            raise
        self._store(uri, {"keys": keys, "failure": None})
        return keys

    def _awaited(self, uri: str) -> list[dict]:
        """Return the first keys of an address, which another worker is fetching just now."""
        until = time.monotonic() + LONGEST_WAIT
        while True:
            # On a cursor of its own: the request's transaction does not see what is stored meanwhile.
            with self.env.registry.cursor() as cr:
                cr.execute(SQL("SELECT keys, failure, fetched_at < attempted_at FROM mcp_key_set WHERE uri = %s", uri))
                keys, failure, is_old = cr.fetchone() or (None, None, None)
            if keys and not is_old:
                return keys
            if failure or time.monotonic() > until:
                return []
            time.sleep(0.1)

    def _claim(self, uri: str) -> bool:
        """Say whether it is this worker's turn to fetch. Only one of all workers is told so in `COOLDOWN`."""
        now = fields.Datetime.now()
        try:
            with self.env.registry.cursor() as cr:
                cr.execute(
                    SQL(
                        """
                        INSERT INTO mcp_key_set AS known (uri, attempted_at) VALUES (%s, %s)
                        ON CONFLICT (uri) DO UPDATE SET attempted_at = EXCLUDED.attempted_at, failure = NULL
                              WHERE known.attempted_at IS NULL OR known.attempted_at <= %s
                          RETURNING id
                        """,
                        uri,
                        now,
                        now - COOLDOWN,
                    )
                )
                return bool(cr.fetchone())
        except psycopg2.errors.SerializationFailure:
            # Another worker was told so at the same moment.
            return False

    def _store(self, uri: str, values: dict) -> None:
        now = fields.Datetime.now()
        values = {"attempted_at": now, **values}
        if "keys" in values:
            values |= {"keys": psycopg2.extras.Json(values["keys"]), "fetched_at": now}
        names = SQL(", ").join(map(SQL.identifier, values))
        assigned = SQL(", ").join(SQL("%s = EXCLUDED.%s", *[SQL.identifier(name)] * 2) for name in values)
        try:
            with self.env.registry.cursor() as cr:
                cr.execute(
                    SQL(
                        "INSERT INTO mcp_key_set (uri, %s) VALUES (%s, %s) ON CONFLICT (uri) DO UPDATE SET %s",
                        names,
                        uri,
                        SQL(", ").join(SQL("%s", value) for value in values.values()),
                        assigned,
                    )
                )
        except psycopg2.errors.SerializationFailure:
            # Another worker has stored its own at the same moment.
            return

    @api.autovacuum
    def _gc_unused(self):
        """Delete the keys that nobody has needed for a week."""
        return purge(self, SQL("attempted_at < %s", fields.Datetime.now() - timedelta(days=KEPT_DAYS)))
