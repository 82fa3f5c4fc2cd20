"""Clients that people use log in by themselves: no token is given to them, a person in a real Chromium allows.

Each lists the tools and calls one, and calls again when its access token's time is up: it refreshes and asks nobody.
"""

import json
import os
import re
import tempfile
import unittest
from pathlib import Path

from endpoint import Endpoint
from program import Program

from devtools import chromium, clients, consent, databases, demo_user, ports, postgres

SCRIPTS = Path(__file__).parent / "scripts"
EXPIRE = "UPDATE mcp_oauth_access SET expires_at = (now() AT TIME ZONE 'UTC') - interval '1 second'"
ADDRESS = re.compile(r"https?://\S+/oauth/authorize\?\S+")
# A document of which a copy is shipped: this machine may not reach the internet.
DOCUMENT = "https://claude.ai/oauth/claude-code-client-metadata"


class LoginCase(unittest.TestCase):
    """A browser, and what every client must have seen."""

    @classmethod
    def setUpClass(cls):
        cls.endpoint = Endpoint.of_run()
        cls.browser = cls.enterClassContext(chromium.running())

    def start(self, command, environment=None, **variables):
        program = Program(command, {**(environment or os.environ), "MCP_URL": self.endpoint.url, **variables})
        self.addCleanup(program.stop)
        return program

    def allow(self, address):
        consent.answer(self.browser.page(), address, demo_user.LOGIN, demo_user.PASSWORD)

    def expire(self):
        """Let the time of every access token be up."""
        postgres.query(EXPIRE, os.environ["MCP_DB"])

    def check_login(self, command, environment=None, **variables):
        """Log in, connect, refresh; return what the client says of it."""
        program = self.start(command, environment, **variables)
        self.allow(program.wait_for(lambda line: line.startswith("AUTHORIZE ")).partition(" ")[2])
        program.wait_for(lambda line: line == "CONNECTED")
        self.expire()
        program.tell()
        seen = json.loads(program.wait_for(lambda line: line.startswith("{")))
        self.assertIn("odoo_search_records", seen["tools"])
        self.assertFalse(seen["error"])
        self.assertEqual(len(seen["structured"]["rows"]), 3)
        self.assertTrue(seen["is_refreshed"])
        self.assertEqual(seen["logins"], 1)
        self.assertEqual(set(seen["scope"].split()), {"mcp:read", "mcp:write"})
        return seen


class TestPythonLogins(LoginCase):
    """The official Python SDK, its last two series."""

    def test_login_current(self):
        seen = self.check_login([clients.python_sdk(), "-P", str(SCRIPTS / "login_client.py")])
        self.assertEqual(seen["sdk"], "2.3.0")
        self.assertTrue(seen["client_id"].startswith("omcp_ci_"))

    def test_login_of_the_first_series(self):
        seen = self.check_login([os.environ["MCP_LEGACY_PYTHON"], "-P", str(SCRIPTS / "login_client.py")])
        self.assertTrue(seen["sdk"].startswith("1."))


class TestNodeLogins(LoginCase):
    """What comes from npm."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.node = clients.node()

    def typescript(self, package, **variables):
        command = [self.node.node, str(SCRIPTS / "login_client.cjs"), self.node.modules, package]
        return self.check_login(command, self.node.environment(), **variables)

    def test_login_typescript_current(self):
        self.typescript("@modelcontextprotocol/client")

    def test_login_typescript_of_the_first_series(self):
        self.typescript("@modelcontextprotocol/sdk")

    def test_login_typescript_of_2025(self):
        self.typescript("sdk-of-2025")

    def inspector(self, home, *arguments):
        """Start the Inspector's command line; it keeps what it gets in `home`."""
        command = self.node.command("inspector", "--cli", "--server-url", self.endpoint.url, "--transport", "http")
        callback = f"http://127.0.0.1:{ports.free(18700)}/oauth/callback"
        return self.start(
            [*command, "--callback-url", callback, "--format", "json", *arguments],
            self.node.environment(),
            MCP_STORAGE_DIR=home,
            MCP_AUTO_OPEN_ENABLED="true",
        )

    def test_login_inspector(self):
        with tempfile.TemporaryDirectory() as home:
            program = self.inspector(home, "--method", "tools/list")
            self.allow(ADDRESS.search(program.wait_for(ADDRESS.search))[0])
            self.assertIn("odoo_search_records", program.wait_for(lambda line: "odoo_search_records" in line))


class TestDocumentLogins(LoginCase):
    """The address of a document as the client's id, in place of a registration."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.node = clients.node()
        # As the check of what this server reaches would note it.
        note = 'env["mcp.oauth.server"]._note_egress("%s")'
        databases.change(os.environ["MCP_DB"], note % "ok")
        cls.addClassCleanup(databases.change, os.environ["MCP_DB"], note % "")

    def test_login_by_document(self):
        typescript = [self.node.node, str(SCRIPTS / "login_client.cjs"), self.node.modules]
        python = str(SCRIPTS / "login_client.py")
        for command in (
            [*typescript, "@modelcontextprotocol/client"],
            [*typescript, "@modelcontextprotocol/sdk"],
            [clients.python_sdk(), "-P", python],
            [os.environ["MCP_LEGACY_PYTHON"], "-P", python],
        ):
            with self.subTest(command=command):
                seen = self.check_login(command, self.node.environment(), MCP_CLIENT_DOCUMENT=DOCUMENT)
                self.assertEqual(seen["client_id"], DOCUMENT)


class TestMcpRemote(LoginCase):
    """The bridge for clients that only start programs: each of them starts one, and all share a file."""

    def call(self, bridge, number, method, **params):
        bridge.tell(json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}))

    def result(self, bridge, number):
        """Return the result of a call."""
        said = json.loads(bridge.wait_for(lambda line: line.startswith("{") and json.loads(line).get("id") == number))
        self.assertIn("result", said, "".join(bridge.said))
        return said["result"]

    def test_login_of_two_at_once(self):
        node = clients.node()
        with tempfile.TemporaryDirectory() as folder:
            command = node.command("mcp-remote", self.endpoint.url, "--allow-http")
            first = self.start(command, node.environment(), MCP_REMOTE_CONFIG_DIR=folder)
            address = ADDRESS.search(first.wait_for(ADDRESS.search))[0]
            # The other one comes while the first waits for the person.
            bridges = [first, self.start(command, node.environment(), MCP_REMOTE_CONFIG_DIR=folder)]
            self.allow(address)
            for bridge in bridges:
                hello = {
                    "protocolVersion": "2025-06-18",
                    "capabilities": {},
                    "clientInfo": {"name": "e", "version": "1"},
                }
                self.call(bridge, 1, "initialize", **hello)
                self.assertTrue(self.result(bridge, 1)["serverInfo"]["name"])
                bridge.tell(json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"}))
            search = {"name": "odoo_search_records", "arguments": {"model": "res.partner", "limit": 1}}
            for number in range(2, 12):
                self.expire()
                for bridge in bridges:
                    self.call(bridge, number, "tools/call", **search)
                for bridge in bridges:
                    self.assertFalse(self.result(bridge, number).get("isError"))
            addresses = [line for bridge in bridges for line in bridge.said if ADDRESS.search(line)]
            self.assertEqual(len(addresses), 1, "A person was asked again")
            rows = postgres.query(
                """SELECT count(*), count(t.revoked_at), max(t.generation) FROM mcp_token t
                     JOIN mcp_oauth_client c ON c.id = t.oauth_client_id WHERE c.name LIKE '%MCP CLI Proxy%'""",
                os.environ["MCP_DB"],
            )
            grants, revoked, refreshes = map(int, rows[0])
            self.assertEqual((grants, revoked), (1, 0))
            self.assertGreaterEqual(refreshes, 10)
