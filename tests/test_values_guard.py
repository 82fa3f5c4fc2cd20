import base64
import copy
from unittest.mock import patch

from odoo import Command, fields
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from ..models import value_conversion
from ..models.values_guard import ValuesCheck
from ..services.errors import NeedsInput, PolicyDenied, ToolError
from .common import McpCase


@tagged("post_install", "-at_install")
class TestValuesGuard(McpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.parent = cls.env["res.partner"].create({"name": "Guarded Parent", "is_company": True})
        cls.child = cls.env["res.partner"].create({"name": "Guarded Child", "parent_id": cls.parent.id})
        cls.tags = cls.env["res.partner.category"].create([{"name": "Red"}, {"name": "Blue"}])

    def check(self, values, operation="write", model="res.partner", profile="full", user=None, records=None):
        call = self.make_call("odoo_update_records", user, profile=profile)
        return ValuesCheck(call).record(model, values, operation, records)

    def refused(self, code, values, **options):
        with self.assertRaises(ToolError) as caught:
            self.check(values, **options)
        self.assertEqual(caught.exception.code, code, caught.exception.message)
        return caught.exception

    def test_plain_values(self):
        self.user.tz = "Europe/Brussels"
        cases = [
            ("res.partner", {"name": 42}, {"name": "42"}),
            ("res.partner", {"color": "7"}, {"color": 7}),
            ("res.partner", {"color": 7.0}, {"color": 7}),
            ("res.partner", {"partner_latitude": "1.5"}, {"partner_latitude": 1.5}),
            ("res.partner", {"is_company": "true"}, {"is_company": True}),
            ("res.partner", {"is_company": 0}, {"is_company": False}),
            ("res.partner", {"function": None}, {"function": False}),
            ("res.partner", {"type": "Invoice"}, {"type": "invoice"}),
            ("res.partner", {"type": "invoice"}, {"type": "invoice"}),
            ("mail.activity", {"date_deadline": "2025-07-01"}, {"date_deadline": "2025-07-01"}),
            ("mail.activity", {"date_deadline": "2025-07-01T23:30:00Z"}, {"date_deadline": "2025-07-02"}),
            ("res.partner", {"comment": "a\nb"}, {"comment": "<p>a<br>b</p>"}),
            ("res.partner", {"comment": "<b>a</b>"}, {"comment": "<b>a</b>"}),
        ]
        for model, values, expected in cases:
            with self.subTest(values=values):
                checked = self.check(values, model=model)
                if "comment" in values:
                    checked = {"comment": str(checked["comment"]).replace("<br/>", "<br>")}
                self.assertEqual(checked, expected)

    def test_datetimes_become_utc_in_odoo_s_form(self):
        self.user.tz = "Europe/Brussels"
        self.user.group_ids += self.env.ref("base.group_system")
        field = fields.Datetime()
        field.name = "moment"
        convert = value_conversion.converted
        env = self.make_call("odoo_update_records").env
        for text, expected in (
            ("2025-07-01T14:30:00+02:00", "2025-07-01 12:30:00"),
            ("2025-07-01T14:30:00Z", "2025-07-01 14:30:00"),
            ("2025-07-01T14:30:00", "2025-07-01 12:30:00"),
            ("2025-07-01 14:30:00", "2025-07-01 12:30:00"),
            ("2025-07-01T14:30:00.123456-05:00", "2025-07-01 19:30:00"),
        ):
            with self.subTest(text=text):
                self.assertEqual(convert(env, field, text), expected)
        for bad in ("tomorrow", "2025-13-01T00:00:00", 5, ["x"]):
            with self.subTest(bad=bad), self.assertRaises(ValueError):
                convert(env, field, bad)

    def test_wrong_values_say_what_is_expected(self):
        for values, words in (
            ({"type": "martian"}, "contact"),
            ({"color": "red"}, "whole number"),
            ({"color": True}, "whole number"),
            ({"is_company": "maybe"}, "true or false"),
            ({"partner_latitude": "NaN"}, "a number"),
            ({"parent_id": [1, 2, 3]}, "id of a res.partner"),
            ({"category_id": 5.5}, "a list of ids"),
        ):
            with self.subTest(values=values):
                self.assertIn(words, self.refused("invalid_value", values).message)

    def test_links_by_id_and_by_exact_name(self):
        for value in (
            self.parent.id,
            str(self.parent.id),
            {"id": self.parent.id},
            [self.parent.id, "x"],
            "Guarded Parent",
        ):
            with self.subTest(value=value):
                self.assertEqual(self.check({"parent_id": value}), {"parent_id": self.parent.id})
        self.assertEqual(self.check({"parent_id": None}), {"parent_id": False})
        near = self.refused("not_found", {"parent_id": "Guarded Par"})
        self.assertIn(f"Guarded Parent (id {self.parent.id})", near.fix)
        self.parent.copy({"name": "Guarded Parent"})
        self.assertIn("Several", self.refused("ambiguous_name", {"parent_id": "Guarded Parent"}).message)

    def test_links_to_hidden_records_are_not_found(self):
        company = self.env["res.company"].create({"name": "Elsewhere"})
        hidden = self.env["res.partner"].create({"name": "Hidden One", "company_id": company.id})
        for value in (hidden.id, "Hidden One", str(hidden.id)):
            with self.subTest(value=value):
                error = self.refused("not_found", {"parent_id": value})
                self.assertNotIn(str(hidden.id), error.fix or "")
        self.refused("not_found", {"child_ids": [Command.link(hidden.id)]})
        self.refused("not_found", {"company_id": company.id})

    def test_many2many_forms(self):
        red, blue = self.tags.ids
        for value, expected in (
            ([red, blue], [(6, 0, [red, blue])]),
            ([str(red), "Blue"], [(6, 0, [red, blue])]),
            ({"add": [red], "remove": blue}, [(4, red, 0), (3, blue, 0)]),
            ({"set": ["Red"]}, [(6, 0, [red])]),
            ([{"name": "Green"}], [(0, 0, {"name": "Green"})]),
            ([{"id": red}], [(4, red, 0)]),
            ([[4, red], [3, blue, 0]], [(4, red, 0), (3, blue, 0)]),
            ([[5]], [(6, 0, [])]),
            ([[6, 0, [red]]], [(6, 0, [red])]),
            ([], [(6, 0, [])]),
        ):
            with self.subTest(value=value):
                self.user.group_ids += self.env.ref("base.group_partner_manager")
                checked = self.check({"category_id": value})["category_id"]
                self.assertEqual([tuple(command) for command in checked], expected)

    def test_one2many_forms(self):
        checked = self.check({"child_ids": [{"name": "New"}, {"id": self.child.id, "name": "Renamed"}]})
        self.assertEqual(
            [tuple(command) for command in checked["child_ids"]],
            [(0, 0, {"name": "New"}), (1, self.child.id, {"name": "Renamed"})],
        )
        self.assertEqual(self.check({"child_ids": []}, "create")["child_ids"], [])
        self.refused("invalid_value", {"child_ids": []})

    def test_input_is_not_changed(self):
        values = {"name": "A", "child_ids": [{"name": "B", "category_id": ["Red"]}, [4, self.child.id]]}
        values["child_ids"].pop()
        before = copy.deepcopy(values)
        self.check(values, "create")
        self.assertEqual(values, before)

    def test_rights_cannot_be_gained_through_lines(self):
        """Odoo runs commands on users and groups with the rights of the transaction's first user (odoo19.md, 0.1)."""
        system = self.env.ref("base.group_system")
        for command in (
            Command.update(self.user.id, {"group_ids": [Command.link(system.id)]}),
            Command.create({"login": "evil", "name": "Evil"}),
            Command.link(self.env.ref("base.user_admin").id),
            Command.delete(self.env.ref("base.user_admin").id),
            Command.set([self.env.ref("base.user_admin").id]),
        ):
            with self.subTest(command=command):
                error = self.refused("policy_denied", {"user_ids": [list(command)]})
                self.assertIsInstance(error, PolicyDenied)
        self.refused("policy_denied", {"child_ids": [{"name": "x", "user_ids": [{"login": "evil"}]}]})
        self.assertFalse(self.user.has_group("base.group_system"))

    def test_fields_that_odoo_keeps(self):
        for name in ("create_uid", "write_date", "id", "display_name", "parent_path"):
            if name in self.env["res.partner"]._fields:
                with self.subTest(name=name):
                    self.refused("policy_denied", {name: 1})
        error = self.refused("readonly_field", {"complete_name": "x"})
        self.assertIn("computes", error.fix)
        self.refused("readonly_field", {"commercial_partner_id": self.parent.id})

    def test_readonly_fields_may_say_what_a_record_is_but_not_change(self):
        records = self.env["res.partner"]
        with patch.object(records._fields["ref"], "readonly", True):
            self.assertIn("button", self.refused("readonly_field", {"ref": "x"}).fix)
            self.check({"name": "A", "ref": "x"}, "create")
            with patch.object(records._fields["ref"], "copy", False):
                self.refused("readonly_field", {"name": "A", "ref": "x"}, operation="create")

    def test_unknown_fields_get_the_nearest_names(self):
        self.assertIn("email", self.refused("unknown_field", {"e_mail": "x"}).details["nearest"])

    def test_required_is_checked_at_every_level(self):
        for model, values, missing in (
            ("res.partner", {"name": "A", "bank_ids": [{"bank_name": "x"}]}, ["acc_number"]),
            ("res.partner.bank", {}, ["acc_number", "partner_id"]),
        ):
            with self.subTest(values=values), mute_logger("odoo.sql_db"):
                call = self.make_call("odoo_create_records")
                with self.assertRaises(ToolError) as caught:
                    call.create(model, [values])
                self.assertEqual(caught.exception.code, "missing_required")
                self.assertEqual(sorted(caught.exception.details["missing"]), missing)
        for operation, values in (
            ("write", {"acc_number": None}),
            ("write", {"acc_number": ""}),
            ("write", {"partner_id": False}),
            ("create", {"acc_number": "", "partner_id": self.parent.id}),
        ):
            with self.subTest(values=values):
                self.refused("required", values, operation=operation, model="res.partner.bank")

    def test_required_fields_that_odoo_fills_in_may_be_missing(self):
        records = self.env["res.partner"]
        with patch.object(records._fields["ref"], "required", True):
            call = self.make_call("odoo_create_records")
            check = ValuesCheck(call)
            check.record("res.partner", {"name": "A"}, "create")
            self.assertEqual(check.missing, {"res.partner": ["ref"]})
            with check.explaining():
                created = call.env["res.partner"].create({"name": "A"})
            self.assertTrue(created.exists())

    def test_delete_through_lines_needs_the_right_to_delete(self):
        delete = {"child_ids": {"delete": [self.child.id]}}
        self.refused("policy_denied", delete, profile="write")
        with self.assertRaises(NeedsInput):
            self.env.ref("mcp_endpoint.profile_full").confirmation = "destructive"
            self.check(delete)
        self.env.ref("mcp_endpoint.profile_full").confirmation = "never"
        self.assertEqual(tuple(self.check(delete)["child_ids"][0]), (2, self.child.id, 0))
        readonly = new_test_user(self.env, "mcp_reader", groups="base.group_user")
        self.refused("access_denied", delete, user=readonly)

    def test_sizes_and_depth_are_capped(self):
        deep = {"name": "x"}
        for _level in range(10):
            deep = {"name": "x", "child_ids": [deep]}
        self.refused("invalid_value", deep, operation="create")
        self.refused("invalid_value", {"child_ids": [{"name": "x"}] * 1001})
        big = base64.b64encode(b"x" * (5 * 1024 * 1024 + 1)).decode()
        self.assertIn("5 MB", self.refused("invalid_value", {"image_1920": big}).message)
        self.refused("invalid_value", {"name": "x" * 200_001})

    def test_records_and_lines_of_a_call_are_capped_together(self):
        call = self.make_call("odoo_create_records")
        many = [{"name": "x", "child_ids": [{"name": "y"}] * 999}] * 6
        with self.assertRaises(ToolError) as caught:
            call.create("res.partner", many)
        self.assertIn("5,000", caught.exception.message)

    def test_script_does_not_survive_in_unsanitised_html(self):
        field = self.env["res.partner"]._fields["comment"]
        with patch.object(field, "sanitize", False):
            checked = self.check({"comment": "<p onclick='x()'>Hi</p><script>alert(1)</script>"})["comment"]
        self.assertNotIn("script", checked)
        self.assertNotIn("onclick", checked)
        self.assertIn("Hi", checked)

    def test_company_dependent_values_name_their_company(self):
        call = self.make_call("odoo_update_records")
        name = next(name for name, f in self.env["res.partner"]._fields.items() if f.company_dependent)
        self.user.group_ids += self.env.ref("base.group_system")
        with patch.object(self.env["res.partner"]._fields[name], "groups", None):
            ValuesCheck(call).record("res.partner", {name: None}, "write")
        self.assertIn(self.user.company_id.name, call.notes[0])

    def test_other_side_of_a_closed_many2many_is_closed(self):
        field = self.env["res.partner"]._fields["category_id"]
        mirror = self.env["res.partner.category"]._fields["partner_ids"]
        self.assertIn(mirror, self.env["res.partner"].pool.field_inverses[field])
        with patch("odoo.addons.mcp_endpoint.services.guardrails.UNWRITABLE_FIELDS", frozenset({"partner_ids"})):
            self.refused("policy_denied", {"category_id": self.tags.ids})


@tagged("post_install", "-at_install", "mcp_full")
class TestValuesGuardOnApps(McpCase):
    """The same guard on models with workflows, lines and delegation, where these apps are installed."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if "sale.order" not in cls.env or "account.move" not in cls.env or "project.project" not in cls.env:
            raise cls.skipTest(cls, "needs sale, account and project")
        cls.profiles["full"].confirmation = "never"
        groups = "sales_team.group_sale_manager", "account.group_account_manager", "project.group_project_manager"
        cls.user.group_ids += cls.env["res.groups"].union(*(cls.env.ref(group) for group in groups))
        cls.customer = cls.env["res.partner"].create({"name": "App Customer"})
        cls.product = cls.env["product.product"].create({"name": "App Product", "list_price": 10, "taxes_id": False})

    def order(self, **values):
        line = {"product_id": self.product.id, "product_uom_qty": 2}
        created = self.ok(
            "odoo_create_records",
            model="sale.order",
            records=[{"partner_id": "App Customer", "order_line": [line], **values}],
        )
        return self.env["sale.order"].browse(created["ids"])

    def test_order_with_lines_is_computed_and_its_state_is_the_button_s(self):
        order = self.order()
        self.assertEqual((order.amount_untaxed, order.state), (20.0, "draft"))
        for values in ({"state": "sale"}, {"amount_total": 1}):
            with self.subTest(values=values):
                error = self.fails(
                    "readonly_field", "odoo_update_records", model="sale.order", ids=order.ids, values=values
                )
                self.assertTrue(error["fix"])
        self.fails(
            "readonly_field",
            "odoo_create_records",
            model="sale.order",
            records=[{"partner_id": self.customer.id, "state": "sale"}],
        )
        self.assertEqual(order.state, "draft")

    def test_dry_run_on_a_line_shows_the_new_total(self):
        order = self.order()
        result = self.ok(
            "odoo_update_records",
            dry_run=True,
            model="sale.order",
            ids=order.ids,
            values={"order_line": {"update": [{"id": order.order_line.id, "product_uom_qty": 5}]}},
        )
        total = next(row for row in result["changes"] if row["field"] == "amount_untaxed")
        self.assertEqual((total["before"], total["after"], total["computed"]), (20.0, 50.0, True))
        order.invalidate_recordset()
        self.assertEqual(order.amount_untaxed, 20.0)

    def test_deleted_order_is_journaled_with_its_lines(self):
        order = self.order()
        result = self.ok("odoo_delete_records", model="sale.order", ids=order.ids, mode="delete")
        changes = self.env["mcp.change"].browse(result["change_ids"])
        self.assertEqual(changes.mapped("model"), ["sale.order.line", "sale.order"])
        self.assertEqual(changes[0].before["product_uom_qty"], 2)

    def test_invoice_gets_its_type_when_it_is_created_and_not_after(self):
        invoice = self.ok(
            "odoo_create_records",
            model="account.move",
            records=[
                {
                    "move_type": "out_invoice",
                    "partner_id": self.customer.id,
                    "invoice_line_ids": [{"product_id": self.product.id, "quantity": 3, "price_unit": 5}],
                }
            ],
        )
        move = self.env["account.move"].browse(invoice["ids"])
        self.assertEqual((move.move_type, move.amount_untaxed), ("out_invoice", 15.0))
        for values in ({"move_type": "entry"}, {"state": "posted"}):
            self.fails("readonly_field", "odoo_update_records", model="account.move", ids=move.ids, values=values)

    def test_delegated_fields_of_closed_models_are_closed(self):
        created = self.ok("odoo_create_records", model="project.project", records=[{"name": "App Project"}])
        project = self.env["project.project"].browse(created["ids"])
        self.assertTrue(project.alias_id)
        self.fails(
            "policy_denied",
            "odoo_update_records",
            model="project.project",
            ids=project.ids,
            values={"alias_defaults": "{'user_id': 2}"},
        )

    def test_properties_are_written_one_by_one(self):
        project = self.env["project.project"].create(
            {
                "name": "Props",
                "task_properties_definition": [
                    {"name": "aa11", "type": "char", "string": "Color"},
                    {"name": "bb22", "type": "integer", "string": "Size"},
                ],
            }
        )
        created = self.ok(
            "odoo_create_records",
            model="project.task",
            records=[{"name": "T", "project_id": project.id, "task_properties": {"Color": "red", "bb22": 5}}],
        )
        task = self.env["project.task"].browse(created["ids"])
        update = {"model": "project.task", "ids": task.ids}
        result = self.ok("odoo_update_records", values={"task_properties": {"Size": 7}}, **update)
        task.invalidate_recordset()
        self.assertEqual(task.task_properties._values, {"aa11": "red", "bb22": 7})
        self.assertEqual(
            self.env["mcp.change"].browse(result["change_ids"]).before["task_properties"], {"aa11": "red", "bb22": 5}
        )
        self.fails("invalid_value", "odoo_update_records", values={"task_properties": {"Weight": 1}}, **update)
        self.fails(
            "invalid_value",
            "odoo_update_records",
            model="project.project",
            ids=project.ids,
            values={"task_properties_definition": []},
        )
