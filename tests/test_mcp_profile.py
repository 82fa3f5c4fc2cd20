from dataclasses import replace

from odoo.exceptions import UserError, ValidationError
from odoo.tests import new_test_user, tagged

from ..services.errors import PolicyDenied
from ..services.exchange import Credential
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

    def test_default_of_a_group_is_offered_first(self):
        available = self.env["mcp.profile"]._available_to
        self.profiles["analyst"].default_group_ids = self.env["res.groups"].create({"name": "Analysts"})
        self.assertEqual(available(self.user)[0], self.profiles["read"])
        self.user.group_ids += self.profiles["analyst"].default_group_ids
        self.assertEqual(available(self.user)[0], self.profiles["analyst"])

    def test_profile_of_an_application_limits_its_tokens(self):
        credential = Credential("oauth", 1, self.user.id, self.profiles["full"].id, "127.0.0.1")
        compiled = self.env["mcp.profile"]._compiled_for
        self.assertTrue(compiled(credential).allows_model("res.partner", "write"))
        limited = compiled(replace(credential, client_profile_id=self.profiles["read"].id))
        self.assertFalse(limited.allows_model("res.partner", "write"))
        with self.assertRaises(PolicyDenied) as caught:
            limited.check_model("res.partner", "write")
        self.assertEqual(caught.exception.rule, "client:write")
        self.profiles["read"].active = False
        self.assertFalse(compiled(replace(credential, client_profile_id=self.profiles["read"].id)).layers[2].toolsets)

    def test_profile_of_another_group_opens_nothing_any_more(self):
        group = self.env["res.groups"].create({"name": "Night shift"})
        self.user.group_ids += group
        self.profiles["write"].group_ids = group
        self.issue(profile="write")
        exchange = self.exchange(profile="write", params={"name": "odoo_get_context", "arguments": {}})
        chosen = replace(exchange, credential=replace(exchange.credential, kind="personal"))
        given = replace(exchange, credential=replace(exchange.credential, kind="external"))
        for is_member in (True, False, True):
            self.user.group_ids = self.user.group_ids | group if is_member else self.user.group_ids - group
            self.assertIs(self.registry_as()._call_tool(chosen)["isError"], not is_member)
            self.assertFalse(self.registry_as()._call_tool(given)["isError"])
        self.user.group_ids -= group
        error = self.registry_as()._call_tool(chosen)["structuredContent"]["error"]
        self.assertEqual(error["rule"], "profile:tool")
        self.assertIn("not open to this user any more", error["message"])
        self.profiles["write"].group_ids = False
        self.assertFalse(self.registry_as()._call_tool(chosen)["isError"])

    def test_profile_that_starts_to_write_is_no_portal_users_any_more(self):
        portal = new_test_user(self.env, "mcp_portal", groups="base.group_portal")
        compiled = self.env["mcp.profile"]._compiled_for
        credential = Credential("personal", 1, portal.id, self.profiles["read"].id, "127.0.0.1")
        self.assertIsNone(compiled(credential).layers[1].toolsets)
        self.profiles["read"].access_level = "write"
        self.assertEqual(compiled(credential).layers[1].toolsets, frozenset())
        self.assertIsNone(compiled(replace(credential, user_id=self.user.id)).layers[1].toolsets)

    def test_limits_are_told_in_the_chatter(self):
        self.profiles["full"].write({"access_level": "write", "lockdown": True, "ip_allowed": "192.0.2.1"})
        self.flush_tracking()
        tracked = self.env["mail.tracking.value"].search(
            [("mail_message_id", "in", self.profiles["full"].message_ids.ids)]
        )
        self.assertEqual(set(tracked.field_id.mapped("name")), {"access_level", "lockdown", "ip_allowed"})

    def flush_tracking(self):
        self.env.flush_all()
        self.env.cr.flush()

    def test_baseline_stays(self):
        baseline = self.env.ref("mcp_endpoint.profile_baseline")
        with self.assertRaises(ValidationError):
            baseline.active = False
        with self.assertRaises(UserError):
            baseline.unlink()
        admin = self.env.ref("base.user_admin")
        with self.assertRaises(UserError):
            baseline.with_user(admin).is_baseline = False
        with self.assertRaises(UserError):
            self.profiles["full"].with_user(admin).is_baseline = True
        second = self.env["mcp.profile"].with_user(admin).create({"name": "x", "is_baseline": True})
        self.assertFalse(second.is_baseline)

    def test_groups_decide_who_may_choose(self):
        developer = self.env.ref("mcp_endpoint.profile_developer")
        available = self.env["mcp.profile"]._available_to
        self.assertNotIn(developer, available(self.user))
        boss = new_test_user(self.env, "mcp_boss", groups="base.group_user,mcp_endpoint.group_mcp_admin")
        self.assertIn(developer, available(boss))
        self.assertFalse(available(boss).filtered("is_baseline"))
