"""SDKs of revisions that the conformance suite does not run: their own transports, batches and notices."""

import json
import subprocess
import unittest
from pathlib import Path

from fixture import shared

from devtools import clients, postgres, token_proxy

SCRIPT = Path(__file__).parent / "scripts" / "older_client.mjs"
PATIENCE = 90


class TestOlderClients(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.running = shared()
        cls.node = clients.node()

    def session(self, package, transport, **variables):
        """Run a session; what it saw, and the revisions that the server noted for it."""
        environment = {
            **self.node.environment(),
            "MCP_URL": self.running.url,
            "MCP_TOKEN": self.running.token,
            "MCP_TRANSPORT": transport,
            **variables,
        }
        last = self.query("SELECT coalesce(max(id), 0) FROM mcp_audit_log")[0][0]
        done = subprocess.run(
            [self.node.node, str(SCRIPT), self.node.modules, package],
            env=environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            stdin=subprocess.DEVNULL,
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        noted = self.query(f"SELECT DISTINCT protocol FROM mcp_audit_log WHERE id > {last} AND client = 'older'")
        return json.loads(done.stdout), [protocol for (protocol,) in noted]

    def query(self, sql):
        return postgres.query(sql, self.running.database)

    def check_seen(self, seen):
        self.assertEqual(seen["server"], "odoo-mcp-endpoint")
        self.assertGreater(seen["tools"], 20)
        self.assertEqual(seen["text"], "Hello, you!")
        self.assertIn("notifications/tools/list_changed", seen["heard"])

    def test_2024_11_05_over_its_own_transport(self):
        # It cannot send headers.
        with token_proxy.running(self.running.base, self.running.token) as base:
            seen, protocols = self.session("sdk-of-2024", "sse", MCP_URL=f"{base}/mcp")
        self.check_seen(seen)
        self.assertEqual(protocols, ["2024-11-05"])

    def test_2025_03_26_with_batches_and_a_stream_of_notices(self):
        seen, protocols = self.session("sdk-of-spring-2025", "http", MCP_BATCH="1")
        self.check_seen(seen)
        self.assertEqual(protocols, ["2025-03-26"])
        self.assertEqual(seen["batched"], [["batch-1", "Hello, one!"], ["batch-2", "Hello, two!"]])

    def test_2025_03_26_over_the_older_transport(self):
        seen, protocols = self.session("sdk-of-spring-2025", "sse")
        self.check_seen(seen)
        self.assertEqual(protocols, ["2025-03-26"])
