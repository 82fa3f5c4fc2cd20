from odoo.exceptions import UserError
from odoo.tests import Form, new_test_user, tagged

from .common import McpCase


@tagged("post_install", "-at_install")
class TestMcpProfileModels(McpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.boss = new_test_user(cls.env, "mcp_boss", groups="base.group_user,mcp_endpoint.group_mcp_admin")
        cls.profile = cls.env["mcp.profile"].create({"name": "New"})

    def apply(self, *names, **operations):
        wizards = self.env["mcp.profile.models"].with_user(self.boss).with_context(default_profile_id=self.profile.id)
        with Form(wizards) as form:
            for name in names:
                form.model_ids.add(self.env["ir.model"]._get(name))
            for operation, value in operations.items():
                form[f"allow_{operation}"] = value
        form.record.action_apply()

    def rules(self):
        return {rule.pattern: rule for rule in self.profile.rule_ids}

    def test_one_rule_for_each_model(self):
        self.apply("res.partner", "res.partner.category", write=True)
        self.assertEqual(set(self.rules()), {"res.partner", "res.partner.category"})
        rule = self.rules()["res.partner"]
        self.assertEqual(
            (rule.allow_read, rule.allow_write, rule.allow_create, rule.allow_delete), (True, True, False, False)
        )

    def test_known_rules_keep_their_other_limits(self):
        self.apply("res.partner")
        self.rules()["res.partner"].write({"fields_mode": "deny", "field_names": "ref"})
        self.apply("res.partner", create=True)
        self.assertEqual(len(self.profile.rule_ids), 1)
        self.assertEqual(self.rules()["res.partner"].field_names, "ref")
        self.assertTrue(self.rules()["res.partner"].allow_create)

    def test_new_rules_come_before_patterns(self):
        self.env["mcp.profile.rule"].create({"profile_id": self.profile.id, "pattern": "res.*"})
        self.apply("res.partner", write=True)
        layer = self.profile._layer("profile", frozenset())
        self.assertIn("write", layer.rules.of("res.partner").operations)

    def test_guardrails_stay(self):
        with self.assertRaises(UserError):
            self.apply("mcp.token")
        with self.assertRaises(UserError):
            self.apply()
