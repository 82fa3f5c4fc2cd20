import json
from unittest.mock import patch

from odoo.sql_db import Cursor
from odoo.tests import new_test_user, tagged

from ..models import full_text
from ..services.exchange import Narrowing
from .common import McpCase
from .test_mcp_resource import HOSTILE_URIS


@tagged("post_install", "-at_install")
class TestToolFind(McpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["ir.config_parameter"].set_param(full_text.PARAMETER, "")
        names = ("Qwertz Interior", "Qwertz Interior, Eva Klein", "Interior Qwertzuiop", "Unrelated")
        cls.partners = cls.env["res.partner"].create([{"name": name} for name in names])
        cls.partners[3].comment = "<p>Knows qwertz well</p>"

    def result(self, tool, user=None, **arguments):
        """Return the facts of a tool; its text must be the same facts as JSON, and nothing else."""
        result = self.call(tool, user, **arguments)
        self.assertFalse(result["isError"], result["content"][0]["text"])
        self.assertEqual(len(result["content"]), 1)
        self.assertEqual(json.loads(result["content"][0]["text"]), result["structuredContent"])
        return result["structuredContent"]

    def titles(self, query, user=None, **options):
        return [hit["title"] for hit in self.result("search", user, query=query, **options)["results"]]

    def test_results_are_exactly_the_contract(self):
        facts = self.result("search", query="Qwertz Interior")
        self.assertEqual(set(facts), {"results"})
        for hit in facts["results"]:
            self.assertEqual(set(hit), {"id", "title", "url"})
            self.assertTrue(all(isinstance(value, str) and value for value in hit.values()))
        self.assertEqual(facts["results"][0]["id"], f"odoo://record/res.partner/{self.partners[0].id}")
        document = self.result("fetch", id=facts["results"][0]["id"])
        self.assertEqual(set(document), {"id", "title", "text", "url", "metadata"})
        self.assertEqual((document["id"], document["title"]), (facts["results"][0]["id"], "Qwertz Interior"))
        self.assertTrue(all(isinstance(value, str) for value in document["metadata"].values()))
        self.assertEqual(self.result("search", query="zzznothingzzz"), {"results": []})

    def test_exact_names_come_before_parts_and_texts(self):
        titles = self.titles("Qwertz Interior")
        self.assertTrue(titles[0].startswith("Qwertz Interior ("))
        self.assertTrue(any("Eva Klein" in title for title in titles))
        self.assertTrue(any("Qwertzuiop" in title for title in titles))
        self.assertTrue(self.titles("qwertz")[-1].startswith("Unrelated"))

    def test_any_word_counts_where_no_record_has_all(self):
        self.assertTrue(self.titles("the phone number of Qwertz Nonexistent")[0].startswith(("Qwertz", "Interior")))
        self.assertTrue(self.titles("customer Qwertz")[0].startswith("Qwertz"))

    def test_ids_in_any_form_and_all_resources_are_fetched(self):
        partner = self.partners[0]
        for form in ("res.partner/{}", "res.partner,{}", " odoo://record/res.partner/{} "):
            self.assertEqual(self.result("fetch", id=form.format(partner.id))["title"], "Qwertz Interior")
        for uri in ("odoo://context", "odoo://model/res.partner", "odoo://prompt/explore_model", "odoo://module/mail"):
            document = self.result("fetch", id=uri)
            self.assertTrue(document["text"].startswith("# "), uri)
            self.assertEqual(document["url"], uri)

    def test_only_what_the_user_may_see_is_found(self):
        plain = new_test_user(self.env, "mcp_plain", groups="base.group_user")
        hidden = self.partners[0]
        domain = f"[('id', '!=', {hidden.id})]"
        self.env["ir.rule"].create(
            {"name": "no", "model_id": self.env["ir.model"]._get_id("res.partner"), "domain_force": domain}
        )
        for query in ("Qwertz Interior", "qwertz", str(hidden.id)):
            ids = [hit["id"] for hit in self.result("search", plain, query=query)["results"]]
            self.assertNotIn(f"odoo://record/res.partner/{hidden.id}", ids)
        error = self.fails("not_found", "fetch", plain, id=f"res.partner/{hidden.id}")
        self.assertNotIn("Qwertz", json.dumps(error))

    def test_fields_closed_to_the_user_are_not_searched(self):
        field = self.env["res.partner"]._fields["comment"]
        self.patch(field, "groups", "base.group_system")
        self.assertNotIn("Unrelated", " ".join(self.titles("qwertz")))
        self.assertIn("Unrelated", " ".join(self.titles("qwertz", self.env.ref("base.user_admin"))))

    def test_administrator_chooses_the_models_and_guards_hold(self):
        self.env["ir.config_parameter"].set_param(
            full_text.PARAMETER, "res.country, ir.rule, ir.config_parameter, mcp.token, no.such, mail.thread"
        )
        self.assertEqual(self.titles("Qwertz"), [])
        self.assertTrue(self.titles("Belgium")[0].startswith("Belgium ("))
        for query in ("database.secret", "web.base.url", "test"):
            self.assertFalse([title for title in self.titles(query) if "Parameter" in title])

    def test_skills_and_company_texts_are_found_too(self):
        self.env["mcp.resource"].create({"name": "Dress code", "slug": "dress", "body": "Wear xylograph socks."})
        facts = self.result("search", query="xylograph socks")
        self.assertEqual([hit["id"] for hit in facts["results"]], ["odoo://custom/dress"])
        self.assertIn("xylograph", self.result("fetch", id="odoo://custom/dress")["text"])
        found = self.result("search", query="explore model")["results"]
        self.assertIn("odoo://prompt/explore_model", [hit["id"] for hit in found])

    def test_find_alone_is_enough_but_widens_nothing(self):
        alone = {"narrowing": Narrowing(toolsets=frozenset({"find"}))}
        self.assertTrue(self.titles("Qwertz", **alone))
        uri = f"odoo://chatter/res.partner/{self.partners[0].id}"
        self.fails("policy_denied", "fetch", id=uri, **alone)
        self.assertTrue(self.result("fetch", id=uri)["text"])

    def test_hostile_queries_find_nothing_and_do_no_harm(self):
        queries = (
            "'; DROP TABLE x; --", "%", "_", "\\", "'", "a & b | !c", "':*", "🦄🦄", "<script>", "a\x00b", "x" * 400,
            "INV/2024/0001", "a@b.c", "10.5%", "''''", "qwertz' | 'x", "- -", "a:b",
        )  # fmt: skip
        for query in queries:
            with self.subTest(query):
                result = self.call("search", query=query)
                if result["isError"]:
                    self.assertEqual(result["structuredContent"]["error"]["code"], "invalid_arguments")
        for query in ("", "   ", "?!", None):
            with self.subTest(query):
                self.fails("invalid_arguments", "search", query=query)
        self.fails("invalid_arguments", "search", query="x" * 5000)

    def test_hostile_ids_are_not_found(self):
        for uri in (*HOSTILE_URIS, "x", "res.partner/0", "res.partner/99999999999", "ir.rule/1", "../1", "res.partner"):
            with self.subTest(uri):
                result = self.call("fetch", id=uri)
                self.assertTrue(result["isError"])
                self.assertIn(
                    result["structuredContent"]["error"]["code"], ("not_found", "policy_denied", "unknown_model")
                )
                self.assertNotIn("Traceback", result["content"][0]["text"])

    def test_find_is_listed_first(self):
        names = [item["name"] for item in self.registry_as()._listing(self.exchange(method="tools/list"))]
        self.assertEqual(names[:2], ["fetch", "search"])


@tagged("post_install", "-at_install", "mcp_full")
class TestToolFindDemo(McpCase):
    def test_documents_of_apps_are_found_by_number_and_customer(self):
        admin = self.env.ref("base.user_admin")
        order = self.env["sale.order"].search([("order_line", "!=", False)], limit=1)
        hits = self.ok("search", admin, query=order.name)["results"]
        self.assertIn(f"odoo://record/sale.order/{order.id}", [hit["id"] for hit in hits])
        text = self.ok("fetch", admin, id=f"odoo://record/sale.order/{order.id}")["text"]
        self.assertIn("## Order Lines", text)
        found = self.ok("search", admin, query=f"sale {order.partner_id.name}")["results"]
        self.assertIn("odoo://record/sale.order/", " ".join(hit["id"] for hit in found[:5]))

    def test_customer_that_is_closed_finds_no_documents(self):
        salesman = new_test_user(self.env, "mcp_salesman", groups="base.group_user,sales_team.group_sale_salesman")
        order = self.env["sale.order"].create(
            {"partner_id": self.env["res.partner"].create({"name": "Xylo Maas"}).id, "user_id": salesman.id}
        )
        found = self.ok("search", salesman, query="Xylo Maas")["results"]
        self.assertIn(f"odoo://record/sale.order/{order.id}", [hit["id"] for hit in found])
        domain = f"[('id', '!=', {order.partner_id.id})]"
        self.env["ir.rule"].create(
            {"name": "no", "model_id": self.env["ir.model"]._get_id("res.partner"), "domain_force": domain}
        )
        self.assertEqual(self.ok("search", salesman, query="Xylo Maas")["results"], [])


@tagged("post_install", "-at_install", "mcp_full")
class TestToolFindLarge(McpCase):
    """What is found stays the same where only some of the many candidates are looked at."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        groups = "base.group_user,sales_team.group_sale_salesman_all_leads"
        cls.user = new_test_user(cls.env, "mcp_seller", groups=groups)
        cls.env["ir.config_parameter"].set_param(full_text.PARAMETER, "res.partner,sale.order")
        names = ("Qwertz Oldest", "Qwertz", *(f"Qwertz Number {n}" for n in range(4)))
        cls.partners = cls.env["res.partner"].create([{"name": name} for name in names])
        cls.order = cls.env["sale.order"].create({"partner_id": cls.partners[0].id, "client_order_ref": "XYZ77"})

    def ids(self, query):
        result = self.call("search", query=query)
        self.assertFalse(result["isError"], result)
        return [hit["id"] for hit in result["structuredContent"]["results"]]

    def uri(self, record):
        return f"odoo://record/{record._name}/{record.id}"

    def test_documents_are_found_by_partner_and_own_words(self):
        for query in ("Oldest", "qwertz oldest", "oldest XYZ77", "XYZ77"):
            with self.subTest(query):
                self.assertIn(self.uri(self.order), self.ids(query))

    def test_documents_of_the_partner_that_has_all_words_are_found_among_many(self):
        self.patch(full_text, "MAX_LINKED", 2)
        self.assertIn(self.uri(self.order), self.ids("qwertz oldest"))

    def test_documents_of_archived_partners_are_found(self):
        self.partners[0].active = False
        self.assertIn(self.uri(self.order), self.ids("oldest"))

    def test_the_exact_name_is_found_among_many(self):
        self.patch(full_text, "CANDIDATES", 2)
        self.assertEqual(self.ids("qwertz")[0], self.uri(self.partners[1]))

    def test_partners_are_looked_up_once_for_all_models(self):
        self.env["ir.config_parameter"].set_param(
            full_text.PARAMETER, "sale.order,account.move,purchase.order,stock.picking,crm.lead,project.task"
        )
        self.ids("qwertz")
        statements = []

        def execute(cr, query, *args, **kwargs):
            statements.append(getattr(query, "code", query))
            return original(cr, query, *args, **kwargs)

        original = Cursor.execute
        with patch.object(Cursor, "execute", execute):
            self.ids("qwertz")
        by_name = [text for text in statements if '"res_partner"."complete_name" ILIKE' in text]
        self.assertEqual(len(by_name), 1, by_name)
