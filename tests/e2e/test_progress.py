"""What a client hears of a call while it runs: several processes, nginx between, real clients."""

import asyncio
import json
import time

import httpx2
from answer_case import IMPORT, PATIENCE, ROWS, AnswerCase, import_of
from endpoint import MODERN
from mcp import Client
from mcp.client.streamable_http import streamable_http_client


class TestProgress(AnswerCase):
    def raw(self, name, headers, **options):
        with self.opened(self.body(IMPORT, import_of(name), **options), headers) as connection:
            response = connection.getresponse()
            self.assertEqual(response.status, 200)
            self.assertEqual(response.headers["Content-Type"], "text/event-stream")
            self.assertEqual(response.headers["X-Content-Type-Options"], "nosniff")
            *told, (at, answer) = self.events(response)
        for _at, message in told:
            self.assertEqual(message["params"]["progressToken"], "p")
        self.assertFalse(answer["result"]["isError"], answer)
        self.assertEqual(self.count(name), ROWS)
        self.assertLive([(at, each["params"]["progress"], each["params"]["total"]) for at, each in told], at)

    def test_raw_modern(self):
        self.raw("Raw modern", self.modern_headers(IMPORT))

    def test_raw_handshake(self):
        for version in ("2025-11-25", "2025-06-18"):
            self.raw(f"Raw {version}", self.initialize(version), modern=False)

    def test_raw_handshake_without_session(self):
        self.raw("Raw bare", {}, modern=False)

    def sdk(self, mode, name):
        async def work():
            told, headers = [], {"Authorization": f"Bearer {self.endpoint.token}"}

            async def note(done, total, message):
                told.append((time.monotonic(), done, total))

            async with (
                httpx2.AsyncClient(headers=headers, timeout=PATIENCE) as http_client,
                Client(streamable_http_client(self.endpoint.url, http_client=http_client), mode=mode) as client,
            ):
                result = await client.call_tool(IMPORT, import_of(name), progress_callback=note)
            return told, result, time.monotonic()

        told, result, at = asyncio.run(work())
        self.assertFalse(result.is_error)
        self.assertEqual(result.structured_content["created"], ROWS)
        self.assertLive(told, at)

    def test_official_sdk_modern(self):
        self.sdk(MODERN, "SDK modern")

    def test_official_sdk_handshake(self):
        self.sdk("legacy", "SDK handshake")

    def test_plain_where_no_token_was_sent_or_no_stream_is_accepted(self):
        for name, options, accept in (
            ("No token", {"token": None}, "application/json, text/event-stream"),
            ("JSON only", {}, "application/json"),
            ("Anything", {}, "*/*"),
        ):
            body = self.body(IMPORT, import_of(name, 120), **options)
            with self.opened(body, self.modern_headers(IMPORT), accept=accept) as connection:
                response = connection.getresponse()
                self.assertEqual(response.headers["Content-Type"], "application/json", name)
                self.assertEqual(json.load(response)["result"]["structuredContent"]["created"], 120)

    def test_plain_with_its_status_where_nothing_was_said(self):
        body = self.body("odoo_get_context", {})
        with self.opened(body, self.modern_headers("odoo_get_context")) as connection:
            response = connection.getresponse()
            self.assertEqual(response.headers["Content-Type"], "application/json")
        body = self.body("no_such_tool", {})
        with self.opened(body, self.modern_headers("no_such_tool")) as connection:
            response = connection.getresponse()
            self.assertEqual((response.status, json.load(response)["error"]["code"]), (400, -32602))

    def test_log_messages_by_level(self):
        rows = [{"id": "logs_1", "name": "Logs 1"}, {"id": "not an id!", "name": "Logs 2"}]
        arguments = {"model": "res.partner", "rows": rows, "atomic": False, "dry_run": True}
        session = self.initialize()
        for level, expected in ((None, 0), ("error", 0), ("warning", 1), ("debug", 1)):
            with self.subTest(level=level):
                meta = {"io.modelcontextprotocol/logLevel": level} if level else {}
                body = self.body(IMPORT, arguments, token=None, **meta)
                self.check_logs(body, self.modern_headers(IMPORT), expected)
                if level:
                    answer = self.endpoint.post(
                        {"jsonrpc": "2.0", "id": 5, "method": "logging/setLevel", "params": {"level": level}}, session
                    )
                    self.assertEqual(answer.result, {})
                    body = self.body(IMPORT, arguments, token=None, modern=False)
                    self.check_logs(body, session, expected)

    def check_logs(self, body, headers, expected):
        with self.opened(body, headers) as connection:
            response = connection.getresponse()
            if not expected:
                self.assertEqual(response.headers["Content-Type"], "application/json")
                return
            *told, _result = self.events(response)
        told = [message for _at, message in told if message["params"].get("logger") == "import"]
        self.assertEqual(len(told), expected)
        self.assertEqual(told[0]["method"], "notifications/message")
        self.assertEqual(told[0]["params"]["level"], "warning")
        self.assertEqual(told[0]["params"]["data"]["row"], 2)
