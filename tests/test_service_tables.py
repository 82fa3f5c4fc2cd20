from odoo.tests import BaseCase, tagged

from ..services.tables import amount_text, cell_text, table_text

CELLS = [
    (None, ""),
    (True, "true"),
    (0, "0"),
    (0.5, "0.5"),
    ("a|b", "a|b"),
    ("a\tb\nc\\d\re", "a\\tb\\nc\\\\de"),
    ("\\t", "\\\\t"),
    ("a\tb", "a\\tb"),
    ("a\rb", "ab"),
    ({"id": 7, "name": "Acme\nInc"}, "#7 Acme\\nInc"),
    ({"id": 7}, "#7"),
    ({"count": 0, "ids": []}, "0"),
    ({"count": 2, "ids": [1, 2]}, "2: #1 #2"),
    ({"count": 12, "ids": [1, 2]}, "12: #1 #2 …"),
    ({"count": 2, "ids": [1, 2], "names": ["A", None]}, "2: #1 A, #2"),
    ({"amount": 12.5, "currency": "EUR"}, "12.50 EUR"),
    ({"size": 1234, "link": "/x"}, "1234 bytes /x"),
    ({"a": "x\ty"}, '{"a":"x\\\\ty"}'),
    ([1, "é"], '[1,"é"]'),
]


@tagged("post_install", "-at_install")
class TestServiceTables(BaseCase):
    def test_each_wire_value_has_its_cell(self):
        for value, cell in CELLS:
            with self.subTest(value=value):
                self.assertEqual(cell_text(value), cell)

    def test_table_has_one_line_per_row_whatever_the_values(self):
        rows = [{"id": number, "x": value} for number, (value, _cell) in enumerate(CELLS)]
        lines = table_text(rows, ["id", "x"]).split("\n")
        self.assertEqual(lines[0], "id\tx")
        self.assertEqual(len(lines), len(rows) + 1)
        self.assertEqual({line.count("\t") for line in lines}, {1})

    def test_missing_column_is_empty(self):
        self.assertEqual(table_text([{"a": 1}], ["a", "b"]), "a\tb\n1\t")
        self.assertEqual(table_text([], ["a"]), "a")

    def test_amounts_keep_their_decimals(self):
        for amount, currency, expected in (
            (12.5, "EUR", "12.50 EUR"),
            (0.125, "KWD", "0.125 KWD"),
            (3, None, "3"),
            (-1.0, "USD", "-1.00 USD"),
        ):
            self.assertEqual(amount_text(amount, currency), expected)
