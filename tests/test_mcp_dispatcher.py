import json
from unittest.mock import patch

import odoo
import psycopg2
from odoo.exceptions import ConcurrencyError, ValidationError
from odoo.tests import mute_logger, tagged

from ..services.errors import HttpRefusal
from .common import MODERN_META, McpHttpCase

HANDSHAKES = ("2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05")
ODOO_HTTP = "odoo.http"
OWN = "odoo.addons.mcp_endpoint.controllers.mcp_dispatcher"


def request(method="ping", id=1, **params):
    return {"jsonrpc": "2.0", "id": id, "method": method, **({"params": params} if params else {})}


class DispatcherCase(McpHttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.token = cls.issue()

    def send(self, body=None, *, path="/mcp", method="POST", token=None, **headers):
        """Send any HTTP request; keyword headers replace the usual ones, None takes one away."""
        token = self.token if token is None else token
        sent = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        data = body if isinstance(body, (bytes, type(None))) else json.dumps(body)
        return self.opener.request(
            method, self.base_url() + path, data=data, headers=sent, allow_redirects=False, timeout=30
        )

    def modern(self, body, **headers):
        """Send a 2026-07-28 request whose headers agree with it, unless told otherwise."""
        params = {"_meta": MODERN_META, **body.get("params", {})}
        usual = {"Mcp_Protocol_Version": "2026-07-28", "Mcp_Method": body["method"]}
        return self.send({**body, "params": params}, **{**usual, **headers})

    def initialize(self, version="2025-11-25", **headers):
        params = {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "tests", "version": "1"}}
        return self.send(request("initialize", **params), **headers)

    def assertPlain(self, response):
        """Nothing that only a browser would understand: no cookie, no redirect, no page."""
        self.assertNotIn("Set-Cookie", response.headers)
        self.assertNotIn("Location", response.headers)
        self.assertNotIn("html", response.headers.get("Content-Type", ""))

    def assertEmpty(self, response, status):
        self.assertPlain(response)
        self.assertEqual((response.status_code, response.content), (status, b""), response.text)

    def assertResult(self, response):
        self.assertPlain(response)
        self.assertEqual(response.status_code, 200, response.text)
        self.assertEqual(response.headers["Content-Type"], "application/json")
        body = response.json()
        self.assertEqual(set(body), {"jsonrpc", "id", "result"}, body)
        return body["result"]

    def assertError(self, response, status, code, id=None):
        """The one assertion for everything the endpoint refuses."""
        self.assertPlain(response)
        self.assertEqual(response.status_code, status, response.text)
        body = response.json()
        self.assertEqual(set(body), {"jsonrpc", "error"} | ({"id"} if id is not None else set()), body)
        self.assertEqual((body.get("id"), body["error"]["code"]), (id, code), body)
        self.assertTrue(body["error"]["message"])
        for trace in ("Traceback", "psycopg2", "SELECT ", "/odoo/"):
            self.assertNotIn(trace, response.text)
        return body["error"]


@tagged("post_install", "-at_install")
class TestMcpDispatcherHttp(DispatcherCase):
    """What is decided before a body is JSON-RPC."""

    def test_paths_are_one_endpoint_and_never_redirect(self):
        for path in ("/mcp", "/mcp/", "/mcp/sse", "/mcp/sse/", "/mcp?toolsets=core"):
            with self.subTest(path=path):
                self.assertEqual(self.assertResult(self.send(request(), path=path)), {})

    def test_other_http_methods_are_405_with_allow(self):
        # GET is that of event streams.
        for method in ("PUT", "PATCH", "HEAD", "FOO"):
            for path in ("/mcp", "/mcp/", "/mcp/sse"):
                with self.subTest(method=method, path=path):
                    response = self.send(method=method, path=path)
                    self.assertPlain(response)
                    self.assertEqual(response.status_code, 405)
                    self.assertIn("POST", response.headers["Allow"])

    def test_unknown_http_method_is_405_without_a_token_too(self):
        self.assertError(self.send(method="PUT", token=False), 405, -32600)

    def test_missing_or_wrong_token_is_401_with_a_challenge(self):
        for token in (False, "omcp_pat_wrong"):
            for method in ("POST", "GET", "DELETE"):
                response = self.send(request(), method=method, token=token)
                self.assertPlain(response)
                self.assertEqual(response.status_code, 401)
                self.assertTrue(response.headers["WWW-Authenticate"].startswith("Bearer "))

    def test_a_browser_session_is_no_authorization(self):
        self.authenticate("admin", "admin")
        response = self.send(request(), token=False)
        self.assertEqual(response.status_code, 401)

    def test_media_type_must_be_json(self):
        for content_type, status in (
            ("application/json; charset=utf-8", 200),
            ("APPLICATION/JSON", 200),
            ("text/plain", 415),
            ("application/x-www-form-urlencoded", 415),
            ("multipart/form-data; boundary=x", 415),
            ("application/json-rpc", 415),
            (None, 415),
        ):
            with self.subTest(content_type=content_type):
                response = self.send(json.dumps(request()).encode(), Content_Type=content_type)
                self.assertEqual(response.status_code, status)
                if status == 415:
                    self.assertError(response, 415, -32600)

    def test_accept_must_leave_json_or_a_stream(self):
        for accept, status in (
            (None, 200),
            ("", 200),
            ("*/*", 200),
            ("application/*", 200),
            ("application/json", 200),
            ("text/html, */*;q=0.1", 200),
            ("text/html", 406),
            ("application/json;q=0", 406),
        ):
            with self.subTest(accept=accept):
                self.assertEqual(self.send(request(), Accept=accept).status_code, status)

    def test_client_that_takes_streams_only_gets_one_event(self):
        response = self.send(request(), Accept="text/event-stream")
        self.assertEqual(response.headers["Content-Type"].partition(";")[0], "text/event-stream")
        self.assertEqual(response.text, 'data: {"jsonrpc":"2.0","id":1,"result":{}}\n\n')

    def test_body_without_length_is_411(self):
        pieces = (piece for piece in (b'{"jsonrpc":"2.0",', b'"id":1,"method":"ping"}'))
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        response = self.opener.post(self.base_url() + "/mcp", data=pieces, headers=headers, timeout=30)
        self.assertError(response, 411, -32600)

    def test_body_over_the_limit_is_413(self):
        self.env["ir.config_parameter"].set_param("mcp_endpoint.max_body_bytes", "200")
        self.assertResult(self.send(request(padding="x" * 50)))
        self.assertError(self.send(request(padding="x" * 200)), 413, -32600)

    def test_body_over_odoos_own_limit_is_413_too(self):
        self.env["ir.config_parameter"].set_param("web.max_file_upload_size", "100")
        self.assertError(self.send(request(padding="x" * 200)), 413, -32600)

    def test_evented_process_refuses_post(self):
        with patch.object(odoo, "evented", True):
            error = self.assertError(self.send(request()), 503, -32600)
        self.assertIn("HTTP port", error["message"])

    def test_origin_is_checked_and_answered_on_success_and_failure(self):
        own, foreign = "http://localhost:6274", "https://evil.example"
        for response in (
            self.send(request(), Origin=own),
            self.send(request(), Origin=own, token=False),
            self.send(b"{", Origin=own),
            self.send(request(), Origin=own, method="PUT"),
        ):
            self.assertEqual(response.headers["Access-Control-Allow-Origin"], own)
            self.assertIn("Mcp-Session-Id", response.headers["Access-Control-Expose-Headers"])
        refused = self.send(request(), Origin=foreign)
        self.assertError(refused, 403, -32600)
        self.assertNotIn("Access-Control-Allow-Origin", refused.headers)
        self.assertError(self.send(request(), Origin="null"), 403, -32600)

    def test_origins_are_configured(self):
        parameters = self.env["ir.config_parameter"]
        parameters.set_param("web.base.url", "https://erp.example.com")
        parameters.set_param("mcp_endpoint.allowed_origins", "https://chat.example.org")
        for origin, status in (
            ("https://erp.example.com", 200),
            ("https://chat.example.org", 200),
            ("http://localhost:6274", 403),
        ):
            self.assertEqual(self.send(request(), Origin=origin).status_code, status)

    def test_foreign_host_is_refused_on_loopback_only(self):
        self.assertError(self.send(request(), Host="evil.example.com"), 403, -32600)
        self.env["ir.config_parameter"].set_param("web.base.url", "https://erp.example.com")
        self.assertResult(self.send(request(), Host="internal.example.com"))

    def test_preflight_needs_no_token(self):
        wanted = {"Access_Control_Request_Method": "POST", "Access_Control_Request_Headers": "mcp-param-region"}
        for path in ("/mcp", "/mcp/", "/mcp/sse"):
            response = self.send(method="OPTIONS", path=path, token=False, Origin="http://localhost:6274", **wanted)
            self.assertEmpty(response, 204)
            self.assertEqual(response.headers["Access-Control-Allow-Origin"], "http://localhost:6274")
            allowed = response.headers["Access-Control-Allow-Headers"].lower()
            for name in ("authorization", "mcp-session-id", "mcp-protocol-version", "mcp-param-region"):
                self.assertIn(name, allowed)
        self.assertError(self.send(method="OPTIONS", token=False, Origin="https://evil.example"), 403, -32600)

    def test_query_value_that_is_not_understood_is_400(self):
        self.assertError(self.send(request(), path="/mcp?readonly=maybe"), 400, -32600, 1)


@tagged("post_install", "-at_install")
class TestMcpDispatcherMessages(DispatcherCase):
    def test_hostile_json_is_an_error_of_its_own(self):
        deep = b'{"jsonrpc":"2.0","id":1,"method":"ping","params":' + b'{"a":' * 5000 + b"1" + b"}" * 5001
        for body, code, id in (
            (b"", -32700, None),
            (b"{", -32700, None),
            (b'{"jsonrpc":"2.0","id":1,"method":"ping\xff"}', -32700, None),
            (b'{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}', -32700, None),
            (b'{"jsonrpc":"2.0","id":NaN,"method":"ping"}', -32700, None),
            (b'{"jsonrpc":"2.0","id":' + b"9" * 30 + b',"method":"ping"}', -32700, None),
            (deep, -32700, None),
            (b"1", -32600, None),
            (b"{}", -32600, None),
            (b'{"jsonrpc":"2.0","id":null,"method":"ping"}', -32600, None),
            (b'{"jsonrpc":"2.0","id":true,"method":"ping"}', -32600, None),
            (b'{"jsonrpc":"2.0","id":1.0,"method":"ping"}', -32600, None),
            (b'{"jsonrpc":"2.0","id":"\\ud800","method":"ping"}', -32600, None),
            (b'{"jsonrpc":"2.0","id":7,"method":5}', -32600, 7),
            (b'{"jsonrpc":"2.0","id":7,"method":"a\\u0000b"}', -32600, 7),
            (b'{"jsonrpc":"2.0","id":7,"method":"ping","params":{"a":"\\u0000"}}', -32600, 7),
            (b'{"jsonrpc":"2.0","id":7,"method":"ping","params":{"a":"\\udfff"}}', -32600, 7),
            (b'{"jsonrpc":"2.0","id":7,"method":"ping","params":[]}', -32602, 7),
        ):
            with self.subTest(body=body[:60]):
                self.assertError(self.send(body), 400, code, id)

    def test_notifications_are_202_whatever_they_say(self):
        for method in ("notifications/initialized", "notifications/cancelled", "notifications/no_such", "tools/list"):
            body = {"jsonrpc": "2.0", "method": method}
            self.assertEmpty(self.send(body), 202)
            self.assertEmpty(self.send(body, Mcp_Protocol_Version="2026-07-28"), 202)

    def test_notification_runs_nothing(self):
        with patch.object(type(self.env["mcp.tool.registry"]), "_call_tool") as call_tool:
            body = {"jsonrpc": "2.0", "method": "tools/call", "params": {"name": "odoo_get_context"}}
            self.assertEmpty(self.send(body), 202)
        call_tool.assert_not_called()

    def test_responses_are_accepted_in_the_handshake_era_only(self):
        for body in (
            {"jsonrpc": "2.0", "id": 1, "result": {}},
            {"jsonrpc": "2.0", "id": "a", "error": {"code": 1, "message": "no"}},
        ):
            self.assertEmpty(self.send(body), 202)
            self.assertEmpty(self.send(body, Mcp_Protocol_Version="2025-06-18"), 202)
            self.assertError(self.send(body, Mcp_Protocol_Version="2026-07-28"), 400, -32600, body["id"])

    def test_ids_are_echoed_unchanged(self):
        for id in (0, -1, 2**63 - 1, "", "0", "ä", "x" * 256):
            self.assertEqual(self.send(request(id=id)).json()["id"], id)

    def test_crash_is_a_fixed_sentence_with_a_reference(self):
        server = type(self.env["mcp.server"])
        with (
            patch.object(server, "_rpc_ping", side_effect=RuntimeError("secret detail")),
            self.assertLogs(OWN, "ERROR") as log,
            mute_logger(ODOO_HTTP),
        ):
            error = self.assertError(self.send(request(id="a")), 200, -32603, "a")
        self.assertNotIn("secret", error["message"])
        reference = error["message"].rpartition(" ")[2]
        self.assertIn(reference, log.output[0])
        self.assertIn("secret detail", log.output[0])

    def test_crash_before_a_message_is_known_is_500(self):
        with (
            patch(f"{OWN}.jsonrpc.parse", side_effect=RuntimeError),
            mute_logger(OWN, ODOO_HTTP),
        ):
            self.assertError(self.send(request()), 500, -32603)

    def test_conflict_that_outlives_the_retries_says_retry_later(self):
        server = type(self.env["mcp.server"])
        for conflict in (
            psycopg2.errors.SerializationFailure(),
            psycopg2.errors.LockNotAvailable(),
            ConcurrencyError(),
        ):
            with (
                patch.object(server, "_rpc_ping", side_effect=conflict) as ping,
                patch("odoo.service.model.MAX_TRIES_ON_CONCURRENCY_FAILURE", 2),
                patch("odoo.service.model.time.sleep"),
                patch("odoo.service.model.errorcodes.lookup", return_value="SERIALIZATION_FAILURE"),
                mute_logger(ODOO_HTTP, "odoo.service.model"),
            ):
                error = self.assertError(self.send(request()), 200, -32603, 1)
            self.assertIn("retry", error["message"])
            self.assertEqual(ping.call_count, 2)

    def test_users_error_after_the_method_keeps_its_words(self):
        server = type(self.env["mcp.server"])
        with (
            patch.object(server, "_rpc_ping", side_effect=ValidationError("The date is in the past.")),
            mute_logger(ODOO_HTTP),
        ):
            error = self.assertError(self.send(request()), 200, -32603, 1)
        self.assertEqual(error["message"], "The date is in the past.")

    def test_refusal_by_a_method_keeps_its_status_and_headers(self):
        server = type(self.env["mcp.server"])
        refusal = HttpRefusal(429, "Too many calls.", {"Retry-After": "7"})
        with patch.object(server, "_rpc_ping", side_effect=refusal):
            response = self.send(request())
        self.assertError(response, 429, -32600, 1)
        self.assertEqual(response.headers["Retry-After"], "7")


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
