"""The bare endpoint on a database with business apps, whose addons hook into every HTTP answer."""

import json
import unittest

from endpoint import Endpoint

INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "e2e", "version": "1"},
    },
}


class TestEndpoint(unittest.TestCase):
    """Status, headers and body of what is not an ordinary call."""

    @classmethod
    def setUpClass(cls):
        cls.endpoint = Endpoint.of_run()

    def check(self, answer, status):
        self.assertEqual(answer.status, status, answer.body[:300])
        self.assertNotIn("Set-Cookie", answer.headers)
        self.assertNotIn("Location", answer.headers)
        if answer.body:
            self.assertEqual(answer.headers["Content-Type"], "application/json")
            json.loads(answer.body)

    def test_other_http_methods(self):
        session = self.endpoint.post(INITIALIZE).headers["Mcp-Session-Id"]
        cases = (
            ("GET", {"Accept": "text/event-stream", "Mcp-Session-Id": session}, 405),
            ("GET", {"MCP-Protocol-Version": "2026-07-28"}, 405),
            ("PUT", {}, 405),
            ("PATCH", {}, 405),
            ("HEAD", {}, 405),
            ("DELETE", {}, 400),
            ("DELETE", {"Mcp-Session-Id": session}, 204),
            ("DELETE", {"Mcp-Session-Id": session}, 404),
        )
        for method, headers, status in cases:
            with self.subTest(method=method, headers=list(headers)):
                self.check(self.endpoint.post(b"", headers, method=method), status)

    def test_slash_at_the_end_is_no_redirect(self):
        body = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
        for path in ("/mcp", "/mcp/", "/mcp/sse"):
            with self.subTest(path=path):
                answer = self.endpoint.post(body, path=path)
                self.check(answer, 200)
                self.assertEqual(answer.result, {})

    def test_refusals_are_json(self):
        ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
        cases = (
            (ping, {"Authorization": None}, 401),
            (ping, {"Authorization": "Bearer omcp_pat_wrong"}, 401),
            (ping, {"Authorization": "Basic YWRtaW46YWRtaW4="}, 401),
            (ping, {"Origin": "https://evil.example"}, 403),
            (ping, {"Content-Type": "text/plain"}, 415),
            (b"{", {}, 400),
            (b"\xff\xfe", {}, 400),
        )
        for body, headers, status in cases:
            with self.subTest(body=body, headers=headers):
                self.check(self.endpoint.post(body, headers), status)

    def test_challenge_names_the_scheme(self):
        answer = self.endpoint.post(INITIALIZE, {"Authorization": None})
        self.assertTrue(answer.headers["WWW-Authenticate"].startswith("Bearer "))
