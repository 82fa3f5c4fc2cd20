"""Clients that people use: each connects with a personal access token, lists the tools and calls one."""

import json
import os
import shlex
import subprocess
import tempfile
import unittest
from importlib.metadata import version
from pathlib import Path

import httpx2
from endpoint import Endpoint
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from devtools import clients, versions
from services.connect import BY_KEY
from services.connect.guide import text_of

SCRIPTS = Path(__file__).parent / "scripts"
SEARCH = {"model": "res.partner", "fields": ["name"], "limit": 3}
PATIENCE = 120


class ClientCase(unittest.TestCase):
    """What every client must have seen."""

    @classmethod
    def setUpClass(cls):
        cls.endpoint = Endpoint.of_run()

    def run_program(self, command, environment=None, **variables):
        """Run a client; its standard output. Its failure fails the test with all it said."""
        with tempfile.TemporaryDirectory() as home:
            environment = {
                **(environment or os.environ),
                "HOME": home,
                "MCP_URL": self.endpoint.url,
                "MCP_TOKEN": self.endpoint.token,
                **variables,
            }
            environment.pop("XDG_CONFIG_HOME", None)
            done = subprocess.run(
                command,
                env=environment,
                cwd=home,
                capture_output=True,
                text=True,
                timeout=PATIENCE,
                stdin=subprocess.DEVNULL,
            )
        self.assertEqual(done.returncode, 0, f"{done.stdout}\n{done.stderr}")
        return done.stdout

    def check_seen(self, seen, *protocols):
        """Assert what a client reports of a session in one of these revisions."""
        self.assertIn(seen["protocol"], protocols)
        self.assertTrue(seen["server"])
        self.assertIn("odoo_search_records", seen["tools"])
        self.assertFalse(seen["error"], seen["text"])
        self.assertIn("res.partner", seen["text"])
        self.assertEqual(len(seen["structured"]["rows"]), 3)


class TestPythonSdk(ClientCase, unittest.IsolatedAsyncioTestCase):
    """The official Python SDK."""

    async def session(self, mode):
        async with (
            httpx2.AsyncClient(headers={"Authorization": f"Bearer {self.endpoint.token}"}, timeout=60) as http,
            Client(streamable_http_client(self.endpoint.url, http_client=http), mode=mode) as client,
        ):
            tools = (await client.list_tools()).tools
            result = await client.call_tool("odoo_search_records", SEARCH)
            return {
                "protocol": client.protocol_version,
                "server": client.server_info.name,
                "tools": [tool.name for tool in tools],
                "error": result.is_error,
                "text": result.content[0].text,
                "structured": result.structured_content,
            }

    async def test_current_release_discovers(self):
        self.assertEqual(version("mcp"), "2.3.0")
        self.check_seen(await self.session("auto"), "2026-07-28")

    async def test_current_release_shakes_hands(self):
        self.check_seen(await self.session("legacy"), "2025-11-25")

    def test_last_release_of_the_first_series(self):
        output = self.run_program([os.environ["MCP_LEGACY_PYTHON"], "-P", str(SCRIPTS / "legacy_client.py")])
        seen = json.loads(output)
        self.assertTrue(seen["client"].startswith("1."))
        self.assertTrue(seen["session"])
        self.check_seen(seen, "2025-11-25")


class TestNodeClients(ClientCase):
    """What comes from npm."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.node = clients.node()

    def typescript(self, package, **variables):
        command = [self.node.node, str(SCRIPTS / "ts_client.cjs"), self.node.modules, package]
        return json.loads(self.run_program(command, self.node.environment(), **variables))

    def test_typescript_sdk_discovers(self):
        self.check_seen(self.typescript("@modelcontextprotocol/client"), "2026-07-28")

    def test_typescript_sdk_shakes_hands(self):
        self.check_seen(self.typescript("@modelcontextprotocol/client", MCP_MODE="legacy"), "2025-11-25")

    def test_typescript_sdk_of_the_first_series(self):
        self.check_seen(self.typescript("@modelcontextprotocol/sdk"), "2025-11-25")

    def test_typescript_sdk_of_2025(self):
        self.assertIn("1.17.5", versions.NODE_PACKAGES["sdk-of-2025"])
        self.check_seen(self.typescript("sdk-of-2025"), "2025-06-18")

    def inspector(self, *arguments):
        command = self.node.command(
            "inspector",
            "--cli",
            self.endpoint.url,
            "--transport",
            "http",
            "--header",
            f"Authorization: Bearer {self.endpoint.token}",
            *arguments,
        )
        return json.loads(self.run_program(command, self.node.environment()))

    def test_inspector_lists(self):
        listed = self.inspector("--method", "tools/list")
        self.assertIn("odoo_search_records", [tool["name"] for tool in listed["tools"]])

    def test_inspector_calls(self):
        # Its arguments are words: numbers and lists arrive as it makes them of words.
        result = self.inspector(
            "--method",
            "tools/call",
            "--tool-name",
            "odoo_search_records",
            "--tool-arg",
            "model=res.partner",
            "--tool-arg",
            "limit=3",
            "--tool-arg",
            'fields=["name"]',
        )
        self.assertFalse(result.get("isError"), result)
        self.assertIn("res.partner", result["content"][0]["text"])

    def claude(self, home, *arguments):
        environment = {
            **self.node.environment(),
            "HOME": home,
            "CLAUDE_CONFIG_DIR": f"{home}/.claude",
            "DISABLE_AUTOUPDATER": "1",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        }
        return subprocess.run(
            self.node.command("claude", "mcp", *arguments),
            env=environment,
            cwd=home,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            stdin=subprocess.DEVNULL,
        )

    def add_to_claude(self, home, token):
        """Run the command that the Connect page shows for Claude Code."""
        guide = BY_KEY["claude-code"].token
        program, mcp, *words = shlex.split(text_of(guide.snippets[0], self.endpoint.url, token))
        self.assertEqual((program, mcp), ("claude", "mcp"))
        return self.claude(home, *words)

    def test_claude_code_connects(self):
        with tempfile.TemporaryDirectory() as home:
            added = self.add_to_claude(home, self.endpoint.token)
            self.assertEqual(added.returncode, 0, added.stdout + added.stderr)
            listed = self.claude(home, "list")
        line = next((line for line in listed.stdout.splitlines() if line.startswith("odoo:")), listed.stdout)
        self.assertIn("Connected", line, listed.stdout + listed.stderr)

    def test_claude_code_asks_for_a_login(self):
        with tempfile.TemporaryDirectory() as home:
            self.claude(home, "add", "--transport", "http", "odoo", self.endpoint.url)
            listed = self.claude(home, "list")
        self.assertIn("Needs authentication", listed.stdout)

    def test_claude_code_says_when_the_token_is_wrong(self):
        with tempfile.TemporaryDirectory() as home:
            self.add_to_claude(home, "omcp_pat_wrong")
            listed = self.claude(home, "list")
        self.assertNotIn("✓ Connected", listed.stdout)
