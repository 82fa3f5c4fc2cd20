from odoo.exceptions import ValidationError
from odoo.tests import new_test_user, tagged

from .common import McpCase


@tagged("post_install", "-at_install")
class TestMcpProfileRule(McpCase):
    def rule(self, pattern="res.partner", profile="full", **values):
        return self.env["mcp.profile.rule"].create(
            {"profile_id": self.profiles[profile].id, "pattern": pattern, **values}
        )

    def test_a_profile_without_rules_opens_all_models(self):
        self.ok("odoo_search_records", model="res.partner.category")
        rule = self.rule()
        self.fails("policy_denied", "odoo_search_records", model="res.partner.category")
        self.ok("odoo_search_records", model="res.partner")
        rule.unlink()
        self.ok("odoo_search_records", model="res.partner.category")

    def test_operations(self):
        self.rule(allow_write=True)
        partner = self.env["res.partner"].create({"name": "x"})
        self.ok("odoo_update_records", model="res.partner", ids=partner.ids, values={"name": "y"})
        for tool, arguments, rule in (
            ("odoo_create_records", {"records": [{"name": "x"}]}, "profile:create"),
            ("odoo_run_action", {"ids": partner.ids, "action": "action_archive"}, "profile:call"),
        ):
            self.assertEqual(self.fails("policy_denied", tool, model="res.partner", **arguments)["rule"], rule)

    def test_lines_are_models_of_their_own(self):
        self.rule(allow_create=True)
        records = [{"name": "x", "bank_ids": [{"acc_number": "1"}]}]
        found = self.fails("policy_denied", "odoo_create_records", model="res.partner", records=records)
        self.assertIn("res.partner.bank", found["message"])

    def test_order_of_rules_is_their_sequence(self):
        self.rule("res.*", sequence=5)
        self.rule("res.partner", sequence=1, fields_mode="allow", field_names="name")
        self.fails("policy_denied", "odoo_search_records", model="res.partner", fields=["email"])
        self.ok("odoo_search_records", model="res.partner.category", fields=["name"])

    def test_rules_of_groups(self):
        group = self.env["res.groups"].create({"name": "Readers"})
        self.rule("res.*", group_ids=group.ids)
        self.fails("policy_denied", "odoo_search_records", model="res.partner")
        self.user.group_ids += group
        self.ok("odoo_search_records", model="res.partner")

    def test_me_is_the_user_of_the_call(self):
        other = new_test_user(self.env, "mcp_other", groups="base.group_user", name="Otto Other")
        self.rule("res.users", domain='[["id", "=", "me"]]')
        for user in (self.user, other):
            rows = self.ok("odoo_search_records", user, model="res.users")["rows"]
            self.assertEqual([row["id"] for row in rows], user.ids)

    def test_both_conditions_hold(self):
        partners = self.env["res.partner"].create(
            [{"name": "A", "function": "x", "ref": "y"}, {"name": "B", "function": "x"}, {"name": "C", "ref": "y"}]
        )
        self.rule(domain='[["function", "=", "x"]]')
        self.env["mcp.profile.rule"].create(
            {"profile_id": self.env.ref("mcp_endpoint.profile_baseline").id, "pattern": "res.*"}
        )
        self.env["mcp.profile.rule"].create(
            {
                "profile_id": self.env.ref("mcp_endpoint.profile_baseline").id,
                "pattern": "res.partner",
                "domain": '[["ref", "=", "y"]]',
                "sequence": 1,
            }
        )
        found = self.ok("odoo_search_records", model="res.partner", domain=[["id", "in", partners.ids]])
        self.assertEqual([row["id"] for row in found["rows"]], partners[0].ids)

    def test_wrong_names_are_refused_when_saved(self):
        cases = [
            {"pattern": "res.partnr"}, {"pattern": "res partner"}, {"pattern": "mail.thread"},
            {"fields_mode": "allow"}, {"fields_mode": "deny", "field_names": "nope"},
            {"methods": "x()"}, {"pattern": "res.*", "domain": '[["name", "=", "x"]]'},
            {"domain": '[["nope", "=", 1]]'}, {"domain": '[["name", "ANY!", []]]'}, {"domain": "nonsense"},
            {"domain": '[["user_ids.password", "=", "x"]]'}, {"domain": "[('user_id', '=', uid)]"},
        ]  # fmt: skip
        for values in cases:
            with self.assertRaises(ValidationError, msg=values), self.env.cr.savepoint():
                self.rule(**values)

    def test_count_of_records_left(self):
        self.env["res.partner"].create({"name": "A", "function": "mcp count"})
        self.assertEqual(self.rule(domain='[["function", "=", "mcp count"]]').record_count, 1)
        self.assertGreater(self.rule().record_count, 1)
        self.assertEqual(self.rule("res.*").record_count, 0)

    def test_changes_are_told_in_the_chatter(self):
        profile = self.profiles["full"]
        rule = self.rule()
        rule.write({"domain": '[["function", "=", "x"]]'})
        rule.unlink()
        told = " ".join(profile.message_ids.mapped("body"))
        for text in ("Rule added", "Rule changed", "where", "Rule removed"):
            self.assertIn(text, told)

    def test_condition_whose_field_is_gone_leaves_nothing(self):
        rule = self.rule(domain='[["function", "=", "x"]]')
        self.env["res.partner"].create({"name": "A", "function": "x"})
        self.env.flush_all()
        self.env.cr.execute("UPDATE mcp_profile_rule SET domain = %s WHERE id = %s", ['[["gone", "=", 1]]', rule.id])
        self.env.invalidate_all()
        self.env.registry.clear_cache()
        self.assertEqual(self.ok("odoo_search_records", model="res.partner")["count"], 0)
