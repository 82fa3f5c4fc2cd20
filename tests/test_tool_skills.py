from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from .common import McpCase


@tagged("post_install", "-at_install")
class TestToolSkills(McpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["mcp.prompt"].create(
            {
                "name": "water_plants", "title": "Water the plants", "description": "Weekly.", "user_id": False,
                "body": "Water {{amount}} litres.",
                "argument_ids": [Command.create({"name": "amount", "is_required": True})],
            }
        )  # fmt: skip

    def ids(self, **arguments):
        return [skill["id"] for skill in self.ok("odoo_find_skills", **arguments)["skills"]]

    def test_all_or_those_that_fit_best_first(self):
        self.assertIn("water_plants", self.ids())
        self.assertEqual(self.ids(query="water plants")[0], "water_plants")
        self.assertEqual(self.ids(query="how to look after PLANTS")[0], "water_plants")
        self.assertEqual(self.ids(query="zzznothing"), [])

    def test_skill_is_read_with_its_arguments(self):
        facts = self.ok("odoo_find_skills", id="water_plants", arguments={"amount": "3"})
        self.assertEqual(facts["text"], "Water 3 litres.")
        facts = self.ok("odoo_find_skills", id="water_plants", arguments='{"amount": 3}')
        self.assertEqual(facts["text"], "Water 3 litres.")
        summary = next(each for each in self.ok("odoo_find_skills")["skills"] if each["id"] == "water_plants")
        self.assertEqual(summary["arguments"], ["amount*"])

    def test_what_is_wrong_is_explained(self):
        self.assertIn("amount", self.fails("invalid_arguments", "odoo_find_skills", id="water_plants")["message"])
        self.fails("not_found", "odoo_find_skills", id="no_such_skill")
        self.fails("not_found", "odoo_find_skills", id="../../etc/passwd")
        self.fails("invalid_arguments", "odoo_find_skills", id="water_plants", arguments={"amount": "1", "x": "2"})

    def test_skills_of_others_are_neither_found_nor_read(self):
        other = new_test_user(self.env, "mcp_other", groups="base.group_user")
        self.env["mcp.prompt"].with_user(other).create({"name": "secret_plan", "title": "Secret", "body": "hush"})
        self.assertEqual(self.ids(query="secret_plan"), [])
        self.fails("not_found", "odoo_find_skills", id="secret_plan")
        self.assertEqual(self.ok("odoo_find_skills", other, id="secret_plan")["text"], "hush")
