from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.tests import tagged

from .common import McpHttpCase


@tagged("post_install", "-at_install")
class TestIrHttp(McpHttpCase):
    def challenge(self, response, status=401):
        self.assertEqual(response.status_code, status)
        self.assertEqual(response.headers["Content-Type"].split(";")[0], "application/json")
        self.assertNotIn("Set-Cookie", response.headers)
        self.assertTrue(response.json())
        return response.headers["WWW-Authenticate"]

    def test_no_token_gets_the_full_challenge(self):
        challenge = self.challenge(self.rpc("tools/list", token=False))
        self.assertTrue(challenge.startswith("Bearer "))
        self.assertIn('resource_metadata="http://127.0.0.1:8069/.well-known/oauth-protected-resource/mcp"', challenge)
        self.assertIn('scope="mcp:read mcp:write"', challenge)
        self.assertNotIn("error=", challenge)

    def test_plain_http_can_be_closed_but_for_this_machine(self):
        parameters = self.env["ir.config_parameter"]
        parameters.set_param("web.base.url", "https://erp.example.com")
        token, elsewhere = self.issue(), {"Host": f"erp.example.com:{self.http_port()}"}
        form = {"data": "grant_type=x", "headers": {**elsewhere, "Content-Type": "application/x-www-form-urlencoded"}}
        self.assertEqual(self.rpc("tools/list", token=token, headers=elsewhere).status_code, 200)
        self.assertEqual(self.url_open("/oauth/token", **form).status_code, 400)
        parameters.set_param("mcp_endpoint.https_only", "True")
        refused = self.rpc("tools/list", token=token, headers=elsewhere)
        self.assertEqual((refused.status_code, refused.json()["error"]), (403, "https_required"))
        self.assertNotIn(token, refused.text)
        self.assertEqual(self.url_open("/oauth/token", **form).status_code, 403)
        self.assertEqual(self.rpc("tools/list", token=token).status_code, 200)
        parameters.set_param("mcp_endpoint.metrics_token_digest", "x")
        self.assertEqual(self.url_open("/mcp/metrics", headers=elsewhere).status_code, 403)
        self.assertEqual(self.url_open("/mcp/metrics").status_code, 401)

    def test_wrong_tokens_are_invalid(self):
        for wrong in ("x", "omcp_pat_" + "a" * 49, self.issue()[:-1], "é".encode().decode("latin-1"), "a b"):
            self.assertIn('error="invalid_token"', self.challenge(self.rpc("tools/list", token=wrong)), wrong)

    def test_dead_tokens_are_invalid(self):
        secret = self.issue()
        token = self.env["mcp.token"].browse(self.env["mcp.token"]._find(secret).id)
        self.assertEqual(self.rpc("tools/list", token=secret).status_code, 200)
        token._revoke()
        self.assertIn("not valid", self.challenge(self.rpc("tools/list", token=secret)))
        secret = self.issue()
        token = self.env["mcp.token"].browse(self.env["mcp.token"]._find(secret).id)
        token.expires_at = fields.Datetime.now() - timedelta(days=1)
        self.assertIn("expired", self.challenge(self.rpc("tools/list", token=secret)))

    def test_user_who_lost_the_group_is_refused(self):
        secret = self.issue()
        self.env.ref("base.group_user").implied_ids -= self.env.ref("mcp_endpoint.group_mcp_user")
        self.user.group_ids -= self.env.ref("mcp_endpoint.group_mcp_user")
        self.assertIn("invalid_token", self.challenge(self.rpc("tools/list", token=secret)))

    def test_a_session_cookie_is_no_credential(self):
        self.authenticate("admin", "admin")
        self.challenge(self.rpc("tools/list", token=False))

    def test_a_token_in_the_url_is_a_bad_request(self):
        for token in (False, self.issue()):
            answer = self.rpc("tools/list", token=token, path=f"/mcp?access_token={self.issue()}")
            self.assertIn('error="invalid_request"', self.challenge(answer, 400))

    def test_two_credentials_are_a_bad_request(self):
        for header in (f"Bearer {self.issue()}, Bearer {self.issue()}", "Bearer " + "a" * 17_000):
            answer = self.rpc("tools/list", token=False, headers={"Authorization": header})
            self.assertIn('error="invalid_request"', self.challenge(answer, 400))

    def test_every_method_is_challenged(self):
        for method in ("GET", "POST", "DELETE"):
            response = self.url_open("/mcp", method=method, allow_redirects=False)
            self.assertNotIn("error=", self.challenge(response), method)

    def test_scheme_is_case_insensitive(self):
        response = self.rpc("tools/list", token=False, headers={"Authorization": f"bearer {self.issue()}"})
        self.assertEqual(response.status_code, 200)

    def test_call_runs_as_the_tokens_user_whatever_cookie_there_is(self):
        self.authenticate("admin", "admin")
        response = self.rpc("tools/call", {"name": "odoo_get_context", "arguments": {}})
        self.assertIn(self.user.name, response.text)

    def test_the_tokens_user_is_the_transactions_default_user(self):
        """x2many commands on users, groups and contacts run as that one, whatever `env.user` says."""
        seen = []

        def ping(server, exchange):
            seen.append((server.env.uid, server.env.su, server.env.transaction.default_env.uid))
            return {}

        with patch.object(type(self.env["mcp.server"]), "_rpc_ping", ping):
            self.post({"jsonrpc": "2.0", "id": 1, "method": "ping"})
        self.assertEqual(seen, [(self.user.id, False, self.user.id)])

    def test_a_token_of_the_superuser_or_a_portal_user_is_refused(self):
        for user in (self.env.ref("base.user_root"), self.env.ref("base.public_user")):
            secret = self.issue()
            token = self.env["mcp.token"].browse(self.env["mcp.token"]._find(secret).id)
            token.user_id = user
            self.env.flush_all()
            # Odoo keeps both archived; were they not, nothing else would tell.
            self.env.cr.execute("UPDATE res_users SET active = TRUE WHERE id = %s", [user.id])
            self.assertIn("not valid", self.challenge(self.rpc("tools/list", token=secret)))
