"""One seller's records stay hidden from another, whichever way a tool that reads is asked for them."""

import json
import os
import unittest

from endpoint import Endpoint

from devtools import databases, tokens

SECRET = "ZZSECRET"
# Ann may see her own documents only; the secrets are Bob's. Both are plain sellers.
PREPARE = f"""
from odoo.fields import Command
groups = ["base.group_user", "mcp_endpoint.group_mcp_user", "sales_team.group_sale_salesman"]
ann, bob = env["res.users"].create([
    {{"name": name, "login": f"privacy_{{name}}", "group_ids": [Command.set([env.ref(group).id for group in groups])]}}
    for name in ("ann", "bob")
])
customer = env["res.partner"].create({{"name": "Shared customer"}})
product = env["product.product"].create({{"name": "Thing", "list_price": 4242.42}})
orders = env["sale.order"].create([{{
    "partner_id": customer.id, "user_id": bob.id, "client_order_ref": "{SECRET}-REF", "note": "{SECRET}-NOTE",
    "order_line": [Command.create({{"product_id": product.id, "name": "{SECRET}-LINE"}})],
}}])
orders.action_confirm()
orders.message_post(body="{SECRET}-MESSAGE")
lead = env["crm.lead"].create({{
    "name": "{SECRET}-LEAD", "type": "opportunity", "user_id": bob.id, "partner_id": customer.id,
    "expected_revenue": 987654,
}})
attachment = env["ir.attachment"].create({{
    "name": "{SECRET}-FILE.txt", "raw": b"{SECRET}-CONTENT", "res_model": "sale.order", "res_id": orders.id,
    "description": "{SECRET}-DESCRIPTION",
}})
private = env["ir.filters"].create({{
    "name": "{SECRET}-FILTER", "model_id": "sale.order", "user_ids": [Command.set([bob.id])],
}})
env.cr.commit()
import json
facts = {{
    "customer": customer.id, "order": orders.id, "line": orders.order_line.id, "lead": lead.id, "file": attachment.id,
    "filter": private.id, "name": orders.name, "message": orders.message_ids[:1].id,
    "odoo_tells": env["res.partner"].with_user(ann).search_count([
        ("id", "=", customer.id), ("sale_order_ids", "in", orders.ids),
    ]),
}}
print("PRIVACY:" + json.dumps(facts))
"""


class TestPrivacy(unittest.TestCase):
    """Ann asks for what is Bob's."""

    @classmethod
    def setUpClass(cls):
        database = os.environ["MCP_DB"]
        output = databases.shell(database, PREPARE, capture=True)
        line = next(line for line in output.splitlines() if line.startswith("PRIVACY:"))
        cls.facts = json.loads(line.partition(":")[2])
        ann, bob = tokens.issue(database, tokens.Wanted("privacy_ann", "full"), tokens.Wanted("privacy_bob", "full"))
        cls.ann, cls.bob = (Endpoint(os.environ["MCP_BASE"], token) for token in (ann, bob))
        cls.hidden = {
            "sale.order": cls.facts["order"],
            "sale.order.line": cls.facts["line"],
            "crm.lead": cls.facts["lead"],
            "ir.attachment": cls.facts["file"],
            "ir.filters": cls.facts["filter"],
            "mail.message": cls.facts["message"],
        }

    def ask(self, tool, **arguments):
        """Ann's answer, in which no secret may be, be it a success or a refusal; None for a refusal."""
        result = self.ann.call(tool, arguments)
        # The question itself may be repeated in a refusal or a cursor.
        text = json.dumps(result)
        for word in ("-NOTE", "-LINE", "-MESSAGE", "-CONTENT", "-DESCRIPTION", "-FILTER", self.facts["name"]):
            if word not in json.dumps(arguments):
                self.assertNotIn(SECRET + word if word.startswith("-") else word, text)
        return None if result["isError"] else result["structuredContent"]

    def count(self, model, **arguments):
        """How many records Ann is told of: 0 for a refusal."""
        facts = self.ask("odoo_search_records", model=model, count_only=True, **arguments)
        return facts["count"] if facts else 0

    def test_owner_sees_them(self):
        for model in ("sale.order", "sale.order.line", "crm.lead"):
            with self.subTest(model=model):
                facts = self.bob.facts("odoo_search_records", model=model, ids=[self.hidden[model]])
                self.assertEqual(facts["count"], 1)

    def test_by_id_and_by_domain(self):
        for model, record in self.hidden.items():
            with self.subTest(model=model):
                self.assertIsNone(self.ask("odoo_search_records", model=model, ids=[record]))
                self.assertEqual(self.count(model, domain=[["id", "=", record]]), 0)
                self.assertEqual(self.count(model, domain=["|", ["id", "=", record], ["id", "=", 0]]), 0)
                self.assertEqual(self.count(model, filters=[{"field": "id", "op": "eq", "value": str(record)}]), 0)
                self.assertEqual(self.count(model, domain=[["id", "=", record]], archived="include"), 0)

    def test_by_text(self):
        for model in ("sale.order", "crm.lead", "sale.order.line"):
            with self.subTest(model=model):
                self.assertEqual(self.count(model, query=SECRET), 0)
        self.assertEqual(self.count("sale.order", domain=[["client_order_ref", "ilike", SECRET]]), 0)
        self.assertEqual(self.count("sale.order", query=self.facts["name"]), 0)

    def test_through_a_shared_record(self):
        customer = self.facts["customer"]
        probes = (
            ["sale_order_ids.client_order_ref", "ilike", SECRET],
            ["sale_order_ids", "any", [["client_order_ref", "ilike", SECRET]]],
            ["sale_order_ids.name", "=", self.facts["name"]],
            ["opportunity_ids.name", "ilike", SECRET],
            ["sale_order_ids.order_line.name", "ilike", SECRET],
            ["message_ids.body", "ilike", SECRET],
        )
        for probe in probes:
            with self.subTest(probe=probe):
                self.assertEqual(self.count("res.partner", domain=[["id", "=", customer], probe]), 0)
                negated = self.count("res.partner", domain=[["id", "=", customer], "!", probe])
                self.assertIn(negated, (0, 1))

    def test_by_the_id_of_a_hidden_line_no_more_than_odoo_tells(self):
        # Odoo compares ids of a one2many without asking who may read them, in its own client too.
        probe = ["sale_order_ids", "in", [self.facts["order"]]]
        found = self.count("res.partner", domain=[["id", "=", self.facts["customer"]], probe])
        self.assertLessEqual(found, self.facts["odoo_tells"])

    def test_fields_of_a_shared_record(self):
        customer = self.facts["customer"]
        for fields in (["sale_order_ids"], ["opportunity_ids"], ["sale_order_ids.client_order_ref"], ["*"]):
            with self.subTest(fields=fields):
                found = self.ask(
                    "odoo_search_records", model="res.partner", ids=[customer], fields=fields, resolve=True
                )
                self.assertNotIn(SECRET, json.dumps(found))

    def test_sums_and_groups(self):
        cases = (
            ("sale.order", "amount_total:sum", [["id", "=", self.facts["order"]]]),
            ("sale.order", "amount_total:sum", [["partner_id", "=", self.facts["customer"]]]),
            ("crm.lead", "expected_revenue:sum", [["partner_id", "=", self.facts["customer"]]]),
            ("sale.report", "price_total:sum", [["partner_id", "=", self.facts["customer"]]]),
            ("sale.order.line", "price_total:max", [["order_partner_id", "=", self.facts["customer"]]]),
        )
        for model, measure, domain in cases:
            for group_by in ([], ["user_id"], ["partner_id"]):
                if model == "sale.order.line":
                    group_by = ["order_id"] if group_by else []
                with self.subTest(model=model, group_by=group_by):
                    found = self.ask(
                        "odoo_aggregate_records",
                        model=model,
                        group_by=group_by,
                        measures=[measure, "count"],
                        domain=domain,
                    )
                    text = json.dumps(found)
                    for number in ("4242", "4878", "4879", "987654"):
                        self.assertNotIn(number, text)

    def test_every_reading_tool_that_takes_a_model_and_ids(self):
        for tool in self.ann.tools():
            properties = tool["inputSchema"]["properties"]
            if not tool["annotations"]["readOnlyHint"] or "model" not in properties:
                continue
            name = next((name for name in ("ids", "id", "record_id", "res_id") if name in properties), None)
            for model, record in self.hidden.items():
                if name:
                    with self.subTest(tool=tool["name"], model=model):
                        value = [record] if properties[name]["type"] == "array" else record
                        found = self.ask(tool["name"], **{"model": model, name: value})
                        self.assertNotIn(SECRET, json.dumps(found))

    def test_a_rehearsed_write_tells_nothing(self):
        order = self.facts["order"]
        for tool, arguments in (
            ("odoo_update_records", {"values": {"client_order_ref": "mine"}}),
            ("odoo_delete_records", {}),
        ):
            with self.subTest(tool=tool):
                self.assertIsNone(self.ask(tool, model="sale.order", ids=[order], dry_run=True, **arguments))
