from dataclasses import replace

from odoo.tests import BaseCase, tagged

from ..services.errors import PolicyDenied
from ..services.ip_rules import AddressRules, networks
from ..services.model_tiers import Tiers
from ..services.policy import CompiledPolicy, Layer
from ..services.policy_rules import ModelRule, NameList, RuleSet
from ..services.tool import ToolSpec

RULE = ModelRule("a.b", frozenset({"read"}), domain="[['x', '=', 1]]")


def layer(kind="profile", level="admin", *, delete=True, toolsets=None, confirmation="never"):
    return Layer(kind, kind, level, delete, toolsets, confirmation)


def policy(**limits):
    return CompiledPolicy((layer("baseline"), layer(**limits)))


def spec(access="read", toolset="core"):
    return ToolSpec("odoo_thing", "Thing", "A thing.", access, toolset, {}, {})


@tagged("post_install", "-at_install")
class TestServicePolicy(BaseCase):
    def assertRefused(self, rule, check, *arguments):
        with self.assertRaises(PolicyDenied) as caught:
            check(*arguments)
        self.assertEqual(caught.exception.rule, rule)
        self.assertEqual(caught.exception.as_dict()["rule"], rule)
        self.assertTrue(caught.exception.fix)

    def test_level_opens_tools_up_to_it(self):
        for level, open_to in (("read", ["read"]), ("write", ["read", "write"]), ("admin", ["read", "write", "admin"])):
            for access in ("read", "write", "admin"):
                self.assertEqual(policy(level=level).allows_tool(spec(access)), access in open_to, (level, access))

    def test_baseline_cannot_be_widened_by_the_profile(self):
        narrow = CompiledPolicy((layer("baseline", "read"), layer("profile", "admin")))
        self.assertEqual(narrow.level, "read")
        self.assertRefused("baseline:tool", narrow.check_tool, spec("write"))
        self.assertRefused("baseline:write", narrow.check_model, "res.partner", "write")

    def test_first_layer_that_refuses_is_named(self):
        narrow = CompiledPolicy((layer("baseline", "read"), layer("profile", "read")))
        self.assertRefused("baseline:tool", narrow.check_tool, spec("write"))

    def test_refusal_says_who_could_open_it(self):
        for rule, word in (("guardrail:model", "no profile"), ("baseline:tool", "administrator"), ("url:x", "URL")):
            self.assertIn(word, PolicyDenied(rule, "No.").fix)
        self.assertEqual(PolicyDenied("guardrail:model", "No.", fix="Use the other one.").fix, "Use the other one.")

    def test_guardrail_comes_before_any_profile(self):
        self.assertRefused("guardrail:model", policy().check_model, "mcp.token", "read")
        self.assertRefused("guardrail:model", policy(level="read").check_model, "res.users", "write")
        self.assertRefused("guardrail:field", policy().check_field, "res.partner", "signup_token")
        self.assertRefused("guardrail:field", policy().check_field, "res.partner", "create_uid", "write")

    def test_reading_what_cannot_be_written_is_open(self):
        policy().check_model("res.users", "read")
        policy().check_field("res.partner", "create_uid", "read")

    def test_delete_needs_its_own_permission(self):
        self.assertRefused("profile:delete", policy(delete=False).check_model, "res.partner", "delete")
        policy(delete=True).check_model("res.partner", "delete")

    def test_toolsets_narrow(self):
        self.assertTrue(policy(toolsets=frozenset({"core"})).allows_tool(spec(toolset="core")))
        self.assertRefused("profile:tool", policy(toolsets=frozenset({"find"})).check_tool, spec(toolset="core"))

    def test_strictest_confirmation_counts(self):
        both = CompiledPolicy((layer("baseline", confirmation="always"), layer(confirmation="never")))
        self.assertEqual(both.confirmation, "always")

    def test_rules_name_what_refuses(self):
        rules = RuleSet(
            (
                ModelRule(
                    "sale.order", frozenset({"read", "call"}), "deny", frozenset({"note"}), frozenset({"action_x"})
                ),
                ModelRule("sale.*", frozenset({"read"})),
            )
        )
        narrow = CompiledPolicy((layer("baseline"), replace(layer(), rules=rules)))
        narrow.check_model("sale.order.line")
        narrow.check_method("sale.order", "action_x")
        self.assertRefused("profile:read", narrow.check_model, "res.partner")
        self.assertRefused("profile:write", narrow.check_model, "sale.order", "write")
        self.assertRefused("profile:field", narrow.check_field, "sale.order", "note")
        self.assertRefused("profile:method", narrow.check_method, "sale.order", "action_y")
        self.assertTrue(narrow.limits_fields("sale.order"))
        self.assertFalse(narrow.limits_fields("sale.order.line"))

    def test_every_layer_narrows_what_the_others_leave(self):
        one = replace(layer(), companies=frozenset({1, 2}), max_result=5_000, rules=RuleSet((RULE,)))
        two = replace(layer("client"), companies=frozenset({2, 3}), max_result=2_000, lockdown=True, capture=True)
        both = CompiledPolicy((layer("baseline"), one, two))
        self.assertEqual((both.companies, both.max_result, both.lockdown, both.capture), ({2}, 2_000, True, True))
        self.assertEqual(both.domains("a.b"), (RULE.domain,))
        self.assertEqual(both.limited_models, {"a.b"})
        self.assertEqual(policy().companies, None)
        self.assertEqual(policy().max_result, 0)

    def test_tier_comes_before_profiles(self):
        closed = CompiledPolicy((layer("baseline", "read"),), Tiers(frozenset({("a.b", "never")})))
        self.assertRefused("tier:never", closed.check_model, "a.b", "write")

    def test_address_of_any_layer(self):
        office = replace(layer("client"), addresses=AddressRules(networks("192.0.2.0/24")))
        narrow = CompiledPolicy((layer("baseline"), office))
        narrow.check_address("192.0.2.1")
        self.assertRefused("client:address", narrow.check_address, "203.0.113.1")

    def test_a_shadowed_rule_limits_nothing(self):
        rules = RuleSet((ModelRule("*", frozenset({"read"})), RULE))
        self.assertEqual(CompiledPolicy((replace(layer(), rules=rules),)).limited_models, frozenset())

    def test_tools_by_name(self):
        narrow = CompiledPolicy((replace(layer(), tools=NameList(frozenset({"odoo_s*"}), frozenset({"odoo_sad"}))),))
        for name, is_open in (("odoo_search", True), ("odoo_sad", False), ("odoo_thing", False), ("prompts/get", True)):
            self.assertEqual(narrow.allows_tool(replace(spec(), name=name)), is_open, name)

    def test_policies_are_values(self):
        self.assertEqual(policy(level="read"), policy(level="read"))
        self.assertEqual(len({policy(level="read"), policy(level="read"), policy(level="write")}), 2)
