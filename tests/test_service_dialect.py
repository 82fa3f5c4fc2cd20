from odoo.tests import BaseCase, tagged

from ..services.dialect import assert_portable, portable


def arguments(**properties):
    return {"type": "object", "properties": properties}


TEXT = {"type": "string", "description": "Text."}


def nested(levels):
    schema = TEXT
    for _level in range(levels):
        schema = {"type": "array", "description": "Many.", "items": schema}
    return schema


# Path and keyword that must be named, and the schema that breaks the dialect there.
BROKEN = [
    ("root.*type", {"properties": {"a": TEXT}}),
    ("root.*properties", {"type": "object"}),
    ("root.*properties", {"type": "object", "properties": {}}),
    ("root.*required", {**arguments(a=TEXT), "required": ["b"]}),
    ("root.*additionalProperties", {**arguments(a=TEXT), "additionalProperties": False}),
    ("a: .*schema", arguments(a=True)),
    ("a: type", arguments(a={"description": "x"})),
    ("a: type", arguments(a={"type": ["string", "null"], "description": "x"})),
    ("a: type", arguments(a={"type": "null", "description": "x"})),
    ("a: description", arguments(a={"type": "string"})),
    ("a: description", arguments(a={"type": "string", "description": 5})),
    ("a: items", arguments(a={"type": "array", "description": "x"})),
    (r"a\[\]: type", arguments(a={"type": "array", "description": "x", "items": {}})),
    ("a.b: description", arguments(a={"type": "object", "description": "x", "properties": {"b": {"type": "string"}}})),
    ("a: properties", arguments(a={"type": "object", "description": "x"})),
    ("a: enum", arguments(a={"type": "string", "description": "x", "enum": [1]})),
    ("a: enum", arguments(a={"type": "string", "description": "x", "enum": []})),
    ("a: keyword enum", arguments(a={"type": "integer", "description": "x", "enum": ["1"]})),
    ("a: keyword minimum", arguments(a={**TEXT, "minimum": 1})),
    ("a: minimum", arguments(a={"type": "integer", "description": "x", "minimum": "1"})),
    ("a: keyword maxItems", arguments(a={**TEXT, "maxItems": 1})),
    ("a: maxItems", arguments(a={"type": "array", "description": "x", "items": TEXT, "maxItems": -1})),
    ("a-b: properties", arguments(**{"a-b": TEXT})),
    ("deeper than 3", arguments(a=nested(4))),
] + [
    (f"a: keyword [$]?{keyword.strip('$')}", arguments(a={**TEXT, keyword: value}))
    for keyword, value in {
        "anyOf": [TEXT], "oneOf": [TEXT], "allOf": [TEXT], "not": {}, "const": "a", "$ref": "#/a", "$defs": {},
        "format": "date", "pattern": "a", "default": "a", "nullable": True, "title": "A", "exclusiveMinimum": 1,
        "minLength": 1, "examples": [],
    }.items()
]  # fmt: skip

FOREIGN = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "additionalProperties": False,
    "required": ["union", "absent"],
    "properties": {
        "union": {"anyOf": [{"type": "string"}, {"type": "integer"}], "description": "Either."},
        "nullable": {"type": ["integer", "null"], "minimum": 1, "title": "N"},
        "reference": {"$ref": "#/$defs/x"},
        "map": {"type": "object", "additionalProperties": {"type": "string"}},
        "untyped_list": {"type": "array"},
        "numbers": {"type": "array", "items": {"type": "integer", "enum": [1, 2]}},
        "deep": nested(5),
        "any": True,
        "odd name": {"type": "string"},
        "dated": {"type": "string", "format": "date", "default": "2025-01-01", "pattern": "x", "enum": [None, "a"]},
    },
}


@tagged("post_install", "-at_install")
class TestServiceDialect(BaseCase):
    def test_what_breaks_the_dialect_is_named(self):
        for pattern, schema in BROKEN:
            with self.subTest(pattern=pattern), self.assertRaisesRegex(ValueError, pattern):
                assert_portable(schema)

    def test_three_levels_and_all_keywords_are_portable(self):
        assert_portable(arguments(a=nested(3)))
        assert_portable(
            {
                **arguments(
                    a={"type": "array", "description": "x", "items": TEXT, "maxItems": 0},
                    b={"type": "number", "description": "x", "minimum": 0.5, "maximum": 3},
                    c={**TEXT, "enum": ["x"]},
                ),
                "required": ["a"],
            }
        )

    def test_any_schema_can_be_reduced(self):
        for schema in (FOREIGN, {"type": "object"}, {}, arguments(a=nested(9)), *(broken for _, broken in BROKEN)):
            assert_portable(portable(schema))

    def test_reduced_schema_keeps_what_the_dialect_can_say(self):
        reduced = portable(FOREIGN)
        kinds = {name: schema["type"] for name, schema in reduced["properties"].items()}
        self.assertEqual(
            kinds,
            {
                "union": "string", "nullable": "integer", "reference": "string", "map": "string",
                "untyped_list": "string", "numbers": "array", "deep": "array", "any": "string", "dated": "string",
            },
        )  # fmt: skip
        self.assertEqual(reduced["required"], ["union"])
        self.assertEqual(reduced["properties"]["nullable"]["minimum"], 1)
        self.assertIn("JSON array", reduced["properties"]["deep"]["items"]["items"]["items"]["description"])
