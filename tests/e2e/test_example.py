"""The addon that the README shows, installed as it is written there: what it adds is listed and works."""

import unittest

from endpoint import Endpoint
from fixture import shared

from devtools import postgres

URI = "odoo://country/{code}"


class TestExample(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.running = shared()
        cls.endpoint = Endpoint(cls.running.base, cls.running.token)

    def listed(self, method, member, key):
        return {item[key]: item for item in self.endpoint.rpc(method).result[member]}

    def number(self, sql):
        return int(postgres.query(sql, self.running.database)[0][0])

    def test_tool(self):
        tool = self.listed("tools/list", "tools", "name")["example_count_contacts"]
        self.assertEqual(tool["description"], "Count the contacts whose name contains a text.")
        self.assertTrue(tool["annotations"]["readOnlyHint"])
        facts = self.endpoint.facts("example_count_contacts", name="a")
        expected = "SELECT count(*) FROM res_partner WHERE active AND name ILIKE '%a%'"
        self.assertEqual(facts["count"], self.number(expected))

    def test_resource(self):
        template = self.listed("resources/templates/list", "resourceTemplates", "uriTemplate")[URI]
        self.assertEqual((template["name"], template["title"]), ("country", "Contacts of a country"))
        answer = self.endpoint.rpc("resources/read", {"uri": "odoo://country/BE"}, {"Mcp-Name": "odoo://country/BE"})
        content = answer.result["contents"][0]
        count = self.number(
            "SELECT count(*) FROM res_partner WHERE active"
            " AND country_id = (SELECT id FROM res_country WHERE code = 'BE')"
        )
        self.assertEqual((content["mimeType"], content["text"]), ("text/markdown", f"# BE\n\nContacts: {count}"))
        self.assertEqual(self.endpoint.facts("fetch", id="odoo://country/BE")["text"], content["text"])

    def test_prompt(self):
        prompt = self.listed("prompts/list", "prompts", "name")["greet_contact"]
        self.assertEqual([argument["name"] for argument in prompt["arguments"]], ["contact"])
        partner = self.number("SELECT min(id) FROM res_partner WHERE active")
        answer = self.endpoint.rpc(
            "prompts/get",
            {"name": "greet_contact", "arguments": {"contact": str(partner)}},
            {"Mcp-Name": "greet_contact"},
        )
        self.assertTrue(answer.result["messages"][0]["content"]["text"].startswith("Write a friendly greeting to "))
