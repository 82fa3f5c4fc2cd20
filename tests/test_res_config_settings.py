from odoo.exceptions import ValidationError
from odoo.tests import tagged

from ..models import audit_retention, mcp_change, mcp_session, mcp_token
from ..models.res_config_settings import LIMITS, MEGABYTE, SIZES
from ..services import http_gate
from ..services.schema_cache import DEFAULT_TTL
from .settings import SettingsCase


@tagged("post_install", "-at_install")
class TestResConfigSettings(SettingsCase):
    def stored(self, name):
        return self.parameters.get_param(f"mcp_endpoint.{name}")

    def test_defaults_are_those_of_the_code(self):
        settings = self.env["res.config.settings"].create({})
        for name, default in (
            ("mcp_token_max_days", mcp_token.LONGEST_DAYS),
            ("mcp_session_hours", mcp_session.DEFAULT_IDLE_HOURS),
            ("mcp_session_retention_days", mcp_session.DEFAULT_RETENTION_DAYS),
            ("mcp_audit_days", audit_retention.DEFAULT_RETENTION_DAYS),
            ("mcp_change_days", mcp_change.DEFAULT_RETENTION_DAYS),
        ):
            self.assertEqual(settings[name], default, name)
        self.assertEqual(settings.mcp_max_body_mb * MEGABYTE, http_gate.DEFAULT_MAX_BODY)
        self.assertEqual(settings.mcp_max_body_mb, SIZES["mcp_max_body_mb"][1])
        self.assertEqual(settings.mcp_schema_cache_seconds, DEFAULT_TTL)

    def test_schema_cache_can_be_switched_off(self):
        self.save(mcp_schema_cache_seconds=0)
        self.assertEqual(self.stored("schema_cache_seconds"), "0")
        self.assertEqual(self.env["res.config.settings"].create({}).mcp_schema_cache_seconds, 0)
        self.save(mcp_schema_cache_seconds=60)
        self.assertEqual(self.stored("schema_cache_seconds"), "60")

    def test_text_for_assistants_reaches_them(self):
        self.save(mcp_instructions=" Ask before you write to a customer.\n")
        self.assertEqual(self.stored("instructions"), "Ask before you write to a customer.")
        self.assertIn("write to a customer", self.env["res.config.settings"].create({}).mcp_instructions)
        told = self.registry_as().env["mcp.server"]._instructions(self.exchange())
        self.assertIn("Rules of this company: Ask before you write to a customer.", told)
        with self.assertRaises(ValidationError):
            self.save(mcp_instructions="x" * 1_001)

    def test_largest_answer_holds_for_every_profile(self):
        compiled = self.env["mcp.profile"]._compiled
        self.assertFalse(compiled(self.profiles["read"].id).max_result)
        self.save(mcp_max_result=2_000)
        self.assertEqual(compiled(self.profiles["read"].id).max_result, 2_000)
        self.profiles["read"].max_result = 1_000
        self.assertEqual(compiled(self.profiles["read"].id).max_result, 1_000)
        self.env["res.partner"].create([{"name": f"Somebody with a long name {number}"} for number in range(60)])
        result = self.call("odoo_search_records", model="res.partner", limit=50)
        self.assertLess(len(result["content"][0]["text"]), 3_000)
        for wrong in (0, 999, 80_001):
            with self.assertRaises(ValidationError):
                self.save(mcp_max_result=wrong)

    def test_limits(self):
        for name, (lowest, highest) in LIMITS.items():
            for value in (lowest, highest):
                self.save(**{name: value})
            for value in (lowest - 1, highest + 1, -5):
                with self.subTest(name, value=value), self.assertRaises(ValidationError):
                    self.save(**{name: value})

    def test_values_reach_their_parameters(self):
        self.save(
            mcp_token_max_days=60,
            mcp_session_hours=2,
            mcp_session_retention_days=9,
            mcp_audit_days=400,
            mcp_change_days=12,
            mcp_max_body_mb=3,
            mcp_allowed_origins="https://app.example.com, http://localhost:6274",
        )
        self.assertEqual(
            [
                self.stored(name)
                for name in ("token_max_days", "session_hours", "session_retention_days", "audit_days", "change_days")
            ],
            ["60", "2", "9", "400", "12"],
        )
        self.assertEqual(self.stored("max_body_bytes"), str(3 * MEGABYTE))
        policy = self.env["mcp.server"]._http_policy()
        self.assertTrue(policy.allows_origin("https://app.example.com"))
        self.assertEqual(policy.max_body, 3 * MEGABYTE)

    def test_saving_keeps_a_body_limit_set_by_hand(self):
        self.parameters.set_param("mcp_endpoint.max_body_bytes", "5000000")
        self.assertEqual(self.save().mcp_max_body_mb, 5)
        self.assertEqual(self.stored("max_body_bytes"), "5000000")

    def test_only_origins_are_accepted(self):
        for origins in ("https://a.example", "https://a.example/", "vscode-webview://x", "http://[::1]:80", "", False):
            self.save(mcp_allowed_origins=origins)
        for origins in ("a.example", "*", "https://a.example/path", "https://a.example?x", "https://u@a.example"):
            with self.subTest(origins), self.assertRaises(ValidationError):
                self.save(mcp_allowed_origins=origins)

    def test_employees_are_let_in_and_out(self):
        group = self.env.ref("mcp_endpoint.group_mcp_user")
        self.assertTrue(self.env["res.config.settings"].create({}).group_mcp_user)
        self.save(group_mcp_user=False)
        self.assertNotIn(group, self.user.all_group_ids)
        self.save(group_mcp_user=True)
        self.assertIn(group, self.user.all_group_ids)

    def test_address_is_that_of_the_endpoint(self):
        self.assertEqual(self.env["res.config.settings"].create({}).mcp_url, "http://127.0.0.1:8069/mcp")
