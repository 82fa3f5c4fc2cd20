from odoo.tests import new_test_user, tagged

from ..services import schema_cache
from .common import McpCase, altered


@tagged("post_install", "-at_install")
class TestToolModels(McpCase):
    def names(self, **arguments):
        return [item["model"] for item in self.ok("odoo_find_models", **arguments)["models"]]

    def test_words_labels_old_names_and_typos_find_the_model(self):
        cases = {
            "customer": "res.partner",
            "Contact": "res.partner",
            "res.partner": "res.partner",
            "res_partner": "res.partner",
            "partnr": "res.partner",
            "res.partner.address": "res.partner",
            "reminder": "mail.activity",
            "mail.channel": "discuss.channel",
            "bank account": "res.partner.bank",
            "countries": "res.country",
        }
        for query, model in cases.items():
            with self.subTest(query):
                self.assertEqual(self.names(query=query)[0], model)

    def test_label_in_the_callers_language(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        model = self.env["ir.model"]._get("res.partner")
        model.with_context(lang="fr_FR").name = "Fiche tiers"
        facts = self.ok("odoo_find_models", query="fiche tiers", lang="fr_FR")
        self.assertEqual((facts["models"][0]["model"], facts["models"][0]["label"]), ("res.partner", "Fiche tiers"))
        self.assertEqual(self.names(query="contact", lang="fr_FR")[0], "res.partner")
        self.assertNotIn("res.partner", self.names(query="fiche tiers"))

    def test_old_name_is_explained(self):
        facts = self.ok("odoo_find_models", query="res.partner.address")
        self.assertIn("res.partner", facts["note"])
        self.assertIn("old name", facts["note"])

    def test_word_for_what_is_not_there_is_explained(self):
        facts = self.ok("odoo_find_models", query="helpdesk ticket")
        self.assertIn("helpdesk.ticket: not installed", facts["note"])

    def test_without_query_the_main_models_come_first(self):
        facts = self.ok("odoo_find_models")
        self.assertEqual(facts["models"][0]["model"], "res.partner")
        self.assertIn("customer", facts["models"][0]["also"])
        self.assertLessEqual(len(facts["models"]), 20)

    def test_operations_are_those_of_policy_and_rights(self):
        def operations(**options):
            return self.ok("odoo_find_models", query="res.partner", limit=1, **options)["models"][0]["operations"]

        self.assertEqual(operations(), ["read", "create", "write", "delete"])
        self.assertEqual(operations(profile="read"), ["read"])
        plain = new_test_user(self.env, "mcp_plain", groups="base.group_user")
        self.assertEqual(operations(user=plain), ["read"])

    def test_closed_and_unreadable_models_are_never_listed(self):
        for query in ("ir.rule", "mcp.token", "res.users.apikeys", "ir.config_parameter", "ir.mail_server"):
            facts = self.ok("odoo_find_models", query=query)
            self.assertNotIn(query, [item["model"] for item in facts["models"]])
            self.assertIn("not open", facts["note"])
        listed, cursor = set(), None
        while True:
            facts = self.ok("odoo_find_models", query="res", limit=100, **({"cursor": cursor} if cursor else {}))
            listed |= {item["model"] for item in facts["models"]}
            if not (cursor := facts.get("next_cursor")):
                break
        self.assertFalse({name for name in listed if name.startswith(("mcp.", "ir.rule", "res.users.apikeys"))})

    def test_wizards_and_mixins_are_left_out(self):
        listed = self.names(query="mail", limit=100)
        self.assertNotIn("mail.thread", listed)
        self.assertNotIn("mail.compose.message", listed)

    def test_pages_do_not_overlap_and_cursors_are_bound(self):
        first = self.ok("odoo_find_models", limit=3)
        second = self.ok("odoo_find_models", limit=3, cursor=first["next_cursor"])
        self.assertFalse({item["model"] for item in first["models"]} & {item["model"] for item in second["models"]})
        self.assertEqual(first["total"], second["total"])
        for bad in (altered(first["next_cursor"]), "x", ""):
            with self.subTest(bad):
                result = self.call("odoo_find_models", limit=3, cursor=bad)
                if bad:
                    self.assertEqual(result["structuredContent"]["error"]["code"], "invalid_cursor")
        self.fails("invalid_cursor", "odoo_find_models", query="mail", cursor=first["next_cursor"])

    def test_category_and_custom(self):
        model = self.env["ir.model"].create({"name": "Pet", "model": "x_pet"})
        self.env["ir.model.access"].create(
            {"name": "pet", "model_id": model.id, "group_id": self.env.ref("base.group_user").id, "perm_read": True}
        )
        self.assertTrue(self.names(category="discuss"))
        self.assertEqual(self.names(category="no such app"), [])
        found = self.ok("odoo_find_models", custom_only=True)["models"]
        self.assertEqual([(item["model"], item["custom"]) for item in found], [("x_pet", True)])

    def test_hostile_queries_find_nothing_and_do_no_harm(self):
        for query in ("'; DROP TABLE res_users; --", "%", "_", "\\", "🦄", " ", "(" * 200, "ir.model%"):
            with self.subTest(query):
                self.ok("odoo_find_models", query=query)
        self.fails("invalid_arguments", "odoo_find_models", query="a" * 5000)

    def test_list_of_one_user_is_not_served_to_another(self):
        plain = new_test_user(self.env, "mcp_plain", groups="base.group_user")
        self.env.flush_all()
        self.env.registry.signal_changes()
        self.addCleanup(schema_cache.invalidate)
        self.assertIn("write", self.ok("odoo_find_models", query="res.partner")["models"][0]["operations"])
        self.assertNotIn("write", self.ok("odoo_find_models", plain, query="res.partner")["models"][0]["operations"])
