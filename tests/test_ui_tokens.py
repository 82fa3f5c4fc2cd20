from odoo.tests import Form, HttpCase, new_test_user, tagged

from .common import McpCase, McpMixin


@tagged("post_install", "-at_install")
class TestUiTokensTour(McpMixin, HttpCase):
    def test_user_makes_and_revokes_a_token(self):
        self.start_tour("/odoo", "mcp_new_token", login="mcp_employee", timeout=180)
        token = self.env["mcp.token"].search([("user_id", "=", self.user.id)])
        self.assertEqual((token.name, token.state), ("Claude on my desk", "revoked"))
        self.assertEqual(token.profile_id, self.profiles["write"])
        self.assertTrue(token.rotated_at)
        self.assertFalse(token.previous_hint)


@tagged("post_install", "-at_install")
class TestUiTokens(McpCase):
    def preferences(self, user):
        users = self.env["res.users"].with_user(user)
        return users.get_view(self.env.ref("base.view_users_form_simple_modif").id, "form")["arch"]

    def test_preferences_of_an_employee_have_the_page(self):
        self.assertIn("action_new_mcp_token", self.preferences(self.user))

    def test_preferences_without_the_group_have_no_page(self):
        self.env.ref("base.group_user")._remove_group(self.env.ref("mcp_endpoint.group_mcp_user"))
        portal = new_test_user(self.env, "mcp_portal", groups="base.group_portal")
        for user in (self.user, portal):
            arch = self.preferences(user)
            self.assertNotIn("action_new_mcp_token", arch)
            self.assertNotIn("mcp_token_ids", arch)

    def test_preferences_can_be_saved_with_tokens(self):
        self.issue()
        user = self.user.with_user(self.user)
        with Form(user, "base.view_users_form_simple_modif") as form:
            form.phone = "+32 2 290 34 90"
        self.assertEqual(user.phone, "+32 2 290 34 90")

    def test_everybody_can_read_our_fields_of_their_own_user(self):
        portal = new_test_user(self.env, "mcp_portal", groups="base.group_portal")
        for user in (self.user, portal):
            # With a field that is not of the self-readable ones Odoo does not read as superuser.
            for names in (["mcp_token_ids", "mcp_url"], ["mcp_token_ids", "mcp_url", "create_date"]):
                self.env.invalidate_all()
                values = user.with_user(user).read(names)[0]
                self.assertEqual(values["mcp_token_ids"], [])
                self.assertTrue(values["mcp_url"].endswith("/mcp"))

    def test_user_administrator_without_our_group_opens_a_user(self):
        manager = new_test_user(self.env, "mcp_hr", groups="base.group_user,base.group_erp_manager")
        self.issue()
        users = self.env["res.users"].with_user(manager)
        arch = users.get_view(self.env.ref("base.view_users_form").id, "form")["arch"]
        self.assertNotIn("mcp_token_ids", arch)

    def test_help_of_every_empty_list_says_something(self):
        actions = self.env["ir.actions.act_window"].search([("res_model", "=like", "mcp.%"), ("target", "!=", "new")])
        self.assertGreaterEqual(len(actions), 5)
        self.assertFalse(actions.filtered(lambda action: not action.help).mapped("name"))
