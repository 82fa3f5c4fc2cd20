import time

from odoo.tests import BaseCase, tagged

from ..services.nearest import edit_distance, near_miss, nearest

MODELS = ["res.partner", "res.partner.bank", "res.users", "account.move", "account.move.line", "sale.order"]


@tagged("post_install", "-at_install")
class TestServiceNearest(BaseCase):
    def test_nearest_real_name_comes_first(self):
        for wrong, right in (
            ("res.partners", "res.partner"),
            ("account_move", "account.move"),
            ("SaleOrder", "sale.order"),
            ("partner", "res.partner"),
            ("user", "res.users"),
        ):
            self.assertEqual(nearest(wrong, MODELS)[0], right, wrong)

    def test_nothing_alike_gives_nothing(self):
        for wrong in ("", "zzzz", "..", "helpdesk.ticket"):
            self.assertEqual(nearest(wrong, MODELS), [], wrong)

    def test_labels_are_compared_too(self):
        fields = {"partner_id": "Customer", "amount_total": "Total", "user_id": "Salesperson"}
        self.assertEqual(nearest("customer", fields), ["partner_id"])
        self.assertEqual(nearest("sales_person", fields), ["user_id"])

    def test_at_most_count_names(self):
        self.assertEqual(len(nearest("res.partner", ["res.partner" + "x" * n for n in range(9)], 2)), 2)

    def test_edit_distance_stops_at_its_limit(self):
        for left, right, distance in (
            ("ids", "id", 1),
            ("lang", "lagn", 2),
            ("a", "a", 0),
            ("abc", "xyz", 3),
            ("", "abcdef", 3),
        ):
            self.assertEqual(edit_distance(left, right, 2), distance, (left, right))

    def test_near_miss_prefers_the_nearest(self):
        self.assertEqual(near_miss("filter", ["filters", "filterss"]), "filters")
        self.assertIsNone(near_miss("tool", ["model", "to"]))

    def test_long_hostile_name_is_cheap(self):
        started = time.thread_time()
        nearest("a" * 100_000, [f"field_{number}" for number in range(2000)])
        self.assertLess(time.thread_time() - started, 1)
