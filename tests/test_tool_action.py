import json

from odoo.fields import Command
from odoo.tests import TransactionCase, tagged

from ..models.action_outcome import Outcome
from ..models.form_actions import Choice, is_grave
from ..models.view_values import namespace, says
from ..models.wizard_lines import Lines
from .actions import TOOL
from .common import McpCase


@tagged("post_install", "-at_install")
class TestToolAction(McpCase):
    """On contacts, with a form of our own."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.ref("mcp_endpoint.profile_full").confirmation = "never"
        cls.bank = cls.env["res.partner.bank"].create({"acc_number": "1", "partner_id": cls.user.partner_id.id})
        window = cls.env["ir.actions.act_window"].create(
            {"name": "Countries", "res_model": "res.country", "view_mode": "list,form", "domain": [("code", "=", "BE")]}
        )
        settings = cls.env["ir.actions.act_window"].create(
            {"name": "Settings", "res_model": "res.config.settings", "view_mode": "form", "target": "new"}
        )
        cls.env["ir.ui.view"].create({
            "name": "bank form", "model": "res.partner.bank", "type": "form", "priority": 1,
            "arch": f"""<form><header invisible="acc_number == 'closed'">
                <button name="action_archive" type="object" string="Shelve" invisible="not active"/>
                <button name="action_unarchive" type="object" string="Take back" invisible="active"/>
                <button name="copy" type="object" string="For admins" groups="base.group_system"/>
                <button name="unlink" type="object" string="Never"/>
                <button name="{window.id}" type="action" string="Where"/>
                <button name="{settings.id}" type="action" string="Configure"/>
                <button name="toggle_active" type="object" string="Odd" invisible="acc_number > 5"/>
            </header><field name="acc_number"/><field name="active"/></form>""",
        })  # fmt: skip

    def run_action(self, action, **arguments):
        return self.ok(TOOL, model="res.partner.bank", ids=self.bank.ids, action=action, **arguments)

    def refused(self, code, action, **arguments):
        arguments = {"model": "res.partner.bank", "ids": self.bank.ids, "action": action, **arguments}
        return self.fails(code, TOOL, **arguments)

    def test_definition_is_small(self):
        spec = self.registry_as()._specs()[TOOL]
        self.assertLessEqual(len(json.dumps(spec.definition, separators=(",", ":"))), 1100)
        self.assertEqual((spec.access, spec.toolset, spec.destructive), ("write", "action", True))

    def test_button_by_label_or_method_tells_what_changed(self):
        result = self.run_action("sHELVE ")
        self.assertFalse(self.bank.active)
        changed = {(row.get("field"), row.get("before"), row.get("after")) for row in result["changes"]}
        self.assertIn(("active", True, False), changed)
        self.run_action("action_unarchive")
        self.assertTrue(self.bank.active)

    def test_repeat_names_the_state_and_what_is_offered(self):
        self.run_action("Shelve")
        error = self.refused("not_offered", "Shelve")
        self.assertIn("Active is False", error["message"])
        self.assertIn("Take back", error["fix"])
        self.assertNotIn("Shelve", error["fix"])

    def test_dry_run_changes_nothing(self):
        result = self.run_action("Shelve", dry_run=True)
        self.assertEqual(result["status"], "dry_run")
        self.assertIn("active", [row.get("field") for row in result["changes"]])
        self.assertTrue(self.bank.active)

    def test_what_the_form_does_not_offer_is_refused(self):
        for code, action in (
            ("unknown_action", "For admins"),
            ("unknown_action", "copy"),
            ("unknown_action", "unlink"),
            ("unknown_action", "Never"),
            ("unknown_action", "write"),
            ("unknown_action", "_write"),
            ("unknown_action", "sudo"),
            ("unknown_action", "Shelf"),
            ("unknown_action", "base.action_country"),
            ("unknown_action", "x" * 5000),
            ("unknown_action", ""),
            ("not_offered", "Odd"),
            ("policy_denied", "Configure"),
        ):
            with self.subTest(action=action[:20]):
                error = self.refused(code, action)
                self.assertLess(len(json.dumps(error)), 2000)
        self.assertIn("Shelve (action_archive)", self.refused("unknown_action", "Shelved")["fix"])

    def test_hidden_header_hides_its_buttons(self):
        self.bank.acc_number = "closed"
        self.refused("not_offered", "Shelve")
        self.assertTrue(self.bank.active)

    def test_odd_ids_and_guarded_models_are_refused(self):
        self.refused("not_found", "Shelve", ids=[2**30])
        self.refused("invalid_arguments", "Shelve", ids=[])
        self.refused("policy_denied", "action_archive", model="res.users", ids=self.user.ids)
        self.refused("policy_denied", "Run", model="ir.actions.server", ids=[1])
        self.refused("policy_denied", "Shelve", profile="read")
        self.assertTrue(self.bank.active)

    def test_button_that_opens_records_names_them(self):
        result = self.run_action("Where")
        belgium = self.env.ref("base.be")
        self.assertEqual([row["id"] for row in result["opened"]["records"]], belgium.ids)
        self.assertEqual(result["opened"]["model"], "res.country")

    def test_server_actions_follow_groups_and_run_on_the_records(self):
        actions = self.env["ir.actions.server"].create([
            {
                "name": name, "model_id": self.env["ir.model"]._get_id("res.partner.bank"), "state": "code",
                "binding_model_id": self.env["ir.model"]._get_id("res.partner.bank"), "group_ids": groups,
                "code": "records.write({'acc_number': '77'})",
            }
            for name, groups in (("Renumber", []), ("Closed", [Command.link(self.env.ref("base.group_system").id)]))
        ])  # fmt: skip
        self.refused("unknown_action", "Closed")
        self.refused("unknown_action", str(actions[1].id))
        result = self.run_action("renumber")
        self.assertEqual(self.bank.acc_number, "77")
        self.assertIn(("acc_number", "77"), [(row.get("field"), row.get("after")) for row in result["changes"]])
        self.env["ir.model.data"].create(
            {"module": "mcp_test", "name": "renumber", "model": "ir.actions.server", "res_id": actions[0].id}
        )
        self.run_action("mcp_test.renumber")
        self.run_action(str(actions[0].id))

    def test_server_action_asks_where_the_profile_wants_it(self):
        self.env.ref("mcp_endpoint.profile_full").confirmation = "destructive"
        self.env["ir.actions.server"].create({
            "name": "Renumber", "model_id": self.env["ir.model"]._get_id("res.partner.bank"), "state": "code",
            "binding_model_id": self.env["ir.model"]._get_id("res.partner.bank"),
            "code": "records.write({'acc_number': '77'})",
        })  # fmt: skip
        asked = self.run_action("Renumber")
        self.assertEqual((asked["status"], self.bank.acc_number), ("confirmation_required", "1"))
        self.run_action("Renumber", confirm_token=asked["confirm_token"])
        self.assertEqual(self.bank.acc_number, "77")
        self.run_action("Shelve")
        self.assertFalse(self.bank.active)


@tagged("post_install", "-at_install")
class TestToolActionParts(TransactionCase):
    def test_grave_methods_are_known_by_their_words(self):
        for name in ("action_cancel", "action_post", "button_validate", "unlink", "action_create_payments"):
            self.assertTrue(is_grave(Choice("object", name, name)), name)
        for name in ("action_confirm", "action_view_invoice", "action_repost_x", "action_posted"):
            self.assertFalse(is_grave(Choice("object", name, name)), name)
        self.assertTrue(is_grave(Choice("object", "action_confirm", "Confirm", asks="Sure?")))

    def test_links_lose_what_opens_documents_to_anybody(self):
        outcome = Outcome()
        outcome.note_link("https://odoo.example.com", "/my/orders/7?access_token=abc&view=list#top")
        outcome.note_link("https://odoo.example.com", "https://elsewhere.example.com/x")
        self.assertEqual(
            outcome.links, ["https://odoo.example.com/my/orders/7?view=list", "https://elsewhere.example.com/x"]
        )

    def test_lines_follow_commands(self):
        lines = Lines([(0, "v1", {"a": 1}), (4, 7, {"id": 7, "a": 2})])
        lines.apply([(1, "v1", {"a": 5}), (1, 7, {"a": 6})])
        self.assertEqual(lines.commands(), [(0, "v1", {"a": 5}), (4, 7, 0), (1, 7, {"a": 6})])
        lines.apply([(3, 7, 0), (2, "v1", 0)])
        self.assertEqual(lines.commands(), [(3, 7, 0)])
        lines.apply([(6, 0, [8, 9])])
        self.assertEqual(lines.commands(), [(3, 7, 0), (4, 8, 0), (4, 9, 0)])

    def test_conditions_beyond_the_simple_are_evaluated_and_nothing_else_is(self):
        names = namespace(self.env, {"state": "draft", "lines": [1, 2], "day": "2025-01-01"})
        for condition, expected in (
            ("len(lines) > 1", True),
            ("context.get('x')", False),
            ("day < context_today().strftime('%Y-%m-%d')", True),
            ("day < current_date", True),
            ("uid", True),
            ("state == parent.state", None),
            ("missing", None),
            ("state > 5", None),
            ("1 / 0", None),
            ("__import__('os')", None),
            ("().__class__", None),
            ("(", None),
        ):
            with self.subTest(condition):
                self.assertIs(says(condition, names), expected)
