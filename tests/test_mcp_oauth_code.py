from datetime import timedelta

from odoo import fields
from odoo.tests import new_test_user, tagged

from ..models.mcp_oauth_code import KEEP_USED
from ..services.oauth.errors import OAuthError
from .common import McpCase
from .oauth_flow import REDIRECT, VERIFIER, OAuthMixin


@tagged("post_install", "-at_install")
class TestMcpOauthCode(OAuthMixin, McpCase):
    def test_a_code_gives_tokens(self):
        answer = self.token(self.form_of_code())
        self.assertEqual(
            {name: answer[name] for name in ("token_type", "expires_in", "scope")},
            {"token_type": "Bearer", "expires_in": 3600, "scope": "mcp:read mcp:write"},
        )
        self.assertTrue(answer["refresh_token"].startswith("omcp_rt_"))
        state = self.state(answer)
        self.assertEqual(
            (state.user_id, state.profile_id, state.kind, state.scopes, state.client_id, state.refusal),
            (self.user.id, self.profiles["full"].id, "oauth", ("mcp:read", "mcp:write"), self.client.id, None),
        )

    def test_a_missing_or_malformed_parameter_leaves_the_code_alone(self):
        code = self.code()
        for name in ("code", "redirect_uri", "code_verifier"):
            form = self.form_of_code(code)
            del form[name]
            self.refused("invalid_request", form)
        for verifier in ("short", "v" * 129, "v" * 42 + "é", "v" * 43 + "\n"):
            self.refused("invalid_request", self.form_of_code(code, code_verifier=verifier))
        self.assertAlive(self.token(self.form_of_code(code)))

    def test_a_code_is_good_for_its_client_redirect_and_resource_alone(self):
        other = self.make_client("other")
        for error, changes in (
            ("invalid_grant", {"client_id": other.client_id}),
            ("invalid_grant", {"redirect_uri": REDIRECT + "/"}),
            ("invalid_grant", {"redirect_uri": REDIRECT.replace("3118", "3119")}),
            ("invalid_target", {"resource": "https://other.example.com/mcp"}),
        ):
            self.refused(error, self.form_of_code(**changes))
        for unknown in ("nonsense", "\0", "é"):
            self.refused("invalid_grant", self.form_of_code(unknown))

    def test_spellings_of_the_resource_are_accepted(self):
        for resource in (self.resource, self.resource + "/", self.resource.replace("http", "HTTP") + "?x=1"):
            self.assertAlive(self.token(self.form_of_code(resource=resource)))

    def test_a_wrong_verifier_burns_the_code(self):
        code = self.code()
        self.refused("invalid_grant", self.form_of_code(code, code_verifier="w" * 43))
        self.refused("invalid_grant", self.form_of_code(code))

    def test_a_code_lives_for_a_minute(self):
        for seconds, lives in ((59, True), (60, False), (3600, False)):
            with self.later() as clock:
                code = self.code()
                clock.tick(timedelta(seconds=seconds))
                if lives:
                    self.token(self.form_of_code(code))
                else:
                    self.refused("invalid_grant", self.form_of_code(code))

    def test_sending_twice_at_once_costs_nothing(self):
        with self.later() as clock:
            code = self.code()
            first = self.token(self.form_of_code(code))
            clock.tick(timedelta(seconds=9))
            self.refused("invalid_grant", self.form_of_code(code))
            self.assertAlive(first)

    def test_a_second_use_revokes_what_the_first_gave(self):
        other = self.make_client("other")
        for seconds, changes in (
            (11, {}),
            (1, {"code_verifier": "w" * 43}),
            (1, {"client_id": other.client_id}),
            (600, {}),
        ):
            code = self.code()
            first = self.token(self.form_of_code(code))
            with self.later(seconds=seconds):
                self.refused("invalid_grant", self.form_of_code(code, **changes))
            self.assertDead(first)
            self.refused("invalid_grant", self.form_of_refresh(first["refresh_token"]))

    def test_a_user_who_may_not_connect_any_more_gets_nothing(self):
        form = self.form_of_code()
        self.user.active = False
        self.refused("invalid_grant", form)

    def test_one_request_has_one_code(self):
        self.assertEqual(self.code(key="same"), self.code(key="same"))
        self.assertNotEqual(self.code(key="same"), self.code(key="another"))
        self.assertEqual(self.env["mcp.oauth.code"].search_count([]), 2)

    def test_a_request_is_answered_for_one_user_and_once(self):
        other = new_test_user(self.env, "mcp_other", groups="base.group_user")
        self.code(key="same")
        with self.assertRaises(OAuthError):
            self.code(key="same", user=other)
        with self.later(seconds=61), self.assertRaises(OAuthError):
            self.code(key="same")

    def test_the_redelivered_code_of_a_used_one_gives_nothing_new(self):
        first = self.token(self.form_of_code(self.code(key="same")))
        self.refused("invalid_grant", self.form_of_code(self.code(key="same")))
        self.assertAlive(first)

    def test_nothing_stored_is_the_code(self):
        code = self.code(key="the key")
        self.env.cr.execute("SELECT string_agg(c::text, '') FROM mcp_oauth_code c")
        stored = self.env.cr.fetchone()[0]
        for secret in (code, VERIFIER, "the key"):
            self.assertNotIn(secret, stored)

    def test_a_client_without_the_grant_type_refresh_token_gets_none(self):
        self.client.grant_types = "authorization_code"
        self.assertNotIn("refresh_token", self.token(self.form_of_code()))

    def test_used_codes_are_forgotten_after_a_while(self):
        code = self.code()
        self.token(self.form_of_code(code))
        self.env["mcp.oauth.code"]._gc_expired()
        self.assertEqual(self.env["mcp.oauth.code"].search_count([]), 1)
        past = fields.Datetime.now() - KEEP_USED - timedelta(minutes=1)
        self.env.cr.execute("UPDATE mcp_oauth_code SET expires_at = %s", [past])
        self.env["mcp.oauth.code"]._gc_expired()
        self.env.invalidate_all()
        self.assertFalse(self.env["mcp.oauth.code"].search_count([]))
