import json

from odoo.tests import BaseCase, tagged

from ..services import schema as schemas
from ..services.errors import ToolError
from ..services.schema import array, boolean, choice, free_form, integer, number, params, record, text, validate

SCHEMA = {
    **params(
        model=schemas.MODEL,
        ids=schemas.IDS,
        fields=schemas.FIELDS,
        domain=schemas.DOMAIN,
        filters=schemas.FILTERS,
        values=schemas.VALUES,
        records=schemas.RECORDS,
        limit=schemas.LIMIT(25, 200),
        level=integer("Level.", minimum=1, maximum=5),
        ratio=number("Ratio.", minimum=0, maximum=1),
        active=boolean("Active."),
        kind=choice("Kind.", "note", "email", "activity"),
        tags=array("Tags.", {"type": "string"}, 3),
        point=record("Point.", required=["x"], x=number("X."), label=text("Label.")),
        query=text("Query."),
        data=text("Data.", max_length=300_000),
    ),
    "required": ["model"],
}
DEEP = json.loads("[" * 13 + "]" * 13)

# Argument, value as sent, value as the handler gets it.
ACCEPTED = [
    ("ids", [1, 2], [1, 2]),
    ("ids", "42", [42]),
    ("ids", 42, [42]),
    ("ids", ["42", 7.0], [42, 7]),
    ("ids", "[1, 2]", [1, 2]),
    ("ids", "1, 2,3", [1, 2, 3]),
    ("ids", [], []),
    ("level", "4", 4),
    ("level", 4.0, 4),
    ("level", " 4.0 ", 4),
    ("ratio", "0.25", 0.25),
    ("ratio", 1, 1),
    ("ratio", "1e-2", 0.01),
    ("active", "true", True),
    ("active", "FALSE", False),
    ("kind", "EMAIL", "email"),
    ("fields", "name, email", ["name", "email"]),
    ("fields", ["a,b"], ["a,b"]),
    ("tags", "Smith, John", ["Smith, John"]),
    ("tags", '["a"]', ["a"]),
    ("tags", [1, True], ["1", "true"]),
    ("query", 2024, "2024"),
    ("query", "  spaced ", "  spaced "),
    ("domain", '[["a", "=", 1]]', [["a", "=", 1]]),
    ("domain", [("a", "in", (1, 2))], [["a", "in", [1, 2]]]),
    ("domain", "[('active', '=', True), ('x', '=', None)]", [["active", "=", True], ["x", "=", None]]),
    ("domain", [], []),
    ("values", '{"name": "A", "ref": null}', {"name": "A", "ref": None}),
    ("values", {"name": "", "lines": [[0, 0, {"a": [1.5]}]]}, {"name": "", "lines": [[0, 0, {"a": [1.5]}]]}),
    ("values", "{'name': 'A', 'ok': True}", {"name": "A", "ok": True}),
    ("records", {"name": "A"}, [{"name": "A"}]),
    ("records", '[{"name": "A"}, {"name": "B"}]', [{"name": "A"}, {"name": "B"}]),
    ("records", ['{"name": "A"}'], [{"name": "A"}]),
    ("point", {"x": "1.5", "label": None}, {"x": 1.5}),
    ("filters", {"field": "a", "op": "IN", "values": "x"}, [{"field": "a", "op": "in", "values": ["x"]}]),
    ("filters", [{"field": "a", "op": "in", "value": [1, "b"]}], [{"field": "a", "op": "in", "values": ["1", "b"]}]),
    ("data", "x" * 250_000, "x" * 250_000),
]  # fmt: skip

# Argument, value as sent, path that the error names, words in what was expected.
REFUSED = [
    ("ids", [True], "ids[0]", "whole number"),
    ("ids", ["x"], "ids[0]", "whole number"),
    ("ids", [0], "ids[0]", "at least 1"),
    ("ids", [1.5], "ids[0]", "whole number"),
    ("ids", [None], "ids[0]", "whole number"),
    ("ids", {"id": 1}, "ids", "a list"),
    ("ids", [2**60], "ids[0]", "between"),
    ("ids", "9" * 4000, "ids[0]", "whole number"),
    ("ids", "٤٢", "ids[0]", "whole number"),
    ("ids", list(range(1, 1002)), "ids", "at most 1,000 items"),
    ("level", 6, "level", "at most 5"),
    ("level", True, "level", "whole number"),
    ("level", float("nan"), "level", "whole number"),
    ("limit", 0, "limit", "at least 1"),
    ("limit", -5, "limit", "at least 1"),
    ("ratio", float("inf"), "ratio", "finite"),
    ("ratio", "NaN", "ratio", "a number"),
    ("ratio", "1e999", "ratio", "finite"),
    ("ratio", False, "ratio", "a number"),
    ("active", 1, "active", "true or false"),
    ("active", "yes", "active", "true or false"),
    ("kind", "mail", "kind", "nearest: email"),
    ("tags", ["a"] * 4, "tags", "at most 3 items"),
    ("query", ["a"], "query", "one string"),
    ("query", {"a": 1}, "query", "one string"),
    ("query", "a\x00b", "query", "NUL"),
    ("query", "\ud800", "query", "surrogates"),
    ("query", "x" * 200_001, "query", "200,000 characters"),
    ("domain", "[['a', '=', 1]", "domain", "JSON list (unreadable at character 3"),
    ("domain", "everything", "domain", "JSON list"),
    ("domain", '{"a": 1}', "domain", "JSON list"),
    ("domain", {"a": 1}, "domain", "JSON list"),
    ("domain", 1, "domain", "JSON list"),
    ("domain", "__import__('os').system('x')", "domain", "JSON list"),
    ("domain", "[" * 100_000, "domain", "JSON list"),
    ("domain", "(" * 15_000, "domain", "JSON list"),
    ("domain", DEEP, "domain", "12 deep"),
    ("domain", [float("nan")], "domain", "finite"),
    ("domain", '[["a", "=", NaN]]', "domain", "finite"),
    ("domain", "[{1, 2}]", "domain", "plain JSON"),
    ("values", [1], "values", "an object"),
    ("values", "name", "values", "JSON object"),
    ("values", {"a": DEEP}, "values", "12 deep"),
    ("values", {"a": "\x00"}, "values", "NUL"),
    ("values", {"a\x00": 1}, "values", "NUL"),
    ("values", {"a": 2**64}, "values", "64 bits"),
    ("values", {"a": [0] * 10_001}, "values", "10,000 items"),
    ("records", ["x"], "records[0]", "JSON object"),
    ("point", {}, "point.x", "X"),
    ("point", {"x": "a"}, "point.x", "a number"),
    ("point", {"x": 1, "labl": "a"}, "point.labl", "label"),
    ("filters", [{"field": "a", "op": "equals", "value": "x"}], "filters[0].op", "one of eq, ne"),
    ("filters", [{"op": "eq", "value": "x"}], "filters[0].field", "Field"),
    ("filters", "state = sale", "filters[0]", "JSON object"),
]  # fmt: skip


@tagged("post_install", "-at_install")
class TestServiceCoercion(BaseCase):
    def refusal(self, arguments, schema=SCHEMA, access="read"):
        with self.assertRaises(ToolError) as caught:
            validate(schema, arguments, access=access)
        error = caught.exception
        self.assertEqual(error.code, "invalid_arguments")
        self.assertTrue(error.fix)
        json.dumps(error.as_dict(), allow_nan=False)
        return error

    def test_values_with_one_meaning_are_coerced(self):
        for name, sent, expected in ACCEPTED:
            with self.subTest(name=name, sent=str(sent)[:60]):
                clean = validate(SCHEMA, {"model": "res.partner", name: sent}).arguments
                self.assertEqual(clean, {"model": "res.partner", name: expected})
                self.assertIs(type(clean[name]), type(expected))

    def test_values_without_one_meaning_are_refused_with_their_path(self):
        for name, sent, path, words in REFUSED:
            with self.subTest(name=name, sent=str(sent)[:60]):
                error = self.refusal({"model": "res.partner", name: sent})
                problem = error.details["errors"][0]
                self.assertEqual(problem["path"], path)
                self.assertIn(words, problem["expected"])
                self.assertLessEqual(len(problem.get("value", "")), 80)
                self.assertLess(len(error.message), 1000)

    def test_corrected_example_is_itself_valid(self):
        for name, sent, _path, _words in REFUSED:
            example = self.refusal({"model": "res.partner", name: sent}).details["example"]
            with self.subTest(name=name, example=example):
                self.assertIn(name, example)
                validate(SCHEMA, {"model": "res.partner", **example})

    def test_fragments_are_not_changed_by_errors(self):
        before = json.dumps(SCHEMA)
        examples = json.dumps([schemas.FILTERS.example, schemas.DOMAIN.example])
        self.refusal({"model": "m", "filters": [{"field": "a", "op": "sart_with"}], "domain": 5})
        self.assertEqual(json.dumps(SCHEMA), before)
        self.assertEqual(json.dumps([schemas.FILTERS.example, schemas.DOMAIN.example]), examples)

    def test_null_and_empty_text_are_absent_when_optional(self):
        for empty in (None, "", "  "):
            blank = dict.fromkeys(SCHEMA["properties"], empty)
            self.assertEqual(validate(SCHEMA, {**blank, "model": "m"}).arguments, {"model": "m"})

    def test_required_null_is_missing_and_required_empty_text_is_text(self):
        self.assertIn("is missing", self.refusal({"model": None}).message)
        self.assertIn("is missing", self.refusal({}).message)
        self.assertEqual(validate(SCHEMA, {"model": ""}).arguments, {"model": ""})
        needs_domain = {**params(domain=schemas.DOMAIN), "required": ["domain"]}
        self.assertIn("is missing", self.refusal({"domain": ""}, needs_domain).message)

    def test_limit_is_lowered_and_said(self):
        for sent in (500, "500", 10**9):
            result = validate(SCHEMA, {"model": "m", "limit": sent})
            self.assertEqual(result.arguments["limit"], 200)
            self.assertIn("200", result.notes[0])

    def test_stray_argument_is_ignored_and_reported(self):
        for access in ("read", "write", "admin"):
            result = validate(SCHEMA, {"model": "m", "toolCallId": "x", "sessionId": 5}, access=access)
            self.assertEqual(result.arguments, {"model": "m"})
            self.assertEqual(result.ignored, ("toolCallId", "sessionId"))
            self.assertEqual(len(result.notes), 2)

    def test_a_flood_of_names_is_refused(self):
        flood = {f"name{number}": 1 for number in range(51)}
        with self.assertRaises(ToolError) as caught:
            validate(SCHEMA, {"model": "m", **flood})
        self.assertIn("51 unknown names", caught.exception.message)

    def test_near_miss_is_an_error_when_writing(self):
        schema = schemas.with_common(params(model=schemas.MODEL, values=schemas.VALUES), required=[], access="write")
        for wrong, meant in (
            ("value", "values"),
            ("dryRun", "dry_run"),
            ("Model", "model"),
            ("confirmtoken", "confirm_token"),
            ("lagn", "lang"),
        ):
            for access in ("write", "admin"):
                error = self.refusal({wrong: "x"}, schema, access)
                self.assertIn(f"did you mean {meant}?", error.message)
                self.assertIn(meant, error.details["example"])
        self.assertEqual(validate(schema, {"dryRun": True}, access="read").ignored, ("dryRun",))

    def test_near_miss_that_would_drop_a_filter_is_an_error_even_when_reading(self):
        for wrong, meant in (("filter", "filters"), ("domains", "domain"), ("id", "ids"), ("qeury", "query")):
            self.assertIn(f"did you mean {meant}?", self.refusal({"model": "m", wrong: "x"}).message)
        self.assertEqual(validate(SCHEMA, {"model": "m", "filter": "x", "filters": None}).arguments, {"model": "m"})

    def test_short_names_are_not_near_everything(self):
        schema = params(op=text("Op."), to=text("To."))
        self.assertEqual(validate(schema, {"ab": 1}, access="write").ignored, ("ab",))

    def test_all_problems_are_told_up_to_five(self):
        error = self.refusal({"level": 9, "active": 3, "kind": "x"})
        self.assertEqual([problem["path"] for problem in error.details["errors"]], ["model", "level", "active", "kind"])
        many = self.refusal({"model": "m", "ids": ["x"] * 900})
        self.assertEqual(len(many.details["errors"]), 5)
        self.assertNotIn("more", many.message, "a long list is not read to its end once five items are wrong")

    def test_arguments_may_be_absent_or_json_text(self):
        self.assertEqual(validate(params(query=text("Q.")), None).arguments, {})
        self.assertEqual(validate(SCHEMA, '{"model": "m"}').arguments, {"model": "m"})
        for wrong in ([], "[]", "x", 5, True):
            self.refusal(wrong)

    def test_names_that_a_client_makes_up_cannot_break_the_message(self):
        wild = "x\n\x1b[31m" + "y" * 500
        result = validate(SCHEMA, {"model": "m", wild: 1})
        self.assertLess(len(result.notes[0]), 150)
        self.assertNotIn("\n", result.notes[0])

    def test_given_arguments_are_not_changed(self):
        sent = {"model": "m", "values": {"a": [1]}, "ids": ["1"]}
        clean = validate(SCHEMA, sent).arguments
        clean["values"]["a"].append(2)
        self.assertEqual(sent, {"model": "m", "values": {"a": [1]}, "ids": ["1"]})

    def test_portable_form_is_accepted_against_the_rich_schema(self):
        clean = validate(SCHEMA, {"model": "m", "values": '{"name": "A"}', "records": ['{"name": "B"}']}).arguments
        self.assertEqual(clean, {"model": "m", "values": {"name": "A"}, "records": [{"name": "B"}]})

    def test_free_form_map_takes_keys_that_are_not_listed(self):
        schema = params(values=free_form("Values.", {"name": "x"}, name=text("Name.")))
        clean = validate(schema, {"values": {"nam": 5, "name": None}}, access="write").arguments
        self.assertEqual(clean, {"values": {"nam": 5, "name": None}})
