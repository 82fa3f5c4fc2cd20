from odoo.tests import BaseCase, tagged

from ..services.policy_rules import ModelRule, NameList, RuleSet, matches, names, unreadable_names

READ = frozenset({"read"})


@tagged("post_install", "-at_install")
class TestServicePolicyRules(BaseCase):
    def test_first_rule_that_names_a_model_decides(self):
        closed = ModelRule("sale.order.line", frozenset())
        rules = RuleSet((closed, ModelRule("sale.*", READ), ModelRule("*", READ | {"write"})))
        self.assertIs(rules.of("sale.order.line"), closed)
        self.assertEqual(rules.of("sale.order").pattern, "sale.*")
        self.assertEqual(rules.of("res.partner").pattern, "*")
        self.assertIs(rules.of("sale.order.line"), closed, "and the kept answer is the same")
        self.assertIsNone(RuleSet((closed,)).of("res.partner"))

    def test_patterns(self):
        cases = [
            ("sale.*", "sale.order", True), ("sale.*", "sale", False), ("sale.*", "pos.sale.x", False),
            ("*.line", "account.move.line", True), ("sale.order", "sale_order", False),
            ("sale.order", "saleXorder", False),
            ("*", "a.b", True), ("hr.payslip*", "hr.payslip", True),
        ]  # fmt: skip
        for pattern, name, found in cases:
            self.assertEqual(matches(frozenset({pattern}), name), found, (pattern, name))
        self.assertFalse(matches(frozenset(), "a"))

    def test_fields(self):
        cases = [
            ("all", "x", False), ("allow", "name", False), ("allow", "x", True), ("allow", "id", False),
            ("allow", "display_name", False), ("deny", "name", True), ("deny", "x", False),
        ]  # fmt: skip
        for mode, name, is_closed in cases:
            rule = ModelRule("a.b", READ, mode, frozenset({"name"}))
            self.assertEqual(rule.closes_field(name), is_closed, (mode, name))
        self.assertTrue(ModelRule("a.b", READ, "deny", frozenset({"display_name"})).closes_field("display_name"))

    def test_methods(self):
        self.assertFalse(ModelRule("a.b", READ).closes_method("action_x"))
        self.assertTrue(ModelRule("a.b", READ, methods=frozenset({"action_y"})).closes_method("action_x"))

    def test_rules_of_groups_are_for_their_members(self):
        wide, narrow = ModelRule("*", READ, groups=frozenset({7})), ModelRule("a.b", READ)
        self.assertEqual(RuleSet((wide, narrow)).for_groups(frozenset({7})).rules, (wide, narrow))
        self.assertEqual(RuleSet((wide, narrow)).for_groups(frozenset()).rules, (narrow,))

    def test_no_rule_left_is_not_no_limit(self):
        left = RuleSet((ModelRule("*", READ, groups=frozenset({7})),)).for_groups(frozenset({8}))
        self.assertTrue(left)
        self.assertIsNone(left.of("res.partner"))
        self.assertFalse(RuleSet().for_groups(frozenset({8})))

    def test_names_of_tools(self):
        cases = [
            (None, "", "odoo_undo", True), ("odoo_search_*", "", "odoo_search_records", True),
            ("odoo_search_*", "", "odoo_undo", False), (None, "odoo_undo", "odoo_undo", False),
            ("odoo_*", "odoo_undo", "odoo_undo", False),
        ]  # fmt: skip
        for allowed, denied, name, admitted in cases:
            found = NameList(names(allowed) or None, names(denied)).admits(name)
            self.assertEqual(found, admitted, (allowed, denied, name))

    def test_names_in_a_text(self):
        self.assertEqual(names(" a, b;c\nd  "), {"a", "b", "c", "d"})
        self.assertEqual(names(None), frozenset())
        self.assertEqual(unreadable_names("ok, no!, x(y), sale.*"), ["no!", "x(y)"])
