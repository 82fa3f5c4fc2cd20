"""What the Connect page tells people to copy works as it stands: each snippet that can be run here is run."""

import json
import shlex
import sys
import tempfile
import unittest
from importlib.util import find_spec
from pathlib import Path

from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from test_clients import ClientCase

from devtools import clients
from services.connect import BY_KEY
from services.connect.guide import text_of


class SnippetCase(ClientCase):
    def text(self, guide, language):
        """The first snippet in a language of a guide's way by token, with the address and the token of this run."""
        snippets = BY_KEY[guide].token.snippets
        snippet = next(snippet for snippet in snippets if snippet.language == language)
        return text_of(snippet, self.endpoint.url, self.endpoint.token)


class TestPythonSnippets(SnippetCase):
    @unittest.skipUnless(find_spec("langchain_mcp_adapters"), "langchain-mcp-adapters is not installed")
    def test_langchain_lists_the_tools(self):
        output = self.run_program(
            [sys.executable, "-c", self.text("langchain", "python")], ODOO_MCP_TOKEN=self.endpoint.token
        )
        self.assertIn("odoo_search_records", output)


class TestNodeSnippets(SnippetCase, unittest.IsolatedAsyncioTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.node = clients.node()

    def test_ai_sdk_lists_the_tools(self):
        if not (Path(self.node.modules) / "@ai-sdk" / "mcp").is_dir():
            self.skipTest("the npm package @ai-sdk/mcp is not installed")
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "node_modules").symlink_to(self.node.modules)
            program = Path(folder) / "odoo-tools.mjs"
            program.write_text(self.text("ai-sdk", "javascript"))
            command = [self.node.node, "--preserve-symlinks-main", str(program)]
            output = self.run_program(command, self.node.environment(), ODOO_MCP_TOKEN=self.endpoint.token)
        self.assertIn("odoo_search_records", output)

    def test_inspector_takes_the_options(self):
        # The page opens its web client; the options are read by the same code in its command line client.
        npx, yes, package, *options = shlex.split(self.text("inspector", "shell"))
        self.assertEqual((npx, yes, package), ("npx", "-y", "@modelcontextprotocol/inspector"))
        command = self.node.command("inspector", "--cli", *options, "--method", "tools/list")
        listed = json.loads(self.run_program(command, self.node.environment()))
        self.assertIn("odoo_search_records", [tool["name"] for tool in listed["tools"]])

    async def test_bridge_passes_calls_on(self):
        for guide in ("claude-desktop", "bridge"):
            server = json.loads(self.text(guide, "json"))["mcpServers"]["odoo"]
            self.assertEqual((server["command"], server["args"][:2]), ("npx", ["-y", "mcp-remote"]))
            program, *arguments = self.node.command("mcp-remote", *server["args"][2:])
            with tempfile.TemporaryDirectory() as home:
                environment = {**self.node.environment(), **server["env"], "HOME": home}
                parameters = StdioServerParameters(command=program, args=arguments, env=environment)
                async with Client(stdio_client(parameters), mode="legacy") as client:
                    tools = (await client.list_tools()).tools
            self.assertIn("odoo_search_records", [tool.name for tool in tools])
