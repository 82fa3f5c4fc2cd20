import json
import time

from odoo.tests import BaseCase, tagged

from ..services.budget import DEFAULT_BUDGET, MAX_BUDGET, MIN_BUDGET, clamp_budget, fit, shorten

COLUMNS = ["id", "name", "email", "amount", "country", "comment"]


def rows(count, comment=200):
    return [
        {
            "id": number,
            "name": f"Partner {number}",
            "email": f"partner{number}@example.com",
            "amount": {"amount": 12.5, "currency": "EUR"},
            "country": {"id": 5, "name": "France"},
            "comment": "x" * comment,
        }
        for number in range(count)
    ]


@tagged("post_install", "-at_install")
class TestServiceBudget(BaseCase):
    def test_what_fits_is_not_touched(self):
        for style in ("table", "json"):
            given = rows(5)
            fitted = fit(given, COLUMNS, style=style)
            self.assertEqual(fitted.rows, given)
            self.assertEqual((fitted.notes, fitted.truncated, fitted.rows_dropped), ((), False, 0))

    def test_json_text_is_exactly_the_rows(self):
        fitted = fit(rows(3), COLUMNS, style="json")
        self.assertEqual(json.loads(fitted.text), fitted.rows)

    def test_fields_go_first_from_the_last(self):
        fitted = fit(rows(60, 500), COLUMNS)
        self.assertEqual(fitted.columns_dropped, ("comment",))
        self.assertEqual((len(fitted.rows), fitted.rows_dropped), (60, 0))
        self.assertEqual(set(fitted.rows[0]), set(COLUMNS) - {"comment"})
        self.assertIn("comment", fitted.notes[0])

    def test_kept_fields_stay_and_rows_go_next(self):
        fitted = fit(rows(200, 500), COLUMNS, keep=COLUMNS)
        self.assertEqual(fitted.columns, tuple(COLUMNS))
        self.assertGreater(fitted.rows_dropped, 100)
        self.assertEqual(len(fitted.rows) + fitted.rows_dropped, 200)
        self.assertEqual([row["id"] for row in fitted.rows], list(range(len(fitted.rows))))
        self.assertIn(f"{len(fitted.rows)} of 200 rows", fitted.notes[0])

    def test_texts_of_the_only_row_are_cut_last(self):
        for style in ("table", "json"):
            given = [{"id": 1, "a": "é\n\t\\" * 20_000, "b": "y" * 9000, "c": "short", "d": list(range(9000))}]
            fitted = fit(given, list(given[0]), keep=list(given[0]), style=style, budget=3000)
            self.assertEqual(fitted.texts_cut, ("a", "b", "d"))
            self.assertEqual(fitted.rows[0]["c"], "short")
            self.assertTrue(fitted.rows[0]["b"].endswith("… [9,000 characters]"))
            self.assertLessEqual(len(fitted.text), 3000)
            self.assertGreater(len(fitted.text), 2000)

    def test_text_stays_within_the_budget(self):
        for style in ("table", "json"):
            for count in (1, 7, 300):
                for comment in (0, 300, 30_000):
                    for budget in (500, 20_000, 80_000):
                        for keep in (None, [], COLUMNS):
                            fitted = fit(rows(count, comment), COLUMNS, budget=budget, keep=keep, style=style)
                            self.assertLessEqual(len(fitted.text), budget)
                            self.assertGreaterEqual(len(fitted.rows), 1)
                            self.assertEqual(fitted.truncated, bool(fitted.notes))

    def test_budget_is_clamped(self):
        for asked, given in (
            (None, DEFAULT_BUDGET),
            (0, MIN_BUDGET),
            (-1, MIN_BUDGET),
            (5000, 5000),
            (10**9, MAX_BUDGET),
        ):
            self.assertEqual(clamp_budget(asked), given)
        self.assertLessEqual(len(fit(rows(5000, 500), COLUMNS, budget=10**9).text), MAX_BUDGET)

    def test_no_rows_is_an_empty_table(self):
        self.assertEqual(fit([], ["a", "b"]).text, "a\tb")
        self.assertEqual(fit([], ["a"], style="json").text, "[]")

    def test_given_rows_are_not_changed(self):
        given = rows(1, 90_000)
        fit(given, COLUMNS, keep=COLUMNS)
        self.assertEqual(given, rows(1, 90_000))

    def test_ten_thousand_rows_are_cheap(self):
        given = rows(10_000)
        for style in ("table", "json"):
            best = min(self._seconds(given, style) for _attempt in range(3))
            self.assertLess(best, 0.05, style)

    def _seconds(self, given, style):
        started = time.thread_time()
        fit(given, COLUMNS, style=style)
        return time.thread_time() - started

    def test_shorten_says_how_much_there_was(self):
        self.assertEqual(shorten("short", 40), "short")
        cut = shorten("word " * 1000, 60)
        self.assertLessEqual(len(cut), 60)
        self.assertTrue(cut.endswith("… [5,000 characters]"))
