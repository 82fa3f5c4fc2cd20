import copy
import json
import pickle

from odoo.tests import BaseCase, tagged

from ..services import schema as schemas
from ..services.filters import OPERATORS
from ..services.schema import (
    DOMAIN,
    FIELDS,
    FILTERS,
    IDS,
    LIMIT,
    MODEL,
    RECORDS,
    VALUES,
    array,
    assert_portable,
    boolean,
    choice,
    free_form,
    integer,
    number,
    params,
    portable,
    record,
    text,
    with_common,
)  # fmt: skip

COMMON = {"company_id", "lang"}
COMMON_WRITE = COMMON | {"dry_run", "idempotency_key", "confirm_token"}


def size(schema):
    return len(json.dumps(schema, ensure_ascii=False, separators=(",", ":")))


@tagged("post_install", "-at_install")
class TestServiceSchema(BaseCase):
    def test_every_public_fragment_is_portable(self):
        fragments = {name: getattr(schemas, name) for name in schemas.__all__ if name.isupper()}
        fragments["LIMIT"] = LIMIT(10, 50)
        del fragments["FILTER_OPERATORS"]
        for name, fragment in fragments.items():
            assert_portable(params(**{name.lower(): fragment}))
        self.assertGreaterEqual(len(fragments), 17)

    def test_operators_are_those_that_filters_understand(self):
        self.assertEqual(set(schemas.FILTER_OPERATORS), set(OPERATORS))

    def test_builders_are_portable(self):
        built = {
            "text": text("Text."),
            "integer": integer("Number.", minimum=1, maximum=9),
            "number": number("Number.", minimum=0.5),
            "boolean": boolean("Yes or no."),
            "choice": choice("One.", "a", "b"),
            "array": array("Many.", {"type": "string"}, 5),
            "record": record("One.", required=["a"], a=text("A.")),
            "free_form": free_form("Any.", {"name": "x"}),
        }
        assert_portable(params(**built))
        self.assertEqual(built["integer"]["maximum"], 9)
        self.assertNotIn("minimum", integer("Number.", maximum=3))

    def test_common_arguments_follow_access(self):
        for access, common in (("read", COMMON), ("write", COMMON_WRITE), ("admin", COMMON_WRITE)):
            complete = with_common(params(model=MODEL), required=["model"], access=access)
            self.assertEqual(set(complete["properties"]), {"model"} | common)
            self.assertEqual(complete["required"], ["model"])

    def test_unscoped_tools_list_no_company(self):
        whole = with_common(params(model=MODEL), required=[], access="read")
        self.assertEqual(set(schemas.listed(whole, leave_out={"company_id", "lang"})["properties"]), {"model"})

    def test_listed_form_has_no_bounds_and_keeps_the_marks(self):
        whole = params(limit=LIMIT(10, 50), ids=schemas.IDS, filters=schemas.SAME_FILTERS)
        short = schemas.listed(whole)
        self.assertNotIn("maximum", json.dumps(short))
        self.assertNotIn("maxItems", json.dumps(short))
        self.assertLess(size(short["properties"]["filters"]), 200)
        self.assertEqual(whole["properties"]["limit"]["maximum"], 50)
        assert_portable(short)

    def test_common_arguments_leave_the_given_schema_alone(self):
        declared = params(model=MODEL)
        with_common(declared, required=[], access="write")
        self.assertEqual(declared, {"type": "object", "properties": {"model": MODEL}})

    def test_nothing_required_has_no_required_keyword(self):
        self.assertNotIn("required", with_common(params(model=MODEL), required=[], access="read"))

    def test_common_argument_declared_twice_is_refused(self):
        with self.assertRaisesRegex(ValueError, "dry_run"):
            with_common(params(dry_run=boolean("Mine.")), required=[], access="write")

    def test_schema_outside_the_dialect_is_refused_at_declaration(self):
        with self.assertRaisesRegex(ValueError, r"when: keyword format"):
            with_common(
                params(when={"type": "string", "description": "x", "format": "date"}), required=[], access="read"
            )

    def test_common_part_of_a_listed_tool_stays_small(self):
        for access, most in (("read", 140), ("write", 370)):
            alone = size(params(model=MODEL))
            self.assertLessEqual(size(with_common(params(model=MODEL), required=[], access=access)) - alone, most)
        self.assertLessEqual(size(FILTERS), 640)

    def test_markers_do_not_leak_into_the_listing(self):
        written = json.dumps(with_common(params(v=VALUES, d=DOMAIN, f=FIELDS, i=IDS), required=[], access="write"))
        for word in ("role", 'example":', "json_object", "checked", "max_length"):
            self.assertNotIn(word, written)

    def test_markers_survive_copy_and_pickle(self):
        for duplicate in (copy.deepcopy(RECORDS), pickle.loads(pickle.dumps(RECORDS))):
            self.assertEqual(duplicate["items"].role, "json_object")
            self.assertEqual(duplicate, RECORDS)

    def test_portable_form_has_no_free_form_map(self):
        rich = with_common(params(values=VALUES, records=RECORDS, ids=IDS), required=["values"], access="write")
        reduced = portable(rich)
        assert_portable(reduced)
        self.assertEqual(reduced["properties"]["values"]["type"], "string")
        self.assertIn("JSON object", reduced["properties"]["values"]["description"])
        self.assertEqual(reduced["properties"]["records"]["items"]["type"], "string")
        self.assertEqual(reduced["properties"]["ids"], IDS)
        self.assertEqual(reduced["required"], ["values"])
        self.assertEqual(rich["properties"]["values"]["type"], "object", "the rich form is not changed")
