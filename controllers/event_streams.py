"""GET requests, and the answers that are event streams: opened here, served by `models.stream_hub`."""

import threading
from collections.abc import Callable, Mapping

from odoo.api import Environment
from odoo.http import Response

from ..models import stream_hub
from ..services import sse
from ..services.errors import HttpRefusal
from ..services.exchange import Exchange
from ..services.held_stream import HeldStream
from .legacy_messages import LegacyInbound
from .mcp_inbound import McpInbound, method_not_allowed

LAST_EVENT = "last-event-id"
# Asks where a request for a stream arrives, and gets no stream: see `services.doctor.streams`.
PROBE = "X-Mcp-Probe"


class StreamAnswer(Response):
    """An event stream that stays open: given to the hub once the request's transaction is committed."""

    def __init__(self, dbname: str, held: HeldStream) -> None:
        super().__init__(headers=[*sse.HEADERS], content_type=sse.CONTENT_TYPE, direct_passthrough=True)
        self.dbname = dbname
        self.held = held

    def __call__(self, environ, start_response):
        held = self.held
        held.connection = environ.get("socket") or environ.get("werkzeug.socket")
        # Where streams have threads: Odoo restarts the server for one that takes too long, unless it is of this type.
        threading.current_thread().type = "websocket"
        # The environment lives as long as the stream, and would keep the whole request.
        for name in [name for name in environ if name.startswith("werkzeug.") and name != "werkzeug.socket"]:
            del environ[name]
        start_response(self.status, self.headers.to_wsgi_list())
        stream_hub.hold(self.dbname, held)
        return held


def answer_get(inbound: McpInbound, record: Callable[[str, str], None]) -> Response:
    """Return the answer to a GET: a stream, what a stream held, or a refusal.

    :param record: writes the audit row
    :raises HttpRefusal: 405 where there are no streams, 404 or 400 for a session or event id that is not the client's
    :raises RateLimited: too many were opened in the last minute
    """
    server, http = inbound.env["mcp.server"], inbound.http
    if (
        inbound.is_modern
        or isinstance(inbound, LegacyInbound)
        or "text/event-stream" not in list(http.accept_mimetypes.values())
    ):
        raise method_not_allowed()
    last_event_id = http.headers.get(LAST_EVENT)
    session = inbound.session
    if session is None and last_event_id is not None:
        raise HttpRefusal(400, "The header Mcp-Session-Id is missing: an event id belongs to a session.")
    held = None
    if not server._holds_streams():
        if last_event_id is None:
            raise method_not_allowed()
    elif session is None:
        # With what narrows the connection, and what names its database.
        query = http.query_string.decode("latin-1") or inbound.env["mcp.oauth.server"]._database_query()[1:]
        held = server._legacy_stream(inbound.credential, query, inbound.request_id)
    else:
        held = server._session_stream(inbound.credential, session, last_event_id, inbound.request_id)
    if held is None:
        return Response(server._replayed(session, last_event_id), headers=[*sse.HEADERS], content_type=sse.CONTENT_TYPE)
    record("ok", "An event stream.")
    return StreamAnswer(inbound.env.cr.dbname, held)


def answer_listen(env: Environment, exchange: Exchange, result: Mapping) -> Response:
    """Return the stream of a `subscriptions/listen`. :param result: what of its wish is honoured"""
    held = env["mcp.server"]._listening_stream(exchange, result["notifications"])
    return StreamAnswer(env.cr.dbname, held)


def probed(inbound: McpInbound) -> Response:
    """Say whether this process is one that holds streams."""
    held = inbound.env["mcp.server"]._holds_streams()
    return Response(f'{{"streams":{str(held).lower()}}}', content_type="application/json")
