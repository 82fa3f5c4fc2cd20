from collections.abc import Iterable

from odoo import api, fields, models
from odoo.tools import SQL

from ..services.exchange import Credential
from ..services.versions import V2024_11_05
from .mcp_session import SessionState

TRANSPORT = "sse"


class McpSession(models.Model):
    """Connections of the first transport (HTTP+SSE): the session begins with the stream and ends with it, and whatever
    worker a message is posted to answers on the stream, through the outbox."""

    _inherit = "mcp.session"

    stream = fields.Char(readonly=True, groups=fields.NO_ACCESS)

    @api.model
    def _open_legacy(self, credential: Credential) -> tuple[str, int, str]:
        """Open the session of a new stream; return its key, its id, and its stream's name in the outbox."""
        key = self._new_key()
        now = fields.Datetime.now()
        # sudo: users have no access to the model; the row is bound to the credential that made the request.
        session = self.sudo().create(
            {
                "digest": self._digest(key),
                "user_id": credential.user_id,
                "token_id": credential.token_id,
                # Until `initialize` says otherwise.
                "protocol_version": V2024_11_05.name,
                "transport": TRANSPORT,
                "ip": credential.ip,
                "last_seen": now,
                "expires_at": now + self._idle_life(),
            }
        )
        session.stream = self.env["mcp.stream.event"]._new_stream(session.id)
        return key, session.id, session.stream

    @api.model
    def _find_legacy(self, key: str, credential: Credential) -> tuple[SessionState, str] | None:
        """Return the session that a message is posted to, and its stream's name."""
        state = self._find(key, credential)
        if state is None:
            return None
        self.env.cr.execute(SQL("SELECT stream FROM mcp_session WHERE id = %s", state.id))
        stream = self.env.cr.fetchone()[0]
        return (state, stream) if stream else None

    @api.model
    def _open(self, exchange) -> None:
        if exchange.transport != TRANSPORT:
            super()._open(exchange)
            return
        # sudo: whose session it is was checked when its message was taken.
        self.sudo().browse(exchange.session_id).write(self._facts(exchange))

    @api.model
    def _close(self, session_ids: Iterable[int]) -> None:
        """End the sessions of streams that are over."""
        self.env.cr.execute(
            SQL(
                "UPDATE mcp_session SET ended_at = %s WHERE id = ANY(%s) AND ended_at IS NULL",
                fields.Datetime.now(),
                list(session_ids),
            )
        )
