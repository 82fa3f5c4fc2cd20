import copy
import json
from datetime import date, datetime

from odoo.tests import BaseCase, tagged

from ..services.shaping import selection_labels, wire_rows, wire_value

STATES = [("draft", "Draft"), ("sale", "Sales Order"), ("to_do", "To Do")]
CASES = [
    ({"type": "many2one"}, (7, "Acme"), {"id": 7, "name": "Acme"}),
    ({"type": "many2one"}, 7, {"id": 7}),
    ({"type": "many2one"}, False, None),
    ({"type": "one2many"}, [], {"count": 0, "ids": []}),
    ({"type": "many2many"}, False, {"count": 0, "ids": []}),
    ({"type": "one2many"}, list(range(1, 26)), {"count": 25, "ids": list(range(1, 11))}),
    ({"type": "char"}, False, None),
    ({"type": "char"}, "", ""),
    ({"type": "boolean"}, False, False),
    ({"type": "boolean"}, True, True),
    ({"type": "integer"}, 0, 0),
    ({"type": "integer"}, False, None),
    ({"type": "float", "digits": (16, 2)}, 12.345, 12.35),
    ({"type": "float"}, 0.1 + 0.2, 0.3),
    ({"type": "float"}, 0.0, 0.0),
    ({"type": "float"}, float("nan"), None),
    ({"type": "monetary", "currency": "EUR"}, 12.5, {"amount": 12.5, "currency": "EUR"}),
    ({"type": "monetary"}, 0.0, {"amount": 0.0, "currency": None}),
    ({"type": "date"}, date(2025, 7, 1), "2025-07-01"),
    ({"type": "datetime"}, datetime(2025, 7, 1, 12, 30), "2025-07-01T14:30:00+02:00"),
    ({"type": "datetime"}, False, None),
    ({"type": "selection", "selection": STATES}, "sale", "sale"),
    ({"type": "html"}, "<p>a <b>b</b></p>", "a **b**"),
    ({"type": "html"}, "<p><br></p>", None),
    ({"type": "binary"}, "QUJD", {"size": 3}),
    ({"type": "binary"}, b"QUI=", {"size": 2}),
    ({"type": "image"}, "1.50 Kb", {"size": 1536}),
    ({"type": "image"}, "35.00 bytes", {"size": 35}),
    ({"type": "binary"}, 1234, {"size": 1234}),
    ({"type": "json"}, {"a": (1, date(2025, 7, 1)), 2: {"x"}}, {"a": [1, "2025-07-01"], "2": ["x"]}),
    ({"type": "properties"}, [{"name": "p", "value": (3, "X")}], [{"name": "p", "value": [3, "X"]}]),
    ({"type": "many2one_reference"}, 5, 5),
    ({"type": "reference"}, "res.partner,5", "res.partner,5"),
    ({}, b"raw", {"size": 3}),
    ({}, object, str(object)),
]


@tagged("post_install", "-at_install")
class TestServiceShaping(BaseCase):
    def test_each_type_has_its_shape(self):
        for field, value, expected in CASES:
            with self.subTest(field=field, value=value):
                wire = wire_value(value, field, tz="Europe/Paris")
                self.assertEqual(wire, expected)
                self.assertIs(type(wire), type(expected))
                json.dumps(wire, allow_nan=False)

    def test_names_are_added_where_given(self):
        rows = wire_rows(
            [{"id": 1, "tag_ids": [4, 5], "user_id": 9}],
            {"tag_ids": {"type": "many2many"}, "user_id": {"type": "many2one"}},
            names={"tag_ids": {4: "VIP"}, "user_id": {9: "Mitchell"}},
        )
        self.assertEqual(rows[0]["tag_ids"], {"count": 2, "ids": [4, 5], "names": ["VIP", None]})
        self.assertEqual(rows[0]["user_id"], {"id": 9, "name": "Mitchell"})

    def test_currency_is_that_of_the_row(self):
        field = {"type": "monetary", "currency_field": "currency_id", "currency": "EUR"}
        rows = [{"total": 1.0, "currency_id": (2, "USD")}, {"total": 2.0, "currency_id": False}]
        wire = wire_rows(rows, {"total": field, "currency_id": {"type": "many2one"}})
        self.assertEqual([row["total"]["currency"] for row in wire], ["USD", "EUR"])

    def test_binary_gets_the_link_of_its_record(self):
        wire = wire_rows(
            [{"id": 3, "file": "QUJD", "none": False}],
            {"file": {"type": "binary"}, "none": {"type": "binary"}},
            link=lambda record_id, name: f"/x/{record_id}/{name}",
        )
        self.assertEqual(wire[0]["file"], {"size": 3, "link": "/x/3/file"})
        self.assertIsNone(wire[0]["none"])

    def test_labels_are_told_once_and_only_where_they_differ(self):
        rows = [{"state": "sale"}, {"state": "to_do"}, {"state": False}, {"state": "sale"}]
        fields = {"state": {"type": "selection", "selection": STATES}, "name": {"type": "char"}}
        self.assertEqual(selection_labels(rows, fields), {"state": {"sale": "Sales Order"}})
        self.assertEqual(selection_labels([{"state": "draft"}], fields), {})

    def test_raw_rows_are_not_changed(self):
        rows = [{"id": 1, "line_ids": list(range(20)), "data": {"a": [1]}}]
        before = copy.deepcopy(rows)
        wire_rows(rows, {"line_ids": {"type": "one2many"}})[0]["data"]["a"].append(2)
        self.assertEqual(rows, before)
