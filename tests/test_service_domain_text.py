from datetime import date, datetime

from odoo.tests import BaseCase, tagged

from ..services.domain_text import check_expression, filled, marks_in

A, B, C = ["a", "=", "{{a}}"], ["b", "=", "{{b}}"], ["c", "=", 1]


@tagged("post_install", "-at_install")
class TestServiceDomainText(BaseCase):
    def test_what_the_filter_editor_writes_is_let_through(self):
        for text in (
            "[]", "[('a', '=', -1), '|', ('b', 'in', [1, 2]), ('c', '=', False)]", "{'group_by': ['a:month']}",
            "[('d', '>=', (context_today() - relativedelta(days=7)).strftime('%Y-%m-%d')), ('u', '=', uid)]",
            "[('d', '>', datetime.datetime.combine(context_today(), datetime.time(0, 0, 0)))]",
        ):  # fmt: skip
            with self.subTest(text):
                check_expression(text)

    def test_code_is_refused(self):
        for text in (
            "[x for x in (1,)]", "().__class__.__bases__", "env['res.users']", "[('a', '=', 9 ** 9)]",
            "'a' * 9", "a := 1",
            "[('a', '=', open('x'))]", "lambda: 1", "f'{uid}'", "uid if uid else 1", "uid._x", "(",
            "x" * 5001, "import os",
            "context_today().__globals__", "[1][0]", "datetime.sys", "relativedelta.func_globals", "\0",
        ):  # fmt: skip
            with self.subTest(text[:40]), self.assertRaises(ValueError):
                check_expression(text)

    def test_marks_are_names_and_nothing_else(self):
        self.assertEqual(marks_in([A, "|", ["x", "ilike", "{{ b }} and {{a}}"]]), {"a", "b"})
        for text in ("{{a.b}}", "{{ a() }}", "{{}}", "{{A}}", "{{a", "a}}", "{{ {{a}} }}", "{{a|upper}}"):
            with self.subTest(text), self.assertRaises(ValueError):
                marks_in([["x", "=", text]])

    def test_values_take_the_place_of_marks_in_their_own_type(self):
        self.assertEqual(filled([A, C], {"a": 5}), [["a", "=", 5], C])
        self.assertEqual(filled([["a", "in", ["{{a}}", 7]]], {"a": 5}), [["a", "in", [5, 7]]])
        self.assertEqual(filled([["a", "ilike", "x {{a}} y"]], {"a": 5}), [["a", "ilike", "x 5 y"]])
        # A value is no text to be looked at again.
        self.assertEqual(filled([A], {"a": "{{b}}", "b": "no"}), [["a", "=", "{{b}}"]])
        self.assertEqual(
            filled([("d", ">", date(2026, 1, 2)), ("e", "<", datetime(2026, 1, 2, 3, 4, 5))], {}),
            [["d", ">", "2026-01-02"], ["e", "<", "2026-01-02T03:04:05Z"]],
        )

    def test_conditions_without_their_argument_leave_with_their_operator(self):
        given = {"a": None, "b": 2}
        filled_b = ["b", "=", 2]
        cases = {
            "alone": ([A], []),
            "side by side": ([A, B], [filled_b]),
            "or": (["|", A, B], [filled_b]),
            "or of three": (["|", A, "|", B, C], ["|", filled_b, C]),
            "not": (["!", A, C], [C]),
            "not or": (["!", "|", A, C, B], ["!", C, filled_b]),
            "all gone": (["|", A, "!", A], []),
            "and kept": (["&", B, C], ["&", filled_b, C]),
        }
        for name, (domain, expected) in cases.items():
            with self.subTest(name):
                self.assertEqual(filled(domain, given), expected)

    def test_what_cannot_be_combined_is_refused(self):
        for domain in (["|", C], ["!"], ["x", C], [["{{a}}", "=", 1]], [["a", "{{a}}", 1]], [B], 7, None, "a"):
            with self.subTest(domain=domain), self.assertRaises(ValueError):
                filled(domain, {"a": 1})
