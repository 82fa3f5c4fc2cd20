from odoo.tests import BaseCase, tagged

from ..services.custom_tools import ACCESS, Argument, CustomTool, listed_size
from ..services.schema import assert_portable

TEXT = Argument("words", "text", "Words")
RECORD = Argument("order", "record", "Which order.", required=True, model="sale.order")


def tool(source, *arguments):
    return CustomTool(1, "a_tool", "A tool", "Does it.", source, 2, "sale.order", arguments=arguments)


@tagged("post_install", "-at_install")
class TestServiceCustomTools(BaseCase):
    def test_every_kind_of_source_keeps_to_the_dialect_with_and_without_arguments(self):
        for source, access in ACCESS.items():
            for arguments in ((), (TEXT, RECORD)):
                with self.subTest(source, arguments=len(arguments)):
                    made = tool(source, *arguments).spec
                    assert_portable(made.listed_schema)
                    self.assertEqual(made.access, access)
                    self.assertGreater(listed_size(made), 100)

    def test_hints_are_true_to_what_may_happen(self):
        hints = {source: tool(source).spec.definition["annotations"] for source in ACCESS}
        self.assertEqual([hints[source]["readOnlyHint"] for source in ACCESS], [False, True, True, False])
        self.assertEqual([hints[source]["destructiveHint"] for source in ACCESS], [True, False, False, False])
        self.assertEqual([hints[source]["openWorldHint"] for source in ACCESS], [True, False, False, True])

    def test_argument_named_as_a_common_one_is_refused(self):
        with self.assertRaises(ValueError):
            tool("action", Argument("dry_run", "boolean", "Try.")).spec  # noqa: B018 - a property that raises

    def test_target_is_the_first_record_of_the_sources_model(self):
        other = Argument("partner", "record", "Whose.", model="res.partner")
        self.assertEqual(tool("report", TEXT, other, RECORD).target, RECORD)
        self.assertIsNone(tool("report", TEXT, other).target)
        self.assertIsNone(tool("filter", RECORD).target)

    def test_defaults_have_the_type_of_their_kind(self):
        cases = {
            ("text", "7"): "7", ("number", "1.5"): 1.5, ("integer", "7"): 7, ("boolean", "true"): True,
            ("records", "1, 2"): [1, 2], ("date", "today"): "today", ("record", "Acme"): "Acme",
            ("text", ""): None,
        }  # fmt: skip
        for (kind, text), expected in cases.items():
            with self.subTest(kind):
                self.assertEqual(Argument("x", kind, "X", default=text).default_value(), expected)
        for kind, text in (("integer", "x"), ("records", "1, b"), ("selection", "c"), ("boolean", "1")):
            with self.subTest(kind), self.assertRaises(ValueError):
                Argument("x", kind, "X", default=text, choices=("a", "b")).default_value()

    def test_a_default_makes_an_argument_optional_and_is_told(self):
        schema = tool("action", Argument("x", "integer", "How many", required=True, default="3")).spec.listed_schema
        self.assertNotIn("x", schema.get("required", ()))
        self.assertEqual(schema["properties"]["x"]["description"], "How many. Default: 3.")
