from odoo.tests import new_test_user, tagged

from .common import McpCase
from .oauth_flow import SECRET, OAuthMixin


@tagged("post_install", "-at_install")
class TestOauthGrants(OAuthMixin, McpCase):
    def machine(self, **values):
        return self.make_client(
            "machine",
            kind="machine",
            auth_method="client_secret_post",
            grant_types="client_credentials",
            **{"user_id": self.user.id, "profile_id": self.profiles["write"].id, **values},
        )

    def form(self, **changes):
        form = {"grant_type": "client_credentials", "client_id": "machine", "client_secret": SECRET, **changes}
        return {name: value for name, value in form.items() if value is not None}

    def test_grant_type_is_needed_known_and_registered(self):
        self.refused("invalid_request", {"client_id": "public"})
        self.refused("unsupported_grant_type", {"client_id": "public", "grant_type": "password"})
        self.refused("unauthorized_client", {"client_id": "public", "grant_type": "client_credentials"})
        self.client.grant_types = "refresh_token"
        self.refused("unauthorized_client", self.form_of_code())

    def test_the_client_is_checked_before_what_it_presents(self):
        self.refused("invalid_client", self.form_of_code("nonsense", client_id="nobody"), status=401)
        self.client.blocked = True
        self.refused("invalid_client", self.form_of_code("nonsense"), status=401)

    def test_a_machine_works_as_the_user_an_administrator_chose(self):
        self.machine()
        answer = self.token(self.form())
        self.assertNotIn("refresh_token", answer)
        self.assertEqual(answer["scope"], "mcp:read mcp:write")
        state = self.state(answer)
        self.assertEqual((state.user_id, state.profile_id), (self.user.id, self.profiles["write"].id))

    def test_machines_come_back_to_the_same_grant(self):
        self.machine()
        first, second = self.token(self.form()), self.token(self.form())
        self.assertNotEqual(first["access_token"], second["access_token"])
        self.assertEqual(self.state(first).id, self.state(second).id)
        self.grant(first)._revoke()
        self.assertNotEqual(self.state(self.token(self.form())).id, self.state(first).id)

    def test_a_machine_stays_below_its_ceiling(self):
        machine = self.machine(scope="mcp:read")
        self.assertEqual(self.token(self.form())["scope"], "mcp:read")
        self.assertEqual(self.token(self.form(scope="mcp:read mcp:write"))["scope"], "mcp:read")
        self.refused("invalid_scope", self.form(scope="mcp:write"))
        self.refused("invalid_scope", self.form(scope="unheard-of"))
        machine.scope = "mcp:admin"
        self.refused("invalid_scope", self.form(scope="mcp:admin"))
        self.assertEqual(self.token(self.form(scope="mcp:read mcp:admin"))["scope"], "mcp:read")
        machine.user_id = new_test_user(self.env, "boss", groups="base.group_user,mcp_endpoint.group_mcp_admin")
        self.assertEqual(self.token(self.form(scope="mcp:admin"))["scope"], "mcp:admin")

    def test_a_machine_needs_a_secret_and_a_user(self):
        machine = self.machine()
        self.refused("invalid_client", self.form(client_secret=None), status=401)
        self.refused("invalid_target", self.form(resource="https://other.example.com/mcp"))
        self.user.active = False
        self.refused("invalid_grant", self.form())
        machine.write({"kind": "manual", "user_id": False, "profile_id": False})
        self.refused("unauthorized_client", self.form())

    def test_revoking_a_refresh_token_ends_the_grant(self):
        answer = self.connect()
        later = self.refresh(answer["refresh_token"])
        self.grants._revoke(self.asked({"token": answer["refresh_token"], "client_id": "public"}))
        self.assertDead(answer)
        self.assertDead(later)
        self.refused("invalid_grant", self.form_of_refresh(later["refresh_token"]))

    def test_revoking_an_access_token_ends_it_alone(self):
        answer = self.connect()
        other = self.refresh(answer["refresh_token"])
        self.grants._revoke(self.asked({"token": answer["access_token"], "client_id": "public"}))
        self.assertIsNone(self.state(answer))
        self.assertAlive(other)

    def test_revoking_what_is_not_known_says_nothing(self):
        answer = self.connect()
        self.grant(answer)._revoke()
        personal = self.issue()
        for token in ("x", "\0", personal, answer["refresh_token"], answer["refresh_token"][:-1] + "!"):
            for hint in ({}, {"token_type_hint": "access_token"}, {"token_type_hint": "unheard-of"}):
                self.grants._revoke(self.asked({"token": token, "client_id": "public", **hint}))
        self.assertIsNone(self.env["mcp.token"]._find(personal).refusal)

    def test_nobody_revokes_the_tokens_of_another_client(self):
        answer = self.connect()
        self.make_client("other")
        for token in (answer["access_token"], answer["refresh_token"]):
            self.refused("invalid_grant", {"token": token, "client_id": "other"}, endpoint="_revoke")
            self.refused("invalid_client", {"token": token, "client_id": "x"}, endpoint="_revoke", status=401)
        self.refused("invalid_request", {"client_id": "public"}, endpoint="_revoke")
        self.assertAlive(answer)
