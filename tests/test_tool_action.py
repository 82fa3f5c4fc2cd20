import json

from odoo.fields import Command
from odoo.tests import TransactionCase, new_test_user, tagged

from ..models import form_actions
from ..models.action_outcome import Outcome
from ..models.form_actions import Choice, is_grave
from ..models.view_values import namespace, says
from ..models.wizard_lines import Lines
from .common import McpCase

TOOL = "odoo_run_action"


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


class FullCase(McpCase):
    groups = "base.group_user"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.ref("mcp_endpoint.profile_full").confirmation = "never"
        cls.user = new_test_user(cls.env, "mcp_actor", groups=cls.groups, name="Ada Actor")
        cls.partner = cls.env["res.partner"].create({"name": "Buyer", "email": "buyer@example.com"})
        cls.product = cls.env["product.product"].create(
            {"name": "Chair", "type": "consu", "is_storable": True, "list_price": 100, "invoice_policy": "order"}
        )

    def press(self, records, action, **arguments):
        return self.ok(TOOL, self.user, model=records._name, ids=records.ids, action=action, **arguments)

    def refused(self, code, records, action, **arguments):
        return self.fails(code, TOOL, self.user, model=records._name, ids=records.ids, action=action, **arguments)

    def field(self, result, name):
        return next(field for field in result["fields"] if field["name"] == name)


@tagged("post_install", "-at_install", "mcp_full")
class TestToolActionSale(FullCase):
    groups = "sales_team.group_sale_salesman,stock.group_stock_user"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls.env["sale.order"].create({
            "partner_id": cls.partner.id, "user_id": cls.user.id,
            "order_line": [Command.create({"product_id": cls.product.id, "product_uom_qty": 5})],
        })  # fmt: skip

    def test_confirm_makes_a_delivery_and_cannot_be_repeated(self):
        result = self.press(self.order, "Confirm")
        self.assertEqual(self.order.state, "sale")
        state = next(row for row in result["changes"] if row.get("field") == "state")
        self.assertEqual(state["after"], "sale")
        self.assertIn(("stock.picking", self.order.picking_ids.id), [(r["model"], r["id"]) for r in result["created"]])
        error = self.refused("not_offered", self.order, "Confirm")
        self.assertIn("Sales Order", error["message"])
        self.assertIn("Cancel", error["fix"])

    def test_cancel(self):
        self.order.action_confirm()
        self.press(self.order, "action_cancel")
        self.assertEqual(self.order.state, "cancel")

    def test_dry_run_leaves_the_quotation(self):
        result = self.press(self.order, "Confirm", dry_run=True)
        self.assertEqual((result["status"], self.order.state), ("dry_run", "draft"))
        self.assertFalse(self.order.picking_ids)
        self.assertIn("stock.picking", [row["model"] for row in result["result"]["created"]])

    def test_what_a_button_made_is_undone_or_said_why_not(self):
        self.user.group_ids += self.env.ref("account.group_account_invoice")
        self.press(self.order, "Confirm")
        for posted in (False, True):
            self.press(self.order, "Create Invoice", answers={"amount": 10, "advance_payment_method": "percentage"})
            invoice = self.order.invoice_ids.filtered(lambda move: move.state == "draft")
            change = self.env["mcp.change"].search([("model", "=", "account.move"), ("res_id", "=", invoice.id)])
            self.assertEqual(change.operation, "create")
            with self.subTest(posted=posted):
                if posted:
                    # As if that were part of the same change: nobody else has touched it since.
                    invoice.action_post()
                    self.env.cr.execute("UPDATE account_move SET write_date = %s", [change.date])
                    error = self.fails("business_rule", "odoo_undo", self.user, change_id=change.id)
                    self.assertIn("posted", error["message"])
                else:
                    self.ok("odoo_undo", self.user, change_id=change.id)
                self.assertEqual(bool(invoice.exists()), posted)

    def test_a_dry_run_tells_as_many_messages_as_the_real_run(self):
        tried = self.press(self.order, "Confirm", dry_run=True)
        done = self.press(self.order, "Confirm")
        told = tried["side_effects"]
        self.assertEqual(
            done["side_effects"]["messages"], told.get("messages_count") or len(told["messages"]), tried
        )
        kinds = set(tried["side_effects"]) - {"messages_count"}
        self.assertEqual(kinds, set(done["side_effects"]))

    def test_invoice_wizard_lists_fields_and_takes_answers(self):
        self.order.action_confirm()
        asked = self.press(self.order, "Create Invoice")
        self.assertEqual(asked["status"], "input_needed")
        method = self.field(asked, "advance_payment_method")
        self.assertEqual(method["default"], "delivered")
        self.assertIn("percentage", [option["value"] for option in method["options"]])
        self.assertFalse(self.order.invoice_ids)
        result = self.press(
            self.order, "Create Invoice", answers={"amount": 50, "advance_payment_method": "percentage"}
        )
        self.assertEqual(self.order.invoice_ids.amount_untaxed, 250)
        self.assertIn(self.order.invoice_ids.id, [row["id"] for row in result["created"]])

    def test_wrong_answers_are_explained_and_leave_nothing(self):
        self.order.action_confirm()
        for code, answers in (
            ("unknown_field", {"advance_payment_methodd": "delivered"}),
            ("unknown_field", {"amount": 10}),
            ("invalid_value", {"advance_payment_method": "stolen"}),
            ("unknown_field", {"create_uid": 1}),
            ("unknown_action", {"button": "unlink"}),
            ("invalid_arguments", {"next": 5}),
        ):
            with self.subTest(answers=answers):
                self.refused(code, self.order, "Create Invoice", answers=answers)
        self.assertFalse(self.order.invoice_ids)

    def test_idempotency_key_survives_the_question(self):
        self.order.action_confirm()
        arguments = {"records": self.order, "action": "Create Invoice", "idempotency_key": "invoice-once"}
        self.assertEqual(self.press(**arguments)["status"], "input_needed")
        self.press(answers={}, **arguments)
        self.press(answers={}, **arguments)
        self.assertEqual(len(self.order.invoice_ids), 1)

    def test_mail_composer_is_refused_with_a_reason(self):
        error = self.refused("policy_denied", self.order, "action_quotation_send", answers={})
        self.assertIn("mail.compose.message", error["message"])

    def test_other_peoples_orders_stay_hidden(self):
        self.order.user_id = self.env.ref("base.user_admin")
        self.refused("not_found", self.order, "Confirm")
        self.assertEqual(self.order.state, "draft")


@tagged("post_install", "-at_install", "mcp_full")
class TestToolActionAccounting(FullCase):
    groups = "account.group_account_invoice"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.invoice = cls.env["account.move"].create({
            "move_type": "out_invoice", "partner_id": cls.partner.id, "invoice_date": "2025-01-15",
            "invoice_line_ids": [Command.create({"name": "Work", "quantity": 1, "price_unit": 100, "tax_ids": []})],
        })  # fmt: skip

    def test_post_then_register_payment_with_answers(self):
        posted = self.press(self.invoice, "Confirm")
        self.assertEqual(self.invoice.state, "posted", posted)
        asked = self.press(self.invoice, "action_register_payment")
        self.assertEqual(asked["status"], "input_needed")
        self.assertEqual(self.field(asked, "amount")["default"], 100)
        self.assertTrue(self.field(asked, "journal_id")["options"])
        self.assertEqual(asked["buttons"][0]["name"], "action_create_payments")
        self.assertNotEqual(self.invoice.payment_state, "paid")
        result = self.press(
            self.invoice, "action_register_payment", answers={"amount": 40, "payment_date": "2025-01-20"}
        )
        self.assertEqual(self.invoice.amount_residual, 60)
        self.assertIn("account.payment", [row["model"] for row in result["created"]])
        rest = self.press(self.invoice, "Pay", answers={}, dry_run=True)
        self.assertEqual((rest["status"], self.invoice.amount_residual), ("dry_run", 60))
        self.press(self.invoice, "Pay", answers={})
        self.assertEqual(self.invoice.amount_residual, 0)
        self.refused("not_offered", self.invoice, "Pay", answers={})

    def test_posting_asks_first_and_the_token_lets_it_pass(self):
        self.env.ref("mcp_endpoint.profile_full").confirmation = "destructive"
        asked = self.press(self.invoice, "action_post")
        self.assertEqual((asked["status"], self.invoice.state), ("confirmation_required", "draft"))
        self.press(self.invoice, "action_post", confirm_token=asked["confirm_token"])
        self.assertEqual(self.invoice.state, "posted")
        asked = self.press(self.invoice, "Pay", answers={})
        self.assertEqual((asked["status"], self.invoice.amount_residual), ("confirmation_required", 100))
        self.press(self.invoice, "Pay", answers={}, confirm_token=asked["confirm_token"])
        self.assertEqual(self.invoice.amount_residual, 0)

    def test_odoos_own_refusal_comes_in_its_words(self):
        empty = self.env["account.move"].create({"move_type": "out_invoice", "partner_id": self.partner.id})
        error = self.refused("business_rule", empty, "action_post")
        self.assertIn("post nothing", error["message"])
        self.assertEqual(empty.state, "draft")


@tagged("post_install", "-at_install", "mcp_full")
class TestToolActionStock(FullCase):
    groups = "stock.group_stock_user"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        warehouse = cls.env["stock.warehouse"].search([("company_id", "=", cls.env.company.id)], limit=1)
        cls.env["stock.quant"]._update_available_quantity(cls.product, warehouse.lot_stock_id, 100)
        cls.picking = cls.env["stock.picking"].create({
            "partner_id": cls.partner.id, "picking_type_id": warehouse.out_type_id.id,
            "location_id": warehouse.lot_stock_id.id,
            "location_dest_id": cls.env.ref("stock.stock_location_customers").id,
            "move_ids": [Command.create({
                "product_id": cls.product.id, "product_uom_qty": 5,
                "location_id": warehouse.lot_stock_id.id,
                "location_dest_id": cls.env.ref("stock.stock_location_customers").id,
            })],
        })  # fmt: skip
        cls.picking.action_confirm()
        cls.picking.action_assign()
        cls.picking.move_ids.write({"quantity": 2, "picked": True})

    def test_partial_delivery_asks_and_makes_a_back_order(self):
        asked = self.press(self.picking, "Validate")
        self.assertEqual(asked["wizard"]["model"], "stock.backorder.confirmation")
        self.assertEqual([button["name"] for button in asked["buttons"]], ["process", "process_cancel_backorder"])
        self.assertNotEqual(self.picking.state, "done")
        result = self.press(self.picking, "Validate", answers={})
        self.assertEqual(self.picking.state, "done")
        backorder = self.picking.backorder_ids
        self.assertEqual(backorder.move_ids.product_uom_qty, 3)
        self.assertIn(backorder.id, [row["id"] for row in result["created"]])

    def test_partial_delivery_without_back_order(self):
        self.press(self.picking, "Validate", answers={"button": "No Backorder"})
        self.assertEqual(self.picking.state, "done")
        self.assertFalse(self.picking.backorder_ids.filtered(lambda picking: picking.state != "cancel"))

    def test_dry_run_of_a_wizard_leaves_nothing(self):
        result = self.press(self.picking, "Validate", answers={}, dry_run=True)
        self.assertEqual(result["status"], "dry_run")
        self.assertNotEqual(self.picking.state, "done")
        self.assertFalse(self.picking.backorder_ids)

    def test_return_wizard_takes_quantities_by_line(self):
        self.press(self.picking, "Validate", answers={"button": "process_cancel_backorder"})
        asked = self.press(self.picking, "Return")
        [line] = self.field(asked, "product_return_moves")["default"]
        self.assertEqual((line["line"], line["product_id"]["name"]), (1, "Chair"))
        answers = {"product_return_moves": [{"line": 1, "quantity": 1}], "button": "action_create_returns"}
        self.press(self.picking, "Return", answers=answers)
        self.assertEqual(self.picking.return_ids.move_ids.product_uom_qty, 1)


@tagged("post_install", "-at_install", "mcp_full")
class TestToolActionCrm(FullCase):
    groups = "sales_team.group_sale_salesman_all_leads,crm.group_use_lead"

    def test_lead_becomes_an_opportunity_and_is_won(self):
        lead = self.env["crm.lead"].create(
            {
                "name": "Big deal",
                "type": "lead",
                "partner_name": "Newco",
                "contact_name": "Nina",
                "user_id": self.user.id,
            }
        )
        asked = self.press(lead, "Convert to Opportunity")
        self.assertEqual(asked["wizard"]["model"], "crm.lead2opportunity.partner")
        self.assertEqual(lead.type, "lead")
        result = self.press(lead, "Convert to Opportunity", answers={"name": "convert", "action": "create"})
        self.assertEqual((lead.type, lead.partner_id.name), ("opportunity", "Nina"))
        self.assertIn("type", [row.get("field") for row in result["changes"]])
        self.refused("not_offered", lead, "Convert to Opportunity")
        won = self.press(lead, "Won")
        self.assertTrue(lead.stage_id.is_won)
        self.assertNotIn('"effect"', json.dumps(won))

    def test_several_at_once_where_a_button_takes_one(self):
        leads = self.env["crm.lead"].create(
            [{"name": name, "type": "opportunity", "user_id": self.user.id} for name in "ab"]
        )
        self.refused("one_at_a_time", leads, "Won")
        self.assertFalse(any(leads.mapped("stage_id.is_won")))

    def test_lost_wizard_with_a_reason_by_name(self):
        lead = self.env["crm.lead"].create({"name": "Gone", "type": "opportunity", "user_id": self.user.id})
        reason = self.env["crm.lost.reason"].create({"name": "Much too late"})
        self.press(lead, "Lost", answers={"lost_reason_id": "Much too late"})
        self.assertEqual((lead.active, lead.lost_reason_id), (False, reason))


@tagged("post_install", "-at_install", "mcp_full")
class TestToolActionSweep(FullCase):
    """Every button that the demo data offers to an administrator, tried with the defaults of its wizard."""

    def test_no_button_ends_in_an_internal_error(self):
        self.user = self.env.ref("base.user_admin")
        tried = 0
        for model in (
            "sale.order", "account.move", "stock.picking", "crm.lead", "account.payment", "res.partner",
            "product.template", "stock.warehouse.orderpoint",
        ):  # fmt: skip
            record = self.env[model].search([], limit=1)
            call = self.make_call(TOOL, self.user)
            for choice in form_actions._choices(call, call.records(model, "call", record.ids)):
                arguments = {"model": model, "ids": record.ids, "action": choice.name, "answers": {}, "dry_run": True}
                with self.subTest(model=model, action=choice.shown):
                    result = self.call(TOOL, self.user, **arguments)
                    tried += 1
                    error = result["structuredContent"].get("error", {})
                    self.assertNotEqual(error.get("code"), "internal_error")
                    self.assertNotIn("ir.actions.act_window", str(result))
        self.assertGreater(tried, 80)
