import json

from odoo.tests import new_test_user, tagged

from .common import McpCase

SECRET = "topsecret7731"


@tagged("post_install", "-at_install", "mcp_full")
class TestPolicySales(McpCase):
    """Profiles on documents: lines, reports, related fields, buttons and wizards."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.seller = new_test_user(cls.env, "mcp_seller", groups="base.group_user,sales_team.group_sale_manager")
        cls.partner = cls.env["res.partner"].create({"name": "Buyer", "ref": SECRET, "phone": "+32 2 123 45 67"})
        product = cls.env["product.product"].create({"name": f"Product {SECRET}", "list_price": 5})
        cls.orders = cls.env["sale.order"].create(
            [
                {"partner_id": cls.partner.id, "user_id": user.id, "order_line": [(0, 0, {"product_id": product.id})]}
                for user in (cls.seller, cls.user)
            ]
        )
        cls.own, cls.other = cls.orders
        cls.profile = cls.profiles["sales"] = cls.env["mcp.profile"].create(
            {"name": "Sales", "access_level": "write", "confirmation": "never"}
        )

    def rule(self, pattern, **values):
        operations = {f"allow_{operation}": True for operation in ("write", "create", "call")}
        return self.env["mcp.profile.rule"].create(
            {"profile_id": self.profile.id, "pattern": pattern, **operations, **values}
        )

    def text(self, tool, **arguments):
        return json.dumps(self.call(tool, self.seller, profile="sales", **arguments))

    def refused(self, tool, **arguments):
        return self.fails("policy_denied", tool, self.seller, profile="sales", **arguments)["rule"]

    def test_lines_and_links_of_closed_models(self):
        self.rule("sale.order")
        found = self.ok("odoo_search_records", self.seller, profile="sales", model="sale.order", ids=self.own.ids,
                        fields=["name", "partner_id"])  # fmt: skip
        self.assertNotIn("Buyer", json.dumps(found))
        for fields in (["order_line"], ["order_line.name"], ["partner_id.phone"]):
            self.assertTrue(self.refused("odoo_search_records", model="sale.order", fields=fields))
        for domain in (
            [["order_line.name", "ilike", "x"]],
            [["partner_id", "ilike", "Buyer"]],
            [["order_line", "!=", False]],
        ):
            self.assertTrue(self.refused("odoo_search_records", model="sale.order", domain=domain))
        line = {"order_line": [{"id": self.own.order_line.id, "price_unit": 1}]}
        self.assertTrue(self.refused("odoo_update_records", model="sale.order", ids=self.own.ids, values=line))
        self.assertNotIn(SECRET, self.text("fetch", id=f"odoo://record/sale.order/{self.own.id}"))
        self.assertNotIn("Buyer", self.text("odoo_preview_record", model="sale.order", id=self.own.id,
                                            values={"client_order_ref": "x"}))  # fmt: skip

    def test_condition_on_every_path_of_a_document(self):
        self.rule("sale.order", domain='[["user_id", "=", "me"]]')
        self.rule("*")
        rows = self.ok("odoo_search_records", self.seller, profile="sales", model="sale.order",
                       domain=[["id", "in", self.orders.ids]])["rows"]  # fmt: skip
        self.assertEqual([row["id"] for row in rows], self.own.ids)
        # Lines of another's order are open as lines; what leads through the order is not.
        lines = self.ok("odoo_search_records", self.seller, profile="sales", model="sale.order.line",
                        domain=[["order_id.name", "=", self.other.name]])["rows"]  # fmt: skip
        self.assertFalse(lines)
        for tool, arguments in (
            ("odoo_render_report", {"model": "sale.order", "ids": self.other.ids, "report": "sale.report_saleorder"}),
            ("odoo_run_action", {"model": "sale.order", "ids": self.other.ids, "action": "action_confirm"}),
            ("odoo_post_message", {"model": "sale.order", "id": self.other.id, "body": "x"}),
            ("odoo_read_thread", {"model": "sale.order", "id": self.other.id}),
        ):
            self.fails("not_found", tool, self.seller, profile="sales", **arguments)
        self.assertEqual(self.other.state, "draft")
        groups = self.ok("odoo_aggregate_records", self.seller, profile="sales", model="sale.order",
                         domain=[["id", "in", self.orders.ids]])  # fmt: skip
        self.assertIn("1", json.dumps(groups))
        self.assertNotIn(self.other.name, self.text("search", query=self.other.name))

    def test_reports_of_what_is_limited(self):
        self.rule("*")
        report = {"model": "sale.order", "ids": self.own.ids, "report": "sale.report_saleorder"}
        self.assertIn(SECRET, self.text("odoo_render_report", **report))
        self.rule("sale.order.line", fields_mode="deny", field_names="name", sequence=1)
        self.assertEqual(self.refused("odoo_render_report", **report), "profile:report")
        listed = self.ok("odoo_render_report", self.seller, profile="sales", model="sale.order")
        self.assertFalse(listed["reports"])

    def test_buttons_by_name(self):
        self.rule("sale.order", methods="action_quotation_send, action_lock")
        self.rule("*")
        self.assertEqual(
            self.refused("odoo_run_action", model="sale.order", ids=self.own.ids, action="action_confirm"),
            "profile:method",
        )
        self.assertEqual(self.own.state, "draft")
        self.profile.rule_ids.filtered("methods").methods = "action_confirm"
        self.ok("odoo_run_action", self.seller, profile="sales", model="sale.order", ids=self.own.ids,
                action="action_confirm")  # fmt: skip
        self.assertEqual(self.own.state, "sale")

    def test_related_field_of_a_closed_one(self):
        self.rule("res.partner", fields_mode="deny", field_names="phone")
        self.rule("*")
        related = [
            name for name, field in self.env["sale.order"]._fields.items() if field.related == "partner_id.phone"
        ] or ["partner_id.phone"]
        self.assertEqual(self.refused("odoo_search_records", model="sale.order", fields=related[:1]), "profile:field")
        self.assertNotIn("123 45", self.text("odoo_search_records", model="sale.order", ids=self.own.ids, fields=["*"]))
