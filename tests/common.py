"""What every test of the addon starts from: a user with a token, a call made the way the pipeline makes it, and one
assertion for each kind of answer."""

import json

from odoo.tests import HttpCase, TransactionCase, new_test_user

from ..models.call_environment import call_environment
from ..models.tool_call import ToolCall
from ..services.exchange import Credential, Exchange, Message, Narrowing
from ..services.versions import V2025_11_25, V2026_07_28

MODERN_META = {
    "io.modelcontextprotocol/protocolVersion": V2026_07_28.name,
    "io.modelcontextprotocol/clientCapabilities": {},
}


def altered(text: str) -> str:
    """Return a secret or a signed text with another character, not the last: part of that one may mean nothing."""
    middle = len(text) // 2
    return f"{text[:middle]}{'A' if text[middle] != 'A' else 'B'}{text[middle + 1 :]}"


class McpMixin:
    """An employee `cls.user` with full access, and helpers that act as that user."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # What OdooBot makes may be a mail's or a web form's; the records of tests are an employee's.
        context = {**cls.env.context, "mail_create_nosubscribe": True}
        cls.env = cls.env(user=cls.env.ref("base.user_admin").id, context=context, su=True)
        cls.env["ir.config_parameter"].set_param("web.base.url", "http://127.0.0.1:8069")
        for limit in ("calls", "user_calls", "writes", "heavy", "connects"):
            # A class of tests makes more calls in a minute than an assistant may. Those of limits set their own.
            cls.env["ir.config_parameter"].set_param(f"mcp_endpoint.{limit}", "0")
        cls.user = new_test_user(
            cls.env, "mcp_employee", groups="base.group_user,base.group_partner_manager", name="Eve Employee"
        )
        cls.profiles = {
            name: cls.env.ref(f"mcp_endpoint.profile_{name}") for name in ("read", "write", "full", "analyst")
        }

    @classmethod
    def issue(cls, user=None, profile="full", days=1) -> str:
        """Return a new token in clear."""
        user = user or cls.user
        return cls.env["mcp.token"]._issue(user, name="test", profile=cls.profiles[profile], days=days)

    def exchange(self, user=None, *, profile="full", method="tools/call", params=None, narrowing=None, version=None):
        """Return an `Exchange` as the dispatcher would make it for this user."""
        user = user or self.user
        mine = [("user_id", "=", user.id), ("profile_id", "=", self.profiles[profile].id), ("state", "=", "active")]
        token = self.env["mcp.token"].search(mine, limit=1)
        if not token:
            self.issue(user, profile)
            token = self.env["mcp.token"].search(mine, limit=1)
        return Exchange(
            message=Message(method=method, params=params or {}, id=1),
            version=version or V2025_11_25,
            credential=Credential("pat", token.id, user.id, token.profile_id.id, "127.0.0.1"),
            request_id="test-request",
            narrowing=narrowing or Narrowing(),
        )

    def registry_as(self, user=None):
        """Return `mcp.tool.registry` in a fresh environment of the user, as a request has it."""
        user = user or self.user
        self.env.flush_all()
        env = self.env(user=user.id, context={}, su=False)
        previous = env.transaction.default_env
        env.transaction.default_env = env
        self.addCleanup(setattr, env.transaction, "default_env", previous)
        return env["mcp.tool.registry"]

    def make_call(self, tool="odoo_search_records", user=None, *, profile="full", rehearsing=False, **arguments):
        """Return a `ToolCall` to drive parts of a tool directly."""
        exchange = self.exchange(user, profile=profile)
        registry = self.registry_as(user)
        policy = self.env["mcp.profile"]._compiled_for(exchange.credential)
        env = call_environment(registry.env, policy)
        return ToolCall(env, exchange, registry._specs()[tool], policy, arguments, rehearsing=rehearsing)

    def call(self, tool, /, user=None, *, profile="full", narrowing=None, **arguments) -> dict:
        """Run one tool through the whole pipeline and return its `CallToolResult`."""
        exchange = self.exchange(
            user, profile=profile, params={"name": tool, "arguments": arguments}, narrowing=narrowing
        )
        return self.registry_as(user)._call_tool(exchange)

    def ok(self, tool, /, user=None, **arguments) -> dict:
        """Run a tool that must succeed and return its structured content."""
        result = self.call(tool, user, **arguments)
        self.assertFalse(result["isError"], result["content"][0]["text"])
        json.dumps(result)
        return result["structuredContent"]

    def fails(self, code, tool, /, user=None, **arguments) -> dict:
        """Run a tool that must fail with this error code and return the error's facts."""
        result = self.call(tool, user, **arguments)
        self.assertTrue(result["isError"], result["content"][0]["text"])
        error = result["structuredContent"]["error"]
        self.assertEqual(error["code"], code, error)
        self.assertTrue(error["message"])
        text = json.dumps(result)
        for trace in ("Traceback", "psycopg2", "SELECT ", "/odoo/"):
            self.assertNotIn(trace, text)
        return error


class McpCase(McpMixin, TransactionCase):
    """Tools and models, without HTTP."""


class McpHttpCase(McpMixin, HttpCase):
    """The endpoint over HTTP. `post` speaks the handshake era without a session unless told otherwise."""

    def post(self, body, *, token=None, headers=None, path="/mcp", raw=None):
        """POST a JSON-RPC body (or `raw` bytes) with a bearer token; `token=False` sends none."""
        token = self.issue() if token is None else token
        sent = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        sent.update(headers or {})
        data = raw if raw is not None else json.dumps(body)
        return self.url_open(path, data=data, headers=sent, allow_redirects=False)

    def rpc(self, method, params=None, *, token=None, **options):
        """Send a modern (2026-07-28) request and return the response."""
        params = {**(params or {}), "_meta": MODERN_META}
        headers = {"MCP-Protocol-Version": V2026_07_28.name, "Mcp-Method": method}
        if name := params.get("name") or params.get("uri"):
            headers["Mcp-Name"] = name
        headers.update(options.pop("headers", {}))
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        return self.post(body, token=token, headers=headers, **options)
