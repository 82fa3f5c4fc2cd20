import re
from unittest.mock import patch

from odoo import http
from odoo.tests import new_test_user, tagged

from .common import McpHttpCase

PASSWORD = "mcp_portal_password"


@tagged("post_install", "-at_install")
class TestPortalTokens(McpHttpCase):
    def setUp(self):
        super().setUp()
        self.open_portal()
        self.portal = new_test_user(
            self.env, "mcp_portal", groups="base.group_portal", password=PASSWORD, name="Paula Portal"
        )

    def open_portal(self, is_open=True):
        self.env["ir.config_parameter"].set_param("mcp_endpoint.portal_users", is_open)

    def log_in(self, login="mcp_portal", password=PASSWORD):
        self.authenticate(login, password)

    def mint(self, **values):
        form = {
            "csrf_token": http.Request.csrf_token(self),
            "name": "My agent",
            "profile_id": self.profiles["read"].id,
            "days": 30,
            "password": PASSWORD,
            **values,
        }
        return self.url_open("/my/assistants/new", data=form, allow_redirects=False)

    def tokens(self):
        self.env.invalidate_all()
        return self.env["mcp.token"].search([("user_id", "=", self.portal.id)])

    def test_user_makes_uses_and_revokes_a_token(self):
        self.log_in()
        self.assertIn("/my/assistants", self.url_open("/my").text)
        page = self.mint()
        secret = re.search(r"omcp_pat_[\w-]+", page.text)[0]
        self.assertEqual(page.headers["Cache-Control"], "no-store")
        self.assertEqual(page.headers["X-Frame-Options"], "DENY")
        token = self.tokens()
        self.assertEqual((token.name, token.profile_id, token.state), ("My agent", self.profiles["read"], "active"))
        page = self.url_open("/my/assistants")
        self.assertNotIn(secret, page.text)
        self.assertIn(token.hint, page.text)
        answer = self.rpc("tools/call", {"name": "odoo_get_context", "arguments": {}}, token=secret)
        self.assertIn("Paula Portal", answer.text)
        form = {"csrf_token": http.Request.csrf_token(self), "token_id": token.id}
        self.url_open("/my/assistants/revoke", data=form)
        self.assertEqual(self.tokens().state, "revoked")
        self.assertEqual(self.rpc("tools/list", token=secret).status_code, 401)

    def test_token_works_with_the_portal_users_own_rights(self):
        secret = self.env["mcp.token"]._issue(self.portal, name="x", profile=self.profiles["read"], days=1)
        arguments = {"model": "res.users", "fields": ["login"], "limit": 50}
        text = self.rpc("tools/call", {"name": "odoo_search_records", "arguments": arguments}, token=secret).text
        self.assertNotIn("admin", text)
        arguments = {"model": "ir.model", "fields": ["model"], "limit": 5}
        answer = self.rpc("tools/call", {"name": "odoo_search_records", "arguments": arguments}, token=secret).json()
        self.assertTrue(answer["result"]["isError"])

    def test_wrong_input_makes_nothing_and_says_why(self):
        self.log_in()
        for values, said in (
            ({"password": "wrong"}, "password is not right"),
            ({"password": ""}, "password is not right"),
            ({"name": "  "}, "name of 1 to"),
            ({"name": "x" * 101}, "name of 1 to"),
            ({"days": "0"}, "between 1 and"),
            ({"days": "99999"}, "how many days"),
            ({"days": "-3"}, "how many days"),
            ({"profile_id": self.profiles["full"].id}, "Choose what"),
            ({"profile_id": self.env.ref("mcp_endpoint.profile_baseline").id}, "Choose what"),
            ({"profile_id": "x"}, "Choose what"),
        ):
            with self.subTest(values):
                self.assertIn(said, self.mint(**values).text)
                self.assertFalse(self.tokens())

    def test_form_needs_the_csrf_token(self):
        self.log_in()
        self.assertEqual(self.mint(csrf_token="x").status_code, 400)
        self.assertFalse(self.tokens())

    def test_name_cannot_bring_markup(self):
        self.log_in()
        page = self.mint(name="<img src=x onerror=alert(1)>").text
        self.assertNotIn("<img src=x", page)
        self.assertIn("&lt;img src=x", page)

    def test_hostile_input_is_text_or_nothing(self):
        self.log_in()
        self.assertEqual(self.mint(name="My\0agent\r\nBcc: all").status_code, 200)
        self.assertEqual(self.tokens().name, "My agent Bcc: all")
        form = {"csrf_token": http.Request.csrf_token(self)}
        files = {name: (name, b"x") for name in ("name", "profile_id", "days", "password", "token_id")}
        for path in ("new", "revoke"):
            response = self.url_open(f"/my/assistants/{path}", data=form, files=files)
            self.assertEqual(response.status_code, 200)
        self.assertEqual(self.tokens().state, "active")

    def test_nothing_there_while_the_setting_is_off(self):
        secret = self.env["mcp.token"]._issue(self.portal, name="x", profile=self.profiles["read"], days=1)
        self.assertEqual(self.rpc("tools/list", token=secret).status_code, 200)
        self.open_portal(False)
        self.assertEqual(self.rpc("tools/list", token=secret).status_code, 401)
        self.log_in()
        self.assertNotIn("/my/assistants", self.url_open("/my").text)
        self.assertEqual(self.url_open("/my/assistants").status_code, 404)
        self.assertEqual(self.mint().status_code, 404)
        self.assertEqual(len(self.tokens()), 1)

    def test_employees_have_their_preferences_instead(self):
        self.log_in("mcp_employee", "mcp_employee")
        self.assertEqual(self.url_open("/my/assistants").status_code, 404)

    def test_who_may_not_mint_sees_no_form(self):
        group = self.env["res.groups"].create({"name": "Minters"})
        self.env["ir.config_parameter"].set_param("mcp_endpoint.minting_group_id", str(group.id))
        self.log_in()
        self.assertNotIn("/my/assistants/new", self.url_open("/my/assistants").text)
        self.mint()
        self.assertFalse(self.tokens())

    def test_token_of_another_is_not_revoked(self):
        other = self.env["mcp.token"].browse(self.env["mcp.token"]._find(self.issue()).id)
        self.log_in()
        for token_id in (other.id, "x", ""):
            form = {"csrf_token": http.Request.csrf_token(self), "token_id": token_id}
            self.url_open("/my/assistants/revoke", data=form)
        self.assertEqual(other.state, "active")

    def test_public_users_never_connect(self):
        public = self.env.ref("base.public_user")
        with patch.object(type(public), "active", True):
            self.assertFalse(public._may_use_mcp())

    def test_profile_given_to_the_portal_group_is_offered(self):
        self.assertEqual(set(self.env["mcp.profile"]._available_to(self.portal).mapped("access_level")), {"read"})
        self.profiles["write"].group_ids += self.env.ref("base.group_portal")
        self.assertIn(self.profiles["write"], self.env["mcp.profile"]._available_to(self.portal))
