import json
from collections.abc import Iterable

from odoo import api, models
from odoo.tools import SQL

from ..services import topics

TYPE = "mcp"
# A client that has missed more is told that everything may be another.
MOST_MISSED = 1000
_PENDING = "mcp_endpoint.topics"


class McpNotice(models.AbstractModel):
    """Tells every process with open streams what has changed, once this transaction is committed.

    A notice names topics, never contents: what is sent to whom is decided where it is delivered, with the rights of
    that moment. Odoo's bus carries it; a rolled back savepoint takes its topics back.
    """

    _name = "mcp.notice"
    _description = "MCP Change Notice"

    @api.model
    def _channel(self) -> tuple[str, str, str]:
        """Return the bus channel. Browsers subscribe to strings only, and so never to this."""
        return self.env.cr.dbname, "mcp_endpoint", "notices"

    @api.model
    def _send(self, names: Iterable[str]) -> None:
        """Add topics to this transaction's notice.

        :param names: see `services.topics`
        """
        precommit = self.env.cr.precommit
        if _PENDING not in precommit.data:
            precommit.data[_PENDING] = set()
            precommit.add(self._send_pending)
        precommit.data[_PENDING].update(names)

    def _send_pending(self) -> None:
        if found := self.env.cr.precommit.data.pop(_PENDING, None):
            self.env["bus.bus"]._sendone(self._channel(), TYPE, sorted(topics.merged(found)))

    @api.model
    def _after(self, notice_id: int, limit: int | None = None) -> list[tuple[int, list[str]]]:
        """Return the notices with a higher id than this one, with their topics."""
        channel = json.dumps(self._channel(), separators=(",", ":"))
        self.env.cr.execute(
            SQL(
                "SELECT id, message FROM bus_bus WHERE id > %s AND channel = %s ORDER BY id LIMIT %s",
                notice_id,
                channel,
                limit,
            )
        )
        return [(row_id, json.loads(message)["payload"]) for row_id, message in self.env.cr.fetchall()]

    @api.model
    def _missed(self, notice_id: int) -> frozenset[str] | None:
        """Return the topics of all notices since this one, None where they are not known any more."""
        self.env.cr.execute("SELECT MIN(id) FROM bus_bus")
        oldest = self.env.cr.fetchone()[0]
        found = self._after(notice_id, MOST_MISSED)
        if oldest is None or notice_id < oldest - 1 or len(found) == MOST_MISSED:
            return None
        return frozenset(topic for _id, names in found for topic in names)
