"""Checks of the endpoint as clients meet it: the challenge, calls in both eras, browsers, long bodies."""

from __future__ import annotations

import json

from . import advice
from .outcome import Outcome, failed, ok, skipped, warning
from .transport import unexpected
from .visit import Visit

# What vendors' servers call themselves when they call; bot walls know them too.
AGENTS = ("Claude-User", "openai-mcp/1.0.0", "python-httpx/0.28.1", "node")
PING = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ping"}).encode()
PADDED = b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"_meta": {"padding": "%s"}}}'
MODERN = "2026-07-28"
HANDSHAKE = "2025-11-25"
MOST_SENT = 32 * 1024 * 1024


def challenge(visit: Visit) -> Outcome:
    """Check the 401 from which clients learn where to log in."""
    reply = visit.post_mcp(PING)
    if reply.status != 401:
        return unexpected(reply, advice.NGINX_LOCATION, *advice.NGINX_CHALLENGE)
    header = reply.header("WWW-Authenticate")
    if not header:
        return failed("The answer 401 comes without its header WWW-Authenticate.", *advice.NGINX_CHALLENGE)
    if not header.startswith("Bearer ") or f'resource_metadata="{visit.facts.resource_url}"' not in header:
        return failed(f"The header WWW-Authenticate is not ours: {header[:200]}", *advice.NGINX_CHALLENGE)
    return ok("Without a token: 401, with the way to the login.")


def agents(visit: Visit) -> Outcome:
    """Check that no bot wall keeps vendors' servers away."""
    for agent in AGENTS:
        reply = visit.post_mcp(PING, User_Agent=agent)
        if reply.status != 401:
            return failed(
                f"A client that calls itself {agent} gets {reply} instead of 401.",
                *advice.BOT_WALL,
                f"try from outside: curl -i -A {agent} -X POST {visit.facts.mcp_url}",
            )
    return ok(f"{', '.join(AGENTS)} get through.")


def modern(visit: Visit) -> Outcome:
    """Check a call of the stateless revision, with a token."""
    meta = {
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "Connection check", "version": "1"},
    }
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": meta}}
    return _call(visit, body, "tools", MCP_Protocol_Version=MODERN, Mcp_Method="tools/list")


def handshake(visit: Visit) -> Outcome:
    """Check the first call of the revisions that shake hands, with a token. Its session ends with the token."""
    client = {"name": "Connection check", "version": "1"}
    parameters = {"protocolVersion": HANDSHAKE, "capabilities": {}, "clientInfo": client}
    return _call(visit, {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": parameters}, "serverInfo")


def browsers(visit: Visit) -> Outcome:
    """Check that pages in a browser may connect as far as the settings say, and that nobody adds headers of theirs."""
    asked = {"Origin": visit.facts.origin, "Access-Control-Request-Method": "POST"}
    for url in (visit.facts.mcp_url, visit.facts.resource_url):
        reply = visit.caller.send("OPTIONS", url, asked)
        allowed = reply.all_of("Access-Control-Allow-Origin")
        if len(allowed) > 1:
            return failed(
                f"{url} answers with {len(allowed)} headers Access-Control-Allow-Origin; browsers refuse that.",
                "nginx: remove `add_header Access-Control-Allow-Origin` for /mcp, /oauth/ and /.well-known/",
            )
        if reply.status not in (200, 204) or not allowed:
            return unexpected(
                reply, "nginx: pass OPTIONS on to Odoo, and remove `proxy_hide_header Access-Control-Allow-Origin`"
            )
    return ok("Pages of this address may connect; more can be allowed in Settings > MCP Server.")


def long_body(visit: Visit) -> Outcome:
    """Check that a message as long as the settings allow gets through."""
    if visit.token is None:
        return skipped("There is no token to try it with.")
    most = visit.facts.max_body
    size = min(most, MOST_SENT)
    body = PADDED % (b"x" * (size - len(PADDED) + 2))
    reply = visit.post_mcp(body, token=visit.token)
    if reply.status == 200:
        return ok(f"{size // 1024} kB get through.")
    if reply.status == 413:
        return failed(
            f"A message of {size // 1024} kB is refused: {reply}.",
            f"nginx: client_max_body_size {-(-most // (1024 * 1024)) + 1}m;",
            "or Odoo, Settings > MCP Server > Largest request: less",
        )
    return unexpected(reply, advice.NGINX_LOCATION)


def _call(visit: Visit, body: dict, expected: str, **headers: str) -> Outcome:
    if visit.token is None:
        return skipped("Who runs the check may not connect assistants, so there is no token to try it with.")
    reply = visit.post_mcp(json.dumps(body).encode(), token=visit.token, **headers)
    if reply.status == 401:
        return failed(
            "A valid token is refused: the header Authorization does not arrive.", *advice.NGINX_AUTHORIZATION
        )
    answer = reply.json() or {}
    result = answer.get("result")
    if reply.status == 200 and isinstance(result, dict) and expected in result:
        return ok(f"{body['method']} works.")
    if answer.get("error"):
        return warning(f"{body['method']} is answered with an error: {str(answer['error'])[:200]}")
    return unexpected(reply, advice.NGINX_LOCATION)
