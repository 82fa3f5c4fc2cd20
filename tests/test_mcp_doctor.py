from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import config

from ..models.mcp_doctor import ECHO_PATH
from ..services.doctor import caller, table
from .common import McpHttpCase, altered


@tagged("post_install", "-at_install")
class TestMcpDoctor(McpHttpCase):
    """The checks themselves are tested where a real server answers them: here nobody may be called."""

    def run_checks(self, user=None):
        doctor = self.env["mcp.doctor"].with_user(user or self.env.ref("base.user_admin"))
        with patch.object(caller.Caller, "send", side_effect=caller.NoAnswer("refused", "nobody listens")) as send:
            action = doctor.action_open()
        return doctor.browse(action["res_id"]), send

    def test_the_result_has_a_line_for_every_check(self):
        doctor, _send = self.run_checks()
        self.assertEqual(doctor.state, "failed")
        self.assertEqual(sorted(doctor.line_ids.mapped("name")), sorted(check.name for check in table.CHECKS))
        # What has to be changed comes first.
        doctor.invalidate_recordset()
        self.assertEqual(doctor.line_ids[0].status, "failed")
        self.assertIn("nobody listens", doctor.report)

    def test_running_again_replaces_the_lines(self):
        doctor, _send = self.run_checks()
        with patch.object(caller.Caller, "send", side_effect=caller.NoAnswer("refused", "nobody listens")):
            doctor.action_run()
        self.assertEqual(len(doctor.line_ids), len(table.CHECKS))

    def test_only_administrators_may_check(self):
        with self.assertRaises(AccessError):
            self.env["mcp.doctor"].with_user(self.user).action_open()

    def test_it_calls_the_configured_address_and_no_other(self):
        self.env["ir.config_parameter"].set_param("mcp_endpoint.issuer", "https://erp.example.com")
        _doctor, send = self.run_checks()
        called = {call.args[1] for call in send.call_args_list}
        own = f"http://127.0.0.1:{config['http_port']}/web/health"
        self.assertEqual(called, {"https://erp.example.com/web/health", own})

    def test_the_token_of_a_check_is_gone_and_in_no_report(self):
        seen = []
        run = table.run

        def spy(visit):
            seen.append((visit.token, visit.echo_url))
            yield from run(visit)

        with patch.object(table, "run", spy):
            doctor, _send = self.run_checks()
        ((secret, echo_url),) = seen
        self.assertTrue(secret.startswith("omcp_pat_"))
        self.assertIsNone(self.env["mcp.token"]._find(secret))
        self.assertNotIn(secret, doctor.report)
        self.assertNotIn(echo_url, doctor.report)
        self.assertFalse(self.env["mcp.token"].search([("name", "=", "Connection check")]))

    def test_the_token_reads_only(self):
        with self.env["mcp.doctor"]._token(self.user) as secret:
            token = self.env["mcp.token"]._find(secret)
            self.assertEqual(token.profile_id, self.profiles["read"].id)

    def test_who_may_not_connect_gets_no_token(self):
        with self.env["mcp.doctor"]._token(self.env.ref("base.public_user")) as secret:
            self.assertIsNone(secret)

    def test_the_echo_answers_a_running_check_only(self):
        key = self.env["mcp.doctor"]._echo_key()
        answer = self.url_open(f"{ECHO_PATH}/{key}", headers={"Authorization": "Bearer x"})
        self.assertEqual(answer.status_code, 200)
        self.assertTrue(answer.json()["authorization"])
        self.assertNotIn("Bearer x", answer.text)
        for wrong in ("x", altered(key), "x" * 2000):
            answer = self.url_open(f"{ECHO_PATH}/{wrong}")
            self.assertEqual((answer.status_code, answer.json()), (404, {"error": "not_found"}))
