"""How a client ends a call while it runs, and what a worker leaves that is killed in one."""

import asyncio
import contextlib
import http.client
import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import httpx2
from answer_case import IMPORT, PATIENCE, ROWS, AnswerCase, import_of
from endpoint import MODERN
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from devtools import postgres, tokens


class TestCancellation(AnswerCase):
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
                        time.sleep(1)
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


class TestBrokenServer(AnswerCase):
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
