from odoo.tests import Form, new_test_user, tagged

from .common import McpCase


@tagged("post_install", "-at_install")
class TestProfilePreview(McpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.profile = cls.env["mcp.profile"].create({"name": "Shown", "access_level": "write"})

    def shown(self, user=None):
        return self.profile._previewed(user or self.user)

    def model(self, name="res.partner", user=None):
        return next((row for row in self.shown(user)["models"] if row["model"] == name), None)

    def test_policy_and_rights_of_the_user_together(self):
        self.assertEqual(
            self.model()["allowed"], {"read": True, "write": True, "create": True, "delete": False, "call": True}
        )
        clerk = new_test_user(self.env, "mcp_clerk", groups="base.group_user")
        self.assertFalse(self.model(user=clerk)["allowed"]["write"])
        self.profile.access_level = "read"
        self.assertFalse(self.model()["allowed"]["write"])

    def test_it_says_what_a_call_would_say(self):
        self.env["mcp.profile.rule"].create(
            {
                "profile_id": self.profile.id,
                "pattern": "res.partner",
                "fields_mode": "deny",
                "field_names": "ref, vat",
                "domain": '[["function", "=", "x"]]',
                "methods": "action_archive",
            }
        )
        row = self.model()
        self.assertEqual(row["fields"], "not ref, vat")
        self.assertIn("function", row["records"])
        self.assertEqual(row["methods"], "action_archive")
        self.assertEqual([item["model"] for item in self.shown()["models"]], ["res.partner"])
        self.profiles["shown"] = self.profile
        for operation, tool, arguments in (
            ("read", "odoo_search_records", {}), ("create", "odoo_create_records", {"records": [{"name": "x"}]}),
        ):  # fmt: skip
            is_error = self.call(tool, profile="shown", model="res.partner", **arguments)["isError"]
            self.assertEqual(row["allowed"][operation], not is_error)

    def test_tools_are_those_that_are_listed(self):
        self.profile.tools_denied = "odoo_undo"
        self.profiles["shown"] = self.profile
        registry = self.registry_as()
        visible = registry._visible_specs(self.exchange(profile="shown"))
        shown = {name for _toolset, names in self.shown()["tools"] for name in names}
        self.assertGreaterEqual(shown, {spec.name for spec in visible})
        self.assertNotIn("odoo_undo", shown)

    def test_it_follows_the_form_before_it_is_saved(self):
        with Form(self.profile) as form:
            form.preview_user_id = self.user
            before = form.preview
            form.access_level = "read"
            self.assertIn("odoo_create_records", before)
            self.assertNotIn("odoo_create_records", form.preview)
            with form.rule_ids.new() as rule:
                rule.pattern = "res.partner.category"
            self.assertNotIn("res.partner ", form.preview.replace("<", " "))

    def test_who_may_not_choose_it_is_told(self):
        self.assertTrue(self.shown(self.user)["may_choose"])
        self.profile.group_ids = self.env["res.groups"].create({"name": "Night shift"})
        self.assertFalse(self.shown(self.user)["may_choose"])

    def test_who_may_not_connect_is_told(self):
        portal = new_test_user(self.env, "mcp_port", groups="base.group_portal")
        self.assertFalse(self.shown(portal)["may_connect"])
