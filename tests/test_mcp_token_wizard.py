import time
from types import SimpleNamespace
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import new_test_user, tagged
from odoo.tools import DotDict

from .common import McpCase


@tagged("post_install", "-at_install")
class TestMcpTokenWizard(McpCase):
    def wizard(self, user=None, **values):
        wizards = self.env["mcp.token.wizard"].with_user(user or self.user)
        return wizards.create({"name": "Laptop", **values})

    def mint(self, wizard, checked_ago=0):
        """Press the button, as somebody who gave the password `checked_ago` seconds ago."""
        request = SimpleNamespace(session=DotDict({"identity-check-last": time.time() - checked_ago, "debug": ""}))
        with patch("odoo.addons.base.models.res_users.request", request):
            return wizard.action_mint()

    def tokens(self, user=None):
        return self.env["mcp.token"].search([("user_id", "=", (user or self.user).id)])

    def test_mints_for_the_person_at_the_screen(self):
        action = self.mint(self.wizard(profile_id=self.profiles["write"].id, days=7))
        token = self.tokens()
        self.assertEqual((token.name, token.profile_id), ("Laptop", self.profiles["write"]))
        shown = action["context"]
        state = self.env["mcp.token"]._find(shown["default_token"])
        self.assertEqual((state.id, state.user_id), (token.id, self.user.id))
        self.assertEqual(shown["default_url"], "http://127.0.0.1:8069/mcp")
        shows = self.env["mcp.token.show"].with_user(self.user).with_context(**shown)
        for guide in shows.default_get(["guides"])["guides"]:
            self.assertIn(shown["default_token"], str(guide["snippets"]))

    def test_client_it_is_opened_for_names_the_token_and_is_shown_first(self):
        wizards = self.env["mcp.token.wizard"].with_user(self.user).with_context(default_client="claude-code")
        self.assertEqual(wizards.default_get(["name"])["name"], "Claude Code")
        shown = self.mint(wizards.create({}))["context"]
        self.assertEqual(shown["default_client"], "claude-code")

    def test_unknown_client_is_as_none(self):
        wizards = self.env["mcp.token.wizard"].with_user(self.user).with_context(default_client="nobody")
        self.assertFalse(wizards.default_get(["name"]).get("name"))

    def test_default_is_read_only_for_thirty_days(self):
        wizard = self.wizard()
        self.assertEqual((wizard.profile_id, wizard.days), (self.profiles["read"], 30))

    def test_default_days_stay_within_the_setting(self):
        self.env["ir.config_parameter"].set_param("mcp_endpoint.token_max_days", "14")
        self.assertEqual(self.wizard().days, 14)

    def test_password_is_asked_when_it_was_not_given_lately(self):
        action = self.mint(self.wizard(), checked_ago=3600)
        self.assertEqual(action["res_model"], "res.users.identitycheck")
        self.assertFalse(self.tokens())

    def test_without_a_browser_nothing_is_minted(self):
        with self.assertRaises(UserError):
            self.wizard().action_mint()
        self.assertFalse(self.tokens())

    def test_refused_input_mints_nothing(self):
        developer, baseline = (self.env.ref(f"mcp_endpoint.profile_{name}") for name in ("developer", "baseline"))
        for values in (
            {"days": 0},
            {"days": -1},
            {"days": 366},
            {"profile_id": developer.id},
            {"profile_id": baseline.id},
            {"name": "   "},
            {"name": "x" * 101},
        ):
            with self.subTest(values), self.assertRaises(ValidationError):
                self.mint(self.wizard(**values))
            self.assertFalse(self.tokens())

    def test_only_profiles_open_to_the_user_are_offered(self):
        offered = self.wizard().available_profile_ids
        self.assertIn(self.profiles["full"], offered)
        self.assertNotIn(self.env.ref("mcp_endpoint.profile_developer"), offered)
        self.assertNotIn(self.env.ref("mcp_endpoint.profile_baseline"), offered)

    def test_who_may_not_connect_gets_no_wizard(self):
        portal = new_test_user(self.env, "mcp_portal", groups="base.group_portal")
        with self.assertRaises(AccessError):
            self.wizard(portal)

    def test_another_users_wizard_is_out_of_reach(self):
        wizard = self.wizard()
        other = new_test_user(self.env, "mcp_other", groups="base.group_user")
        self.env.invalidate_all()
        with self.assertRaises(AccessError):
            self.mint(wizard.with_user(other))
        self.assertFalse(self.tokens() | self.tokens(other))

    def test_secret_reaches_no_table(self):
        self.assertTrue(self.env["mcp.token.show"]._abstract)
        self.assertNotIn("token", self.env["mcp.token.wizard"]._fields)
