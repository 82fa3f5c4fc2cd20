"""Clients of each age through a whole session: progress, cancelling, a question, and a restart of the server."""

import json
import os
import signal
import time
import unittest
from pathlib import Path

from fixture import restartable
from program import Program
from streams import evented_pid

from devtools import clients, postgres

SCRIPTS = Path(__file__).parent / "scripts"
PROGRESS = [[0, 100], [50, 100], [100, 100]]


class LastingClient(Program):
    """A client that tells each of its steps as a line of JSON."""

    def step(self, *names):
        """Return the next of these steps; what comes between is passed over."""

        def fits(line):
            return line.startswith("{") and json.loads(line).get("step") in names

        return json.loads(self.wait_for(fits))


class TestLastingClients(unittest.TestCase):
    """All go through the same, one after the other; then one restart of the server is for all of them."""

    WHOLE = "progress cancel ask resume"
    UNBROKEN = "progress cancel ask"

    @classmethod
    def setUpClass(cls):
        cls.running = restartable()
        cls.node = clients.node()

    def start(self, command, steps, environment=None, **variables):
        """Start a client that goes through these steps."""
        self.name = f"Cancelled {time.time_ns()}"
        self.audited = self.query("SELECT coalesce(max(id), 0) FROM mcp_audit_log")[0][0]
        client = LastingClient(
            command,
            {
                **(environment or os.environ),
                "MCP_URL": self.running.url,
                "MCP_TOKEN": self.running.token,
                "MCP_STEPS": steps,
                "MCP_NAME": self.name,
                "MCP_TRANSPORT": "http",
                **variables,
            },
        )
        self.addCleanup(client.stop)
        return client

    def python(self, series, steps=WHOLE, **variables):
        interpreter = os.environ["MCP_LEGACY_PYTHON"] if series == 1 else clients.python_sdk()
        # Without -P: these import a neighbour.
        return self.start([interpreter, str(SCRIPTS / f"lasting_client_{series}.py")], steps, **variables)

    def typescript(self, package, steps=WHOLE, **variables):
        command = [self.node.node, str(SCRIPTS / "lasting_client.cjs"), self.node.modules, package]
        return self.start(command, steps, self.node.environment(), **variables)

    def remote(self, steps=WHOLE):
        """mcp-remote between a client on standard input and output, and our older transport."""
        header = f"Authorization: Bearer {self.running.token}"
        options = ("--transport", "sse-only", "--allow-http", "--header", header)
        command = json.dumps(self.node.command("mcp-remote", f"{self.running.url}/sse", *options))
        script = [os.environ["MCP_LEGACY_PYTHON"], str(SCRIPTS / "lasting_client_1.py")]
        return self.start(script, steps, self.node.environment(), MCP_TRANSPORT="stdio", MCP_COMMAND=command)

    def query(self, sql):
        return postgres.query(sql, self.running.database)

    def check_until_restart(self, client, *protocols):
        self.assertIn(client.step("connected")["protocol"], protocols)
        seen = client.step("progress")
        self.assertEqual((seen["seen"], seen["error"]), (PROGRESS, False))
        client.step("cancelled")
        self.check_cancelled()
        self.assertIn("Who are you?", client.step("asked")["message"])
        client.tell()
        self.check_answered(client)
        client.step("waiting", "done")

    def check_cancelled(self):
        """The cancelled call has left nothing but its audit row."""
        deadline = time.monotonic() + 15
        slow = f"tool = 'fixture_create_slowly' AND id > {self.audited}"
        while not (rows := self.query(f"SELECT outcome FROM mcp_audit_log WHERE {slow}")):
            self.assertLess(time.monotonic(), deadline, "the cancelled call is in no audit row")
            time.sleep(0.2)
        self.assertEqual(rows, [["cancelled"]])
        self.assertEqual(self.query(f"SELECT id FROM res_partner WHERE name = '{self.name}'"), [])

    def check_answered(self, client):
        answered = client.step("answered")
        self.assertFalse(answered["error"], answered)
        self.assertIn("ada@example.com", answered["text"])

    def test_sessions_last(self):
        starts = {
            "Python 2.x": (lambda: self.python(2), "2026-07-28"),
            "Python 2.x, handshake": (lambda: self.python(2, MCP_MODE="legacy"), "2025-11-25"),
            "Python 1.x": (lambda: self.python(1), "2025-11-25"),
            "TypeScript, newest": (lambda: self.typescript("@modelcontextprotocol/client"), "2026-07-28"),
            "TypeScript 1.x": (lambda: self.typescript("@modelcontextprotocol/sdk"), "2025-11-25"),
            "TypeScript 1.17": (lambda: self.typescript("sdk-of-2025"), "2025-06-18"),
        }
        waiting = {}
        for name, (start, *protocols) in starts.items():
            with self.subTest(client=name, step="until the restart"):
                client = start()
                self.check_until_restart(client, *protocols)
                waiting[name] = client
        # The older transport cannot resume: its sessions are their streams.
        with self.subTest(client="Python 1.x over SSE"):
            self.check_until_restart(self.python(1, self.UNBROKEN, MCP_TRANSPORT="sse"), "2025-11-25")
        with self.subTest(client="mcp-remote over SSE"):
            self.check_until_restart(self.remote(self.UNBROKEN), "2025-11-25", "2025-06-18")
        self.running.restart()
        for name, client in waiting.items():
            with self.subTest(client=name, step="after the restart"):
                client.tell()
                resumed = client.step("resumed", "lost")
                self.assertEqual(resumed.get("text"), "Hello, again!", client.said)
                client.step("done")
        with self.subTest(client="mcp-remote over SSE", step="after the restart"):
            client = self.remote("progress")
            self.assertEqual(client.step("progress")["seen"], PROGRESS)

    def test_question_outlives_the_process_of_streams(self):
        """It is killed while people think. Clients of 2025-11-25 wait there for the answer; the other ages do not: a
        newer client calls again with it, an older one waits in the worker that runs its call, and the oldest has lost
        its session, which was its stream."""
        starts = {
            "Python 2.x, handshake": lambda: self.python(2, "ask", MCP_MODE="legacy"),
            "Python 1.x": lambda: self.python(1, "ask"),
            "TypeScript, newest, handshake": lambda: self.typescript(
                "@modelcontextprotocol/client", "ask", MCP_MODE="legacy"
            ),
            "TypeScript 1.x": lambda: self.typescript("@modelcontextprotocol/sdk", "ask"),
        }
        asked = {name: start() for name, start in starts.items()}
        for client in asked.values():
            self.assertEqual(client.step("connected")["protocol"], "2025-11-25")
            client.step("asked")
        # They come back after a second; who does so at the very moment of the kill gives up before there is a server.
        time.sleep(3)
        os.kill(evented_pid(self.running.server), signal.SIGKILL)
        for client in asked.values():
            client.tell()
        for name, client in asked.items():
            with self.subTest(client=name):
                self.check_answered(client)
                client.step("done")
