from datetime import date, datetime

from odoo.tests import BaseCase, tagged

from ..services.filters import Clock, Period, domain_terms, literal_pattern, moment_or_period, shift_months

# A Thursday, 23:30 in London; already Friday 08:30 in Tokyo.
NOW = datetime(2026, 1, 15, 23, 30)
LONDON = Clock(NOW, "Europe/London")
TOKYO = Clock(NOW, "Asia/Tokyo")


@tagged("post_install", "-at_install")
class TestServiceFilters(BaseCase):
    def test_flat_filters_become_domain_terms(self):
        cases = [
            ({"op": "eq", "value": "a"}, "char", [["f", "=", "a"]]),
            ({"value": "a"}, "char", [["f", "=", "a"]]),
            ({"op": "ne", "value": "3"}, "integer", [["f", "!=", "3"]]),
            ({"op": "gte", "value": "3"}, "integer", [["f", ">=", "3"]]),
            ({"op": "in", "values": ["1", "2"]}, "many2one", [["f", "in", ["1", "2"]]]),
            ({"op": "in", "value": "1, 2"}, "many2one", [["f", "in", ["1", "2"]]]),
            ({"op": "in", "value": "Smith, John"}, "char", [["f", "in", ["Smith, John"]]]),
            ({"op": "not_in", "values": ["x"]}, "char", [["f", "not in", ["x"]]]),
            ({"op": "contains", "value": "50%_"}, "char", [["f", "ilike", "50\\%\\_"]]),
            ({"op": "contains", "value": "a_b"}, "selection", [["f", "ilike", "a_b"]]),
            ({"op": "starts_with", "value": "a"}, "char", [["f", "=ilike", "a%"]]),
            ({"op": "is_set"}, "many2one", [["f", "!=", False]]),
            ({"op": "is_not_set", "value": "whatever"}, "many2one", [["f", "=", False]]),
            ({"op": "between", "values": ["1", "9"]}, "float", ["&", ["f", ">=", "1"], ["f", "<=", "9"]]),
            ({"op": "between", "value": "1,9"}, "float", ["&", ["f", ">=", "1"], ["f", "<=", "9"]]),
            ({"op": "within", "value": "this_month"}, "date", [["f", "=", "this_month"]]),
            ({"op": "eq", "values": ["a"]}, "char", [["f", "=", "a"]]),
        ]
        for item, kind, expected in cases:
            with self.subTest(item=item):
                self.assertEqual(domain_terms({"field": "f", **item}, kind), expected)

    def test_what_is_not_understood_is_an_error_and_never_everything(self):
        cases = [
            ({"op": "eq"}, "char"),
            ({"op": "eq", "value": ""}, "char"),
            ({"op": "contains", "value": ""}, "char"),
            ({"op": "like", "value": "a"}, "char"),
            ({"op": "any!", "value": "a"}, "many2one"),
            ({"op": "in"}, "char"),
            ({"op": "in", "values": []}, "char"),
            ({"op": "between", "values": ["1"]}, "float"),
            ({"op": "between", "values": ["1", "2", "3"]}, "float"),
            ({"op": "within", "value": "this_month"}, "float"),
            ({"op": "eq", "value": "a", "domain": []}, "char"),
            ({"op": "eq", "values": ["a", "b"]}, "char"),
        ]
        for item, kind in cases:
            with self.subTest(item=item), self.assertRaises(ValueError):
                domain_terms({"field": "f", **item}, kind)

    def test_periods(self):
        cases = [
            ("today", date(2026, 1, 15), date(2026, 1, 16)),
            ("Yesterday", date(2026, 1, 14), date(2026, 1, 15)),
            ("tomorrow", date(2026, 1, 16), date(2026, 1, 17)),
            ("this_week", date(2026, 1, 12), date(2026, 1, 19)),
            ("last_week", date(2026, 1, 5), date(2026, 1, 12)),
            ("this_month", date(2026, 1, 1), date(2026, 2, 1)),
            ("last_month", date(2025, 12, 1), date(2026, 1, 1)),
            ("next_quarter", date(2026, 4, 1), date(2026, 7, 1)),
            ("last_quarter", date(2025, 10, 1), date(2026, 1, 1)),
            ("last_year", date(2025, 1, 1), date(2026, 1, 1)),
            ("last_30_days", date(2025, 12, 17), date(2026, 1, 16)),
            ("last_1_day", date(2026, 1, 15), date(2026, 1, 16)),
            ("last_2_weeks", date(2026, 1, 2), date(2026, 1, 16)),
            ("last_1_month", date(2025, 12, 16), date(2026, 1, 16)),
            ("next_7_days", date(2026, 1, 16), date(2026, 1, 23)),
            ("2026", date(2026, 1, 1), date(2027, 1, 1)),
            ("2026-12", date(2026, 12, 1), date(2027, 1, 1)),
            ("2026-Q4", date(2026, 10, 1), date(2027, 1, 1)),
            ("2026-W01", date(2025, 12, 29), date(2026, 1, 5)),
            ("2026-02-28", date(2026, 2, 28), date(2026, 3, 1)),
        ]
        for text, start, end in cases:
            with self.subTest(text=text):
                self.assertEqual(moment_or_period(text, LONDON), Period(start, end))

    def test_week_starts_where_the_language_says(self):
        sunday = Clock(NOW, "Europe/London", week_start=7)
        self.assertEqual(moment_or_period("this_week", sunday), Period(date(2026, 1, 11), date(2026, 1, 18)))

    def test_today_is_the_callers_day(self):
        self.assertEqual(moment_or_period("today", TOKYO).start, date(2026, 1, 16))
        self.assertEqual(TOKYO.start_of(date(2026, 1, 16)), datetime(2026, 1, 15, 15))

    def test_moments_become_naive_utc(self):
        cases = [
            ("2026-01-15T08:00:00Z", datetime(2026, 1, 15, 8)),
            ("2026-01-15T08:00:00+02:00", datetime(2026, 1, 15, 6)),
            ("2026-01-15 08:00:00", datetime(2026, 1, 14, 23)),
            ("2026-01-15T08:00", datetime(2026, 1, 14, 23)),
            ("now", NOW),
        ]
        for text, expected in cases:
            with self.subTest(text=text):
                self.assertEqual(moment_or_period(text, TOKYO), expected)

    def test_days_follow_summer_time(self):
        berlin = Clock(NOW, "Europe/Berlin")
        self.assertEqual(berlin.start_of(date(2026, 3, 29)), datetime(2026, 3, 28, 23))
        self.assertEqual(berlin.start_of(date(2026, 3, 30)), datetime(2026, 3, 29, 22))

    def test_texts_that_are_no_dates(self):
        for text in (
            "", " ", "soon", "2026-13", "2026-02-30", "2026-W60", "0001-01-01", "9999-12-31", "last_99999_days",
            "last_9999_years", "next_9999_years", "2026-Q5", "31/01/2026", "this_decade", "20260101T",
        ):  # fmt: skip
            with self.subTest(text=text), self.assertRaises(ValueError):
                moment_or_period(text, LONDON)

    def test_months_end_where_the_month_does(self):
        self.assertEqual(shift_months(date(2024, 1, 31), 1), date(2024, 2, 29))
        self.assertEqual(shift_months(date(2024, 3, 31), -1), date(2024, 2, 29))
        self.assertEqual(shift_months(date(2024, 12, 1), 1), date(2025, 1, 1))
        self.assertEqual(shift_months(date(2024, 1, 15), -13), date(2022, 12, 15))

    def test_patterns_are_literal(self):
        self.assertEqual(literal_pattern("a%b_c\\d"), "a\\%b\\_c\\\\d")
