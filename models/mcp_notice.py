from collections.abc import Iterable

from odoo import api, models

TYPE = "mcp"
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
    def _send(self, topics: Iterable[str]) -> None:
        """Add topics to this transaction's notice.

        `stream:NAME`: the outbox has news for it; `tools`, `prompts`, `resources`: a list; the rest belongs to
        `services.topics`.
        """
        precommit = self.env.cr.precommit
        if _PENDING not in precommit.data:
            precommit.data[_PENDING] = set()
            precommit.add(self._send_pending)
        precommit.data[_PENDING].update(topics)

    def _send_pending(self) -> None:
        if topics := self.env.cr.precommit.data.pop(_PENDING, None):
            self.env["bus.bus"]._sendone(self._channel(), TYPE, sorted(topics))
