from unittest import skipUnless
from unittest.mock import patch

from odoo.tests import BaseCase, tagged

from ..services import foreign_schema
from ..services.errors import ToolError
from ..services.schema import validate

SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {
        "code": {"type": "string", "pattern": "^[A-Z]{3}$"},
        "when": {"type": ["string", "null"]},
        "target": {"anyOf": [{"type": "integer"}, {"type": "object", "required": ["id"]}]},
        "count": {"type": "integer", "exclusiveMinimum": 0},
        "mode": {"type": "integer", "enum": [1, 2]},
        "map": {"type": "object", "additionalProperties": {"type": "integer"}},
    },
    "required": ["code"],
}
WITH_JSONSCHEMA = foreign_schema.Draft202012Validator is not None
# Refused in every case, and refused where `jsonschema` is installed.
ALWAYS = [
    {},
    {"code": ["x"]},
    {"code": "ABC", "count": "many"},
    {"code": "ABC", "mode": 3},
    {"code": "ABC", "map": [1]},
]
BY_JSONSCHEMA = [
    {"code": "abc"},
    {"code": "ABC", "when": 5},
    {"code": "ABC", "target": "x"},
    {"code": "ABC", "target": {}},
    {"code": "ABC", "count": 0},
    {"code": "ABC", "map": {"a": "x"}},
]
VALID = {"code": "ABC", "when": None, "target": {"id": 1}, "count": 1, "mode": 2, "map": {"a": 1}}


@tagged("post_install", "-at_install")
class TestServiceForeignSchema(BaseCase):
    def assertRefused(self, arguments):
        with self.subTest(arguments=arguments), self.assertRaises(ToolError) as caught:
            validate(SCHEMA, arguments)
        self.assertEqual(caught.exception.code, "invalid_arguments")

    def test_valid_arguments_pass_with_and_without_jsonschema(self):
        self.assertEqual(validate(SCHEMA, VALID).arguments, VALID)
        with patch.object(foreign_schema, "Draft202012Validator", None):
            self.assertEqual(validate(SCHEMA, VALID).arguments, VALID)

    def test_portable_form_of_a_union_is_read_from_json_text(self):
        sent = {"code": "ABC", "target": '{"id": 1}', "count": "3"}
        self.assertEqual(validate(SCHEMA, sent).arguments, {"code": "ABC", "target": {"id": 1}, "count": 3})

    def test_own_checks_hold_without_jsonschema(self):
        with patch.object(foreign_schema, "Draft202012Validator", None):
            for arguments in ALWAYS:
                self.assertRefused(arguments)
            self.assertEqual(validate(SCHEMA, BY_JSONSCHEMA[0]).arguments, BY_JSONSCHEMA[0])

    @skipUnless(WITH_JSONSCHEMA, "jsonschema is not installed")
    def test_further_keywords_hold_with_jsonschema(self):
        for arguments in ALWAYS + BY_JSONSCHEMA:
            self.assertRefused(arguments)

    @skipUnless(WITH_JSONSCHEMA, "jsonschema is not installed")
    def test_invalid_schema_is_the_author_s_error(self):
        with self.assertRaisesRegex(ValueError, "input schema is invalid"):
            validate({"type": "object", "properties": {"a": {"type": "string", "pattern": 5}}}, {})

    def test_additional_properties_are_kept_where_the_schema_welcomes_them(self):
        schema = {
            "type": "object",
            "properties": {"a": {"type": "string"}},
            "additionalProperties": {"type": "integer"},
        }
        self.assertEqual(validate(schema, {"a": "x", "b": 1}).arguments, {"a": "x", "b": 1})
        closed = {**schema, "additionalProperties": False}
        self.assertEqual(validate(closed, {"a": "x", "b": 1}).ignored, ("b",))
