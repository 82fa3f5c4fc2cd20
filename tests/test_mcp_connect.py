from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import config

from ..services.connect import GUIDES
from .common import McpCase, McpMixin


@tagged("post_install", "-at_install")
class TestMcpConnect(McpCase):
    def page(self, user=None, lang=None):
        return self.env["mcp.connect"].with_user(user or self.user).with_context(lang=lang).get_page()

    def way(self, client, key):
        guide = next(guide for guide in self.page()["guides"] if guide["key"] == client)
        return next(way for way in guide["ways"] if way["key"] == key)

    def set(self, **parameters):
        for name, value in parameters.items():
            self.env["ir.config_parameter"].set_param(name.replace("__", "."), value)
        # The address is computed and not stored: it is kept for as long as a request takes.
        self.env.invalidate_all()

    def publish(self, url="https://odoo.example.com"):
        self.set(web__base__url=url, mcp_endpoint__issuer="")

    def levels(self):
        return [warning["level"] for warning in self.page()["warnings"]]

    def test_page_has_every_client_with_the_users_address(self):
        page = self.page()
        self.assertEqual(page["url"], "http://127.0.0.1:8069/mcp")
        self.assertEqual([guide["key"] for guide in page["guides"]], [guide.key for guide in GUIDES])
        kinds = {kind["key"] for kind in page["kinds"]}
        for guide in page["guides"]:
            self.assertIn(guide["kind"], kinds)
            self.assertIn(page["url"], str(guide["ways"]))

    def test_public_https_address_has_no_warning_and_no_problem(self):
        self.publish()
        page = self.page()
        self.assertFalse(page["warnings"])
        self.assertFalse([way for guide in page["guides"] for way in guide["ways"] if way["problem"]])

    def test_local_address_warns_and_names_who_cannot_reach_it(self):
        self.assertEqual(self.levels(), ["info"])
        for client in ("claude", "chatgpt", "grok"):
            self.assertIn("http://127.0.0.1:8069/mcp", self.way(client, "login")["problem"])
        self.assertFalse(self.way("claude-code", "login")["problem"])

    def test_other_addresses_that_do_not_suit_everybody(self):
        for url, level in (("http://odoo.example.com", "warning"), ("https://erp.internal", "info")):
            self.publish(url)
            self.assertEqual(self.levels(), [level], url)
            self.assertTrue(self.way("chatgpt", "login")["problem"])

    def test_login_switched_off(self):
        self.publish()
        self.set(mcp_endpoint__oauth="off")
        self.assertEqual(self.levels(), ["warning"])
        self.assertIn("switched off", self.way("cursor", "login")["problem"])
        self.assertFalse(self.way("cursor", "token")["problem"])

    def test_closed_registration(self):
        self.publish()
        self.set(mcp_endpoint__registration_mode="closed")
        self.assertEqual(self.levels(), ["info"])

    def test_address_that_is_not_the_issuers(self):
        self.publish()
        self.set(mcp_endpoint__issuer="https://old.example.com")
        self.assertIn("https://old.example.com/mcp", self.page()["warnings"][0]["text"])

    def test_address_names_the_database_where_the_host_does_not(self):
        self.publish()
        doctor = type(self.env["mcp.doctor"])
        for modules, visible, expected in (
            (["base", "web", "mcp_endpoint"], 2, f"https://odoo.example.com/mcp?db={self.env.cr.dbname}"),
            (["base", "web", "mcp_endpoint"], 1, "https://odoo.example.com/mcp"),
            (["base", "web"], 2, "https://odoo.example.com/mcp"),
        ):
            self.env.invalidate_all()
            with (
                patch.dict(config.options, {"server_wide_modules": modules}),
                patch.object(doctor, "_visible_databases", lambda _self, visible=visible: visible),
            ):
                page = self.page()
            self.assertEqual(page["url"], expected)
            self.assertFalse(page["warnings"])

    def test_who_may_not_mint_is_told(self):
        self.set(mcp_endpoint__minting_group_id=str(self.env.ref("base.group_system").id))
        self.assertFalse(self.page()["may_mint"])
        self.assertTrue(self.way("claude-code", "token")["problem"])

    def test_page_is_for_those_who_may_connect(self):
        for groups in ("base.group_portal", "base.group_public"):
            with self.assertRaises(AccessError):
                self.page(new_test_user(self.env, groups, groups=groups))
        self.env.ref("base.group_user")._remove_group(self.env.ref("mcp_endpoint.group_mcp_user"))
        with self.assertRaises(AccessError):
            self.page()

    def test_texts_are_translated(self):
        french = {"By login": "Par connexion", "Web, desktop and mobile": "Web, bureau et mobile"}
        target = "odoo.tools.translate.code_translations.get_python_translations"
        self.env["res.lang"]._activate_lang("fr_FR")
        with patch(target, side_effect=lambda module, lang: french if lang == "fr_FR" else {}):
            guide = self.page(lang="fr_FR")["guides"][0]
        self.assertEqual(guide["summary"], "Web, bureau et mobile")
        self.assertEqual(guide["ways"][0]["title"], "Par connexion")

    def test_token_guides_have_the_token_and_the_users_address(self):
        guides = self.env["mcp.connect"].with_user(self.user)._token_guides("omcp_pat_abc")
        self.assertEqual([guide["key"] for guide in guides], [guide.key for guide in GUIDES if guide.token])
        for guide in guides:
            self.assertIn("omcp_pat_abc", str(guide["snippets"]))
            self.assertNotIn("…", str(guide["snippets"]))

    def test_users_menu_is_about_their_own_assistants(self):
        menus = self.env["ir.ui.menu"].with_user(self.user).load_menus(False)
        root = menus[self.env.ref("mcp_endpoint.menu_mcp").id]
        names = ("overview", "connect", "access", "activity", "approval", "library")
        own = [self.env.ref(f"mcp_endpoint.menu_mcp_{name}").id for name in names]
        self.assertEqual(root["children"], own)

    def test_menu_is_for_those_who_may_connect(self):
        self.env.ref("base.group_user")._remove_group(self.env.ref("mcp_endpoint.group_mcp_user"))
        menus = self.env["ir.ui.menu"].with_user(self.user)
        self.assertNotIn(self.env.ref("mcp_endpoint.menu_mcp").id, menus._visible_menu_ids())


@tagged("post_install", "-at_install")
class TestMcpConnectTour(McpMixin, HttpCase):
    def test_user_chooses_a_client_copies_and_makes_its_token(self):
        self.start_tour("/odoo", "mcp_connect", login="mcp_employee", timeout=180)
        token = self.env["mcp.token"].search([("user_id", "=", self.user.id)])
        self.assertEqual((token.name, token.state), ("Codex", "active"))
