import secrets
from collections.abc import Mapping

import odoo
from odoo import api, models, tools
from odoo.tools import config

from ..services import jsonrpc, protocol, sse
from ..services.errors import HttpRefusal, InvalidParams, MethodNotFound, RateLimited
from ..services.exchange import Credential, Exchange
from ..services.held_stream import HeldStream
from ..services.stream_index import Place, StreamLimits
from ..services.topics import LISTS
from ..services.versions import Version
from . import stream_hub
from .mcp_server import server_info

META_SUBSCRIPTION = "io.modelcontextprotocol/subscriptionId"
ACKNOWLEDGED = "notifications/subscriptions/acknowledged"
# What a listening client calls the lists.
WANTED = {"toolsListChanged": "tools", "promptsListChanged": "prompts", "resourcesListChanged": "resources"}
MOST_STREAMS = 1000
MOST_OF_TOKEN = 10
MOST_OF_USER = 50
# Where an answer that is not there yet cannot be waited for.
ASK_AGAIN_MS = 1500
# Each has a thread there.
MOST_THREADED = 20


class McpServer(models.AbstractModel):
    """Long-lived streams: who may have one, and what they are told there. The process that holds them is Odoo's
    evented one, or the only one where there are no workers."""

    _inherit = "mcp.server"

    @api.model
    def _holds_streams(self) -> bool:
        """Say whether this process can hold a stream without a worker being missing."""
        return odoo.evented or not config["workers"]

    @api.model
    def _streams_routed(self) -> bool:
        """Say whether clients that ask for a stream are known to reach a process that holds them."""
        return not config["workers"] or self._streams_are_said_to_be_routed()

    @api.model
    @tools.ormcache(cache="stable")
    def _streams_are_said_to_be_routed(self) -> bool:
        # sudo: a system parameter that users may not read in general.
        return self.env["ir.config_parameter"].sudo().get_param("mcp_endpoint.streams_routed") == "True"

    @api.model
    def _stream_limits(self) -> StreamLimits:
        # sudo: these parameters are read to be enforced, whoever the user is.
        parameters = self.env["ir.config_parameter"].sudo()
        total = _number(parameters.get_param("mcp_endpoint.streams", ""), MOST_STREAMS)
        per_token = _number(parameters.get_param("mcp_endpoint.streams_token", ""), MOST_OF_TOKEN)
        per_user = _number(parameters.get_param("mcp_endpoint.streams_user", ""), MOST_OF_USER)
        return StreamLimits(total if config["workers"] else min(total, MOST_THREADED), per_token, per_user)

    @api.model
    def _rpc_table(self, version: Version) -> dict[str, str]:
        table = super()._rpc_table(version)
        if not self._streams_routed():
            return table
        if version.modern:
            return table | {"subscriptions/listen": "_rpc_subscriptions_listen"}
        return table | {
            "resources/subscribe": "_rpc_resources_subscribe",
            "resources/unsubscribe": "_rpc_resources_unsubscribe",
        }

    @api.model
    def _capabilities(self, version: Version) -> dict[str, dict]:
        found = super()._capabilities(version)
        if self._streams_routed():
            found |= {name: {**found[name], "listChanged": True} for name in LISTS if name in found}
            found["resources"] = {**found["resources"], "subscribe": True}
        return found

    def _rpc_resources_subscribe(self, exchange: Exchange) -> dict:
        uri = self._subscribed_uri(exchange)
        self.env["mcp.subscription"]._subscribe(exchange.session_id, exchange.credential.token_id, uri)
        return {}

    def _rpc_resources_unsubscribe(self, exchange: Exchange) -> dict:
        self.env["mcp.subscription"]._unsubscribe(exchange.session_id, self._subscribed_uri(exchange))
        return {}

    def _subscribed_uri(self, exchange: Exchange) -> str:
        if not exchange.session_id:
            raise InvalidParams("Subscriptions belong to a session. Send initialize first, then its Mcp-Session-Id.")
        return self.env["mcp.subscription"]._checked([exchange.message.params.get("uri")])[0]

    def _rpc_subscriptions_listen(self, exchange: Exchange) -> dict:
        """Return what of the wish is honoured; the stream itself is the dispatcher's to open."""
        if not self._holds_streams():
            raise MethodNotFound(
                "subscriptions/listen is served by Odoo's evented process, and this request was led to a worker."
            )
        wished = exchange.message.params.get("notifications")
        if not isinstance(wished, dict):
            raise InvalidParams('subscriptions/listen needs "notifications", an object.')
        granted = self._granted(exchange, wished)
        self._reserve(exchange.credential, exchange.request_id)
        return {"notifications": granted}

    @api.model
    def _granted(self, exchange: Exchange, wished: Mapping[str, object]) -> dict[str, object]:
        """Return what of the wish is honoured. :raises ProtocolError: it is none"""
        granted: dict[str, object] = {}
        for name in WANTED:
            if not isinstance(wished.get(name, False), bool):
                raise InvalidParams(f'"{name}" is true or false.')
            if wished.get(name):
                granted[name] = True
        if "resourceSubscriptions" in wished:
            granted["resourceSubscriptions"] = self.env["mcp.subscription"]._checked(wished["resourceSubscriptions"])
        return granted

    @api.model
    def _reserve(self, credential: Credential, request_id: str, *, resumed: bool = False) -> None:
        """See `StreamIndex.reserve`."""
        index = stream_hub.index_of(self.env.cr.dbname)
        index.reserve(Place(request_id, credential, resumed), self._stream_limits())

    @api.model
    def _let_open(self, credential: Credential, request_id: str, *, resumed: bool = False) -> None:
        """Count a GET that opens a stream, and keep it a place.

        :raises RateLimited: this token or user opens too many in a minute
        :raises HttpRefusal: 429, too many are open
        """
        self.env["mcp.limits"]._count_opening(credential, request_id, resumed=resumed)
        self._reserve(credential, request_id, resumed=resumed)

    @api.model
    def _listening_stream(self, exchange: Exchange, granted: dict[str, object]) -> HeldStream:
        """Return the stream of a `subscriptions/listen`: it begins with the acknowledgement, and ends with a result."""
        uris = granted.get("resourceSubscriptions", [])
        name = secrets.token_hex(12)
        subscriptions = self.env["mcp.subscription"]
        if uris:
            subscriptions._listen(name, exchange.credential.token_id, uris)
        tag = {META_SUBSCRIPTION: exchange.message.id}
        acknowledged = {"notifications": granted, "_meta": tag}
        result = {"resultType": "complete", "_meta": {**tag, protocol.META_SERVER: server_info(exchange.version)}}
        stream = HeldStream(
            "listen",
            exchange.credential,
            place=exchange.request_id,
            name=name,
            version=exchange.version.name,
            first=_message({"method": ACKNOWLEDGED, "params": acknowledged}),
            tag=tag,
            farewell=_message({"id": exchange.message.id, "result": result}),
        )
        stream.lists = tuple(WANTED[wish] for wish in WANTED if granted.get(wish))
        stream.uris = {uri: subscriptions._topics(uri) for uri in uris}
        return stream

    @api.model
    def _session_stream(
        self, credential: Credential, session, last_event_id: str | None, request_id: str
    ) -> HeldStream | None:
        """Return the stream of a GET with a session; None where a client that wants an answer has to ask again for it.

        :raises HttpRefusal: 400 for an event id that is none of the session's; 429
        :raises RateLimited: see `_let_open`
        """
        outbox = self.env["mcp.stream.event"]
        standalone = outbox._standalone(session.id)
        name, last = standalone, 0
        if last_event_id is not None:
            name, last = self._resumed(last_event_id, session.id)
        kind = "session" if name == standalone else "resumed"
        try:
            self._let_open(credential, request_id, resumed=kind == "resumed")
        except (HttpRefusal, RateLimited):
            if kind == "session":
                raise
            # Official SDKs give a call up whose answer is refused twice.
            return None
        return HeldStream(
            kind,
            credential,
            place=request_id,
            name=name,
            last=last,
            session_id=session.id,
            version=session.version,
            farewell=sse.retry(stream_hub.retry_ms()),
        )

    @api.model
    def _legacy_stream(self, credential: Credential, query: str, request_id: str) -> HeldStream:
        """Return a stream of HTTP+SSE, which begins with where to post messages.

        :param query: what the client has asked for in its address
        :raises McpError: see `_let_open`
        """
        self._let_open(credential, request_id)
        key, session_id, name = self.env["mcp.session"]._open_legacy(credential)
        # Relative: clients insist on the origin they came to, which a proxy may have changed.
        endpoint = f"/mcp/messages?session_id={key}" + (f"&{query}" if query else "")
        first = sse.event(endpoint.encode(), name="endpoint")
        return HeldStream("legacy", credential, place=request_id, name=name, session_id=session_id, first=first)

    @api.model
    def _replayed(self, session, last_event_id: str) -> bytes:
        """Return what followed an event on its stream, to be sent at once where no stream can be held.

        :raises HttpRefusal: 400, the id is none of the session's
        """
        name, last = self._resumed(last_event_id, session.id)
        if name == self.env["mcp.stream.event"]._standalone(session.id):
            return sse.retry(stream_hub.retry_ms())
        stored = self.env["mcp.stream.event"]._stored(last_event_id, session.id)
        # First, as clients go on after the last id: for the next question whether there is more. Official TypeScript
        # clients ask for nothing without an id of this very answer. Where there cannot be more, nobody asks.
        chunks = [] if stored.is_finished else [sse.event(b"", f"{name}_{last}", ASK_AGAIN_MS)]
        chunks += [sse.event(data, event_id) for event_id, data in stored.events]
        return b"".join(chunks) or sse.COMMENT

    def _resumed(self, event_id: str, session_id: int) -> tuple[str, int]:
        try:
            return self.env["mcp.stream.event"]._parsed(event_id, session_id)
        except ValueError as error:
            raise HttpRefusal(400, str(error)) from None


def _message(members: dict) -> bytes:
    return sse.event(jsonrpc.dump({"jsonrpc": "2.0", **members}))


def _number(text: str, default: int) -> int:
    return int(text) if text.isdecimal() and int(text) else default
