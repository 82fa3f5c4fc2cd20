from odoo.tests import tagged

from .actions import TOOL
from .common import McpCase


@tagged("post_install", "-at_install")
class TestToolActionWizard(McpCase):
    """The wizard of base that merges contacts, whose last page is the same wizard again."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.ref("mcp_endpoint.profile_full").confirmation = "never"
        cls.partners = cls.env["res.partner"].create(
            [{"name": name, "email": "twin@example.com"} for name in ("Twin One", "Twin Two")]
        )
        cls.merge = cls.env.ref("base.action_partner_merge")
        form = cls.env.ref("base.base_partner_merge_automatic_wizard_form")
        cls.env["ir.ui.view"].create({
            "name": "with a way on", "model": form.model, "inherit_id": form.id,
            "arch": f"""<xpath expr="//footer" position="inside">
                <button name="{cls.merge.id}" type="action" string="Onward"
                    invisible="state == 'finished'" context="{{'default_exclude_contact': 1}}"/>
            </xpath>""",
        })  # fmt: skip

    def run_merge(self, **arguments):
        action = "base.action_partner_merge"
        return self.ok(TOOL, model="res.partner", ids=self.partners.ids, action=action, **arguments)

    def test_without_answers_nothing_is_kept(self):
        asked = self.run_merge()
        self.assertEqual((asked["status"], asked["answers_go_in"]), ("input_needed", "answers"))
        names = [field["name"] for field in asked["fields"]]
        self.assertIn("dst_partner_id", names)
        self.assertNotIn("group_by_email", names, "hidden in this state")
        self.assertIn(asked["fields"][0]["default"]["id"], self.partners.ids)
        self.assertFalse(self.env["base.partner.merge.automatic.wizard"].search([]))
        self.assertFalse(self.env["mcp.change"].search([]))

    def test_answers_are_taken_and_the_last_page_closes_itself(self):
        keep, lose = self.partners[1], self.partners[0]
        result = self.run_merge(answers={"dst_partner_id": keep.id})
        self.assertEqual((result["status"], keep.exists(), lose.exists()), ("done", keep, lose.browse()))
        self.assertEqual(result["deleted_ids"], lose.ids)

    def test_defaults_and_dry_run(self):
        result = self.run_merge(answers={}, dry_run=True)
        self.assertEqual(result["result"]["status"], "done")
        self.assertEqual(len(self.partners.exists()), 2)
        self.run_merge(answers={})
        self.assertEqual(len(self.partners.exists()), 1)

    def test_wizard_after_wizard_takes_nested_answers(self):
        asked = self.run_merge(answers={"button": "Onward"})
        self.assertEqual((asked["status"], asked["answers_go_in"]), ("input_needed", "answers.next"))
        self.assertEqual(len(self.partners.exists()), 2)
        closed = self.run_merge(answers={"button": "Onward", "next": {"button": "close"}})
        self.assertEqual(closed["status"], "done")

    def test_merging_asks_with_a_preview_where_the_profile_wants_it(self):
        self.env.ref("mcp_endpoint.profile_full").confirmation = "destructive"
        self.assertEqual(self.run_merge()["status"], "input_needed")
        asked = self.run_merge(answers={})
        self.assertEqual(asked["status"], "confirmation_required")
        self.assertIn("Twin One", asked["question"])
        self.assertEqual(len(self.partners.exists()), 2)
        self.run_merge(answers={}, confirm_token=asked["confirm_token"])
        self.assertEqual(len(self.partners.exists()), 1)

    def test_hostile_answers_leave_nothing(self):
        secret = self.env["res.partner"].create({"name": "Hidden", "email": "h@example.com"})
        self.env["ir.rule"].create({
            "name": "hide", "model_id": self.env["ir.model"]._get_id("res.partner"),
            "domain_force": f"[('id', '!=', {secret.id})]",
        })  # fmt: skip
        for code, answers in (
            ("not_found", {"dst_partner_id": secret.id}),
            ("not_found", {"partner_ids": [secret.id]}),
            ("missing_required", {"dst_partner_id": None}),
            ("unknown_field", {"state": "finished"}),
            ("unknown_field", {"group_by_email": True}),
            ("unknown_field", {"__class__": 1}),
            ("invalid_value", {"dst_partner_id": {"a": [1]}}),
            ("invalid_value", {"partner_ids": "all"}),
            ("invalid_value", {"partner_ids": [{"line": 99}]}),
            ("invalid_value", {"partner_ids": [{"line": "x"}]}),
            ("unknown_action", {"button": {"a": 1}}),
            ("unknown_action", {"button": "unlink"}),
            ("invalid_arguments", {"button": "Onward", "next": "yes"}),
        ):
            with self.subTest(answers=answers):
                arguments = {"model": "res.partner", "ids": self.partners.ids, "action": str(self.merge.id)}
                self.fails(code, TOOL, answers=answers, **arguments)
                self.assertEqual(len(self.partners.exists()), 2)
