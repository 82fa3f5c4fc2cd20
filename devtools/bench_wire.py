"""HTTP requests as cheap as Python can send them, for rows that measure a server and not a client."""

import http.client
import json
from urllib.parse import urlsplit

VERSION = "2026-07-28"
META = {
    "io.modelcontextprotocol/protocolVersion": VERSION,
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
}


class Wire:
    """One connection, opened again whenever the server closes it."""

    def __init__(self, base):
        parts = urlsplit(base)
        self._connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)

    def send(self, request, status=200):
        """Send a prepared (method, path, body, headers); the answer's body. RuntimeError unless it has the status."""
        self._connection.request(*request)
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status != status:
            raise RuntimeError(f"{request[1]} answers {answer.status}: {body[:300]!r}")
        return body


def health():
    """The cheapest request Odoo answers."""
    return ("GET", "/web/health", None, {})


def json2(model, method, api_key, arguments):
    """A call of Odoo's own API."""
    headers = {"Authorization": f"bearer {api_key}", "Content-Type": "application/json"}
    return ("POST", f"/json/2/{model}/{method}", json.dumps(arguments).encode(), headers)


def rpc(method, token, **params):
    """A request of the current revision of MCP; without a token where it is None."""
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": META}}
    headers = {
        "Authorization": f"Bearer {token}", "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream", "MCP-Protocol-Version": VERSION, "Mcp-Method": method,
    }
    if token is None:
        del headers["Authorization"]
    if "name" in params:
        headers["Mcp-Name"] = params["name"]
    return ("POST", "/mcp", json.dumps(body).encode(), headers)


def check(body):
    """RuntimeError if an answer is an error of MCP; other answers of status 200 are what they should be."""
    answer = json.loads(body)
    if not isinstance(answer, dict) or "jsonrpc" not in answer:
        return
    result = answer.get("result")
    if result is None or result.get("isError"):
        raise RuntimeError(f"Not an answer to measure: {json.dumps(answer)[:500]}")
