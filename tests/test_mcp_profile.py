from odoo.exceptions import UserError, ValidationError
from odoo.tests import new_test_user, tagged

from .common import McpCase


@tagged("post_install", "-at_install")
class TestMcpProfile(McpCase):
    def compiled(self, name):
        return self.env["mcp.profile"]._compiled(self.profiles[name].id)

    def test_shipped_profiles_allow_what_they_say(self):
        cases = {"read": (True, False, False), "write": (True, True, False), "full": (True, True, True)}
        for name, allowed in cases.items():
            policy = self.compiled(name)
            found = tuple(policy.allows_model("res.partner", operation) for operation in ("read", "write", "delete"))
            self.assertEqual(found, allowed, name)

    def test_change_of_a_profile_takes_effect_at_once(self):
        self.assertFalse(self.compiled("read").allows_model("res.partner", "write"))
        self.profiles["read"].access_level = "write"
        self.assertTrue(self.compiled("read").allows_model("res.partner", "write"))

    def test_baseline_limits_every_profile(self):
        self.env.ref("mcp_endpoint.profile_baseline").access_level = "read"
        self.assertFalse(self.compiled("full").allows_model("res.partner", "write"))

    def test_archived_or_missing_profile_opens_no_tool(self):
        self.profiles["read"].active = False
        self.assertEqual(self.call_refusal("read"), "profile:tool")
        self.assertEqual(self.env["mcp.profile"]._compiled(999_999).layers[-1].toolsets, frozenset())

    def call_refusal(self, name):
        self.profiles[name].active = True
        exchange = self.exchange(profile=name, params={"name": "odoo_get_context", "arguments": {}})
        self.profiles[name].active = False
        result = self.registry_as()._call_tool(exchange)
        return result["structuredContent"]["error"]["rule"]

    def test_baseline_stays(self):
        baseline = self.env.ref("mcp_endpoint.profile_baseline")
        with self.assertRaises(ValidationError):
            baseline.active = False
        with self.assertRaises(UserError):
            baseline.unlink()

    def test_groups_decide_who_may_choose(self):
        developer = self.env.ref("mcp_endpoint.profile_developer")
        available = self.env["mcp.profile"]._available_to
        self.assertNotIn(developer, available(self.user))
        boss = new_test_user(self.env, "mcp_boss", groups="base.group_user,mcp_endpoint.group_mcp_admin")
        self.assertIn(developer, available(boss))
        self.assertFalse(available(boss).filtered("is_baseline"))
