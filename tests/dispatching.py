"""Messages sent to the endpoint by HTTP, and what its answers have to be."""

import json

from .common import MODERN_META, McpHttpCase

ODOO_HTTP = "odoo.http"
OWN = "odoo.addons.mcp_endpoint.controllers.mcp_dispatcher"


def request(method="ping", id=1, **params):
    return {"jsonrpc": "2.0", "id": id, "method": method, **({"params": params} if params else {})}


class DispatcherCase(McpHttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.token = cls.issue()

    def send(self, body=None, *, path="/mcp", method="POST", token=None, **headers):
        """Send any HTTP request; keyword headers replace the usual ones, None takes one away."""
        token = self.token if token is None else token
        sent = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        data = body if isinstance(body, (bytes, type(None))) else json.dumps(body)
        return self.opener.request(
            method, self.base_url() + path, data=data, headers=sent, allow_redirects=False, timeout=30
        )

    def modern(self, body, **headers):
        """Send a 2026-07-28 request whose headers agree with it, unless told otherwise."""
        params = {"_meta": MODERN_META, **body.get("params", {})}
        usual = {"Mcp_Protocol_Version": "2026-07-28", "Mcp_Method": body["method"]}
        return self.send({**body, "params": params}, **{**usual, **headers})

    def initialize(self, version="2025-11-25", **headers):
        params = {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "tests", "version": "1"}}
        return self.send(request("initialize", **params), **headers)

    def assertPlain(self, response):
        """Nothing that only a browser would understand: no cookie, no redirect, no page."""
        self.assertNotIn("Set-Cookie", response.headers)
        self.assertNotIn("Location", response.headers)
        self.assertNotIn("html", response.headers.get("Content-Type", ""))

    def assertEmpty(self, response, status):
        self.assertPlain(response)
        self.assertEqual((response.status_code, response.content), (status, b""), response.text)

    def assertResult(self, response):
        self.assertPlain(response)
        self.assertEqual(response.status_code, 200, response.text)
        self.assertEqual(response.headers["Content-Type"], "application/json")
        body = response.json()
        self.assertEqual(set(body), {"jsonrpc", "id", "result"}, body)
        return body["result"]

    def assertError(self, response, status, code, id=None):
        """The one assertion for everything the endpoint refuses."""
        self.assertPlain(response)
        self.assertEqual(response.status_code, status, response.text)
        body = response.json()
        self.assertEqual(set(body), {"jsonrpc", "error"} | ({"id"} if id is not None else set()), body)
        self.assertEqual((body.get("id"), body["error"]["code"]), (id, code), body)
        self.assertTrue(body["error"]["message"])
        for trace in ("Traceback", "psycopg2", "SELECT ", "/odoo/"):
            self.assertNotIn(trace, response.text)
        return body["error"]
