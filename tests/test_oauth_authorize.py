from lxml import html
from odoo.tests import new_test_user, tagged
from passlib.totp import TOTP

from .oauth_browser import CALLBACK, OAuthPageCase


@tagged("post_install", "-at_install")
class TestOAuthAuthorize(OAuthPageCase):
    """`/oauth/authorize` before anybody is logged in: what is refused here, refused there, and stored."""

    def refused(self, response, status=400):
        self.assertEqual(response.status_code, status, response.text)
        self.assertNotIn("Location", response.headers)
        self.assertIn("text/html", response.headers["Content-Type"])
        self.assertNotIn("evil", html.fromstring(response.content).text_content())
        self.protected(response)

    def protected(self, response):
        policy = response.headers["Content-Security-Policy"]
        self.assertIn("frame-ancestors 'none'", policy)
        self.assertIn("default-src 'none'", policy)
        self.assertEqual(response.headers["X-Frame-Options"], "DENY")
        self.assertEqual(response.headers["Referrer-Policy"], "no-referrer")
        self.assertEqual(response.headers["Cache-Control"], "no-store")
        self.assertNotIn("Access-Control-Allow-Origin", response.headers)

    def test_nothing_is_sent_to_an_address_that_is_not_the_clients(self):
        for uri in (
            "https://evil.example/callback",
            "//evil.example/callback",
            "https://app.example\\@evil.example/callback",
            "https://app.example@evil.example/callback",
            "https://app.example/callback/evil",
            "https://app.example/callback/../evil",
            "https://evil.app.example/callback",
            "https://app.example:8443/callback",
            "https://app.example/CALLBACK",
            "https://app.example/callback?evil=1",
            "https://app.example/callback#evil",
            "https://app.example/callback%0d%0aSet-Cookie:evil",
            "http://app.example/callback",
            "http://localhost:33418/",
            "javascript:alert('evil')",
            "",
            None,
        ):
            with self.subTest(uri=uri):
                self.refused(self.ask(redirect_uri=uri))

    def test_unknown_clients_are_refused(self):
        self.client.copy({"client_id": "blocked-one", "blocked": True})
        for client_id in ("unknown", "blocked-one", "", None, "a'; --", "\x00", "é" * 300):
            with self.subTest(client_id=client_id):
                self.refused(self.ask(client_id=client_id))

    def test_duplicate_parameters_are_refused(self):
        for name in ("client_id", "redirect_uri", "state", "code_challenge", "scope", "response_type"):
            with self.subTest(name=name):
                self.refused(self.ask(**{name: [self.query(scope="mcp:read")[name]] * 2}))

    def test_a_program_that_asks_gets_json(self):
        cases = (
            ({"client_id": "unknown"}, (400, 401), "invalid_client"),
            ({"redirect_uri": "https://evil.example/"}, (400,), "invalid_request"),
            ({"state": ["1", "2"]}, (400,), "invalid_request"),
        )
        for changed, statuses, error in cases:
            response = self.ask(headers={"Accept": "application/json"}, **changed)
            self.assertIn(response.status_code, statuses)
            self.assertEqual(response.json()["error"], error)
            self.assertEqual(response.headers["Cache-Control"], "no-store")
        self.refused(self.ask(headers={"Accept": "*/*"}, client_id="unknown"))

    def test_other_faults_are_told_to_the_client(self):
        cases = (
            ({"response_type": "token"}, "unsupported_response_type"),
            ({"response_type": None}, "unsupported_response_type"),
            ({"code_challenge": None}, "invalid_request"),
            ({"code_challenge_method": "plain"}, "invalid_request"),
            ({"code_challenge_method": ""}, "invalid_request"),
            ({"code_challenge": "a" * 42}, "invalid_request"),
            ({"response_mode": "fragment"}, "invalid_request"),
            ({"resource": "https://other.example/mcp"}, "invalid_target"),
            ({"scope": "mail:send"}, "invalid_scope"),
            ({"prompt": "none"}, "login_required"),
        )
        for changed, error in cases:
            with self.subTest(**changed):
                response = self.ask(**changed)
                self.assertEqual(response.status_code, 303)
                self.protected(response)
                self.assertTrue(response.headers["Location"].startswith(f"{CALLBACK}?"))
                answer = self.parameters(response.headers["Location"])
                self.assertEqual((answer["error"], answer["state"]), (error, "s~1 +é"))
                self.assertTrue(answer["error_description"])
        self.assertFalse(self.env["mcp.oauth.request"].search([]))

    def test_a_client_for_other_grants_cannot_ask(self):
        self.client.grant_types = "client_credentials"
        answer = self.parameters(self.ask().headers["Location"])
        self.assertEqual(answer["error"], "unauthorized_client")

    def test_prompt_none_of_a_user_who_is_logged_in(self):
        self.authenticate("mcp_employee", "mcp_employee")
        answer = self.parameters(self.ask(prompt="none").headers["Location"])
        self.assertEqual(answer["error"], "consent_required")

    def test_errors_reach_every_kind_of_address(self):
        for uri in ("http://127.0.0.1:50123/", "cursor://anysphere.cursor-mcp/callback"):
            location = self.ask(redirect_uri=uri, response_type="x").headers["Location"]
            self.assertTrue(location.startswith(f"{uri}?error="), location)

    def test_state_cannot_alter_headers(self):
        response = self.ask(response_type="x", state="\r\nSet-Cookie: evil=1")
        self.assertNotIn("evil", response.headers.get("Set-Cookie", ""))
        self.assertEqual(self.parameters(response.headers["Location"])["state"], "\r\nSet-Cookie: evil=1")

    def test_what_may_be_asked_is_stored(self):
        resource = self.env["mcp.oauth.server"]._resource()
        for changed in (
            {},
            {"state": None},
            {"state": "x" * 2048},
            {"scope": " offline_access"},
            {"scope": "openid email profile"},
            {"scope": "mcp:read mail:send"},
            {"resource": resource},
            {"resource": [resource, resource]},
            {"resource": [resource, f"{resource}/"]},
            {"resource": resource.replace("http://", "HTTP://")},
            {"prompt": "consent"},
            {"response_mode": "query"},
            {"redirect_uri": "http://127.0.0.1:1/"},
            {"nonce": "x", "login_hint": "y"},
        ):
            with self.subTest(**changed):
                self.store(**changed)

    def test_a_form_is_stored_and_approves_nothing(self):
        self.authenticate("mcp_employee", "mcp_employee")
        response = self.url_open("/oauth/authorize", data=self.query(), allow_redirects=False)
        self.assertEqual(response.status_code, 303)
        self.assertIn("/oauth/authorize/continue?rid=", response.headers["Location"])
        self.assertFalse(self.codes())
        self.refused(self.url_open("/oauth/authorize", data="{}", headers={"Content-Type": "application/json"}))

    def test_no_session_is_made(self):
        self.assertNotIn("Set-Cookie", self.ask().headers)

    def test_switched_off(self):
        self.env["ir.config_parameter"].set_param("mcp_endpoint.oauth", "off")
        self.refused(self.ask(), 403)

    def test_login_comes_back_to_the_stored_request_alone(self):
        path = self.store()
        response, _page = self.open(path)
        self.assertIn(response.status_code, (302, 303))
        self.assertIn("/web/login?redirect=%2Foauth%2Fauthorize%2Fcontinue%3Frid%3D", response.headers["Location"])
        _response, page = self.open(response.headers["Location"])
        form = next(form for form in page.forms if "login" in form.fields)
        self.assertEqual(form.fields["redirect"], path)
        sent = {**form.fields, "login": "mcp_employee", "password": "mcp_employee"}
        response = self.url_open("/web/login", data=sent, allow_redirects=False)
        self.assertEqual(response.headers["Location"].removeprefix(self.base_url()), path)

    def test_an_address_as_request_id_leads_nowhere(self):
        self.authenticate("mcp_employee", "mcp_employee")
        for rid in ("https://evil.example", "//evil.example", "x" * 32, "", "%00", "é"):
            self.refused(self.url_open(f"/oauth/authorize/continue?rid={rid}", allow_redirects=False), 410)
        self.refused(
            self.url_open("/oauth/authorize/continue?redirect=https://evil.example", allow_redirects=False), 410
        )

    def test_who_may_not_connect_is_told_why(self):
        new_test_user(self.env, "mcp_portal", groups="base.group_portal")
        outsider = new_test_user(self.env, "mcp_outsider", groups="base.group_user")
        self.env.ref("base.group_user")._remove_group(self.env.ref("mcp_endpoint.group_mcp_user"))
        for login, words in (("mcp_portal", "Only employees"), (outsider.login, "MCP User")):
            self.authenticate(login, login)
            path = self.store()
            response, page = self.open(path)
            self.assertEqual(response.status_code, 403)
            self.assertIn(words, page.text_content())
            self.protected(response)
            (form,) = page.forms
            # Not by its own form either.
            sent = {**form.fields, "decision": "allow", "scope": "mcp:read", "profile": self.profiles["read"].id}
            self.assertEqual(self.send(form.get("action"), sent).status_code, 403)
            answer = self.returned(self.send(form.get("action"), {**sent, "decision": "deny"}))
            self.assertEqual(answer["error"], "access_denied")
        self.assertFalse(self.codes())


@tagged("post_install", "-at_install", "mcp_full")
class TestOAuthSecondFactor(OAuthPageCase):
    def test_login_with_a_second_factor_comes_back_too(self):
        if "totp_secret" not in self.user._fields:
            self.skipTest("auth_totp is not installed")
        self.user.totp_secret = "JBSWY3DPEHPK3PXP"
        path = self.store()
        response, _page = self.open(path)
        _response, page = self.open(response.headers["Location"])
        form = next(form for form in page.forms if "login" in form.fields)
        sent = {**form.fields, "login": "mcp_employee", "password": "mcp_employee"}
        response = self.url_open("/web/login", data=sent, allow_redirects=False)
        self.assertIn("/web/login/totp", response.headers["Location"])
        _response, page = self.open(response.headers["Location"])
        form = next(form for form in page.forms if "totp_token" in form.fields)
        sent = {**form.fields, "totp_token": TOTP("JBSWY3DPEHPK3PXP").generate().token}
        response = self.url_open(response.headers["Location"], data=sent, allow_redirects=False)
        self.assertEqual(response.headers["Location"].removeprefix(self.base_url()), path)
        self.assertEqual(self.open(path)[0].status_code, 200)
