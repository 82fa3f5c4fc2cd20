"""What a client hears of a call while it runs, and how it ends one: several processes, nginx between, real clients."""

import asyncio
import contextlib
import http.client
import json
import os
import signal
import subprocess
import threading
import time
import unittest
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
from endpoint import META, MODERN, Endpoint
from fixture import shared
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from devtools import postgres, tokens

ROWS = 600
IMPORT = "odoo_import_records"
PATIENCE = 60


def import_of(name, count=ROWS):
    """The arguments of an import of so many new contacts."""
    key = name.replace(" ", "_")
    rows = [{"id": f"{key}_{number}", "name": f"{name} {number}", "is_company": True} for number in range(count)]
    return {"model": "res.partner", "rows": rows}


class StreamCase(unittest.TestCase):
    """Requests whose answers are read as they come."""

    @classmethod
    def setUpClass(cls):
        cls.running = shared()
        cls.endpoint = Endpoint(cls.running.base, cls.running.token)

    def rows(self, sql):
        return postgres.query(sql, self.running.database)

    def count(self, name):
        return int(self.rows(f"SELECT count(*) FROM res_partner WHERE name LIKE '{name} %'")[0][0])

    def audited(self, tool, since):
        return [
            tuple(row)
            for row in self.rows(
                f"SELECT outcome, reason FROM mcp_audit_log WHERE tool = '{tool}' AND id > {since} ORDER BY id"
            )
        ]

    def last_audit(self):
        return int(self.rows("SELECT COALESCE(MAX(id), 0) FROM mcp_audit_log")[0][0])

    def wait_for(self, fits, what):
        deadline = time.monotonic() + PATIENCE
        while not (found := fits()):
            self.assertLess(time.monotonic(), deadline, what)
            time.sleep(0.05)
        return found

    def body(self, tool, arguments, *, id=1, token="p", modern=True, **meta):
        meta = {**(META if modern else {}), **meta, **({"progressToken": token} if token is not None else {})}
        params = {"name": tool, "arguments": arguments, **({"_meta": meta} if meta else {})}
        return {"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params}

    @contextlib.contextmanager
    def opened(self, body, headers=None, *, base=None, token=None, accept="application/json, text/event-stream"):
        """Send a request; the HTTP response as soon as its head is there, and the connection."""
        parts = urlsplit(base or self.endpoint.base)
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=PATIENCE)
        sent = {
            "Content-Type": "application/json",
            "Accept": accept,
            "Authorization": f"Bearer {token or self.endpoint.token}",
            **(headers or {}),
        }
        try:
            connection.request("POST", "/mcp", json.dumps(body), sent)
            yield connection
        finally:
            connection.close()

    def modern_headers(self, tool):
        return {"MCP-Protocol-Version": MODERN, "Mcp-Method": "tools/call", "Mcp-Name": tool}

    def events(self, response):
        """The messages of a stream, each with the time it came."""
        for line in response:
            if line.startswith(b"data: "):
                yield time.monotonic(), json.loads(line.removeprefix(b"data: "))

    def initialize(self, version="2025-11-25", token=None, **capabilities):
        client = {"name": "raw", "version": "1"}
        params = {"protocolVersion": version, "capabilities": capabilities, "clientInfo": client}
        body = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}
        answer = Endpoint(self.endpoint.base, token or self.endpoint.token).post(body)
        return {"Mcp-Session-Id": answer.headers["Mcp-Session-Id"], "MCP-Protocol-Version": version}

    def notify(self, method, params, headers, token=None):
        body = {"jsonrpc": "2.0", "method": method, "params": params}
        return Endpoint(self.endpoint.base, token or self.endpoint.token).post(body, headers)

    def assertLive(self, progress, result_at):
        """Progress grew, in rows of rows, and came while there was still something to do."""
        self.assertGreaterEqual(len(progress), 3, progress)
        self.assertEqual([done for _at, done, _total in progress], sorted({done for _at, done, _total in progress}))
        self.assertEqual({total for _at, _done, total in progress}, {ROWS})
        self.assertEqual(progress[-1][1], ROWS)
        self.assertGreater(result_at - progress[0][0], 0.3)


class TestProgress(StreamCase):
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


class TestCancellation(StreamCase):
    def cancelled(self, tool, since):
        """Wait for the audit row of a cancelled call."""
        found = self.wait_for(lambda: self.audited(tool, since), f"{tool} was not ended")
        self.assertEqual([outcome for outcome, _reason in found], ["cancelled"], found)
        return found[0][1]

    def start_import(self, name, headers, **options):
        """Begin an import in a thread; what becomes of the answer, once its first progress is there."""
        seen, begun = {}, threading.Event()

        def work():
            body = self.body(IMPORT, import_of(name, 2000), modern=False, **options)
            with self.opened(body, headers) as connection:
                response = connection.getresponse()
                seen["messages"] = []
                for _at, message in self.events(response):
                    seen["messages"].append(message)
                    begun.set()
            seen["ended"] = time.monotonic()

        thread = threading.Thread(target=work)
        thread.start()
        self.addCleanup(thread.join)
        self.assertTrue(begun.wait(PATIENCE))
        return seen, thread

    def test_notification_at_another_worker_ends_an_import(self):
        session, since = self.initialize(), self.last_audit()
        seen, thread = self.start_import("Cancelled", session, id="call-7")
        asked = time.monotonic()
        answer = self.notify("notifications/cancelled", {"requestId": "call-7", "reason": "Too slow"}, session)
        self.assertEqual((answer.status, answer.body), (202, b""))
        thread.join(PATIENCE)
        self.assertLess(seen["ended"] - asked, 3)
        self.assertEqual({message["method"] for message in seen["messages"]}, {"notifications/progress"})
        self.assertIn("Too slow", self.cancelled(IMPORT, since))
        self.assertEqual(self.count("Cancelled"), 0)
        self.assertEqual(self.rows("SELECT count(*) FROM ir_model_data WHERE name LIKE 'Cancelled%'")[0][0], "0")
        self.assertEqual(self.endpoint.post(self.body("odoo_get_context", {}, modern=False), session).status, 200)
        created = self.endpoint.facts(IMPORT, import_of("Cancelled", 5))
        self.assertEqual(created["created"], 5)

    def test_only_its_own_session_cancels_it(self):
        (foreign_token,) = tokens.issue(self.running.database, tokens.Wanted("admin", "full", name="foreign"))
        session, since = self.initialize(), self.last_audit()
        seen, thread = self.start_import("Not cancelled", session, id=3)
        other = self.initialize()
        foreign = self.initialize(token=foreign_token)
        self.assertEqual(self.notify("notifications/cancelled", {"requestId": 3}, other).status, 202)
        self.assertEqual(self.notify("notifications/cancelled", {"requestId": "3"}, session).status, 202)
        self.assertEqual(self.notify("notifications/cancelled", {"requestId": 4}, session).status, 202)
        stolen = self.notify("notifications/cancelled", {"requestId": 3}, session, token=foreign_token)
        self.assertEqual(stolen.status, 404)
        answer = self.notify("notifications/cancelled", {"requestId": 3}, foreign, token=foreign_token)
        self.assertEqual(answer.status, 202)
        thread.join(PATIENCE)
        self.assertEqual(seen["messages"][-1]["result"]["structuredContent"]["created"], 2000)
        self.assertEqual([outcome for outcome, _reason in self.audited(IMPORT, since)], ["ok"])

    def test_long_query_is_ended(self):
        session, since = self.initialize(), self.last_audit()
        for token in ("p", None):
            body = self.body("fixture_wait", {"name": "Long query", "seconds": 50}, id=9, token=token, modern=False)
            with self.opened(body, session) as connection:
                time.sleep(0.5)
                began = time.monotonic()
                self.notify("notifications/cancelled", {"requestId": 9}, session)
                response = connection.getresponse()
                self.assertEqual(response.read(), b"")
            self.assertLess(time.monotonic() - began, 3)
            self.cancelled("fixture_wait", since)
            self.assertEqual(self.count("Long query"), 0)
            since = self.last_audit()
            postgres.query("DELETE FROM mcp_cancellation", self.running.database)

    def test_closed_connection_is_a_cancellation_in_the_modern_revision(self):
        for base in (self.running.base, self.running.server.base):
            for token in ("p", None):
                with self.subTest(base=base, token=token):
                    since = self.last_audit()
                    body = self.body("fixture_wait", {"name": "Modern gone", "seconds": 50}, token=token)
                    with self.opened(body, self.modern_headers("fixture_wait"), base=base):
                        time.sleep(0.3)
                    began = time.monotonic()
                    self.assertIn("closed", self.cancelled("fixture_wait", since))
                    self.assertLess(time.monotonic() - began, 3)
                    self.assertEqual(self.count("Modern gone"), 0)

    def test_closed_stream_of_an_import_is_rolled_back(self):
        since = self.last_audit()
        body = self.body(IMPORT, import_of("Gone import", 2000))
        with self.opened(body, self.modern_headers(IMPORT)) as connection:
            next(self.events(connection.getresponse()))
        self.cancelled(IMPORT, since)
        self.assertEqual(self.count("Gone import"), 0)

    def test_handshake_client_that_goes_does_not_cancel(self):
        session, since = self.initialize(), self.last_audit()
        body = self.body(IMPORT, import_of("Kept import"), modern=False)
        with self.opened(body, session) as connection:
            next(self.events(connection.getresponse()))
        found = self.wait_for(lambda: self.audited(IMPORT, since), "The import was not finished")
        self.assertEqual([outcome for outcome, _reason in found], ["ok"])
        self.assertEqual(self.count("Kept import"), ROWS)

    def test_official_sdk_cancels(self):
        for mode in (MODERN, "legacy"):
            with self.subTest(mode=mode):
                since = self.last_audit()
                asyncio.run(self.cancel_with_sdk(mode))
                self.cancelled("fixture_wait", since)
                self.assertEqual(self.count("SDK gone"), 0)

    async def cancel_with_sdk(self, mode):
        headers = {"Authorization": f"Bearer {self.endpoint.token}"}

        async def note(done, total, message):
            """Only to have a token sent."""

        async with (
            httpx2.AsyncClient(headers=headers, timeout=PATIENCE) as http_client,
            Client(streamable_http_client(self.endpoint.url, http_client=http_client), mode=mode) as client,
        ):
            arguments = {"name": "SDK gone", "seconds": 50}
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(client.call_tool("fixture_wait", arguments, progress_callback=note), 1)
            result = await client.call_tool("odoo_get_context", {})
            self.assertFalse(result.is_error)


class TestBrokenServer(StreamCase):
    def test_killed_worker_leaves_nothing(self):
        since = self.last_audit()
        body, headers = self.body(IMPORT, import_of("Killed", 2000)), self.modern_headers(IMPORT)
        with self.opened(body, headers, base=self.running.server.base) as connection:
            own_port = connection.sock.getsockname()[1]
            response = connection.getresponse()
            events = self.events(response)
            next(events)
            os.kill(self.serving(own_port), signal.SIGKILL)
            with contextlib.suppress(http.client.HTTPException, OSError):
                for _at, message in events:
                    self.assertNotIn("result", message)
        self.wait_for(lambda: self.endpoint.rpc("tools/list").status == 200, "The server does not come back")
        self.assertEqual(self.count("Killed"), 0)
        self.assertEqual(self.audited(IMPORT, since), [])

    def serving(self, port):
        """The worker that serves the client at this port of ours."""
        server = str(self.running.server.pid)
        children = subprocess.run(["pgrep", "-P", server], capture_output=True, text=True, check=True).stdout.split()
        return next(int(child) for child in children if port in remote_ports(child))


def remote_ports(pid):
    """The ports at the other end of a process's connections."""
    inodes = {os.readlink(each) for each in Path(f"/proc/{pid}/fd").iterdir() if each.is_symlink()}
    lines = Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]
    connections = (line.split() for line in lines)
    return {int(parts[2].rpartition(":")[2], 16) for parts in connections if f"socket:[{parts[9]}]" in inodes}
