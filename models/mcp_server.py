import functools
import time

from odoo import api, models, tools
from odoo.modules import get_manifest
from odoo.tools import hmac

from ..services import call_limits, cursors, downgrade, protocol
from ..services.errors import (
    HttpRefusal,
    InvalidParams,
    McpError,
    MethodNotFound,
    PageNeeded,
    ProtocolError,
    RateLimited,
    ToolError,
)
from ..services.exchange import Exchange
from ..services.http_gate import HttpPolicy, http_policy
from ..services.http_headers import check_mirrored_arguments
from ..services.instructions import instructions
from ..services.tool_page import tool_page
from ..services.versions import VERSIONS, Version

TOOLS_PER_PAGE = 100
# How long a client may take a list for current. Without a stream this is how soon a changed profile shows; what is no
# longer granted is refused at once all the same.
LIST_TTL_MS = 60_000
SERVER_NAME = "odoo-mcp-endpoint"
# The methods that may ask (specification, basic/patterns/mrtr).
ASKING = frozenset({"tools/call", "prompts/get", "resources/read"})


class McpServer(models.AbstractModel):
    """The protocol's methods. An addon adds one by extending `_rpc_table` and defining the method it names."""

    _name = "mcp.server"
    _description = "MCP Protocol Methods"

    @api.model
    def _handle(self, exchange: Exchange) -> dict | None:
        """Answer one message.

        :return: the result object as the client's revision defines it, None for a notification
        :raises ProtocolError: the JSON-RPC error to answer with
        :raises InsufficientScope: HTTP 403 with the scope to ask for
        :raises RateLimited: too much at a time, before anything was done
        """
        started = time.perf_counter()
        if exchange.message.is_notification:
            self._heard(exchange)
            self._audit(exchange, started, "ok")
            return None
        limits = self.env["mcp.limits"]
        try:
            with limits._slot(exchange):
                verdict = limits._count(exchange)
                result = self._run(exchange)
        except RateLimited as refusal:
            raise limits._refused(exchange, refusal, (time.perf_counter() - started) * 1000) from None
        except PageNeeded:
            # `_call_tool` has written the row.
            raise
        except (ProtocolError, HttpRefusal) as error:
            self._audit(exchange, started, "refused", error)
            raise
        self._audit(exchange, started, "ok")
        if verdict is None:
            return result
        return {**result, "_meta": {**result.get("_meta", {}), "rate_limit": call_limits.remaining(verdict)}}

    @api.model
    def _heard(self, exchange: Exchange) -> None:
        """Take note of a notification. Unknown ones are no mistake."""
        if exchange.message.method == "notifications/cancelled":
            self.env["mcp.cancellation"]._note(exchange)

    @api.model
    def _may_stream(self, exchange: Exchange) -> bool:
        """Say whether the answer to a message is worth a stream, for a client that accepts one: it may send more than
        its result.
        """
        if exchange.message.method != "tools/call" or exchange.message.is_notification:
            return False
        return exchange.progress_token is not None or exchange.log_level is not None

    @api.model
    def _rpc_table(self, version: Version) -> dict[str, str]:
        """Return what a client of this revision may call: method of MCP to method of this model.

        Only what is listed here exists: a method of the other era is unknown.
        """
        table = {"tools/list": "_rpc_tools_list", "tools/call": "_rpc_tools_call"}
        if version.modern:
            return table | {"server/discover": "_rpc_server_discover"}
        return table | {
            "initialize": "_rpc_initialize",
            "ping": "_rpc_ping",
            "logging/setLevel": "_rpc_logging_set_level",
        }

    @api.model
    def _capabilities(self, version: Version) -> dict[str, dict]:
        """Return the server capabilities. Advertise a capability only with its methods in `_rpc_table`."""
        return {"tools": {}} if version.modern else {"tools": {}, "logging": {}}

    @api.model
    @tools.ormcache(cache="stable")
    def _http_policy(self) -> HttpPolicy:
        """Return who may reach the endpoint from a browser, and how much may be sent."""
        # sudo: these parameters are read to be enforced, before or whoever the user is.
        parameters = self.env["ir.config_parameter"].sudo()
        return http_policy(
            parameters.get_param("web.base.url", ""),
            parameters.get_param("mcp_endpoint.allowed_origins", ""),
            parameters.get_param("mcp_endpoint.max_body_bytes", ""),
        )

    def _rpc_initialize(self, exchange: Exchange) -> dict:
        protocol.check_initialize(exchange.message.params)
        self.env["mcp.session"]._open(exchange)
        return {
            "protocolVersion": exchange.version.name,
            "capabilities": self._capabilities(exchange.version),
            "serverInfo": server_info(exchange.version),
            "instructions": self._instructions(exchange),
        }

    def _rpc_ping(self, exchange: Exchange) -> dict:
        return {}

    def _rpc_logging_set_level(self, exchange: Exchange) -> dict:
        level = protocol.check_log_level(exchange.message.params.get("level"))
        if exchange.session_id:
            self.env["mcp.session"]._set_log_level(exchange.session_id, level)
        return {}

    def _rpc_server_discover(self, exchange: Exchange) -> dict:
        return {
            "supportedVersions": list(VERSIONS),
            "capabilities": self._capabilities(exchange.version),
            "instructions": self._instructions(exchange),
            **_caching(exchange.version),
        }

    def _rpc_tools_list(self, exchange: Exchange) -> dict:
        definitions = self.env["mcp.tool.registry"]._listing(exchange)
        start = self._page_start(exchange, definitions)
        page = definitions[start : start + TOOLS_PER_PAGE]
        result = {
            "tools": tool_page(page, exchange.version),
            **_caching(exchange.version),
        }
        if start + TOOLS_PER_PAGE < len(definitions):
            result["nextCursor"] = cursors.sign(page[-1]["name"], **self._cursor_binding(exchange))
        return result

    def _rpc_tools_call(self, exchange: Exchange) -> dict:
        registry = self.env["mcp.tool.registry"]
        if exchange.version.modern:
            params = exchange.message.params
            spec = registry._specs().get(params.get("name"))
            if spec is not None and spec.mirrors_arguments:
                check_mirrored_arguments(spec.schema, params.get("arguments"), exchange.headers)
        result = registry._call_tool(exchange)
        return downgrade.tool_result(result, exchange.version)

    def _run(self, exchange: Exchange) -> dict:
        message, version = exchange.message, exchange.version
        if version.modern:
            protocol.check_modern(message, exchange.headers)
        handler = self._rpc_table(version).get(message.method)
        if handler is None:
            raise MethodNotFound(f"Method {message.method} is not available in protocol version {version.name}.")
        if version.modern and protocol.META_LOG_LEVEL in message.meta:
            protocol.check_log_level(message.meta[protocol.META_LOG_LEVEL])
        if version.modern and message.method in ASKING:
            exchange = self._answered(exchange)
        result = getattr(self, handler)(exchange)
        if not version.modern:
            return result
        meta = {**result.get("_meta", {}), protocol.META_SERVER: server_info(version)}
        return {"resultType": "complete", **result, "_meta": meta}

    def _audit(self, exchange: Exchange, started: float, outcome: str, error: McpError | None = None) -> None:
        if outcome == "ok" and exchange.message.method == "tools/call" and not exchange.message.is_notification:
            # `_call_tool` has written the row, with what it knows of the call.
            return
        tool = exchange.message.params.get("name") if exchange.message.method == "tools/call" else None
        # A resource or prompt that failed as a tool would: its words may name records.
        reason = error.__cause__ if error and isinstance(error.__cause__, ToolError) else error and error.message
        self.env["mcp.audit.log"]._record(
            exchange,
            outcome=outcome,
            tool=tool[:64] if isinstance(tool, str) else None,
            reason=reason,
            duration_ms=(time.perf_counter() - started) * 1000,
            # A power cut may take the last of these rows. Nothing else was written but perhaps the session, which its
            # client would open again.
            durable=False,
        )

    def _instructions(self, exchange: Exchange) -> str:
        definitions = self.env["mcp.tool.registry"]._listing(exchange)
        can_write = any(not definition["annotations"]["readOnlyHint"] for definition in definitions)
        names = [definition["name"] for definition in definitions]
        return instructions(names, can_write=can_write, house_rules=self._house_rules())

    @api.model
    def _house_rules(self) -> str:
        """Return what the administrator tells every assistant."""
        # sudo: a system parameter that is told to whoever may call.
        return self.env["ir.config_parameter"].sudo().get_param("mcp_endpoint.instructions") or ""

    def _page_start(self, exchange: Exchange, definitions: list[dict]) -> int:
        """Return the index at which the page that the cursor asks for starts."""
        if "cursor" not in exchange.message.params:
            return 0
        try:
            last = cursors.verify(exchange.message.params["cursor"], **self._cursor_binding(exchange))
        except ValueError as error:
            raise InvalidParams(f"{error} List again from the start.") from None
        names = [definition["name"] for definition in definitions]
        if last not in names:
            raise InvalidParams("The list has changed since the cursor was made. List again from the start.")
        return names.index(last) + 1

    def _cursor_binding(self, exchange: Exchange) -> dict:
        return {"key": self._cursor_key("tools/list"), "scope": f"tools/list:{exchange.credential.token_id}"}

    @api.model
    @tools.ormcache("subject", cache="stable")
    def _cursor_key(self, subject: str) -> bytes:
        """Return the key that signs the cursors of a method or tool."""
        # sudo: derives it from the database's secret; the secret itself stays inside.
        return hmac(self.env(su=True), "mcp_endpoint.cursor", subject).encode()


@functools.cache
def _module_version() -> str:
    return get_manifest("mcp_endpoint")["version"]


def server_info(version: Version) -> dict[str, str]:
    info = {"name": SERVER_NAME, "version": _module_version()}
    if version.titles:
        info["title"] = "Odoo"
    return info


def _caching(version: Version) -> dict[str, object]:
    """Return the freshness fields of a cacheable modern result. What is listed differs from user to user."""
    return {"ttlMs": LIST_TTL_MS, "cacheScope": "private"} if version.modern else {}
