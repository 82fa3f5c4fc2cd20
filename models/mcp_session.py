import hashlib
import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ..services.errors import InvalidParams
from ..services.exchange import Credential, Exchange
from .late_write import after_commit

# How stale "last seen" and the expiry may get; see `_note_use`.
SEEN_RESOLUTION = timedelta(minutes=5)
DEFAULT_IDLE_HOURS = 24
DEFAULT_RETENTION_DAYS = 90
PURGE_BATCH = 10_000
MAX_CAPABILITIES_BYTES = 16 * 1024
MAX_CLIENT_TEXT = 200


@dataclass(frozen=True)
class SessionState:
    """What `initialize` settled, as later requests need it."""

    id: int
    version: str
    client: dict
    capabilities: dict
    log_level: str | None
    last_seen: datetime


class McpSession(models.Model):
    _name = "mcp.session"
    _description = "MCP Client Session"
    _order = "last_seen desc, id desc"
    _rec_name = "client_name"

    digest = fields.Char(required=True, readonly=True, groups=fields.NO_ACCESS)
    user_id = fields.Many2one("res.users", required=True, readonly=True, index=True, ondelete="cascade")
    token_id = fields.Many2one("mcp.token", required=True, readonly=True, index=True, ondelete="cascade")
    protocol_version = fields.Char(string="Protocol", required=True, readonly=True)
    client_name = fields.Char(string="Client", readonly=True, help="As the client names itself; not verified.")
    client_version = fields.Char(readonly=True)
    capabilities = fields.Json(readonly=True)
    log_level = fields.Char(readonly=True)
    transport = fields.Char(required=True, readonly=True)
    ip = fields.Char(string="Address", readonly=True)
    last_seen = fields.Datetime(required=True, readonly=True, index=True, help="Accurate to about five minutes.")
    expires_at = fields.Datetime(string="Expires", required=True, readonly=True, index=True)
    ended_at = fields.Datetime(string="Ended", readonly=True)
    state = fields.Selection(
        [("open", "Open"), ("expired", "Expired"), ("ended", "Ended")],
        compute="_compute_state",
        search="_search_state",
    )

    # Rows of the log that are past their retention time, so that the number of calls outlives them.
    purged_calls = fields.Integer(readonly=True)

    _digest_unique = models.UniqueIndex("(digest)", "A session is stored once.")

    @api.depends("expires_at", "ended_at")
    def _compute_state(self):
        now = fields.Datetime.now()
        for session in self:
            if session.ended_at:
                session.state = "ended"
            else:
                session.state = "open" if session.expires_at and session.expires_at > now else "expired"

    def _search_state(self, operator, value):
        if operator != "in":
            return NotImplemented
        now = fields.Datetime.now()
        domains = {
            "ended": [("ended_at", "!=", False)],
            "expired": [("ended_at", "=", False), ("expires_at", "<=", now)],
            "open": [("ended_at", "=", False), ("expires_at", ">", now)],
        }
        return fields.Domain.OR(domains[state] for state in value if state in domains)

    @api.model
    def _new_key(self) -> str:
        """Return a new session id: 256 random bits, in visible ASCII."""
        return secrets.token_urlsafe(32)

    @api.model
    def _open(self, exchange: Exchange) -> None:
        """Store the session that an `initialize` opens, under `exchange.session_key`.

        :raises InvalidParams: capabilities larger than any client's
        """
        facts = self._facts(exchange)
        now = fields.Datetime.now()
        # sudo: users have no access to the model; the row is bound to the credential that made the request.
        self.sudo().create(
            {
                **facts,
                "digest": self._digest(exchange.session_key),
                "user_id": exchange.credential.user_id,
                "token_id": exchange.credential.token_id,
                "transport": exchange.transport,
                "ip": exchange.credential.ip,
                "last_seen": now,
                "expires_at": now + self._idle_life(),
            }
        )

    @api.model
    def _facts(self, exchange: Exchange) -> dict:
        """Return what an `initialize` settles. :raises InvalidParams: capabilities larger than any client's"""
        capabilities = dict(exchange.capabilities)
        if len(json.dumps(capabilities)) > MAX_CAPABILITIES_BYTES:
            raise InvalidParams(f'"capabilities" is larger than {MAX_CAPABILITIES_BYTES} bytes.')
        return {
            "protocol_version": exchange.version.name,
            "client_name": _client_text(exchange, "name"),
            "client_version": _client_text(exchange, "version"),
            "capabilities": capabilities,
        }

    @api.model
    def _find(self, key: str, credential: Credential) -> SessionState | None:
        """Return the open session with this key, None for an unknown, ended or expired one or another principal's."""
        # One indexed query, without the ORM: it runs before every call of a handshake client.
        self.env.cr.execute(
            SQL(
                """
                SELECT id, protocol_version, client_name, client_version, capabilities, log_level, last_seen
                  FROM mcp_session
                 WHERE digest = %s AND token_id = %s AND user_id = %s AND ended_at IS NULL AND expires_at > %s
                """,
                self._digest(key),
                credential.token_id,
                credential.user_id,
                fields.Datetime.now(),
            )
        )
        row = self.env.cr.fetchone()
        if row is None:
            return None
        session_id, version, name, client_version, capabilities, log_level, last_seen = row
        client = {"name": name, "version": client_version}
        state = SessionState(session_id, version, client, capabilities or {}, log_level, last_seen)
        self._note_use(state)
        return state

    @api.model
    def _end(self, key: str, credential: Credential) -> bool:
        """End the open session with this key; say whether there was one."""
        state = self._find(key, credential)
        if state is None:
            return False
        # sudo: `_find` has checked whose session it is.
        self.sudo().browse(state.id).ended_at = fields.Datetime.now()
        return True

    @api.model
    def _set_log_level(self, session_id: int, level: str) -> None:
        """Remember the least severe log message that a session wants."""
        # sudo: `_find` has checked whose session it is.
        self.sudo().browse(session_id).log_level = level

    @api.model
    def _note_use(self, state: SessionState) -> None:
        """Remember the use after this transaction, at most every few minutes."""
        now = fields.Datetime.now()
        if now - state.last_seen < SEEN_RESOLUTION:
            return
        query = SQL(
            """
            UPDATE mcp_session SET last_seen = %s, expires_at = %s
             WHERE id IN (SELECT id FROM mcp_session
                           WHERE id = %s AND last_seen < %s FOR NO KEY UPDATE SKIP LOCKED)
            """,
            now,
            now + self._idle_life(),
            state.id,
            now - SEEN_RESOLUTION,
        )
        after_commit(self.env, query)

    @api.model
    def _purge_expired(self) -> tuple[int, bool]:
        """Delete sessions that ended or expired longer ago than the retention time.

        :return: how many went, and whether more are left
        """
        # sudo: a system parameter; and only the system deletes sessions.
        days = self.env["ir.config_parameter"].sudo().get_param("mcp_endpoint.session_retention_days", "")
        limit = fields.Datetime.now() - timedelta(days=_positive(days, DEFAULT_RETENTION_DAYS))
        dead = fields.Domain("ended_at", "<", limit) | fields.Domain("expires_at", "<", limit)
        sessions = self.sudo().search(dead, order="id", limit=PURGE_BATCH)
        sessions.unlink()
        return len(sessions), len(sessions) == PURGE_BATCH

    @api.autovacuum
    def _gc_sessions(self):
        return self._purge_expired()

    @api.model
    def _idle_life(self) -> timedelta:
        # sudo: a system parameter that users may not read in general.
        hours = self.env["ir.config_parameter"].sudo().get_param("mcp_endpoint.session_hours", "")
        return timedelta(hours=_positive(hours, DEFAULT_IDLE_HOURS))

    @api.model
    def _digest(self, key: str) -> str:
        return hashlib.sha256(key.encode()).hexdigest()


def _positive(text: str, default: int) -> int:
    return int(text) if text.isdecimal() and int(text) > 0 else default


def _client_text(exchange: Exchange, name: str) -> str | None:
    value = exchange.client.get(name)
    return value[:MAX_CLIENT_TEXT] if isinstance(value, str) else None
