from unittest.mock import patch

from odoo.tests import mute_logger, tagged

from ..services.errors import HttpRefusal
from .common import MODERN_META
from .dispatching import ODOO_HTTP, OWN, DispatcherCase, request

HANDSHAKES = ("2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05")


@tagged("post_install", "-at_install")
class TestMcpDispatcherModern(DispatcherCase):
    def test_ladder_gives_its_codes_and_statuses_in_order(self):
        other = {**MODERN_META, "io.modelcontextprotocol/protocolVersion": "v999"}
        wanting = {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}
        call = {"name": "odoo_get_context", "arguments": {}}
        for body, headers, status, code in (
            # 3. metadata
            (request("tools/list", _meta={}), {}, 400, -32602),
            (request("tools/list", _meta=wanting), {}, 400, -32602),
            # 4. the version header
            (request("tools/list"), {"Mcp_Protocol_Version": None}, 400, -32020),
            (request("tools/list"), {"Mcp_Protocol_Version": "2025-06-18"}, 400, -32020),
            (request("tools/list", _meta=other), {}, 400, -32020),
            # 5. the method header
            (request("tools/list"), {"Mcp_Method": None}, 400, -32020),
            (request("tools/list"), {"Mcp_Method": "TOOLS/LIST"}, 400, -32020),
            # 6. the name header
            (request("tools/call", **call), {}, 400, -32020),
            (request("tools/call", **call), {"Mcp_Name": "odoo_undo"}, 400, -32020),
            (request("tools/call", **call), {"Mcp_Name": "=?base64?b2Rvbw?="}, 400, -32020),
            # 7. the version
            (request("tools/list", _meta=other), {"Mcp_Protocol_Version": "v999"}, 400, -32022),
            # 8. the method: unknown, or of the handshake era
            (request("no/such"), {}, 404, -32601),
            (request("initialize", protocolVersion="2025-11-25"), {}, 404, -32601),
            (request("ping"), {}, 404, -32601),
            (request("logging/setLevel", level="debug"), {}, 404, -32601),
            (request("resources/subscribe", uri="a"), {}, 404, -32601),
            (request("resources/unsubscribe", uri="a"), {}, 404, -32601),
            (request("sampling/createMessage"), {}, 404, -32601),
            # 10. params
            (request("tools/list", cursor="forged"), {}, 400, -32602),
            (request("tools/list", cursor=1), {}, 400, -32602),
            (request("tools/call", name="odoo_no_such"), {"Mcp_Name": "odoo_no_such"}, 400, -32602),
            (
                request("tools/list", _meta={**MODERN_META, "io.modelcontextprotocol/logLevel": "loud"}),
                {},
                400,
                -32602,
            ),
        ):
            with self.subTest(body=body, headers=headers):
                self.assertError(self.modern(body, **headers), status, code, 1)

    def test_request_without_metadata_under_a_modern_or_unknown_header_is_400(self):
        for version in ("2026-07-28", "v999", "1.0"):
            self.assertError(self.send(request("tools/list"), Mcp_Protocol_Version=version), 400, -32602, 1)

    def test_unsupported_version_tells_which_are(self):
        meta = {**MODERN_META, "io.modelcontextprotocol/protocolVersion": "v999"}
        response = self.modern(request("server/discover", _meta=meta), Mcp_Protocol_Version="v999")
        data = self.assertError(response, 400, -32022, 1)["data"]
        discovered = self.assertResult(self.modern(request("server/discover")))["supportedVersions"]
        self.assertEqual(data, {"supported": discovered, "requested": "v999"})
        self.assertEqual(discovered, ["2026-07-28", *HANDSHAKES])

    def test_arrays_are_invalid(self):
        for body in ([], [request()], [request("tools/list", _meta=MODERN_META)]):
            for version in ("2026-07-28", "v999", None):
                if body == [request()] and version is None:
                    continue
                self.assertError(self.send(body, Mcp_Protocol_Version=version), 400, -32600)

    def test_results_are_complete_and_name_the_server(self):
        for method in ("server/discover", "tools/list"):
            result = self.assertResult(self.modern(request(method)))
            self.assertEqual(result["resultType"], "complete")
            self.assertEqual(result["cacheScope"], "private")
            self.assertGreaterEqual(result["ttlMs"], 0)
            server = result["_meta"]["io.modelcontextprotocol/serverInfo"]
            self.assertTrue(server["name"] and server["version"])
            self.assertNotIn("serverInfo", result)

    def test_call_is_complete_and_not_cacheable(self):
        body = request("tools/call", name="odoo_get_context", arguments={})
        result = self.assertResult(self.modern(body, Mcp_Name="=?base64?b2Rvb19nZXRfY29udGV4dA==?="))
        self.assertEqual(result["resultType"], "complete")
        self.assertFalse(result["isError"])
        self.assertFalse({"ttlMs", "cacheScope"} & set(result))

    def test_discover_advertises_nothing_of_the_handshake_era(self):
        capabilities = self.assertResult(self.modern(request("server/discover")))["capabilities"]
        self.assertEqual(set(capabilities), {"tools", "prompts", "resources", "completions", "extensions"})

    def test_session_header_is_ignored_and_none_is_minted(self):
        response = self.modern(request("tools/list"), Mcp_Session_Id="no-such-session")
        self.assertResult(response)
        self.assertNotIn("Mcp-Session-Id", response.headers)
        self.assertError(self.send(method="DELETE", Mcp_Session_Id="x", Mcp_Protocol_Version="2026-07-28"), 405, -32600)

    def test_names_of_headers_are_case_insensitive_and_values_padded(self):
        body = request("tools/list", _meta=MODERN_META)
        headers = {"mCP_pROTOCOL_vERSION": "2026-07-28 \t", "MCP_METHOD": "tools/list "}
        self.assertResult(self.send(body, **headers))

    def test_list_is_the_same_every_time(self):
        names = [
            [tool["name"] for tool in self.assertResult(self.modern(request("tools/list")))["tools"]] for _i in range(3)
        ]
        self.assertTrue(names[0])
        self.assertEqual(names[0], names[1])
        self.assertEqual(names[0], names[2])


@tagged("post_install", "-at_install")
class TestMcpDispatcherHandshake(DispatcherCase):
    def test_initialize_negotiates_and_opens_a_session(self):
        for asked, agreed in (
            *((name, name) for name in HANDSHAKES),
            ("2026-07-28", "2025-11-25"),
            ("x", "2025-11-25"),
        ):
            response = self.initialize(asked)
            result = self.assertResult(response)
            self.assertEqual(result["protocolVersion"], agreed)
            advertised = {"tools", "logging", "prompts", "resources"}
            advertised |= set() if agreed == "2024-11-05" else {"completions"}
            self.assertEqual(set(result["capabilities"]), advertised)
            self.assertTrue(result["serverInfo"]["name"] and result["serverInfo"]["version"])
            self.assertFalse({"resultType", "_meta", "ttlMs"} & set(result))
            self.assertRegex(response.headers["Mcp-Session-Id"], r"^[\x21-\x7e]{32,}$")

    def test_initialize_ignores_a_leaked_header(self):
        for version in ("2026-07-28", "v999", "2025-06-18"):
            response = self.initialize(Mcp_Protocol_Version=version, Mcp_Session_Id="stale", Mcp_Method="initialize")
            self.assertResult(response)

    def test_initialize_of_wrong_shape_opens_nothing(self):
        before = self.env["mcp.session"].search_count([])
        for params in ({"x": 1}, {"protocolVersion": 1}, {"protocolVersion": "2025-11-25", "capabilities": "x"}):
            response = self.send(request("initialize", **params))
            self.assertError(response, 200, -32602, 1)
            self.assertNotIn("Mcp-Session-Id", response.headers)
        self.assertEqual(self.env["mcp.session"].search_count([]), before)

    def test_errors_are_http_200(self):
        for body, code in (
            (request("no/such"), -32601),
            (request("server/discover"), -32601),
            (request("subscriptions/listen"), -32601),
            (request("resources/subscribe", uri="a"), -32602),
            (request("notifications/initialized"), -32601),
            (request("logging/setLevel", level="loud"), -32602),
            (request("logging/setLevel"), -32602),
            (request("tools/call", name="odoo_no_such"), -32602),
            (request("tools/list", cursor=""), -32602),
        ):
            with self.subTest(body=body):
                self.assertError(self.send(body, Mcp_Protocol_Version="2025-11-25"), 200, code, 1)

    def test_ping_and_set_level_answer_exactly_an_empty_object(self):
        session = self.initialize().headers["Mcp-Session-Id"]
        for version in (None, "2025-11-25"):
            headers = {"Mcp_Session_Id": session, "Mcp_Protocol_Version": version}
            self.assertEqual(self.assertResult(self.send(request(), **headers)), {})
            self.assertEqual(self.assertResult(self.send(request("logging/setLevel", level="info"), **headers)), {})

    def test_results_carry_nothing_modern(self):
        for version in (None, *HANDSHAKES):
            for body in (request("tools/list"), request("tools/call", name="odoo_get_context", arguments={})):
                result = self.assertResult(self.send(body, Mcp_Protocol_Version=version))
                self.assertFalse({"resultType", "ttlMs", "cacheScope"} & set(result))
                self.assertNotIn("io.modelcontextprotocol/serverInfo", result.get("_meta", {}))

    def test_list_is_written_for_the_sessions_version(self):
        for version, title, annotations in (
            ("2025-11-25", True, True),
            ("2025-03-26", False, True),
            ("2024-11-05", False, False),
        ):
            session = self.initialize(version).headers["Mcp-Session-Id"]
            tools = self.assertResult(self.send(request("tools/list"), Mcp_Session_Id=session))["tools"]
            self.assertTrue(tools)
            for tool in tools:
                self.assertEqual(("title" in tool, "annotations" in tool), (title, annotations))

    def test_session_of_nobody_else_is_404(self):
        session = self.initialize().headers["Mcp-Session-Id"]
        ended = self.initialize().headers["Mcp-Session-Id"]
        self.assertEmpty(self.send(method="DELETE", Mcp_Session_Id=ended), 204)
        for token, key in (
            (None, "unknown"),
            (None, ""),
            (None, "ü"),
            (None, session + "x"),
            (None, ended),
            (self.issue(), session),
            (self.issue(self.env.ref("base.user_admin")), session),
        ):
            with self.subTest(key=key):
                self.assertError(self.send(request(), token=token, Mcp_Session_Id=key.encode()), 404, -32001, 1)
                notification = {"jsonrpc": "2.0", "method": "notifications/initialized"}
                self.assertError(self.send(notification, token=token, Mcp_Session_Id=key.encode()), 404, -32001)
                self.assertError(self.send(method="DELETE", token=token, Mcp_Session_Id=key.encode()), 404, -32001)
        self.assertResult(self.send(request(), Mcp_Session_Id=session))

    def test_delete_needs_a_session(self):
        self.assertError(self.send(method="DELETE"), 400, -32600)

    def test_batch_is_answered_in_2025_03_26(self):
        session = self.initialize("2025-03-26").headers["Mcp-Session-Id"]
        batch = [
            request(id=1),
            {"jsonrpc": "2.0", "method": "notifications/cancelled"},
            request("no/such", id="b"),
            {"jsonrpc": "2.0", "id": 9, "method": 5},
            "nonsense",
            {"jsonrpc": "2.0", "id": 5, "result": {}},
            request("tools/list", id=3),
        ]
        for headers in ({}, {"Mcp_Session_Id": session}, {"Mcp_Protocol_Version": "2025-03-26"}):
            response = self.send(batch, **headers)
            self.assertPlain(response)
            self.assertEqual(response.status_code, 200)
            answers = response.json()
            self.assertEqual([answer.get("id") for answer in answers], [1, "b", 9, None, 3])
            codes = [answer["error"]["code"] if "error" in answer else None for answer in answers]
            self.assertEqual(codes, [None, -32601, -32600, -32600, None])

    def test_batch_waits_for_the_disk_where_a_single_read_does_not(self):
        for body, changed in ((request(), True), ([request()], False), ([request()] * 2, False)):
            self.send(body)
            self.env.cr.execute("SELECT source FROM pg_settings WHERE name = 'synchronous_commit'")
            self.assertEqual(self.env.cr.fetchone() == ("session",), changed)

    def test_batch_without_requests_is_202(self):
        notification = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        self.assertEmpty(self.send([notification, {"jsonrpc": "2.0", "id": 1, "result": {}}]), 202)

    def test_batch_out_of_bounds_or_place_is_400(self):
        newer = self.initialize("2025-06-18").headers["Mcp-Session-Id"]
        oldest = self.initialize("2024-11-05").headers["Mcp-Session-Id"]
        for body, headers in (
            ([], {}),
            ([request()] * 51, {}),
            ([request(), request("initialize", protocolVersion="2025-03-26")], {}),
            ([request()], {"Mcp_Protocol_Version": "2025-06-18"}),
            ([request()], {"Mcp_Protocol_Version": "2025-11-25"}),
            ([request()], {"Mcp_Session_Id": newer}),
            ([request()], {"Mcp_Session_Id": oldest}),
        ):
            with self.subTest(headers=headers, length=len(body)):
                self.assertError(self.send(body, **headers), 400, -32600)

    def test_refusal_in_a_batch_is_that_messages_alone(self):
        server = type(self.env["mcp.server"])
        refusals = [{}, HttpRefusal(429, "Too many calls."), {}]
        with patch.object(server, "_rpc_ping", side_effect=refusals):
            answers = self.send([request(id=1), request(id=2), request(id=3)]).json()
        self.assertEqual([("error" in answer, answer["id"]) for answer in answers], [(False, 1), (True, 2), (False, 3)])

    def test_crash_in_a_batch_answers_every_request(self):
        server = type(self.env["mcp.server"])
        with patch.object(server, "_rpc_ping", side_effect=RuntimeError), mute_logger(OWN, ODOO_HTTP):
            answers = self.send([request(id=1), request(id=2)]).json()
        self.assertEqual([(answer["id"], answer["error"]["code"]) for answer in answers], [(1, -32603), (2, -32603)])
