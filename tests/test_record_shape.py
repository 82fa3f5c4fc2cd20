from odoo.tests import tagged

from ..models.record_shape import all_fields, columns, shaped
from ..services.errors import ToolError
from .common import McpCase


@tagged("post_install", "-at_install")
class TestRecordShape(McpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.user.tz = "Europe/Brussels"
        Partner = cls.env["res.partner"]
        cls.country = cls.env.ref("base.be")
        cls.parent = Partner.create({"name": "Shape Parent", "is_company": True, "country_id": cls.country.id})
        cls.children = Partner.create([{"name": f"Shape {n}", "parent_id": cls.parent.id} for n in range(12)])
        cls.parent.comment = "<p>Hello <b>world</b></p>"
        cls.parent.image_1920 = (
            b"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
        )

    def shape(self, records, names, **options):
        call = self.make_call()
        paths = columns(call, records._name, names)
        result = shaped(call, call.env[records._name].browse(records.ids), paths, **options)
        return result.rows, call, result.labels

    def refused(self, names, model="res.partner"):
        with self.assertRaises(ToolError) as caught:
            columns(self.make_call(), model, names)
        return caught.exception

    def test_values_on_the_wire(self):
        rows, _call, labels = self.shape(
            self.parent, ["name", "country_id", "child_ids", "comment", "image_1920", "type", "ref", "create_date"]
        )
        row = rows[0]
        self.assertEqual(list(row)[:2], ["id", "name"])
        self.assertEqual(row["country_id"], {"id": self.country.id, "name": "Belgium"})
        self.assertEqual(row["child_ids"]["count"], 12)
        self.assertEqual(
            row["child_ids"]["ids"], self.children.sorted(lambda r: self.parent.child_ids.ids.index(r.id)).ids[:10]
        )
        self.assertEqual(row["comment"], "Hello **world**")
        self.assertEqual(set(row["image_1920"]), {"size"})
        self.assertIsNone(row["ref"])
        self.assertRegex(row["create_date"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0[12]:00$")

    def test_ids_alone_read_nothing_else(self):
        rows, call, _labels = self.shape(self.children[0], ["id"])
        self.assertEqual(rows, [{"id": self.children[0].id}])
        self.assertEqual(call.read(call.env["res.partner"].browse(self.parent.ids), []), [{"id": self.parent.id}])
        rows, _call, _labels = self.shape(self.children[0], ["parent_id.id"])
        self.assertEqual(rows, [{"id": self.children[0].id, "parent_id.id": self.parent.id}])

    def test_names_of_x2many_records_on_demand(self):
        rows, _call, _labels = self.shape(self.parent, ["child_ids"], resolve_names=True)
        self.assertEqual(len(rows[0]["child_ids"]["names"]), 10)
        self.assertIn("Shape", rows[0]["child_ids"]["names"][0])

    def test_dotted_paths_are_followed(self):
        rows, _call, _labels = self.shape(
            self.children[0] + self.parent, ["name", "parent_id.country_id.code", "parent_id.name", "parent_id"]
        )
        self.assertEqual(rows[0]["parent_id.country_id.code"], "BE")
        self.assertEqual(rows[0]["parent_id.name"], "Shape Parent")
        self.assertEqual(rows[0]["parent_id"]["id"], self.parent.id)
        self.assertIsNone(rows[1]["parent_id.name"])
        self.assertEqual(list(rows[0]), ["id", "name", "parent_id.country_id.code", "parent_id.name", "parent_id"])

    def test_records_behind_a_link_keep_their_own_rules(self):
        self.env["ir.rule"].create(
            {
                "name": "hide parent",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "domain_force": f"[('id', '!=', {self.parent.id})]",
            }
        )
        # Odoo's cache knows the value from a superuser's read of the same transaction.
        self.assertEqual(self.parent.sudo().ref, False)
        rows, call, _labels = self.shape(self.children[0], ["parent_id.name", "parent_id.country_id.code"])
        self.assertIsNone(rows[0]["parent_id.name"])
        self.assertIsNone(rows[0]["parent_id.country_id.code"])
        self.assertIn("not visible", " ".join(call.notes))

    def test_paths_that_cannot_be_read(self):
        for name, code in (
            ("child_ids.name", "invalid_fields"),
            ("parent_id.parent_id.parent_id.name", "invalid_fields"),
            ("create_date.month_number", "invalid_fields"),
            ("name.x", "invalid_filter"),
            ("parent_id.nmae", "unknown_field"),
            ("user_ids.password", "policy_denied"),
            ("__dict__", "unknown_field"),
            ("", "invalid_filter"),
        ):
            with self.subTest(name=name):
                self.assertEqual(self.refused([name]).code, code)

    def test_closed_models_show_no_names(self):
        call = self.make_call()
        paths = columns(call, "res.partner", ["parent_id"])
        records = call.env["res.partner"].browse(self.children[0].ids)
        policy = call.policy

        class Closed:
            def allows_name(self, model):
                return False

            def __getattr__(self, name):
                return getattr(policy, name)

        call.policy = Closed()
        self.assertEqual(shaped(call, records, paths).rows[0]["parent_id"], {"id": self.parent.id})

    def test_all_fields_are_stored_and_readable(self):
        call = self.make_call()
        names = all_fields(call, "res.partner")
        self.assertIn("name", names)
        self.assertNotIn("tz_offset", names)
        rows = shaped(call, call.env["res.partner"].browse(self.parent.ids), columns(call, "res.partner", names)).rows
        self.assertEqual(len(rows), 1)


@tagged("post_install", "-at_install", "mcp_full")
class TestRecordShapeOfDocuments(McpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.user.group_ids += cls.env.ref("sales_team.group_sale_salesman_all_leads")

    def test_money_has_its_currency_and_states_their_labels(self):
        order = self.env["sale.order"].search([("amount_total", ">", 0)], limit=1)
        call = self.make_call()
        paths = columns(call, "sale.order", ["amount_total", "state"])
        result = shaped(call, call.env["sale.order"].browse(order.ids), paths)
        self.assertEqual(
            result.rows[0]["amount_total"], {"amount": order.amount_total, "currency": order.currency_id.name}
        )
        self.assertEqual(set(result.rows[0]), {"id", "amount_total", "state"})
        self.assertEqual(list(result.labels), ["state"])

    def test_fields_hidden_by_groups_are_hidden_behind_links(self):
        call = self.make_call()
        with self.assertRaises(ToolError) as caught:
            columns(call, "sale.order", ["partner_id.credit"])
        self.assertEqual(caught.exception.code, "access_denied")
        for model in ("res.partner", "res.users"):
            self.fails("access_denied", "odoo_search_records", model=model, domain=[["credit", ">", 0]])
            self.fails("access_denied", "odoo_search_records", model=model, fields=["name", "credit"])

    def test_company_dependent_values_say_whose_they_are(self):
        self.assertTrue(self.env["res.partner"]._fields["property_payment_term_id"].company_dependent)
        call = self.make_call()
        partner = call.env["res.partner"].browse(self.user.partner_id.id)
        shaped(call, partner, columns(call, "res.partner", ["property_payment_term_id"]))
        self.assertIn(self.env.company.name, " ".join(call.notes))
