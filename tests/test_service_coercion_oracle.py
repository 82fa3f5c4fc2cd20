"""Properties of validation against `jsonschema` as oracle.

Needs `hypothesis` and `jsonschema`, for tests only: `tests/__init__.py` imports this file where both are installed.
"""

import json
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.configuration import set_hypothesis_home_dir
from jsonschema import Draft202012Validator
from odoo.tests import BaseCase, tagged

from ..services.dialect import Fragment, assert_portable, portable
from ..services.errors import ToolError
from ..services.schema import free_form, validate

NAMES = ["model", "ids", "fields", "value", "values", "limit", "kind", "deep", "x"]
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)
RANGES = st.tuples(st.integers(-5, 5), st.integers(6, 50)).flatmap(
    lambda pair: st.sampled_from(
        [{}, {"minimum": pair[0]}, {"maximum": pair[1]}, {"minimum": pair[0], "maximum": pair[1]}]
    )
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats(-1e6, 1e6) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES) | TEXTS, inner, max_size=4),
    max_leaves=12,
)
# What clients send instead of the right type.
SLOPPY = JSON | st.sampled_from(["42", "1.0", "true", "FALSE", "[1, 2]", '{"x": 1}', "a,b", "", "null", 1.0, True])
# Hypothesis would otherwise leave a folder of its own in the repository.
set_hypothesis_home_dir(Path(tempfile.gettempdir()) / "hypothesis")
PROFILE = settings(
    max_examples=200, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


def described(schema):
    return {**schema, "description": "Text."}


SCALARS = st.one_of(
    st.just({"type": "string"}),
    st.just({"type": "boolean"}),
    st.just({"type": "string", "enum": ["table", "json", "XML"]}),
    RANGES.map(lambda limits: {"type": "integer", **limits}),
    RANGES.map(lambda limits: {"type": "number", **limits}),
)


def objects(children):
    return st.dictionaries(st.sampled_from(NAMES), children.map(described), min_size=1, max_size=4).flatmap(
        lambda properties: st.lists(st.sampled_from(sorted(properties)), unique=True).map(
            lambda required: {"type": "object", "properties": properties, "required": required}
        )
    )


def arrays(children):
    return st.tuples(children, st.sampled_from([{}, {"maxItems": 2}])).map(
        lambda pair: {"type": "array", "items": pair[0], **pair[1]}
    )


LEVEL_1 = SCALARS | arrays(SCALARS) | objects(SCALARS)
SCHEMAS = objects(LEVEL_1 | arrays(objects(SCALARS)))


def instances(schema):
    """Return a strategy of values that mostly fit the schema."""
    kind = schema["type"]
    if kind == "object":
        required = {
            name: instances(child) for name, child in schema["properties"].items() if name in schema["required"]
        }
        optional = {name: instances(child) for name, child in schema["properties"].items() if name not in required}
        return st.fixed_dictionaries(required, optional=optional)
    if kind == "array":
        return st.lists(instances(schema["items"]), max_size=schema.get("maxItems", 4))
    if kind == "string":
        return st.sampled_from(schema["enum"]) if "enum" in schema else TEXTS
    if kind == "boolean":
        return st.booleans()
    limits = schema.get("minimum", -50), schema.get("maximum", 50)
    return st.integers(*limits) | st.integers(*limits).map(float) if kind == "integer" else st.floats(*limits)


def without_blanks(schema, value):
    """Return the value as it is meant: null and blank text are no argument."""
    if schema.get("type") == "object":
        kept = {}
        for name, item in value.items():
            blank = isinstance(item, str) and not item.strip() and name not in schema["required"]
            if not blank:
                kept[name] = without_blanks(schema["properties"][name], item)
        return kept
    if schema.get("type") == "array":
        return [without_blanks(schema["items"], item) for item in value]
    return value


@tagged("post_install", "-at_install")
class TestServiceCoercionOracle(BaseCase):
    @PROFILE
    @given(st.data())
    def test_whatever_is_accepted_is_valid_json_schema(self, data):
        schema = data.draw(SCHEMAS)
        sent = data.draw(st.dictionaries(st.sampled_from(NAMES), SLOPPY, max_size=6))
        try:
            clean = validate(schema, sent).arguments
        except ToolError:
            return
        Draft202012Validator(schema).validate(clean)

    @PROFILE
    @given(st.data())
    def test_whatever_json_schema_accepts_is_accepted_unchanged(self, data):
        schema = data.draw(SCHEMAS)
        sent = data.draw(instances(schema))
        Draft202012Validator(schema).validate(sent)
        result = validate(schema, sent, access="write")
        self.assertEqual(result.arguments, without_blanks(schema, sent))
        self.assertEqual(result.ignored, ())

    @PROFILE
    @given(st.data())
    def test_validation_is_idempotent_and_its_errors_are_json(self, data):
        schema = data.draw(SCHEMAS)
        sent = data.draw(st.dictionaries(st.sampled_from(NAMES), SLOPPY, max_size=6))
        try:
            clean = validate(schema, sent).arguments
        except ToolError as error:
            json.dumps(error.as_dict(), allow_nan=False)
            self.assertLessEqual(len(error.details["errors"]), 5)
            return
        self.assertEqual(validate(schema, clean).arguments, clean)

    @PROFILE
    @given(SCHEMAS, JSON)
    def test_no_input_crashes(self, schema, sent):
        for access in ("read", "write"):
            try:
                validate(schema, sent, access=access)
            except ToolError as error:
                self.assertEqual(error.code, "invalid_arguments")

    @PROFILE
    @given(SCHEMAS)
    def test_portable_schemas_pass_the_check_and_reduce_to_themselves(self, schema):
        assert_portable(schema)
        reduced = portable(schema)
        assert_portable(reduced)
        self.assertEqual(portable(reduced), reduced)

    @PROFILE
    @given(JSON)
    def test_any_json_as_schema_can_be_reduced(self, anything):
        schema = anything if isinstance(anything, dict) else {"properties": anything}
        assert_portable(portable(schema))

    @PROFILE
    @given(st.dictionaries(TEXTS, JSON, max_size=4))
    def test_free_form_map_arrives_as_sent_in_both_forms(self, values):
        schema = Fragment(
            {"type": "object", "properties": {"values": free_form("Values.", {})}, "required": ["values"]}
        )
        for sent in (values, json.dumps(values)):
            self.assertEqual(validate(schema, {"values": sent}).arguments, {"values": values})
