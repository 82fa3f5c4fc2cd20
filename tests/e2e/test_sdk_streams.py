"""What people's clients do with streams: subscriptions, progress, both transports."""

import json
import os
import subprocess
from pathlib import Path

from stream_case import RECORD, UPDATED, StreamCase

from devtools import clients

SCRIPTS = Path(__file__).parent / "scripts"


class TestSdkStreams(StreamCase):
    def run_client(self, command, path="/mcp", **variables):
        environment = {
            **os.environ,
            "MCP_URL": f"{self.running.base}{path}",
            "MCP_TOKEN": self.running.token,
            "MCP_RESOURCE": RECORD,
            **variables,
        }
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=90, check=False)
        self.assertEqual(done.returncode, 0, f"{done.stdout}\n{done.stderr}")
        seen = json.loads(done.stdout)
        self.assertIn("odoo_search_records", seen["tools"])
        self.assertFalse(seen["error"])
        return seen

    def test_python_sdk_1(self):
        for kind, path in (("sse", "/mcp/sse"), ("sse", "/mcp"), ("http", "/mcp")):
            with self.subTest(transport=kind, path=path):
                command = [os.environ["MCP_LEGACY_PYTHON"], "-P", str(SCRIPTS / "stream_client.py")]
                seen = self.run_client(command, path, MCP_TRANSPORT=kind)
                self.assertIn(UPDATED, seen["heard"])
                self.assertTrue(seen["progress"])

    def test_python_sdk_2(self):
        command = [clients.python_sdk(), "-P", str(SCRIPTS / "listen_client.py")]
        seen = self.run_client(command)
        self.assertEqual(seen["changed"], RECORD)
        self.assertEqual(seen["protocol"], "2026-07-28")

    def test_typescript_sdks(self):
        node = clients.node()
        for package in ("@modelcontextprotocol/sdk", "sdk-of-2025"):
            for kind, path in (("sse", "/mcp/sse"), ("http", "/mcp")):
                with self.subTest(package=package, transport=kind):
                    script = str(SCRIPTS / "ts_stream_client.cjs")
                    seen = self.run_client([node.node, script, node.modules, package, kind], path)
                    self.assertEqual(seen["updated"], RECORD)
                    self.assertTrue(seen["progress"])
