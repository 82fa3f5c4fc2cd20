from odoo.tests import new_test_user, tagged

from ..models import domain_guard
from ..services.errors import PolicyDenied, ToolError
from .common import McpCase


@tagged("post_install", "-at_install")
class TestFieldPaths(McpCase):
    def test_order_is_checked_and_stable(self):
        call = self.make_call()
        cases = [
            (None, "complete_name ASC, id DESC"),
            ("", "complete_name ASC, id DESC"),
            ("name desc", "name desc, id"),
            ("NAME".lower() + " DESC, id", "name desc, id"),
            ("country_id, name asc nulls last", "country_id, name asc nulls last, id"),
            ("country_id.id desc", "country_id.id desc, id"),
        ]
        for order, expected in cases:
            with self.subTest(order=order):
                self.assertEqual(domain_guard.checked_order(call, "res.partner", order), expected)

    def test_order_that_is_refused(self):
        call = self.make_call()
        cases = [
            ("name; drop table res_users", "invalid_order"),
            ("name desc asc", "invalid_order"),
            ("name,", "invalid_order"),
            ("(select 1)", "invalid_order"),
            ("a, b, c, d, e, f", "invalid_order"),
            ("nmae", "unknown_field"),
            ("country_id.name", "invalid_order"),
            ("child_ids", "invalid_order"),
            ("image_1920", "invalid_order"),
            ("tz_offset", "invalid_order"),
            ("create_date.month_number", "invalid_order"),
        ]
        for order, code in cases:
            with self.subTest(order=order), self.assertRaises(ToolError) as caught:
                domain_guard.checked_order(call, "res.partner", order)
            self.assertEqual(caught.exception.code, code)

    def test_closed_fields_are_neither_sorted_nor_grouped_nor_measured(self):
        self.patch(self.env["res.partner"]._fields["color"], "groups", "base.group_system")
        call = self.make_call()
        for check, term in (
            (domain_guard.checked_order, "color"),
            (domain_guard.check_groupby, "color"),
            (domain_guard.check_groupby, "parent_id.color"),
            (domain_guard.check_aggregate, "color:max"),
        ):
            with self.subTest(term=term), self.assertRaises(ToolError) as caught:
                check(call, "res.partner", term)
            self.assertEqual(caught.exception.code, "access_denied")

    def test_secrets_are_not_measured_even_by_administrators(self):
        admin = new_test_user(self.env, "guard_admin", groups="base.group_system")
        call = self.make_call(user=admin)
        for check, term in (
            (domain_guard.checked_order, "password"),
            (domain_guard.check_groupby, "password"),
            (domain_guard.check_aggregate, "password:max"),
        ):
            with self.subTest(term=term), self.assertRaises(PolicyDenied):
                check(call, "res.users", term)

    def test_sorting_by_records_needs_access_to_them(self):
        self.env["ir.model.access"].search([("model_id.model", "=", "res.country.state")]).active = False
        call = self.make_call()
        with self.assertRaises(ToolError) as caught:
            domain_guard.checked_order(call, "res.partner", "state_id")
        self.assertEqual(caught.exception.code, "access_denied")
        with self.assertRaises(ToolError):
            domain_guard.checked_group_order(call, "res.partner", "state_id", ["state_id"], [])

    def test_grouping_by_several_records_needs_access_to_them(self):
        self.env["ir.model.access"].search([("model_id.model", "=", "res.partner.category")]).active = False
        with self.assertRaises(ToolError):
            domain_guard.check_groupby(self.make_call(), "res.partner", "category_id")

    def test_unreachable_models_are_not_grouped_by(self):
        admin = new_test_user(self.env, "guard_admin", groups="base.group_system")
        with self.assertRaises(PolicyDenied):
            domain_guard.check_groupby(self.make_call(user=admin), "res.users", "action_id")

    def test_groups_and_measures(self):
        call = self.make_call()
        for term in ("country_id", "country_id.code", "create_date:month", "is_company", "type", "category_id"):
            domain_guard.check_groupby(call, "res.partner", term)
        for term in ("__count", "color:sum", "color:avg", "create_date:max", "country_id:count_distinct"):
            domain_guard.check_aggregate(call, "res.partner", term)
        for term in (
            "create_date", "create_date:century", "create_date:month_number", "name:month", "child_ids",
            "child_ids.name", "image_1920", "tz_offset", "comment", "create_date.year_number", "", None,
        ):  # fmt: skip
            with self.subTest(group=term), self.assertRaises(ToolError):
                domain_guard.check_groupby(call, "res.partner", term)
        for term in (
            "name:sum", "country_id:sum", "color:array_agg", "color:recordset", "child_ids:count", "color", "color:",
            "country_id.id:count", "tz_offset:count", "color:sum_currency", "id:bool_or", None,
        ):  # fmt: skip
            with self.subTest(measure=term), self.assertRaises(ToolError):
                domain_guard.check_aggregate(call, "res.partner", term)

    def test_groups_are_sorted_by_what_was_checked_only(self):
        call = self.make_call()

        def order(text):
            return domain_guard.checked_group_order(call, "res.partner", text, ["type"], ["color:sum"])

        self.assertEqual(order("color:sum DESC, type"), "color:sum desc, type asc")
        self.assertEqual(order("__count desc"), "__count desc")
        self.assertIsNone(order(None))
        for text in ("credit_limit:max", "color:max", "name", "color:sum; drop", "type,", "signup_token:max"):
            with self.subTest(text=text), self.assertRaises(ToolError):
                order(text)
