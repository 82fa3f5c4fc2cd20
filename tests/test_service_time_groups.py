from datetime import date, datetime

from odoo.tests import BaseCase, tagged

from ..services.filters import Clock, moment_or_period
from ..services.time_groups import STEPS, filled, following, label, start_of


@tagged("post_install", "-at_install")
class TestServiceTimeGroups(BaseCase):
    def test_names_are_iso_and_lead_back_to_the_period(self):
        cases = [
            ("day", date(2026, 1, 31), "2026-01-31"),
            ("week", date(2026, 1, 26), "2026-W05"),
            ("week", date(2024, 12, 30), "2025-W01"),
            ("month", date(2026, 1, 1), "2026-01"),
            ("quarter", date(2026, 10, 1), "2026-Q4"),
            ("year", date(2026, 1, 1), "2026"),
        ]
        clock = Clock(datetime(2026, 1, 15))
        for granularity, start, name in cases:
            with self.subTest(name=name):
                self.assertEqual(label(start, granularity), name)
                self.assertEqual(start_of(name, granularity), start)
                period = moment_or_period(name, clock)
                self.assertEqual((period.start, period.end), (start, following(start, granularity)))

    def test_a_week_that_begins_on_sunday_is_named_by_its_first_day(self):
        self.assertEqual(label(date(2026, 1, 25), "week"), "2026-01-25")
        self.assertEqual(start_of("2026-01-25", "week"), date(2026, 1, 25))

    def test_gaps_are_filled_between_first_and_last(self):
        rows = [{"d": "2026-03", "n": 2}, {"d": None, "n": 9}, {"d": "2025-12", "n": 1}]
        self.assertEqual(
            filled(rows, "d", "month", {"n": 0}, limit=10),
            [
                {"d": "2025-12", "n": 1},
                {"d": "2026-01", "n": 0},
                {"d": "2026-02", "n": 0},
                {"d": "2026-03", "n": 2},
                {"d": None, "n": 9},
            ],
        )

    def test_no_gap_is_filled_beyond_the_limit(self):
        rows = [{"d": "2000-01-01", "n": 2}, {"d": "2026-01-01", "n": 1}]
        self.assertIsNone(filled(rows, "d", "day", {"n": 0}, limit=500))
        self.assertEqual(filled([], "d", "day", {"n": 0}, limit=5), [])

    def test_every_step_moves_on(self):
        for step in STEPS:
            self.assertGreater(following(date(2026, 1, 1), step), date(2026, 1, 1))
