from odoo.exceptions import AccessError, ValidationError
from odoo.tests import new_test_user, tagged

from .common import McpCase


@tagged("post_install", "-at_install")
class TestResConfigAudit(McpCase):
    def save(self, **values):
        self.env["res.config.settings"].create(values).execute()

    def test_patterns_are_kept_and_can_be_emptied(self):
        self.save(mcp_redact_patterns="EMP-\\d{6}\nfalcon")
        self.assertEqual(self.env["res.config.settings"].create({}).mcp_redact_patterns, "EMP-\\d{6}\nfalcon")
        self.save(mcp_redact_patterns="")
        self.assertFalse(self.env["res.config.settings"].create({}).mcp_redact_patterns)

    def test_bad_patterns_are_refused_by_name(self):
        for pattern in ("(", "(a+)+$", ".*.*.*=", "a*"):
            with self.subTest(pattern=pattern), self.assertRaises(ValidationError) as refusal:
                self.env["res.config.settings"].create({"mcp_redact_patterns": f"fine\n{pattern}"})
            self.assertIn(pattern, str(refusal.exception))

    def test_days_have_limits(self):
        for days in (0, -1, 3651):
            with self.assertRaises(ValidationError):
                self.env["res.config.settings"].create({"mcp_payload_days": days})
        self.save(mcp_payload_days=7)
        self.assertEqual(self.env["ir.config_parameter"].get_param("mcp_endpoint.payload_days"), "7")

    def test_metrics_are_for_administrators_of_the_settings(self):
        user = new_test_user(self.env, "mcp_admin_only", groups="base.group_user,mcp_endpoint.group_mcp_admin")
        settings = self.env["res.config.settings"].with_user(user).new({})
        for action in (settings.action_mcp_new_metrics_token, settings.action_mcp_end_metrics):
            with self.assertRaises(AccessError):
                action()

    def test_configuration_for_prometheus_names_this_server(self):
        context = self.env["res.config.settings"].create({}).action_mcp_new_metrics_token()["context"]
        self.assertIn("127.0.0.1:8069", context["default_scrape"])
        self.assertIn("scheme: http\n", context["default_scrape"])
        self.assertTrue(self.env["res.config.settings"].create({}).mcp_has_metrics)
