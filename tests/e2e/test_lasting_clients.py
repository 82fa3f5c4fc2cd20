"""Clients of each age through a whole session: progress, cancelling, a question, and a restart of the server."""

import json
import os
import time
import unittest
from pathlib import Path

from fixture import restartable
from program import Program

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
    @classmethod
    def setUpClass(cls):
        cls.running = restartable()
        cls.node = clients.node()

    def start(self, command, steps, environment=None, **variables):
        """Start a client that goes through these steps."""
        self.name = f"Cancelled {time.time_ns()}"
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

    def python(self, series, steps, **variables):
        interpreter = os.environ["MCP_LEGACY_PYTHON"] if series == 1 else clients.python_sdk()
        return self.start([interpreter, "-P", str(SCRIPTS / f"lasting_client_{series}.py")], steps, **variables)

    def typescript(self, package, steps, **variables):
        command = [self.node.node, str(SCRIPTS / "lasting_client.cjs"), self.node.modules, package]
        return self.start(command, steps, self.node.environment(), **variables)

    def remote(self, steps):
        """mcp-remote between a client on standard input and output, and our older transport."""
        words = [
            f"{self.running.url}/sse",
            "--transport",
            "sse-only",
            "--allow-http",
            "--header",
            f"Authorization: Bearer {self.running.token}",
        ]
        command = json.dumps(self.node.command("mcp-remote", *words))
        interpreter = os.environ["MCP_LEGACY_PYTHON"]
        script = [interpreter, "-P", str(SCRIPTS / "lasting_client_1.py")]
        return self.start(script, steps, self.node.environment(), MCP_TRANSPORT="stdio", MCP_COMMAND=command)

    # What each must have seen

    def check_progress(self, client):
        seen = client.step("progress")
        self.assertEqual(seen["seen"], PROGRESS)
        self.assertFalse(seen["error"])

    def check_cancelled(self, client):
        client.step("cancelled")
        deadline = time.monotonic() + 15
        slow = "tool = 'fixture_create_slowly'"
        sql = f"SELECT outcome FROM mcp_audit_log WHERE {slow} AND id > {self.audit_start}"
        while not (rows := postgres.query(sql, self.running.database)):
            self.assertLess(time.monotonic(), deadline, "the cancelled call is in no audit row")
            time.sleep(0.2)
        self.assertEqual(rows, [["cancelled"]])
        made = postgres.query(f"SELECT id FROM res_partner WHERE name = '{self.name}'", self.running.database)
        self.assertEqual(made, [])

    def check_answered(self, client):
        self.assertIn("Who are you?", client.step("asked")["message"])
        client.tell()
        answered = client.step("answered")
        self.assertFalse(answered["error"], answered)
        self.assertIn("ada@example.com", answered["text"])

    def check_resumed(self, client):
        client.step("waiting")
        self.running.restart()
        client.tell()
        resumed = client.step("resumed", "lost")
        self.assertEqual(resumed.get("text"), "Hello, again!", client.said)

    def check_whole(self, client, *protocols):
        """Everything, one after the other."""
        self.audit_start = postgres.query("SELECT coalesce(max(id), 0) FROM mcp_audit_log", self.running.database)[0][0]
        self.assertIn(client.step("connected")["protocol"], protocols)
        self.check_progress(client)
        self.check_cancelled(client)
        self.check_answered(client)
        self.check_resumed(client)
        client.step("done")

    WHOLE = "progress cancel ask resume"

    def test_python_sdk_current(self):
        self.check_whole(self.python(2, self.WHOLE), "2026-07-28")

    def test_python_sdk_current_shaking_hands(self):
        self.check_whole(self.python(2, self.WHOLE, MCP_MODE="legacy"), "2025-11-25")

    def test_python_sdk_first_series(self):
        self.check_whole(self.python(1, self.WHOLE), "2025-11-25")

    def test_python_sdk_first_series_over_sse(self):
        self.check_whole(self.python(1, "progress cancel ask", MCP_TRANSPORT="sse"), "2025-11-25")

    def test_typescript_sdk_current(self):
        self.check_whole(self.typescript("@modelcontextprotocol/client", self.WHOLE), "2026-07-28")

    def test_typescript_sdk_first_series(self):
        self.check_whole(self.typescript("@modelcontextprotocol/sdk", self.WHOLE), "2025-11-25")

    def test_typescript_sdk_of_2025(self):
        self.check_whole(self.typescript("sdk-of-2025", self.WHOLE), "2025-06-18")

    def test_mcp_remote_over_sse(self):
        self.check_whole(self.remote(self.WHOLE), "2025-11-25", "2025-06-18")

    def test_answer_given_after_a_restart(self):
        """A question that is open while the server restarts is answered afterwards, where the revision can resume."""
        for client in (self.python(2, "ask", MCP_MODE="legacy"), self.typescript("@modelcontextprotocol/sdk", "ask")):
            client.step("connected")
            client.step("asked")
            self.running.restart()
            client.tell()
            answered = client.step("answered")
            self.assertFalse(answered["error"], answered)
            self.assertIn("ada@example.com", answered["text"])
