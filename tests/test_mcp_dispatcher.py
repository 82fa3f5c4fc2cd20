import json
from unittest.mock import patch

import odoo
import psycopg2
from odoo.exceptions import ConcurrencyError, ValidationError
from odoo.tests import mute_logger, tagged

from ..services.errors import HttpRefusal
from .dispatching import ODOO_HTTP, OWN, DispatcherCase, request


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
