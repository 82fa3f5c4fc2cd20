import re

from odoo.tests import tagged

from .common import McpHttpCase


@tagged("post_install", "-at_install")
class TestMcpHealth(McpHttpCase):
    def metrics(self, secret=None):
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        return self.url_open("/mcp/metrics", headers=headers)

    def token(self):
        action = self.env["res.config.settings"].create({}).action_mcp_new_metrics_token()
        return action["context"]["default_token"]

    def test_health_and_readiness_need_no_token_and_tell_nothing(self):
        for path, status in (("/mcp/health", "pass"), ("/mcp/ready", "ready")):
            response = self.url_open(path)
            self.assertEqual((response.status_code, response.json()), (200, {"status": status}))
            self.assertNotIn("Set-Cookie", response.headers)

    def test_not_ready_while_modules_load(self):
        self.patch(self.env.registry["mcp.health"], "_is_ready", lambda model: False)
        self.assertEqual(self.url_open("/mcp/ready").status_code, 503)

    def test_metrics_are_off_until_there_is_a_token(self):
        self.assertEqual(self.metrics().status_code, 404)
        secret = self.token()
        self.assertEqual(self.metrics(secret).status_code, 200)
        self.env["res.config.settings"].create({}).action_mcp_end_metrics()
        self.assertEqual(self.metrics(secret).status_code, 404)

    def test_metrics_refuse_other_credentials(self):
        old = self.token()
        secret = self.token()
        for wrong in (None, "", "x", old, self.issue(), secret[:-1], "é"):
            with self.subTest(wrong=wrong):
                response = self.metrics(wrong and wrong.encode().decode("latin-1"))
                self.assertEqual(response.status_code, 401)
                self.assertEqual(response.headers["WWW-Authenticate"], "Bearer")
        self.assertEqual(self.metrics(secret).status_code, 200)

    def test_token_is_stored_as_digest_and_opens_nothing_else(self):
        secret = self.token()
        self.assertNotIn(secret, self.env["ir.config_parameter"].search([]).mapped("value"))
        response = self.post({"jsonrpc": "2.0", "id": 1, "method": "ping"}, token=secret)
        self.assertEqual(response.status_code, 401)

    def test_counters_grow_with_calls_and_survive_sealing_and_retention(self):
        secret = self.token()
        line = r'^mcp_requests_total\{method="ping",tool="",outcome="ok"\} (\d+)$'

        def pings():
            found = re.search(line, self.metrics(secret).text, re.MULTILINE)
            return int(found[1]) if found else 0

        before = pings()
        token = self.issue()
        for _try in range(3):
            self.post({"jsonrpc": "2.0", "id": 1, "method": "ping"}, token=token)
        self.assertEqual(pings() - before, 3)
        # All that is there becomes a day long past, is sealed, and purged.
        self.env.cr.execute("UPDATE mcp_audit_log SET date = '2026-03-01'")
        day = self.env["mcp.audit.log"].search([], limit=1).date.date()
        self.env["mcp.audit.seal"]._seal_day(day)
        self.assertEqual(pings() - before, 3)
        self.env["mcp.audit.log"]._gc_old_rows()
        self.env.invalidate_all()
        self.assertFalse(self.env["mcp.audit.log"].search_count([("method", "=", "ping")]))
        self.assertEqual(pings() - before, 3)

    def test_names_that_clients_make_up_are_counted_together(self):
        secret = self.token()
        token = self.issue()
        self.post({"jsonrpc": "2.0", "id": 1, "method": "made/up"}, token=token)
        self.rpc("tools/call", {"name": 'evil"} 1\n', "arguments": {}}, token=token, headers={"Mcp-Name": "evil"})
        text = self.metrics(secret).text
        self.assertIn('mcp_requests_total{method="other",tool="",outcome="refused"}', text)
        self.assertNotIn("made/up", text)
        self.assertNotIn("evil", text)

    def test_every_line_is_prometheus(self):
        secret = self.token()
        self.post({"jsonrpc": "2.0", "id": 1, "method": "ping"})
        response = self.metrics(secret)
        self.assertTrue(response.headers["Content-Type"].startswith("text/plain; version=0.0.4"))
        sample = re.compile(r'[a-z_]+(\{[a-z_]+="[^"\\]*"(,[a-z_]+="[^"\\]*")*\})? [0-9.e+-]+')
        for line in response.text.splitlines():
            self.assertTrue(line.startswith("# ") or sample.fullmatch(line), line)
        self.assertIn('mcp_request_duration_seconds_bucket{le="+Inf"}', response.text)
