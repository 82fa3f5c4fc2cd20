"""Where requests for event streams arrive: at the evented process, or at a worker that cannot hold them."""

from __future__ import annotations

from . import advice
from .outcome import Outcome, failed, ok, skipped, warning
from .transport import unexpected
from .visit import Visit

# Asks for an answer to where it is, instead of a stream. Either request is of the kind that a client sends.
PROBE = {"X-Mcp-Probe": "1", "Accept": "application/json, text/event-stream"}
LISTEN = {"Mcp-Method": "subscriptions/listen", "Content-Type": "application/json"}


def streams(visit: Visit) -> Outcome:
    """Check where requests for streams go; `visit.are_streams_routed` is what the server may promise its clients."""
    facts = visit.facts
    if visit.token is None:
        return skipped("There is no token to try it with.")
    headers = {**PROBE, "Authorization": f"Bearer {visit.token}"}
    reply = visit.caller.send("GET", facts.mcp_url, headers)
    if reply.status in (502, 503, 504):
        visit.are_streams_routed = False
        return failed(
            f"GET is sent to a process that does not answer: {reply}.",
            f"nginx: upstream odoochat {{ server 127.0.0.1:{facts.gevent_port}; }}",
            f"odoo.conf: gevent_port = {facts.gevent_port}   (it runs only with workers > 0)",
        )
    held = _holds(reply)
    if held is None:
        return unexpected(reply, advice.NGINX_LOCATION)
    listening = held and _holds(visit.caller.send("POST", facts.mcp_url, {**headers, **LISTEN}, b"{}"))
    visit.are_streams_routed = bool(listening)
    if not held:
        return ok(
            "Requests for streams go to an HTTP worker, so none is offered. Subscriptions and the older transport "
            "(SSE) need the nginx lines of the README, section Operate."
        )
    if not listening:
        return warning(
            "GET goes to the evented process, POST with the header Mcp-Method: subscriptions/listen does not.",
            'nginx: map "$request_method $http_mcp_method" $mcp_backend { … "POST subscriptions/listen" odoochat; }',
        )
    return ok("Requests for streams go to a process that holds them; clients are offered subscriptions.")


def _holds(reply) -> bool | None:
    found = (reply.json() or {}).get("streams") if reply.status == 200 else None
    return found if isinstance(found, bool) else None
