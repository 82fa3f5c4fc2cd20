import json

from odoo.tests import BaseCase, tagged

from ..services.profile_json import FORMAT, check_members, dumped, loaded

TYPES = {"name": "char", "lockdown": "boolean", "max_result": "integer", "group_ids": "many2many"}


@tagged("post_install", "-at_install")
class TestServiceProfileJson(BaseCase):
    def test_text_is_stable_and_read_back(self):
        profiles = [{"name": "Ü", "b": 1, "a": None}]
        self.assertEqual(loaded(dumped(profiles)), profiles)
        self.assertEqual(dumped(profiles), dumped([dict(reversed(profiles[0].items()))]))
        self.assertIn("Ü", dumped(profiles))

    def test_what_is_no_export(self):
        for text in (
            "", "nonsense", "[]", "{}", json.dumps({"format": "x", "profiles": [{"name": "a"}]}),
            json.dumps({"format": FORMAT, "profiles": []}), json.dumps({"format": FORMAT, "profiles": ["a"]}),
            json.dumps({"format": FORMAT, "profiles": [{"name": 1}]}), "[" * 100_000, " " * 2_000_001,
        ):  # fmt: skip
            with self.assertRaises(ValueError, msg=text[:50]):
                loaded(text)

    def test_members_are_known_and_of_their_type(self):
        check_members({"name": "a", "lockdown": True, "max_result": 5, "group_ids": ["x"]}, TYPES, "p")
        check_members(dict.fromkeys(TYPES), TYPES, "p")
        for wrong in (
            {"nope": 1}, {"name": 1}, {"lockdown": 1}, {"max_result": True}, {"max_result": "1"}, {"group_ids": "x"},
            {"group_ids": [1]},
        ):  # fmt: skip
            with self.assertRaisesRegex(ValueError, "p: "):
                check_members(wrong, TYPES, "p")
