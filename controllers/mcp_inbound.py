import functools
from functools import cached_property

import odoo
from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

from ..models.mcp_cancellation import place_of
from ..services import protocol, sse, trace_context
from ..services.errors import HttpRefusal, InvalidRequest, SessionNotFound
from ..services.exchange import Exchange, Message, Narrowing
from ..services.http_gate import ALLOWED_METHODS, HttpPolicy
from ..services.jsonrpc import ClientResponse
from ..services.running_calls import Place, RunningCall
from ..services.versions import V2026_07_28, Version
from .client_connection import gone_check

MAX_BATCH = 50
# The one request whose answer is a stream that stays open.
LISTEN = "subscriptions/listen"


class McpInbound:
    """One HTTP request on its way in: the checks that come before JSON-RPC, its session, its exchanges."""

    def __init__(self, request, policy: HttpPolicy, request_id: str) -> None:
        self.env = request.env
        self.credential = getattr(request, "mcp_credential", None)
        self.http = request.httprequest
        self.policy = policy
        self.request_id = request_id
        self.version_header = self._header(protocol.VERSION_HEADER)

    @property
    def trace(self) -> str | None:
        """The trace that the request's header names."""
        return trace_context.traceparent(self.http.environ.get("HTTP_TRACEPARENT"))

    @property
    def is_modern(self) -> bool:
        """Whether the headers alone point to the modern era."""
        return protocol.is_modern_header(self.version_header)

    @cached_property
    def accepts_json(self) -> bool:
        return _accepted(self.http.environ.get("HTTP_ACCEPT", ""))[0]

    @cached_property
    def accepts_stream(self) -> bool:
        """Whether the client names event streams. What accepts anything need not know what to do with one."""
        return _accepted(self.http.environ.get("HTTP_ACCEPT", ""))[1]

    def check_source(self) -> None:
        """:raises HttpRefusal: 403 for a browser page that is not on the list, or a foreign Host on loopback"""
        origin = self.http.environ.get("HTTP_ORIGIN")
        if origin is not None and not self.policy.allows_origin(origin):
            raise HttpRefusal(403, "This Origin is not allowed. An administrator can add it in the MCP settings.")
        if not self.policy.allows_host(self.http.environ.get("HTTP_HOST", "")):
            raise HttpRefusal(403, "This Host is not served: web.base.url says that this server is local only.")

    def check_post(self) -> None:
        """:raises HttpRefusal: 503, 415, 411, 413 or 406, in this order"""
        if odoo.evented and self._header(protocol.METHOD_HEADER) != LISTEN:
            raise _streams_only()
        if self.http.mimetype != "application/json":
            raise HttpRefusal(415, "The Content-Type must be application/json.", {"Accept": "application/json"})
        size = self.http.content_length
        if size is None:
            # Odoo cuts a chunked body at its limit, without an error.
            raise HttpRefusal(411, "The header Content-Length is missing; chunked bodies are not accepted.")
        if size > self.policy.max_body:
            raise HttpRefusal(413, f"The body is longer than {self.policy.max_body} bytes.")
        if not self.accepts_json and not self.http.accept_mimetypes.quality("text/event-stream"):
            raise HttpRefusal(406, "The Accept header must allow application/json or text/event-stream.")

    def check_place(self, message: Message) -> None:
        """Keep work out of the process of streams, and streams to clients that can read them.

        :raises HttpRefusal: 503 or 406
        """
        if message.method == LISTEN:
            if not self.http.accept_mimetypes.quality("text/event-stream"):
                raise HttpRefusal(406, "The answer is an event stream: Accept must allow text/event-stream.")
        elif odoo.evented:
            raise _streams_only()

    def check_batch(self, payloads: list) -> None:
        """:raises McpError: an array where this revision has none, or one that it does not allow"""
        if odoo.evented:
            raise _streams_only()
        if self.is_modern or any(map(self._is_modern_payload, payloads)) or not self._handshake_version().batches:
            raise InvalidRequest("Batches exist in protocol version 2025-03-26 only. Send one message at a time.")
        if not 0 < len(payloads) <= MAX_BATCH:
            raise InvalidRequest(f"A batch has 1 to {MAX_BATCH} messages.")
        if any(isinstance(payload, dict) and payload.get("method") == "initialize" for payload in payloads):
            raise InvalidRequest("initialize must not be part of a batch.")

    def check_response(self) -> None:
        """Check the place of a client's response. :raises McpError: wrong era, or a session that is not its own"""
        if self.is_modern:
            raise InvalidRequest("A client sends no responses in this protocol version.")
        self._handshake_version()

    def answered_call(self, response: ClientResponse):
        """Return the pending call that has asked for this response, locked, its answer stored; none if none has."""
        calls = self.env["mcp.pending.call"]
        return calls._answer(self.session.id, response) if self.session else calls

    @cached_property
    def session(self):
        """The session this request names, None where it names none.

        :raises SessionNotFound: it names one that this credential does not have
        """
        key = self._header(protocol.SESSION_HEADER)
        if key is None:
            return None
        state = self.env["mcp.session"]._find(key, self.credential)
        if state is None:
            raise SessionNotFound()
        return state

    def end_session(self) -> None:
        """End the session a DELETE names. :raises HttpRefusal: none named, none known, or none in this era"""
        if self.is_modern:
            raise method_not_allowed()
        key = self._header(protocol.SESSION_HEADER)
        if key is None:
            raise HttpRefusal(400, "The header Mcp-Session-Id is missing.")
        if not self.env["mcp.session"]._end(key, self.credential):
            raise SessionNotFound()

    def exchange(self, message: Message, number: int = 0) -> Exchange:
        """Return one message with all that this request says about it.

        :param number: place of the message in its batch, which makes its request id its own
        """
        facts = {
            "message": message,
            "credential": self.credential,
            "request_id": f"{self.request_id}-{number}" if number else self.request_id,
            "headers": self._mcp_headers,
            "narrowing": self._narrowing,
            "size": self.http.content_length,
            "trace": trace_context.traceparent(message.meta.get(trace_context.HEADER), self.trace),
        }
        if protocol.is_modern(message, self.version_header):
            level = message.meta.get(protocol.META_LOG_LEVEL)
            return Exchange(
                version=V2026_07_28,
                client=_object(message.meta.get(protocol.META_CLIENT)),
                capabilities=_object(message.meta.get(protocol.META_CAPABILITIES)),
                log_level=level if level in protocol.LOG_LEVELS else None,
                # Closing its connection is how a client of this era cancels. Odoo hides the server's own entries.
                running=self._running(message, is_gone=gone_check(self.http._HTTPRequest__environ)),
                **facts,
            )
        if message.method == "initialize":
            return Exchange(
                version=protocol.negotiate(message.params.get("protocolVersion")),
                client=_object(message.params.get("clientInfo")),
                capabilities=_object(message.params.get("capabilities")),
                session_key=self.env["mcp.session"]._new_key(),
                **facts,
            )
        session = self.session
        if session is None:
            return Exchange(version=self._handshake_version(), running=self._running(message), **facts)
        return Exchange(
            version=self._handshake_version(),
            client=session.client,
            capabilities=session.capabilities,
            log_level=session.log_level,
            session_key=self._header(protocol.SESSION_HEADER),
            session_id=session.id,
            running=self._running(message, place_of(self.env.cr.dbname, session.id, message.id)),
            **facts,
        )

    def _running(self, message: Message, place: Place | None = None, is_gone=None) -> RunningCall | None:
        called = message.method == "tools/call" and not message.is_notification
        return RunningCall(place, is_gone) if called else None

    def _handshake_version(self) -> Version:
        return protocol.handshake_version(self.version_header, self.session.version if self.session else None)

    def _is_modern_payload(self, payload: object) -> bool:
        params = payload.get("params") if isinstance(payload, dict) else None
        if not isinstance(params, dict):
            return False
        return protocol.is_modern(Message(method="", params=params), self.version_header)

    @cached_property
    def _mcp_headers(self) -> dict[str, str]:
        found = ((name, value) for name, value in self.http.environ.items() if name.startswith("HTTP_MCP_"))
        return {name[5:].replace("_", "-").lower(): value for name, value in found}

    @cached_property
    def _narrowing(self) -> Narrowing:
        if not self.http.query_string:
            return Narrowing()
        try:
            return Narrowing.from_query(self.http.args.to_dict(flat=False))
        except ValueError as error:
            raise HttpRefusal(400, str(error)) from None

    def _header(self, name: str) -> str | None:
        value = self.http.headers.get(name)
        return None if value is None else value.strip(" \t")


@functools.lru_cache(maxsize=64)
def _accepted(header: str) -> tuple[bool, bool]:
    """Return whether an Accept header admits JSON, and whether it names event streams. Clients repeat theirs."""
    accepted = parse_accept_header(header, MIMEAccept)
    named = any(kind == sse.CONTENT_TYPE and quality > 0 for kind, quality in accepted)
    return not accepted or accepted.quality("application/json") > 0, named


def method_not_allowed() -> HttpRefusal:
    return HttpRefusal(405, "Method not allowed. Send JSON-RPC messages with POST.", {"Allow": ALLOWED_METHODS})


def _streams_only() -> HttpRefusal:
    return HttpRefusal(503, "This port serves event streams only. Send POST to Odoo's HTTP port.")


def _object(value: object) -> dict:
    return value if isinstance(value, dict) else {}
