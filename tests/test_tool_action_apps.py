import json

from odoo.fields import Command
from odoo.tests import tagged

from ..models import form_actions
from .actions import TOOL, FullCase


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
