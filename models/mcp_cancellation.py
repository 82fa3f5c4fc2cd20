import json
import logging

import psycopg2
from odoo import api, fields, models, sql_db
from odoo.tools import SQL

from ..services.exchange import Exchange
from ..services.jsonrpc import MAX_ID_LENGTH
from ..services.running_calls import CallWatch, Place
from .late_write import after_commit

_logger = logging.getLogger(__name__)

# A worker looks for the cancellations of its running calls twice a second; no call is older than this.
KEPT_MINUTES = 30
MOST_PER_SESSION = 100
LONGEST_REASON = 200


class McpCancellation(models.Model):
    """What clients of the handshake era have cancelled, for the worker that runs it.

    The message arrives at any worker, in a transaction of its own. Under which id a client cancels is its session's
    affair: two sessions use the same ids.
    """

    _name = "mcp.cancellation"
    _description = "MCP Cancelled Call"
    _log_access = False

    session_id = fields.Many2one("mcp.session", required=True, readonly=True, ondelete="cascade")
    # As JSON text: 1 and "1" are different ids.
    request = fields.Char(required=True, readonly=True)
    reason = fields.Char(readonly=True)
    date = fields.Datetime(required=True, readonly=True)

    _session_request = models.Index("(session_id, request)")

    @api.model
    def _note(self, exchange: Exchange) -> None:
        """Take down what a `notifications/cancelled` says; what cannot be a running request is ignored."""
        place = place_of(self.env.cr.dbname, exchange.session_id, exchange.message.params.get("requestId"))
        if place is None:
            return
        reason = exchange.message.params.get("reason")
        now = fields.Datetime.now()
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO mcp_cancellation (session_id, request, reason, date)
                SELECT %(session)s, %(request)s, %(reason)s, %(now)s
                 WHERE (SELECT COUNT(*) FROM mcp_cancellation WHERE session_id = %(session)s) < %(most)s
                """,
                session=exchange.session_id,
                request=place[2],
                # As JSON text: no control characters and no invalid surrogates.
                reason=json.dumps(reason[:LONGEST_REASON])[1:-1] if isinstance(reason, str) else None,
                now=now,
                most=MOST_PER_SESSION,
            )
        )
        old = SQL(
            """
            DELETE FROM mcp_cancellation
             WHERE id IN (SELECT id FROM mcp_cancellation WHERE date < %s LIMIT 1000 FOR UPDATE SKIP LOCKED)
            """,
            fields.Datetime.subtract(now, minutes=KEPT_MINUTES),
        )
        after_commit(self.env, old)


def place_of(database: str, session_id: int | None, message_id: object) -> Place | None:
    """Return where a call of this session can be cancelled; None without a session, or for what is no request id."""
    if session_id is None or isinstance(message_id, bool) or not isinstance(message_id, (int, str)):
        return None
    text = json.dumps(message_id)
    return (database, session_id, text) if len(text) <= 6 * MAX_ID_LENGTH + 2 else None


def _posted(database: str, places: list[Place]) -> dict[Place, str]:
    """Return which of these calls were cancelled, and what to tell of it."""
    try:
        with sql_db.db_connect(database).cursor() as cr:
            cr.execute(
                SQL(
                    "SELECT session_id, request, reason FROM mcp_cancellation WHERE (session_id, request) IN %s",
                    tuple(place[1:] for place in places),
                ),
                log_exceptions=False,
            )
            rows = cr.fetchall()
    except psycopg2.Error:
        _logger.debug("Cannot look for cancelled calls now", exc_info=True)
        return {}
    return {(database, session, request): _told(reason) for session, request, reason in rows}


def _told(reason: str | None) -> str:
    because = f" ({reason})" if reason else ""
    return f"The client cancelled this call{because}. Nothing was changed."


call_watch = CallWatch(_posted)
