from odoo.tests import BaseCase, tagged

from ..services.errors import ToolError
from ..services.step_references import check_order, resolve

RESULTS = [{"ids": [5], "records": [{"id": 5, "name": "A"}]}, {"rows": [{"id": 1}, {"id": 2}], "count": 2, "id": None}]


@tagged("post_install", "-at_install")
class TestStepReferences(BaseCase):
    def test_references_keep_the_type_of_what_they_name(self):
        for value, expected in (
            ("$1.id", 5),
            ("$1.ids", [5]),
            ("$1.records.0.name", "A"),
            ("$2.ids", [1, 2]),
            ("$2.ids.1", 2),
            ("$2.id", None),
            ({"a": ["$1.id", {"b": "$2.count"}]}, {"a": [5, {"b": 2}]}),
            ('[["id", "in", "$2.ids"]]', [["id", "in", [1, 2]]]),
        ):
            with self.subTest(value=value):
                self.assertEqual(resolve(value, RESULTS), expected)

    def test_everything_else_is_left_alone(self):
        for value in ("$1.50", "costs $1.id", "$1", "$x.id", "[not json $1.id", '["$5"]', 7, None, True, ["$1.5"]):
            with self.subTest(value=value):
                self.assertEqual(resolve(value, RESULTS[:1]), value)

    def test_escaped_reference_is_a_text(self):
        self.assertEqual(resolve("$$1.id", RESULTS), "$1.id")

    def test_missing_members_are_named(self):
        for value in ("$1.x", "$1.records.1.id", "$1.records.-1", "$1.ids.keys", "$2.rows.0.id.real"):
            with self.subTest(value=value), self.assertRaises(ToolError) as caught:
                if resolve(value, RESULTS) == value:
                    raise ToolError("invalid_reference", "left alone")
            self.assertEqual(caught.exception.code, "invalid_reference")

    def test_order_is_checked_in_nested_and_json_arguments(self):
        for arguments in ("$2.id", {"a": ["$1.id"]}, {"domain": '[["id","=","$1.id"]]'}):
            with self.subTest(arguments=arguments), self.assertRaises(ToolError):
                check_order([{"tool": "x", "arguments": {"v": arguments}}])
        check_order([{"tool": "x"}, {"tool": "y", "arguments": {"v": "$1.id"}}])
