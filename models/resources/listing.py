"""What the methods of resources, prompts and completions have in common: pages, the call they read through, its row."""

import time
from collections.abc import Callable, Sequence

from odoo import models

from ...services import cursors, downgrade
from ...services.errors import InvalidParams, NeedsInput, ProtocolError
from ...services.exchange import Exchange
from ...services.tool import ToolSpec
from .. import call_time
from ..asking import cannot_be_asked, input_requests_for
from ..call_environment import call_environment
from ..mcp_server import LIST_TTL_MS
from ..odoo_errors import translating
from ..rehearsal import reading_until_logged
from ..tool_call import ToolCall

PER_PAGE = 100


class McpServer(models.AbstractModel):
    _inherit = "mcp.server"

    def _audit(self, exchange: Exchange, started: float, outcome: str, reason: str | None = None) -> None:
        reads = exchange.message.method in ("resources/read", "prompts/get") and not exchange.message.is_notification
        if outcome == "ok" and reads:
            # `_record_reading` has written the row, with what it knows of the call.
            return
        super()._audit(exchange, started, outcome, reason)

    def _reading_call(self, exchange: Exchange, toolset: str = "core") -> ToolCall:
        """Return the call through which a method that is no tool reads: the same policy, the same door."""
        method = exchange.message.method
        spec = ToolSpec(method, method, "", access="read", toolset=toolset, schema={}, listed_schema={})
        policy = self.env["mcp.profile"]._compiled_for(exchange.credential)
        return ToolCall(call_environment(self.env, policy), exchange, spec, policy, {})

    def _read_through(self, call: ToolCall, read: Callable[[], object]):
        """Run `read` as the pipeline runs a tool that reads: authorized, and unable to write.

        :raises ToolError: as tools do
        """
        self.env["mcp.policy"]._authorize(call)
        with translating(call.env), call_time.limited(call.env), reading_until_logged(call.env):
            return read()

    def _asked_reading(self, call: ToolCall, name: str, started: float, needed: NeedsInput) -> dict:
        """Return the result that asks what a read needs to know. :raises ProtocolError: this client cannot be asked"""
        requests = input_requests_for(call, needed.questions)
        if requests is None or not call.exchange.version.modern:
            error = cannot_be_asked(call, needed)
            raise error if isinstance(error, ProtocolError) else InvalidParams(error.message) from None
        self._record_reading(call, name, started, 0, requests, "asked")
        return self._input_required(call, requests)

    def _record_reading(
        self, call: ToolCall, name: str, started: float, size: int, result: object, outcome: str = "ok"
    ) -> None:
        """Write the audit row of a read that succeeded, with the model and the records it was about."""
        self.env["mcp.audit.log"]._record(
            call.exchange,
            tool=name[:64],
            outcome=outcome,
            model=call.model,
            record_ids=call.record_ids,
            duration_ms=(time.perf_counter() - started) * 1000,
            response_size=size,
            result=result,
        )

    def _listed(self, exchange: Exchange, member: str, items: Sequence[dict], key: str) -> dict:
        """Return one page of a list as the client's revision defines it.

        :param member: name of the list in the result
        :param key: the member of an item that tells it from all others
        """
        start = self._listed_from(exchange, [item[key] for item in items])
        page = items[start : start + PER_PAGE]
        result = {
            member: [downgrade.listed_item(item, exchange.version) for item in page],
            **freshness(exchange, LIST_TTL_MS),
        }
        if start + PER_PAGE < len(items):
            result["nextCursor"] = cursors.sign(page[-1][key], **self._listed_binding(exchange))
        return result

    def _listed_from(self, exchange: Exchange, keys: list[str]) -> int:
        if "cursor" not in exchange.message.params:
            return 0
        try:
            last = cursors.verify(exchange.message.params["cursor"], **self._listed_binding(exchange))
        except ValueError as error:
            raise InvalidParams(f"{error} List again from the start.") from None
        if last not in keys:
            raise InvalidParams("The list has changed since the cursor was made. List again from the start.")
        return keys.index(last) + 1

    def _listed_binding(self, exchange: Exchange) -> dict:
        method = exchange.message.method
        return {"key": self._cursor_key(method), "scope": f"{method}:{exchange.credential.token_id}"}


def freshness(exchange: Exchange, ttl_ms: int) -> dict[str, object]:
    """Return the caching members of a modern result; what is listed and read differs from user to user."""
    return {"ttlMs": ttl_ms, "cacheScope": "private"} if exchange.version.modern else {}
