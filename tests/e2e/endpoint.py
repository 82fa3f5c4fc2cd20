"""The endpoint under test: where it is, whose tokens there are, and requests without any SDK between."""

import http.client
import json
import os
from dataclasses import dataclass
from urllib.parse import urlsplit

MODERN = "2026-07-28"
META = {"io.modelcontextprotocol/protocolVersion": MODERN, "io.modelcontextprotocol/clientCapabilities": {}}
# What no answer may ever hold.
TRACES = ("Traceback (most recent", "psycopg2", "site-packages", "dist-packages", '.py", line', "<!DOCTYPE", "<html")


@dataclass(frozen=True)
class Answer:
    """One HTTP answer."""

    status: int
    headers: dict
    body: bytes

    def json(self):
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def result(self):
        """The JSON-RPC result; KeyError when it is an error."""
        return self.json()["result"]


@dataclass(frozen=True)
class Endpoint:
    """A server's base URL with one person's token."""

    base: str
    token: str

    @classmethod
    def of_run(cls, variable="MCP_TOKEN"):
        """The server that ./dev test started; `MCP_TOKEN` is the demo user's, `MCP_ADMIN_TOKEN` an administrator's."""
        return cls(os.environ["MCP_BASE"], os.environ[variable])

    @property
    def url(self):
        """The MCP endpoint's URL."""
        return f"{self.base}/mcp"

    def post(self, body, headers=None, *, method="POST", path="/mcp"):
        """Send bytes, or anything else as JSON."""
        parts = urlsplit(self.base)
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
        sent = {
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
            "Authorization": f"Bearer {self.token}",
            **(headers or {}),
        }
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        try:
            connection.request(method, path, data, {name: value for name, value in sent.items() if value is not None})
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            connection.close()

    def rpc(self, method, params=None, headers=None):
        """Send a request of the stateless revision."""
        params = {**(params or {}), "_meta": META}
        names = {"MCP-Protocol-Version": MODERN, "Mcp-Method": method}
        if "name" in params:
            names["Mcp-Name"] = params["name"]
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        return self.post(body, {**names, **(headers or {})})

    def call(self, tool, arguments=None, /, **more):
        """Call a tool; the CallToolResult."""
        return self.rpc("tools/call", {"name": tool, "arguments": {**(arguments or {}), **more}}).result

    def facts(self, tool, arguments=None, /, **more):
        """Call a tool that must succeed; its structured content."""
        result = self.call(tool, arguments, **more)
        if result.get("isError"):
            raise AssertionError(f"{tool}: {result['content'][0]['text']}")
        return result["structuredContent"]

    def tools(self):
        """The definitions of all tools this token lists."""
        return self.rpc("tools/list").result["tools"]
