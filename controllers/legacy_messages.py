"""Messages of the first transport (HTTP+SSE): taken with 202, run, and answered on the client's stream."""

import dataclasses
import json
from functools import cached_property

from ..models.outbox_outlet import OutboxOutlet
from ..models.stream_questions import ask_in_outbox
from ..services.errors import HttpRefusal, InvalidRequest, NeedsInput, SessionNotFound
from ..services.exchange import Exchange
from ..services.http_gate import HttpPolicy
from .mcp_inbound import McpInbound
from .streamed_answer import StreamedAnswer

PATH = "/mcp/messages"
SESSION = "session_id"


class LegacyInbound(McpInbound):
    """A message posted to the address that a stream has named; its session is in it."""

    # Whatever it accepts here, it reads the answer on its stream, as JSON.
    accepts_json = accepts_stream = True

    @cached_property
    def _found(self):
        found = self.env["mcp.session"]._find_legacy(self.http.args.get(SESSION, ""), self.credential)
        if found is None:
            raise SessionNotFound()
        return found

    @cached_property
    def session(self):
        return self._found[0]

    @property
    def stream(self) -> str:
        """The name of the client's stream in the outbox."""
        return self._found[1]

    def check_batch(self, payloads):
        raise InvalidRequest("Send one message at a time.")

    def exchange(self, message, number=0) -> Exchange:
        made = super().exchange(message, number)
        if made.version.modern:
            raise HttpRefusal(400, f"Protocol version {made.version.name} is spoken at /mcp only.")
        return dataclasses.replace(made, transport="sse", session_id=self.session.id, session_key=None)


def inbound_of(request, policy: HttpPolicy, request_id: str) -> McpInbound:
    """Return the request in the form of its transport."""
    kind = LegacyInbound if request.httprequest.path == PATH else McpInbound
    return kind(request, policy, request_id)


class PostedAnswer(StreamedAnswer):
    """202 at once, so that the client can go on; then the call, whose answer is committed with what it has done."""

    def __init__(self, dispatcher, endpoint, exchange: Exchange, stream: str) -> None:
        super().__init__(dispatcher, endpoint, exchange)
        self._stream = stream

    def __call__(self, environ, start_response):
        write = start_response("202 Accepted", [*self.headers, ("Content-Length", "0")])
        write(b"")
        outlet = OutboxOutlet(self._database, self._stream, self._exchange)
        exchange = dataclasses.replace(self._exchange, outlet=outlet)
        try:
            while exchange is not None:
                exchange = self._asking(exchange)
        except Exception as exc:
            # Logged by Odoo, which would begin a second answer by itself.
            data = self._dispatcher.handle_error(exc).get_data()
            outlet.append(json.loads(data))
            exc.error_response = _nothing
            raise
        return []

    def _asking(self, exchange: Exchange) -> Exchange | None:
        """Run the call; if it asks, send its questions. Return the call to run again at once, if any."""
        try:
            self._attempt(exchange)
        except NeedsInput as needed:
            return ask_in_outbox(self._database, self._uid, needed, exchange, self._stream)
        return None

    def _reply(self, exchange: Exchange):
        response = super()._reply(exchange)
        if data := response.get_data():
            outbox = self._dispatcher.request.env["mcp.stream.event"]
            outbox._append(self._stream, exchange.session_id, json.loads(data))
        return response


def _nothing(_environ, _start_response) -> list:
    return []
