import dataclasses
from unittest.mock import patch

from odoo.tests import tagged

from ..services.errors import InvalidParams, MethodNotFound, ProtocolError
from ..services.exchange import Message
from ..services.versions import V2025_06_18, V2025_11_25, V2026_07_28, VERSIONS
from .common import MODERN_META, McpCase

HANDSHAKE_METHODS = {"initialize", "ping", "logging/setLevel"}
MODERN_METHODS = {"server/discover"}


def definitions(count):
    return [
        {
            "name": f"odoo_tool_{number:03}",
            "title": "T",
            "inputSchema": {"type": "object", "properties": {}},
            "annotations": {"readOnlyHint": True},
        }
        for number in range(count)
    ]


@tagged("post_install", "-at_install")
class TestMcpServer(McpCase):
    def setUp(self):
        super().setUp()
        self.base = self.exchange(version=V2025_11_25)
        self.server = self.registry_as().env["mcp.server"]

    def handle(self, method, version=V2025_11_25, **params):
        headers = {}
        if version.modern:
            params = {"_meta": MODERN_META, **params}
            headers = {"mcp-protocol-version": version.name, "mcp-method": method}
            if "name" in params:
                headers["mcp-name"] = params["name"]
        message = Message(method, params, 1)
        return self.server._handle(dataclasses.replace(self.base, message=message, version=version, headers=headers))

    def refused(self, method, version=V2025_11_25, **params):
        try:
            self.handle(method, version, **params)
        except ProtocolError as error:
            return error.code
        self.fail(f"{method} was not refused")

    def patch_registry(self, **methods):
        for name, value in methods.items():
            patcher = patch.object(type(self.env["mcp.tool.registry"]), name, side_effect=None, return_value=value)
            patcher.start()
            self.addCleanup(patcher.stop)

    def last_row(self):
        return self.env["mcp.audit.log"].search([], limit=1)

    def test_each_era_has_its_methods_and_each_method_its_code(self):
        for version in VERSIONS.values():
            table = self.server._rpc_table(version)
            own, foreign = MODERN_METHODS, HANDSHAKE_METHODS
            if not version.modern:
                own, foreign = foreign, own
            self.assertLessEqual(own | {"tools/list", "tools/call"}, set(table))
            self.assertFalse(foreign & set(table))
            for method, handler in table.items():
                self.assertTrue(handler.startswith("_rpc_"), method)
                self.assertTrue(callable(getattr(self.server, handler)), method)

    def test_capability_is_advertised_only_with_its_methods(self):
        for version in VERSIONS.values():
            table = self.server._rpc_table(version)
            capabilities = self.server._capabilities(version)
            self.assertEqual("logging" in capabilities, "logging/setLevel" in table)
            for capability, method in (("prompts", "prompts/list"), ("resources", "resources/list")):
                self.assertEqual(capability in capabilities, method in table)

    def test_method_added_by_an_addon_is_served(self):
        server = type(self.server)
        table = server._rpc_table

        def extended(model, version):
            return table(model, version) | {"example/hello": "_rpc_example_hello"}

        with (
            patch.object(server, "_rpc_table", extended),
            patch.object(server, "_rpc_example_hello", lambda model, exchange: {"hello": 1}, create=True),
        ):
            self.assertEqual(self.handle("example/hello"), {"hello": 1})
            modern = self.handle("example/hello", V2026_07_28)
        self.assertEqual((modern["hello"], modern["resultType"]), (1, "complete"))

    def test_attribute_that_is_no_method_of_the_table_is_unknown(self):
        for method in ("_handle", "__class__", "_rpc_ping", "unlink", "ping/", "Ping", "tools"):
            for version in (V2025_11_25, V2026_07_28):
                with self.subTest(method=method), self.assertRaises(MethodNotFound):
                    self.handle(method, version)

    def test_long_list_comes_in_pages_that_cover_it_once(self):
        expected = definitions(250)
        self.patch_registry(_listing=expected)
        for version in (V2025_11_25, V2026_07_28):
            names, sizes, params = [], [], {}
            while True:
                result = self.handle("tools/list", version, **params)
                names += [tool["name"] for tool in result["tools"]]
                sizes.append(len(result["tools"]))
                if "nextCursor" not in result:
                    break
                params = {"cursor": result["nextCursor"]}
            self.assertEqual(sizes, [100, 100, 50])
            self.assertEqual(names, [tool["name"] for tool in expected])

    def test_list_of_exactly_a_page_has_no_cursor(self):
        self.patch_registry(_listing=definitions(100))
        self.assertNotIn("nextCursor", self.handle("tools/list"))

    def test_cursor_of_another_caller_or_another_list_is_refused(self):
        self.patch_registry(_listing=definitions(150))
        cursor = self.handle("tools/list")["nextCursor"]
        self.base = self.exchange(self.env.ref("base.user_admin"))
        with self.assertRaises(InvalidParams):
            self.handle("tools/list", cursor=cursor)

    def test_cursor_of_a_tool_that_is_gone_asks_to_start_again(self):
        self.patch_registry(_listing=definitions(150))
        cursor = self.handle("tools/list")["nextCursor"]
        self.patch_registry(_listing=definitions(50))
        with self.assertRaisesRegex(InvalidParams, "start"):
            self.handle("tools/list", cursor=cursor)

    def test_instructions_name_only_tools_the_caller_has(self):
        self.patch_registry(_listing=definitions(1))
        text = self.handle("server/discover", V2026_07_28)["instructions"]
        self.assertNotIn("odoo_", text)
        self.assertIn("read only", text)

    def test_initialize_stores_what_the_client_said(self):
        self.base = dataclasses.replace(
            self.base, session_key="k" * 43, client={"name": "Tests"}, capabilities={"roots": {}}
        )
        self.handle("initialize", V2025_06_18, protocolVersion="2025-06-18")
        state = self.env["mcp.session"]._find("k" * 43, self.base.credential)
        self.assertEqual(
            (state.version, state.client["name"], state.capabilities), ("2025-06-18", "Tests", {"roots": {}})
        )

    def test_title_of_the_server_comes_where_it_is_known(self):
        for version in VERSIONS.values():
            if not version.modern:
                exchange = dataclasses.replace(self.base, session_key=version.name)
                self.base = exchange
                info = self.handle("initialize", version, protocolVersion=version.name)["serverInfo"]
                self.assertEqual("title" in info, version.titles)

    def test_requests_refusals_and_notifications_leave_one_row_each(self):
        rows = self.env["mcp.audit.log"].search_count([])
        self.handle("ping")
        self.assertEqual((self.last_row().method, self.last_row().outcome), ("ping", "ok"))
        # Not `assertRaises`: Odoo's rolls back what was written, where the dispatcher answers and commits.
        self.assertEqual(self.refused("no/such", V2026_07_28), -32601)
        self.assertEqual((self.last_row().method, self.last_row().outcome), ("no/such", "refused"))
        self.assertTrue(self.last_row().reason)
        self.assertEqual(self.refused("tools/call", name="odoo_no_such"), -32602)
        self.assertEqual((self.last_row().tool, self.last_row().outcome), ("odoo_no_such", "refused"))
        self.server._handle(dataclasses.replace(self.base, message=Message("notifications/initialized", {})))
        self.assertEqual(self.env["mcp.audit.log"].search_count([]), rows + 4)

    def test_call_leaves_exactly_one_row(self):
        rows = self.env["mcp.audit.log"].search_count([])
        self.handle("tools/call", name="odoo_get_context", arguments={})
        self.assertEqual(self.env["mcp.audit.log"].search_count([]), rows + 1)

    def test_mirrored_argument_must_agree_with_its_header(self):
        spec = next(iter(self.env["mcp.tool.registry"]._specs().values()))
        schema = {"type": "object", "properties": {"region": {"type": "string", "x-mcp-header": "Region"}}}
        self.patch_registry(
            _specs={spec.name: dataclasses.replace(spec, schema=schema)}, _call_tool={"content": [], "isError": False}
        )
        headers = {"mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": spec.name}
        params = {"name": spec.name, "arguments": {"region": "eu"}, "_meta": MODERN_META}
        exchange = dataclasses.replace(
            self.base, message=Message("tools/call", params, 1), version=V2026_07_28, headers=headers
        )
        with self.assertRaises(ProtocolError) as caught:
            self.server._handle(exchange)
        self.assertEqual(caught.exception.code, -32020)
        agreed = dataclasses.replace(exchange, headers={**headers, "mcp-param-region": "eu"})
        self.assertFalse(self.server._handle(agreed)["isError"])
        # Older clients know nothing of it.
        self.server._handle(dataclasses.replace(exchange, version=V2025_11_25, headers={}))
