from datetime import timedelta
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import new_test_user, tagged

from .common import McpCase


@tagged("post_install", "-at_install")
class TestToolUndo(McpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.ref("mcp_endpoint.profile_full").confirmation = "never"
        cls.tags = cls.env["res.partner.category"].create([{"name": "U1"}, {"name": "U2"}])
        cls.partner = cls.env["res.partner"].create(
            {
                "name": "Undo Me",
                "function": "boss",
                "email": "u@example.com",
                "category_id": cls.tags[0].ids,
                "color": 4,
            }
        )

    def update(self, **values):
        result = self.ok("odoo_update_records", model="res.partner", ids=self.partner.ids, values=values)
        return result["change_ids"][-1]

    def create(self, **values):
        result = self.ok("odoo_create_records", model="res.partner", records=[{"name": "Undo New", **values}])
        return self.env["res.partner"].browse(result["ids"]), result["change_ids"][0]

    def undo(self, change_id, **options):
        return self.ok("odoo_undo", change_id=change_id, **options)

    def touch_later(self, record):
        """Make it look as if somebody wrote the record after this transaction began."""
        record.flush_recordset()
        later = self.env.cr.now() + timedelta(minutes=5)
        self.env.cr.execute("UPDATE res_partner SET write_date = %s WHERE id = %s", [later, record.id])
        record.invalidate_recordset()

    def test_lists_own_changes_without_values(self):
        change = self.update(function="clerk")
        other = new_test_user(self.env, "mcp_undo_other", groups="base.group_user,base.group_partner_manager")
        rows = self.ok("odoo_undo")["changes"]
        self.assertEqual((rows[0]["change_id"], rows[0]["fields"], rows[0]["undone"]), (change, ["function"], False))
        self.assertNotIn("clerk", str(rows))
        self.assertEqual(self.ok("odoo_undo", other)["changes"], [])
        self.fails("not_found", "odoo_undo", other, change_id=change)
        self.fails("not_found", "odoo_undo", other, request_id="test-request")
        self.assertEqual(self.partner.function, "clerk")

    def test_write_is_restored_once(self):
        change = self.update(function="clerk", category_id=[self.tags[1].id], email=None)
        result = self.undo(change)
        self.assertEqual(result["undone"][0]["done"], "restored")
        self.assertEqual((self.partner.function, self.partner.email), ("boss", "u@example.com"))
        self.assertEqual(self.partner.category_id, self.tags[0])
        self.assertTrue(self.env["mcp.change"].browse(change).reverted_at)
        self.fails("already_undone", "odoo_undo", change_id=change)
        self.assertEqual(self.env["mcp.change"].browse(result["change_ids"]).mapped("tool"), ["odoo_undo"])

    def test_refused_naming_the_field_when_changed_since(self):
        change = self.update(function="clerk", color=1)
        self.partner.function = "chief"
        error = self.fails("conflict", "odoo_undo", change_id=change)
        self.assertEqual((error["field"], error["record"]), ("function", self.partner.id))
        self.assertEqual((self.partner.function, self.partner.color), ("chief", 1))
        self.assertFalse(self.env["mcp.change"].browse(change).reverted_at)

    def test_change_of_another_field_is_no_conflict(self):
        change = self.update(function="clerk")
        self.partner.ref = "elsewhere"
        self.undo(change)
        self.assertEqual((self.partner.function, self.partner.ref), ("boss", "elsewhere"))

    def test_changes_on_top_of_each_other_are_undone_last_first(self):
        first, second = self.update(function="clerk"), self.update(function="chief")
        self.fails("conflict", "odoo_undo", change_id=first)
        self.undo(second)
        self.undo(first)
        self.assertEqual(self.partner.function, "boss")

    def test_whole_request_is_undone_in_reverse(self):
        self.update(function="clerk")
        self.update(function="chief")
        record, _change = self.create(parent_id=self.partner.id)
        self.update(color=9)
        result = self.ok("odoo_undo", request_id="test-request")
        self.assertEqual(result["count"], 4)
        self.assertEqual((self.partner.function, self.partner.color), ("boss", 4))
        self.assertFalse(record.exists())
        self.fails("already_undone", "odoo_undo", change_id=_change)

    def test_archive_is_taken_back(self):
        result = self.ok("odoo_delete_records", model="res.partner", ids=self.partner.ids)
        self.undo(result["change_ids"][0])
        self.assertTrue(self.partner.active)

    def test_created_record_is_deleted_or_archived_where_deleting_is_closed(self):
        record, change = self.create()
        self.assertEqual(self.undo(change)["undone"][0]["done"], "deleted")
        self.assertFalse(record.exists())
        record, change = self.create()
        row = self.undo(change, profile="write")["undone"][0]
        self.assertEqual(row["done"], "archived")
        self.assertIn("does not allow deleting", row["note"])
        self.assertFalse(record.active)

    def test_created_record_that_odoo_does_not_delete_is_archived(self):
        record, change = self.create()

        def refuse(records):
            raise UserError("Still needed.")

        with patch.object(type(self.env["res.partner"]), "unlink", refuse):
            row = self.undo(change)["undone"][0]
        self.assertEqual(row["done"], "archived")
        self.assertIn("Still needed.", row["note"])
        operations = self.env["mcp.change"].search([("tool", "=", "odoo_undo")]).mapped("operation")
        self.assertEqual(operations, ["archive"], "the delete that failed is not in the journal")

    def test_created_record_that_somebody_changed_is_kept(self):
        record, change = self.create()
        self.touch_later(record)
        error = self.fails("conflict", "odoo_undo", change_id=change)
        self.assertEqual(error["record"], record.id)
        self.assertTrue(record.exists())

    def test_created_record_changed_by_a_later_call_names_its_field(self):
        record, change = self.create()
        self.ok("odoo_update_records", model="res.partner", ids=record.ids, values={"ref": "later"})
        self.assertEqual(self.fails("conflict", "odoo_undo", change_id=change)["field"], "ref")

    def test_deleted_record_comes_back_under_a_new_id(self):
        old = self.partner.id
        change = self.ok("odoo_delete_records", model="res.partner", ids=[old], mode="delete")["change_ids"][-1]
        row = self.undo(change)["undone"][0]
        again = self.env["res.partner"].browse(row["new_id"])
        self.assertNotEqual(again.id, old)
        self.assertIn("new id", row["note"])
        self.assertEqual(
            (again.name, again.function, again.email, again.color, again.category_id),
            ("Undo Me", "boss", "u@example.com", 4, self.tags[0]),
        )

    def test_lines_deleted_with_their_record_are_linked_to_the_new_one(self):
        bank = self.env["res.partner.bank"].create({"acc_number": "U-1", "partner_id": self.partner.id})
        self.ok("odoo_delete_records", model="res.partner", ids=self.partner.ids, mode="delete")
        self.assertFalse(bank.exists())
        rows = self.ok("odoo_undo", request_id="test-request")["undone"]
        again = self.env["res.partner"].browse(next(row["new_id"] for row in rows if row["model"] == "res.partner"))
        self.assertEqual(again.bank_ids.acc_number, "U-1")

    def test_policy_and_rights_hold(self):
        change = self.update(function="clerk")
        self.fails("policy_denied", "odoo_undo", profile="read", change_id=change)
        self.user.group_ids -= self.env.ref("base.group_partner_manager")
        self.fails("access_denied", "odoo_undo", change_id=change)
        self.assertEqual(self.partner.function, "clerk")

    def test_change_of_a_model_closed_meanwhile_is_refused_and_not_listed(self):
        change = self.env["mcp.change"].create(
            {"date": self.env.cr.now(), "user_id": self.user.id, "model": "ir.rule", "res_id": 1, "operation": "write",
             "before": {"name": "old"}, "after": {"name": "new"}}
        )  # fmt: skip
        self.fails("policy_denied", "odoo_undo", change_id=change.id)
        self.assertNotIn(change.id, [row["change_id"] for row in self.ok("odoo_undo")["changes"]])

    def test_hostile_ids(self):
        for arguments in ({"change_id": 2**62}, {"change_id": "x"}, {"change_id": 0}, {"request_id": "'; DROP"}):
            with self.subTest(arguments=arguments):
                result = self.call("odoo_undo", **arguments)
                self.assertTrue(result["isError"])
                self.assertNotEqual(result["structuredContent"]["error"]["code"], "internal_error")

    def test_dry_run_restores_nothing(self):
        change = self.update(function="clerk")
        result = self.undo(change, dry_run=True)
        self.assertEqual([row["field"] for row in result["changes"]], ["function"])
        self.assertEqual(self.partner.function, "clerk")
        self.assertFalse(self.env["mcp.change"].browse(change).reverted_at)

    def test_removal_is_asked_about_first(self):
        self.env.ref("mcp_endpoint.profile_full").confirmation = "destructive"
        record, change = self.create()
        asked = self.undo(change)
        self.assertEqual(asked["status"], "confirmation_required")
        self.assertTrue(record.exists())
        self.undo(change, confirm_token=asked["confirm_token"])
        self.assertFalse(record.exists())

    def test_button_undoes_as_the_logged_in_user_with_audit_and_journal(self):
        change = self.update(function="clerk")
        action = self.env["mcp.change"].with_user(self.user).browse(change).action_revert()
        self.assertEqual(action["params"]["type"], "success")
        self.assertEqual(self.partner.function, "boss")
        row = self.env["mcp.audit.log"].search([("transport", "=", "odoo")])
        self.assertEqual((row.user_id, row.tool, row.outcome), (self.user, "odoo_undo", "ok"))
        undo = self.env["mcp.change"].search([("tool", "=", "odoo_undo")])
        self.assertEqual((undo.user_id, undo.res_id), (self.user, self.partner.id))
        again = self.env["mcp.change"].with_user(self.user).browse(change).action_revert()
        self.assertEqual(again["params"]["type"], "danger")
        self.assertEqual(self.env["mcp.audit.log"].search([("transport", "=", "odoo")], limit=1).outcome, "error")

    def test_button_is_for_own_changes_and_for_administrators(self):
        change = self.update(function="clerk")
        other = new_test_user(self.env, "mcp_undo_o", groups="base.group_user,base.group_partner_manager")
        result = self.env["mcp.change"].with_user(other).browse(change).action_revert()
        self.assertEqual(result["params"]["type"], "danger")
        self.assertEqual(self.partner.function, "clerk")
        admin = new_test_user(
            self.env, "mcp_undo_a", groups="base.group_user,base.group_partner_manager,mcp_endpoint.group_mcp_admin"
        )
        self.assertEqual(
            self.env["mcp.change"].with_user(admin).browse(change).action_revert()["params"]["type"], "success"
        )
        self.assertEqual(self.partner.function, "boss")


@tagged("post_install", "-at_install", "mcp_full")
class TestToolUndoOfOrders(McpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.ref("mcp_endpoint.profile_full").confirmation = "never"
        cls.user.group_ids += cls.env.ref("sales_team.group_sale_manager") + cls.env.ref(
            "product.group_product_manager"
        )
        cls.partner = cls.env["res.partner"].create({"name": "Undo Customer"})
        cls.product = cls.env["product.product"].create({"name": "Undo Product", "list_price": 10, "taxes_id": False})

    def order(self):
        lines = [{"product_id": self.product.id, "product_uom_qty": 3, "price_unit": 7}]
        values = {"partner_id": self.partner.id, "client_order_ref": "PO-1", "order_line": lines}
        result = self.ok("odoo_create_records", model="sale.order", records=[values])
        return self.env["sale.order"].browse(result["ids"]), result["change_ids"]

    def test_new_order_with_lines_is_removed(self):
        order, changes = self.order()
        self.ok("odoo_undo", change_id=changes[0])
        self.assertFalse(order.exists())

    def test_changed_line_is_restored_without_its_order(self):
        order, _changes = self.order()
        self.env["mcp.change"].search([]).unlink()
        update = {"order_line": {"update": [{"id": order.order_line.id, "product_uom_qty": 9}]}}
        self.ok("odoo_update_records", model="sale.order", ids=order.ids, values=update)
        self.assertEqual(order.amount_total, 90, "the price typed in gave way to the list price")
        self.ok("odoo_undo", request_id="test-request")
        self.assertEqual((order.order_line.product_uom_qty, order.amount_total), (3, 21))

    def test_deleted_order_comes_back_with_its_lines(self):
        order, _changes = self.order()
        self.env["mcp.change"].search([]).unlink()
        self.ok("odoo_delete_records", model="sale.order", ids=order.ids, mode="delete")
        rows = self.ok("odoo_undo", request_id="test-request")["undone"]
        again = self.env["sale.order"].browse(next(row["new_id"] for row in rows if row["model"] == "sale.order"))
        self.assertEqual((again.client_order_ref, again.partner_id), ("PO-1", self.partner))
        self.assertEqual((again.order_line.product_id, again.order_line.price_unit), (self.product, 7))
        self.assertEqual(again.amount_total, 21)

    def test_product_comes_back_with_its_template(self):
        result = self.ok("odoo_delete_records", model="product.product", ids=self.product.ids, mode="delete")
        row = self.ok("odoo_undo", request_id="test-request")["undone"][-1]
        self.assertTrue(result["change_ids"])
        again = self.env["product.product"].browse(row["new_id"])
        self.assertEqual((again.name, again.list_price), ("Undo Product", 10))
