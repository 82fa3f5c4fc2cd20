from odoo.tests import BaseCase, tagged

from ..services import input_requests
from ..services.errors import InvalidParams
from ..services.form_answers import checked
from ..services.input_requests import Abilities
from ..services.questions import Question, Roots, Sampling
from ..services.versions import V2024_11_05, V2025_06_18, V2025_11_25, V2026_07_28

FORM = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 2, "maxLength": 5, "default": "Ann"},
        "age": {"type": "integer", "minimum": 0, "maximum": 120},
        "score": {"type": "number"},
        "state": {"type": "string", "oneOf": [{"const": "a", "title": "Active"}, {"const": "b", "title": "Bare"}]},
        "old": {"type": "string", "enum": ["x", "y"], "enumNames": ["X", "Y"]},
        "sure": {"type": "boolean", "default": True},
        "mail": {"type": "string", "format": "email"},
        "day": {"type": "string", "format": "date"},
        "link": {"type": "string", "format": "uri"},
        "tags": {"type": "array", "items": {"type": "string", "enum": ["p", "q"]}, "maxItems": 1},
    },
    "required": ["name"],
}


@tagged("post_install", "-at_install")
class TestServiceInputRequests(BaseCase):
    def test_abilities_follow_revision_and_capabilities(self):
        for version, capabilities, forms, urls in (
            (V2026_07_28, {}, False, False),
            (V2026_07_28, {"elicitation": {}}, True, False),
            (V2026_07_28, {"elicitation": {"form": {}, "url": {}}}, True, True),
            (V2026_07_28, {"elicitation": {"url": {}}}, False, True),
            (V2026_07_28, {"elicitation": True}, False, False),
            (V2025_11_25, {"elicitation": {"form": {}, "url": {}}}, True, True),
            (V2025_06_18, {"elicitation": {"url": {}}}, False, False),
            (V2025_06_18, {"elicitation": {}}, True, False),
            (V2024_11_05, {"elicitation": {}}, False, False),
        ):
            with self.subTest(version=version.name, capabilities=capabilities):
                found = Abilities.of(version, capabilities)
                self.assertEqual((found.forms, found.urls), (forms, urls))

    def test_each_kind_needs_its_own_capability(self):
        abilities = Abilities.of(V2026_07_28, {"sampling": {}})
        self.assertTrue(abilities.covers(Sampling({"messages": [], "maxTokens": 1})))
        self.assertFalse(abilities.covers(Roots()))
        self.assertFalse(abilities.covers(Question("Sure?")))

    def test_older_forms_lose_what_their_schema_does_not_know(self):
        abilities = Abilities.of(V2025_06_18, {"elicitation": {}})
        self.assertFalse(abilities.covers(Question("?", FORM)), "a choice of several is too much")
        form = {**FORM, "properties": {name: each for name, each in FORM["properties"].items() if name != "tags"}}
        asked = input_requests.request(Question("?", form), abilities, V2025_06_18)["params"]
        self.assertNotIn("mode", asked)
        fields = asked["requestedSchema"]["properties"]
        self.assertNotIn("default", fields["name"])
        self.assertEqual(fields["sure"]["default"], True)
        self.assertEqual(fields["state"], {"type": "string", "enum": ["a", "b"], "enumNames": ["Active", "Bare"]})
        newer = Abilities.of(V2025_11_25, {"elicitation": {}})
        asked = input_requests.request(Question("?", FORM), newer, V2025_11_25)["params"]
        self.assertEqual((asked["mode"], asked["requestedSchema"]), ("form", FORM))

    def test_answers_are_checked_against_the_form(self):
        good = {"name": "Bob", "age": 3.0, "score": 1, "state": "b", "old": "x", "sure": False, "tags": ["p"]}
        good |= {"mail": "a@b.co", "day": "2026-02-28", "link": "https://x"}
        self.assertEqual(checked(FORM, {**good, "more": 1}), good)
        for wrong in (
            None, [], "x", {}, {"name": None}, {"name": 5}, {"name": "x"}, {"name": "too long"},
            {"name": "Bob", "age": True}, {"name": "Bob", "age": 1.5}, {"name": "Bob", "age": 121},
            {"name": "Bob", "score": "1"}, {"name": "Bob", "score": float("nan")}, {"name": "Bob", "state": "Active"},
            {"name": "Bob", "old": "X"}, {"name": "Bob", "sure": "yes"}, {"name": "Bob", "mail": "nobody"},
            {"name": "Bob", "day": "2026-02-30"}, {"name": "Bob", "link": "no uri"}, {"name": "Bob", "tags": ["z"]},
            {"name": "Bob", "tags": ["p", "q"]}, {"name": "Bob", "tags": "p"}, {"name": "Bob", "state": ["a"]},
        ):  # fmt: skip
            with self.subTest(wrong=wrong):
                self.assertIsNone(checked(FORM, wrong))

    def test_only_an_accepted_answer_is_one(self):
        question = Question("Sure?")
        content = {"confirm": True}
        self.assertEqual(input_requests.accepted(question, {"action": "accept", "content": content}), content)
        for wrong in (None, 5, [], {}, {"content": content}, {"action": "Accept", "content": content}, content):
            with self.subTest(wrong=wrong):
                self.assertIsNone(input_requests.accepted(question, wrong))
                self.assertFalse(input_requests.is_yes(wrong))
        self.assertFalse(input_requests.is_yes({"action": "accept", "content": {"confirm": "true"}}))
        for refusal in ({"action": "decline"}, {"action": "cancel", "content": content}):
            self.assertTrue(input_requests.refused(refusal))
            self.assertFalse(input_requests.is_yes(refusal))
        self.assertTrue(input_requests.is_no({"action": "accept", "content": {"confirm": False}}))

    def test_other_kinds_of_answers(self):
        written = {"role": "assistant", "content": {"type": "text", "text": "4"}, "model": "m"}
        sampling = Sampling({"messages": [], "maxTokens": 1})
        self.assertEqual(input_requests.accepted(sampling, written), written)
        self.assertIsNone(input_requests.accepted(sampling, {"action": "accept"}))
        self.assertEqual(input_requests.accepted(Roots(), {"roots": []}), {"roots": []})
        self.assertIsNone(input_requests.accepted(Roots(), {"roots": "x"}))

    def test_malformed_containers_are_refused(self):
        self.assertEqual(input_requests.responses(None), {})
        for wrong in ([], "x", 5, True, {str(number): {} for number in range(51)}):
            with self.subTest(wrong=wrong), self.assertRaises(InvalidParams):
                input_requests.responses(wrong)
