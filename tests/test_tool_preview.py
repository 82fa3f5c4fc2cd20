from odoo.tests import Form, new_test_user, tagged
from odoo.tools import mute_logger

from .common import McpCase


@tagged("post_install", "-at_install")
class TestToolPreview(McpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.env["res.partner"].create(
            {"name": "Preview Co", "is_company": True, "street": "Main St 1", "city": "Ghent", "lang": "en_US"}
        )
        cls.contact = cls.env["res.partner"].create({"name": "Preview Contact", "color": 2})

    def preview(self, model="res.partner", **arguments):
        return self.ok("odoo_preview_record", model=model, **arguments)

    def test_definition_is_a_read(self):
        definition = self.registry_as()._specs()["odoo_preview_record"].definition
        self.assertTrue(definition["annotations"]["readOnlyHint"])
        self.assertEqual(definition["inputSchema"]["required"], ["model"])

    def test_new_record_shows_defaults_and_missing_fields_and_saves_nothing(self):
        before = self.env["res.partner"].search_count([])
        result = self.preview()
        self.assertFalse(result["saved"])
        self.assertEqual(result["values"]["type"], "contact")
        self.assertIn("name", [item["field"] for item in result["missing_required"]])
        self.assertEqual(self.env["res.partner"].search_count([]), before)
        self.assertEqual(self.preview(values={"name": "X"})["missing_required"], [])

    def test_same_consequences_as_the_form(self):
        with Form(self.env["res.partner"].with_user(self.user)) as form:
            form.name = "Formed"
            form.parent_id = self.company
            expected = form.street, form.city
        result = self.preview(values={"name": "Formed", "parent_id": self.company.id})
        self.assertEqual((result["values"]["street"], result["values"]["city"]), expected)
        self.assertEqual(expected, ("Main St 1", "Ghent"))
        self.assertNotIn("parent_id", result["values"], "what was given is not repeated")

    def test_existing_record_shows_only_what_changes(self):
        result = self.preview(id=self.contact.id, values={"parent_id": "Preview Co"})
        self.assertEqual(result["values"]["street"], "Main St 1")
        self.assertNotIn("color", result["values"])
        self.assertFalse(self.contact.parent_id or self.contact.street)
        self.assertEqual(self.preview(id=self.contact.id)["values"], {})

    def test_changed_says_which_values_were_edited(self):
        values = {"parent_id": self.company.id, "name": "N"}
        result = self.preview(id=self.contact.id, values=values, changed=["name"])
        self.assertNotIn("street", result["values"])
        self.fails("unknown_field", "odoo_preview_record", model="res.partner", values=values, changed=["nmae"])

    def test_field_states_follow_the_values(self):
        person = self.preview(values={"name": "X", "is_company": False})
        company = self.preview(values={"name": "X", "is_company": True})
        self.assertIn("parent_id", company["hidden"])
        self.assertNotIn("parent_id", person.get("hidden", []))

    def test_lines_are_counted_and_shown(self):
        result = self.preview("res.partner.category", values={"name": "Tag", "partner_ids": [self.contact.id]})
        self.assertEqual(result["missing_required"], [])
        self.preview(values={"name": "Lined", "child_ids": [{"name": "Child"}], "category_id": []})
        self.assertFalse(self.env["res.partner"].search([("name", "in", ("Child", "Lined"))]))

    def test_onchange_that_writes_is_refused_by_the_database(self):
        original = type(self.env["res.partner"]).onchange
        contact = self.contact

        def writing(records, *arguments):
            contact.with_env(records.env).sudo().name = "Written"
            records.env.flush_all()
            return original(records, *arguments)

        self.patch(type(self.env["res.partner"]), "onchange", writing)
        with mute_logger("odoo.sql_db"):
            self.fails("read_only", "odoo_preview_record", model="res.partner", values={"name": "X"})
        self.contact.invalidate_recordset()
        self.assertEqual(self.contact.name, "Preview Contact")

    def test_warning_of_an_onchange_is_told(self):
        original = type(self.env["res.partner"]).onchange

        def warning(records, *arguments):
            return {**original(records, *arguments), "warning": {"title": "Careful", "message": "Odd name"}}

        self.patch(type(self.env["res.partner"]), "onchange", warning)
        self.assertIn("Careful: Odd name", self.preview(id=self.contact.id, values={"name": "X"})["warnings"])

    def test_closed_models_fields_and_records(self):
        weak = new_test_user(self.env, "mcp_preview_weak", groups="base.group_user")
        for code, user, arguments in (
            ("policy_denied", None, {"model": "ir.rule"}),
            ("policy_denied", None, {"model": "res.users", "id": self.user.id, "values": {"name": "x"}}),
            ("access_denied", weak, {"model": "res.partner"}),
            ("not_found", None, {"model": "res.partner", "id": 2**30}),
            ("unknown_field", None, {"model": "res.partner", "values": {"nope": 1}}),
            ("readonly_field", None, {"model": "res.partner", "values": {"commercial_partner_id": 1}}),
            ("invalid_value", None, {"model": "res.partner", "values": {"color": "many"}}),
            ("policy_denied", None, {"model": "res.partner", "values": {"user_ids": [1]}}),
        ):
            with self.subTest(arguments=arguments):
                self.fails(code, "odoo_preview_record", user, **arguments)

    def test_read_only_profile_may_not_preview_what_it_may_not_do(self):
        self.fails("policy_denied", "odoo_preview_record", profile="read", model="res.partner")

    def test_fields_of_groups_the_user_lacks_are_not_shown(self):
        self.patch(self.env["res.partner"]._fields["function"], "groups", "base.group_system")
        self.env.registry.clear_all_caches()
        result = self.preview(values={"name": "X"})
        self.assertNotIn("function", str(result))


@tagged("post_install", "-at_install", "mcp_full")
class TestToolPreviewOfOrders(McpCase):
    def test_order_shows_prices_and_terms_as_the_form_does(self):
        self.user.group_ids += self.env.ref("sales_team.group_sale_salesman_all_leads")
        partner = self.env["res.partner"].create({"name": "Order Preview"})
        product = self.env["product.product"].create({"name": "Previewed", "list_price": 12.5, "taxes_id": False})
        line = {"product_id": product.id, "product_uom_qty": 2}
        before = self.env["sale.order"].search_count([])
        result = self.ok(
            "odoo_preview_record", model="sale.order", values={"partner_id": partner.id, "order_line": [line]}
        )
        self.assertEqual(result["values"]["partner_invoice_id"]["id"], partner.id)
        self.assertIn("25", str(result["values"]["order_line"]), result["values"])
        self.assertEqual(result["missing_required"], [])
        self.assertEqual(self.env["sale.order"].search_count([]), before)
        empty = self.ok("odoo_preview_record", model="sale.order")
        self.assertIn("partner_id", [item["field"] for item in empty["missing_required"]])

    def test_confirmed_order_has_its_fields_locked(self):
        self.user.group_ids += self.env.ref("sales_team.group_sale_salesman_all_leads")
        order = self.env["sale.order"].create({"partner_id": self.user.partner_id.id})
        order.state = "cancel"
        result = self.ok("odoo_preview_record", model="sale.order", id=order.id)
        self.assertIn("partner_id", result["readonly"])
