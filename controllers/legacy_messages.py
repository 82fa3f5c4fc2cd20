"""Messages of the first transport (HTTP+SSE): taken with 202, run, and answered on the client's stream."""

import dataclasses
import json
import time
from collections.abc import Mapping
from functools import cached_property

from odoo.api import SUPERUSER_ID, Environment
from odoo.modules.registry import Registry

from ..models.stream_questions import ask_in_outbox
from ..services.errors import HttpRefusal, InvalidRequest, NeedsInput, SessionNotFound
from ..services.exchange import Exchange
from ..services.http_gate import HttpPolicy
from .mcp_inbound import McpInbound
from .streamed_answer import StreamedAnswer

PATH = "/mcp/messages"
SESSION = "session_id"
# Each note of progress is a transaction of its own: after so many they are told at this pace.
FREE_NOTES = 20
PROGRESS_SECONDS = 0.25


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
        outlet = _OutboxOutlet(self._database, self._stream, self._exchange)
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


class _OutboxOutlet:
    """See `services.outlet.Outlet`: what is told before the call's own transaction is committed."""

    def __init__(self, database: str, stream: str, exchange: Exchange) -> None:
        self._database = database
        self._stream = stream
        self._exchange = exchange
        self._progress = float("-inf")
        self._told_at = 0.0
        self._notes = 0

    def notify(self, method: str, params: Mapping[str, object]) -> None:
        if method == "notifications/progress":
            now, done = time.monotonic(), params["progress"]
            is_late = self._notes < FREE_NOTES or now - self._told_at >= PROGRESS_SECONDS
            if done <= self._progress or not (is_late or done == params.get("total")):
                return
            self._progress, self._told_at, self._notes = done, now, self._notes + 1
        self.append({"jsonrpc": "2.0", "method": method, "params": params})
        self.check()

    def begin_attempt(self) -> None:
        """Note that the call starts, perhaps once more from the beginning. Progress is not told twice by itself."""

    def check(self) -> None:
        if self._exchange.running is not None:
            self._exchange.running.check()

    def append(self, message: Mapping[str, object]) -> None:
        """Send a message on the stream, whatever becomes of the call."""
        with Registry(self._database).cursor() as cr:
            # Superuser: writes into the outbox of the session that was found with the request's credential.
            outbox = Environment(cr, SUPERUSER_ID, {})["mcp.stream.event"]
            outbox._append(self._stream, self._exchange.session_id, dict(message))


def _nothing(_environ, _start_response) -> list:
    return []
