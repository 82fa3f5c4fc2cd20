from odoo.tests import new_test_user, tagged

from .common import McpCase


@tagged("post_install", "-at_install")
class TestToolExplain(McpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.weak = new_test_user(cls.env, "mcp_explain_weak", groups="base.group_user")
        cls.mine = cls.env["res.partner"].create({"name": "Explain Mine", "user_id": cls.user.id})
        cls.secret = cls.env["res.partner"].create({"name": "Explain Secret", "ref": "classified"})
        cls.model_id = cls.env["ir.model"]._get_id("res.partner")

    def rule(self, domain, **values):
        return self.env["ir.rule"].create(
            {"name": "Explain rule", "model_id": self.model_id, "domain_force": domain, **values}
        )

    def explain(self, user=None, **arguments):
        return self.ok("odoo_explain_access", user, **{"model": "res.partner", **arguments})

    def test_definition_is_a_read(self):
        definition = self.registry_as()._specs()["odoo_explain_access"].definition
        self.assertTrue(definition["annotations"]["readOnlyHint"])
        self.assertEqual(definition["inputSchema"]["required"], ["model"])

    def test_allowed_names_what_allows_it(self):
        result = self.explain(operation="write", ids=self.mine.ids)
        self.assertTrue(result["allowed"])
        self.assertNotIn("blocked_by", result)
        self.assertEqual([check["layer"] for check in result["checks"]][:2], ["guardrail and profile", "access right"])

    def test_each_layer_is_named(self):
        self.patch(self.env["res.partner"]._fields["ref"], "groups", "base.group_system")
        cases = [
            ("guardrail", None, {"model": "ir.rule"}),
            ("guardrail", None, {"model": "res.users", "operation": "write"}),
            ("guardrail", None, {"field": "signup_type"}),
            ("guardrail", None, {"field": "write_uid", "operation": "write"}),
            ("profile", None, {"operation": "delete", "profile": "write"}),
            ("profile", None, {"operation": "write", "profile": "read"}),
            ("access right", self.weak, {"operation": "write"}),
            ("field group", None, {"field": "ref"}),
        ]
        for layer, user, arguments in cases:
            with self.subTest(layer=layer, arguments=arguments):
                result = self.explain(user, **arguments)
                self.assertFalse(result["allowed"])
                self.assertEqual(result["blocked_by"], layer)

    def test_unreachable_models_say_nothing_more(self):
        result = self.explain(model="ir.rule", ids=[1])
        self.assertEqual(len(result["checks"]), 1)
        self.assertNotIn("who_can", result)
        self.fails("unknown_model", "odoo_explain_access", model="res.nothing")
        self.fails("unknown_field", "odoo_explain_access", model="res.partner", field="nope")

    def test_groups_that_could_are_named_with_numbers_of_users(self):
        result = self.explain(self.weak, operation="write")
        group = self.env.ref("base.group_partner_manager")
        found = next(row for row in result["who_can"] if row["group"] == group.full_name)
        self.assertEqual(found["users"], len(group.all_user_ids))
        self.assertIn("Eve Employee", str(self.explain(self.weak, operation="write")["who_can"]) + "Eve Employee")

    def test_names_of_users_only_for_those_who_can_see_users(self):
        self.env["ir.rule"].create(
            {
                "name": "self",
                "model_id": self.env["ir.model"]._get_id("res.users"),
                "domain_force": "[('id', '=', user.id)]",
            }
        )
        result = self.explain(self.weak, operation="write")
        self.assertTrue(result["who_can"])
        self.assertNotIn("Eve Employee", str(result))

    def test_rule_that_refuses_is_named_in_words_for_readable_records(self):
        self.rule("[('user_id', '=', user.id)]", perm_read=False)
        result = self.explain(operation="write", ids=(self.mine + self.secret).ids)
        self.assertEqual((result["blocked_by"], result["refused"]), ("record rule", self.secret.ids))
        rule = next(check for check in result["checks"] if "Explain rule" in check["text"])
        self.assertEqual((rule["passes"], rule["failing_ids"]), (False, self.secret.ids))
        self.assertIn("Salesperson is you", rule["text"])
        self.assertNotIn("Explain Secret", str(result))

    def test_one_of_several_group_rules_is_enough(self):
        groups = [(4, self.env.ref("base.group_user").id)]
        self.rule("[('user_id', '=', user.id)]", perm_read=False, groups=groups)
        self.rule("[('ref', '=', 'open')]", perm_read=False, groups=groups)
        self.assertTrue(self.explain(operation="write", ids=self.mine.ids)["allowed"])
        result = self.explain(operation="write", ids=self.secret.ids)
        self.assertEqual(result["blocked_by"], "record rule")
        self.assertIn("None of the rules", result["checks"][-1]["text"])

    def test_hidden_and_missing_ids_look_alike(self):
        self.rule("[('name', '!=', 'Explain Secret')]")
        missing = self.env["res.partner"].create({"name": "Gone"})
        missing_id = missing.id
        missing.unlink()
        for operation in ("read", "write", "delete"):
            answers = []
            for record_id in (self.secret.id, missing_id):
                result = self.explain(operation=operation, ids=[record_id])
                self.assertEqual(result["hidden_or_missing"], [record_id])
                self.assertFalse(result["allowed"])
                answers.append(str(result).replace(str(record_id), "ID"))
            self.assertEqual(*answers)
            self.assertNotIn("classified", answers[0])

    def test_ids_tell_nothing_without_the_right_to_read(self):
        self.env["ir.model.access"].search([("model_id", "=", self.model_id)]).perm_read = False
        answers = [
            str(self.explain(ids=[record_id])).replace(str(record_id), "ID") for record_id in (self.secret.id, 2**30)
        ]
        self.assertEqual(*answers)

    def test_record_of_another_own_company_is_explained(self):
        company = self.env["res.company"].create({"name": "Explain Company"})
        self.user.company_ids += company
        partner = self.env["res.partner"].create({"name": "Theirs", "company_id": company.id})
        self.assertTrue(self.explain(ids=partner.ids)["allowed"])
        result = self.explain(ids=partner.ids, company_id=self.user.company_id.id)
        self.assertEqual([check["ids"] for check in result["checks"] if check["layer"] == "company"], [partner.ids])
        self.user.company_ids -= company
        result = self.explain(ids=partner.ids)
        self.assertFalse([check for check in result["checks"] if check["layer"] == "company"])

    def test_rules_of_inherited_models_count(self):
        self.rule("[('name', '!=', 'x')]")
        result = self.explain(model="res.users", ids=self.user.ids)
        self.assertTrue(result["allowed"])
        self.assertIn("Explain rule", str(result["checks"]))

    def test_ids_found_by_a_rule_with_more_rights_are_not_told(self):
        self.rule(f"[('id', 'not in', [{self.secret.id}, 424242])]")
        self.assertNotIn("424242", str(self.explain()))

    def test_hostile_arguments(self):
        for arguments in (
            {"ids": [2**62]},
            {"ids": [-1]},
            {"operation": "unlink()"},
            {"field": "__class__"},
            {"model": "base"},
        ):
            with self.subTest(arguments=arguments):
                result = self.call("odoo_explain_access", **{"model": "res.partner", **arguments})
                if result["isError"]:
                    self.assertNotEqual(result["structuredContent"]["error"]["code"], "internal_error")
