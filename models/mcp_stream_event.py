import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL
from odoo.tools import hmac as odoo_hmac
from odoo.tools.json import json_default

from ..services import jsonrpc

DEFAULT_MINUTES = 60
PURGE_BATCH = 10_000
NAME_BYTES = 8
MAC_LENGTH = 16
LONGEST_EVENT_ID = 80


@dataclass(frozen=True)
class StoredEvents:
    """What a stream holds after some event: ids with their JSON, and whether no more will come."""

    events: tuple[tuple[str, bytes], ...]
    is_finished: bool


class McpStreamEvent(models.Model):
    """The outbox of event streams: messages for one client, kept until they are fetched or too old.

    Whoever has something to say writes it here, in whatever worker; who holds the client's stream is woken when the
    transaction is committed. Event ids are `<stream>_<row>`, `<stream>_0` is the beginning.
    """

    _name = "mcp.stream.event"
    _description = "MCP Stream Event"
    _order = "id"

    session_id = fields.Many2one("mcp.session", required=True, readonly=True, index=True, ondelete="cascade")
    stream = fields.Char(required=True, readonly=True)
    payload = fields.Text(readonly=True, help="JSON-RPC. Empty: no more will come.", groups=fields.NO_ACCESS)

    _by_stream = models.Index("(stream, id)")
    _by_age = models.Index("(create_date)")

    @api.model
    def _new_stream(self, session_id: int) -> str:
        """Return the name of a new stream of a session. Nothing is stored before its first event."""
        name = secrets.token_hex(NAME_BYTES)
        return name + self._mac(name, session_id)

    @api.model
    def _standalone(self, session_id: int) -> str:
        """Return the name of the session's own stream, of change notices. It is not stored here, but on the bus."""
        name = "0" * 2 * NAME_BYTES
        return name + self._mac(name, session_id)

    @api.model
    def _append(self, stream: str, session_id: int, payload: dict) -> str:
        """Store a message for a stream and return its event id. Whoever holds the stream is woken at the commit.

        Transactions that append to the same stream wait for each other from here to their end: do it last.
        """
        return self._store(stream, session_id, jsonrpc.dump(payload, json_default).decode())

    @api.model
    def _finish(self, stream: str, session_id: int) -> None:
        """Say that no more will come."""
        self._store(stream, session_id, None)

    @api.model
    def _after(self, event_id: str, session_id: int) -> list[tuple[str, dict]]:
        """Return what followed an event on its stream, with event ids.

        :raises ValueError: it is no event id of this session
        """
        return [(found, json.loads(data)) for found, data in self._stored(event_id, session_id).events]

    @api.model
    def _stored(self, event_id: str, session_id: int) -> StoredEvents:
        """Return what followed an event on its stream, as it is sent. :raises ValueError: as `_after`"""
        stream, last = self._parsed(event_id, session_id)
        self.env.cr.execute(
            SQL("SELECT id, payload FROM mcp_stream_event WHERE stream = %s AND id > %s ORDER BY id", stream, last)
        )
        rows = self.env.cr.fetchall()
        events = tuple((f"{stream}_{row_id}", payload.encode()) for row_id, payload in rows if payload is not None)
        return StoredEvents(events, any(payload is None for _row_id, payload in rows))

    @api.model
    def _parsed(self, event_id: str, session_id: int) -> tuple[str, int]:
        """Return the stream and the row that an event id names. :raises ValueError: it is none of this session's"""
        stream, _mark, last = event_id[:LONGEST_EVENT_ID].rpartition("_")
        name, mac = stream[: 2 * NAME_BYTES], stream[2 * NAME_BYTES :]
        if not hmac.compare_digest(mac.encode(), self._mac(name, session_id).encode()):
            raise ValueError("The event id belongs to no stream of this session.")
        if not (last.isascii() and last.isdecimal() and len(last) < 19):
            raise ValueError("The event id has no number.")
        return stream, int(last)

    def _store(self, stream: str, session_id: int, payload: str | None) -> str:
        # Rows of a stream become visible in the order of their ids: a reader that has seen one has seen all before.
        self.env.cr.execute(SQL("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", f"mcp_endpoint.{stream}"))
        # sudo: nobody has access to the model; whose session it is was checked by whoever holds its id.
        row = self.sudo().create({"session_id": session_id, "stream": stream, "payload": payload})
        self.env["mcp.notice"]._send([f"stream:{stream}"])
        return f"{stream}_{row.id}"

    def _mac(self, name: str, session_id: int) -> str:
        # sudo: derives a key from the database's secret; the secret itself stays inside.
        key = odoo_hmac(self.env(su=True), "mcp_endpoint.stream", "name")
        return hmac.new(key.encode(), f"{name}:{session_id}".encode(), hashlib.sha256).hexdigest()[:MAC_LENGTH]

    @api.autovacuum
    def _gc_stream_events(self):
        limit = fields.Datetime.now() - self._kept_for()
        self.env.cr.execute(
            SQL(
                """
                DELETE FROM mcp_stream_event
                 WHERE id IN (SELECT id FROM mcp_stream_event WHERE create_date < %s ORDER BY create_date LIMIT %s)
                """,
                limit,
                PURGE_BATCH,
            )
        )
        return self.env.cr.rowcount, self.env.cr.rowcount == PURGE_BATCH

    @api.model
    def _kept_for(self) -> timedelta:
        # sudo: a system parameter that users may not read in general.
        minutes = self.env["ir.config_parameter"].sudo().get_param("mcp_endpoint.event_minutes", "")
        return timedelta(minutes=int(minutes) if minutes.isdecimal() and int(minutes) else DEFAULT_MINUTES)
