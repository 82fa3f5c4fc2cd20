import json
from unittest.mock import patch

import psycopg2
from odoo.tests import new_test_user, tagged

from .common import McpHttpCase
from .oauth_flow import SECRET, OAuthMixin

READING, WRITING = "odoo_search_records", "odoo_create_records"


@tagged("post_install", "-at_install")
class TestOauthToken(OAuthMixin, McpHttpCase):
    def send(self, form, path="/oauth/token", method="POST", **headers):
        return self.url_open(path, data=form, method=method, headers=headers, allow_redirects=False)

    def assertRefused(self, response, status, error):
        self.assertEqual((response.status_code, response.json()["error"]), (status, error), response.text)
        self.assertTrue(response.json()["error_description"])
        self.assertEqual(response.headers["Cache-Control"], "no-store")
        self.assertEqual(response.headers["Access-Control-Allow-Origin"], "*")
        self.assertTrue(response.headers["Content-Type"].startswith("application/json"))
        self.assertNotIn("Set-Cookie", response.headers)
        return response

    def connected(self, **options) -> str:
        """Return an access token."""
        answer = self.connect(**options)
        return answer["access_token"]

    def call_tool(self, tool, token, arguments=None, **options):
        return self.rpc("tools/call", {"name": tool, "arguments": arguments or {}}, token=token, **options)

    def test_a_whole_connection(self):
        answer = self.send(self.form_of_code())
        self.assertEqual(answer.status_code, 200)
        self.assertEqual(answer.headers["Cache-Control"], "no-store")
        self.assertEqual(answer.headers["Pragma"], "no-cache")
        self.assertNotIn("Set-Cookie", answer.headers)
        self.assertIs(type(answer.json()["expires_in"]), int)
        self.assertNotIn(None, answer.json().values())
        self.assertIn(self.user.name, self.call_tool("odoo_get_context", answer.json()["access_token"]).text)
        again = self.send(self.form_of_refresh(answer.json()["refresh_token"])).json()
        self.assertEqual(self.rpc("tools/list", token=again["access_token"]).status_code, 200)
        gone = self.send({"token": again["refresh_token"], "client_id": "public"}, "/oauth/revoke")
        self.assertEqual((gone.status_code, gone.content), (200, b""))
        for token in (answer.json()["access_token"], again["access_token"]):
            self.assertEqual(self.rpc("tools/list", token=token).status_code, 401)
        self.assertRefused(self.send(self.form_of_refresh(again["refresh_token"])), 400, "invalid_grant")

    def test_requests_that_are_none(self):
        form = self.form_of_code()
        self.assertRefused(self.send(json.dumps(form), **{"Content-Type": "application/json"}), 400, "invalid_request")
        for name in ("client_id", "code", "grant_type", "redirect_uri", "code_verifier"):
            twice = [*form.items(), (name, "x")]
            self.assertRefused(self.send(twice), 400, "invalid_request")
        self.assertRefused(self.send({**form, "x": "y" * 70_000}), 413, "invalid_request")
        self.assertEqual(self.send(form).status_code, 200)

    def test_methods_that_are_refused(self):
        for path in ("/oauth/token", "/oauth/revoke"):
            for method in ("GET", "PUT", "DELETE"):
                response = self.assertRefused(self.send(None, path, method), 405, "invalid_request")
                self.assertIn("POST", response.headers["Allow"])
            self.assertEqual(self.send(None, path, "HEAD").status_code, 405)
            self.assertEqual(self.send(None, path, "OPTIONS").status_code, 204)

    def test_a_form_in_the_url_is_not_read(self):
        form = self.form_of_code()
        query = "&".join(f"{name}={value}" for name, value in form.items())
        self.assertRefused(self.send({"x": "y"}, f"/oauth/token?{query}"), 400, "invalid_request")

    def test_client_errors_have_their_status(self):
        self.make_client("confidential", auth_method="client_secret_basic")
        self.assertRefused(self.send(self.form_of_code(client_id="nobody")), 401, "invalid_client")
        wrong = self.url_open("/oauth/token", data=self.form_of_code(client_id="confidential"), headers={})
        self.assertRefused(wrong, 401, "invalid_client")
        self.assertNotIn("WWW-Authenticate", wrong.headers)
        self.assertRefused(self.send({"grant_type": "password"}), 400, "unsupported_grant_type")
        self.assertRefused(
            self.send({"grant_type": "client_credentials", "client_id": "public"}), 400, "unauthorized_client"
        )

    def test_trouble_with_the_database_is_no_fault_of_the_client(self):
        for error in (psycopg2.OperationalError("down"), psycopg2.InterfaceError("closed")):
            with patch.object(type(self.grants), "_token", side_effect=error), self.mute_error():
                self.assertRefused(self.send(self.form_of_code()), 503, "temporarily_unavailable")

    def test_a_crash_is_json_without_a_word_of_its_cause(self):
        with patch.object(type(self.grants), "_token", side_effect=KeyError("secret text")), self.mute_error():
            response = self.assertRefused(self.send(self.form_of_code()), 500, "server_error")
        self.assertNotIn("secret text", response.text)

    def mute_error(self):
        return self.assertLogs("odoo.http", "ERROR")

    def test_what_a_refusal_writes_is_kept(self):
        code = self.code()
        self.assertRefused(self.send(self.form_of_code(code, code_verifier="w" * 43)), 400, "invalid_grant")
        self.assertRefused(self.send(self.form_of_code(code)), 400, "invalid_grant")
        first = self.connect()
        second = self.send(self.form_of_refresh(first["refresh_token"])).json()
        used = self.env["mcp.oauth.refresh"]._find(first["refresh_token"])
        used.first_used_at = "2020-01-01 00:00:00"
        self.env.flush_all()
        self.assertRefused(self.send(self.form_of_refresh(first["refresh_token"])), 400, "invalid_grant")
        self.assertEqual(self.rpc("tools/list", token=second["access_token"]).status_code, 401)

    def test_no_secret_is_logged(self):
        form = self.form_of_code()
        with self.assertLogs("", "DEBUG") as logs:
            answer = self.send(form).json()
            self.send(form)
            self.send(self.form_of_refresh(answer["refresh_token"]))
            self.rpc("tools/list", token=answer["access_token"])
        # The database layer's own debug log is for developers, and has all there is.
        text = "\n".join(line for line in logs.output if ":odoo.sql_db:" not in line)
        for secret in (form["code"], answer["refresh_token"], answer["access_token"]):
            self.assertNotIn(secret[9:], text)

    def test_a_tool_beyond_the_scope_is_challenged(self):
        token = self.connected(granted=("mcp:read",))
        response = self.call_tool(WRITING, token, {"model": "res.partner", "values": [{"name": "x"}]})
        self.assertEqual(response.status_code, 403)
        challenge = response.headers["WWW-Authenticate"]
        for part in ('Bearer realm="mcp"', 'error="insufficient_scope"', 'scope="mcp:write"', "resource_metadata="):
            self.assertIn(part, challenge)
        self.assertEqual((response.json()["id"], response.json()["error"]["code"]), (1, -32600))
        self.assertEqual(self.call_tool(READING, token, {"model": "res.partner"}).status_code, 200)
        row = self.env["mcp.audit.log"].search([("tool", "=", WRITING), ("outcome", "=", "refused")])
        self.assertEqual(len(row), 1)
        writer = self.connected(profile="full")
        answer = self.call_tool(WRITING, writer, {"model": "res.partner", "records": [{"name": "x"}]})
        self.assertEqual(answer.status_code, 200)

    def test_what_more_scope_would_not_help_is_an_ordinary_refusal(self):
        values = {"model": "res.partner", "records": [{"name": "x"}]}
        for profile, path in (("read", "/mcp"), ("full", "/mcp?readonly=1"), ("full", "/mcp?exclude=write")):
            token = self.connected(profile=profile, granted=("mcp:read",))
            answer = self.call_tool(WRITING, token, values, path=path)
            self.assertEqual(answer.status_code, 200)
            self.assertEqual(answer.json()["result"]["structuredContent"]["error"]["code"], "policy_denied")

    def test_tools_beyond_the_scope_are_not_listed(self):
        def listed(token):
            tools = self.rpc("tools/list", token=token).json()["result"]["tools"]
            return {tool["name"] for tool in tools}

        self.assertNotIn(WRITING, listed(self.connected(granted=("mcp:read",))))
        self.assertIn(WRITING, listed(self.connected()))
        self.assertEqual(listed(self.connected()), listed(self.issue()))

    def test_a_refreshed_token_can_be_narrower(self):
        narrow = self.refresh(self.connect()["refresh_token"], scope="mcp:read")["access_token"]
        self.assertEqual(self.call_tool(WRITING, narrow).status_code, 403)

    def test_administration_is_for_who_administers_now(self):
        boss = new_test_user(self.env, "boss", groups="base.group_user,mcp_endpoint.group_mcp_admin")
        token = self.connected(user=boss, granted=("mcp:read", "mcp:write", "mcp:admin"))
        seen = []

        def ping(_server, exchange):
            seen.append(exchange.credential.scopes)
            return {}

        body = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
        with patch.object(type(self.env["mcp.server"]), "_rpc_ping", ping):
            self.post(body, token=token)
            boss.group_ids -= self.env.ref("mcp_endpoint.group_mcp_admin")
            self.post(body, token=token)
        self.assertEqual(seen, [("mcp:read", "mcp:write", "mcp:admin"), ("mcp:read", "mcp:write")])

    def test_what_changes_meanwhile_counts_for_the_next_call(self):
        member = self.env.ref("mcp_endpoint.group_mcp_user")
        for change in (
            lambda: self.client.write({"blocked": True}),
            lambda: self.env["mcp.token"].search([("kind", "=", "oauth")])._revoke(),
            lambda: self.user.write({"password": "an0ther-Secret"}),
            lambda: self.env["ir.config_parameter"].set_param("mcp_endpoint.oauth", "off"),
            lambda: self.user.write({"active": False}),
            lambda: self.env.ref("base.group_user")._remove_group(member),
        ):
            self.client.blocked = False
            self.user.active = True
            self.env["ir.config_parameter"].set_param("mcp_endpoint.oauth", "on")
            token = self.connected()
            self.assertEqual(self.rpc("tools/list", token=token).status_code, 200)
            change()
            self.env.flush_all()
            response = self.rpc("tools/list", token=token)
            self.assertEqual(response.status_code, 401)
            self.assertIn('error_description="The access token is not valid"', response.headers["WWW-Authenticate"])

    def test_a_profile_that_was_taken_from_the_user_is_not_refreshed(self):
        answer = self.connect()
        grant = self.env["mcp.token"].search([("kind", "=", "oauth")], limit=1)
        grant.profile_id.group_ids = self.env.ref("base.group_system")
        self.env.flush_all()
        form = self.form_of_refresh(answer["refresh_token"])
        self.assertRefused(self.send(form), 400, "invalid_grant")
        grant.profile_id.group_ids = False
        self.env.flush_all()
        self.assertEqual(self.send(form).status_code, 200)

    def test_mcp_tokens_open_nothing_else_of_odoo(self):
        for token in (self.connected(), self.issue()):
            response = self.url_open(
                "/json/2/res.partner/search_count",
                data='{"domain": []}',
                headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
            )
            self.assertEqual(response.status_code, 401)

    def test_other_secrets_open_nothing_here(self):
        answer = self.connect()
        session = self.authenticate("admin", "admin")
        for token in (answer["refresh_token"], SECRET, self.code(), session.sid):
            self.assertEqual(self.rpc("tools/list", token=token).status_code, 401)

    def test_a_session_is_for_the_grant_that_opened_it(self):
        mine, theirs = self.connected(), self.connected()
        opened = self.post(
            {
                "jsonrpc": "2.0",
                "id": 1,
                "method": "initialize",
                "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "x"}},
            },
            token=mine,
        )
        session = {"Mcp-Session-Id": opened.headers["Mcp-Session-Id"], "MCP-Protocol-Version": "2025-11-25"}
        for token, status in ((mine, 200), (theirs, 404), (self.issue(), 404)):
            answer = self.post({"jsonrpc": "2.0", "id": 2, "method": "ping"}, token=token, headers=session)
            self.assertEqual(answer.status_code, status)

    def test_what_tools_get_of_a_request_has_no_secret(self):
        token, seen = self.connected(), []

        def ping(_server, exchange):
            seen.append(repr(exchange))
            return {}

        with patch.object(type(self.env["mcp.server"]), "_rpc_ping", ping):
            self.post({"jsonrpc": "2.0", "id": 1, "method": "ping"}, token=token)
        self.assertEqual(len(seen), 1)
        self.assertNotIn(token[9:40], seen[0])

    def test_the_challenge_can_be_read_by_web_pages_that_are_allowed(self):
        answer = self.rpc("tools/list", token=False, headers={"Origin": "http://localhost:6274"})
        self.assertEqual(answer.headers["Access-Control-Allow-Origin"], "http://localhost:6274")
        self.assertIn("WWW-Authenticate", answer.headers["Access-Control-Expose-Headers"])
