from datetime import timedelta

from odoo import fields
from odoo.tests import tagged

from ..models.mcp_oauth_refresh import MOST_REPLAYS
from ..services import secret_tokens
from .common import McpCase
from .oauth_flow import SECRET, OAuthMixin


@tagged("post_install", "-at_install")
class TestMcpOauthRefresh(OAuthMixin, McpCase):
    def test_each_use_gives_a_new_token_and_leaves_access_tokens_alive(self):
        first = self.connect()
        second = self.refresh(first["refresh_token"])
        third = self.refresh(second["refresh_token"])
        self.assertEqual(len({answer["refresh_token"] for answer in (first, second, third)}), 3)
        for answer in (first, second, third):
            self.assertAlive(answer)
        self.assertEqual(self.state(third).id, self.state(first).id)

    def test_the_predecessor_gives_the_same_successor_within_its_grace(self):
        with self.later() as clock:
            first = self.connect()
            second = self.refresh(first["refresh_token"])
            for passed in (0, 60, 59):
                clock.tick(timedelta(seconds=passed))
                again = self.refresh(first["refresh_token"])
                self.assertEqual(again["refresh_token"], second["refresh_token"])
                self.assertNotEqual(again["access_token"], second["access_token"])
                self.assertAlive(again)
        self.assertEqual(self.grant(first).generation, 1)

    def test_reuse_after_the_grace_ends_the_grant(self):
        first = self.connect()
        second = self.refresh(first["refresh_token"])
        with self.later(seconds=122):
            self.refused("invalid_grant", self.form_of_refresh(first["refresh_token"]))
            self.refused("invalid_grant", self.form_of_refresh(second["refresh_token"]))
        self.assertDead(first)
        self.assertDead(second)

    def check_lives(self, refresh_token, lives):
        form = self.form_of_refresh(refresh_token)
        if lives:
            self.token(form)
        else:
            self.refused("invalid_grant", form)

    def test_grace_at_its_edge(self):
        for seconds, lives in ((120, True), (121, False)):
            first = self.connect()
            self.refresh(first["refresh_token"])
            used = self.env["mcp.oauth.refresh"]._find(first["refresh_token"])
            # In a clock that stands still: a second may end between any two lines.
            with self.later():
                used.first_used_at = fields.Datetime.now() - timedelta(seconds=seconds)
                self.check_lives(first["refresh_token"], lives)

    def test_two_generations_back_within_the_grace_is_refused_and_harmless(self):
        first = self.connect()
        second = self.refresh(first["refresh_token"])
        third = self.refresh(second["refresh_token"])
        with self.later(seconds=100):
            self.refused("invalid_grant", self.form_of_refresh(first["refresh_token"]))
            self.assertAlive(third)
            self.refresh(third["refresh_token"])

    def test_older_generations_after_their_grace_end_the_grant(self):
        for back in (1, 2, 3):
            answers = [self.connect()]
            for _generation in range(3):
                answers.append(self.refresh(answers[-1]["refresh_token"]))
            with self.later(minutes=5):
                self.refused("invalid_grant", self.form_of_refresh(answers[-1 - back]["refresh_token"]))
            self.assertDead(answers[-1])

    def test_replays_are_counted(self):
        first = self.connect()
        second = self.refresh(first["refresh_token"])
        for _replay in range(MOST_REPLAYS):
            self.refresh(first["refresh_token"])
        self.refused("invalid_grant", self.form_of_refresh(first["refresh_token"]))
        self.assertAlive(self.refresh(second["refresh_token"]))

    def test_the_grace_is_a_setting(self):
        parameters = self.env["ir.config_parameter"]
        for setting, seconds, lives in (("0", 0, False), ("3600", 3500, True), ("999999", 3700, False)):
            parameters.set_param("mcp_endpoint.refresh_grace_seconds", setting)
            first = self.connect()
            self.refresh(first["refresh_token"])
            with self.later(seconds=seconds):
                self.check_lives(first["refresh_token"], lives)

    def test_the_user_is_told_of_reuse_once(self):
        self.user.email = "eve@example.com"
        first = self.connect()
        self.refresh(first["refresh_token"])
        mails = self.env["mail.mail"].search([])
        with self.later(minutes=5):
            for _attempt in range(3):
                self.refused("invalid_grant", self.form_of_refresh(first["refresh_token"]))
        new = self.env["mail.mail"].search([]) - mails
        self.assertEqual(new.mapped("email_to"), [self.user.email_formatted])
        self.assertIn("192.0.2.7", new.body_html)
        row = self.env["mcp.audit.log"].search([("method", "=", "oauth/token")])
        self.assertEqual(
            (len(row), row.outcome, row.ip, row.client, row.user_id, row.token_id),
            (1, "refused", "192.0.2.7", "agent/1", self.user, self.grant(first)),
        )

    def test_another_client_is_refused_and_harms_nothing(self):
        other = self.make_client("other")
        first = self.connect()
        self.refused("invalid_grant", self.form_of_refresh(first["refresh_token"], client_id=other.client_id))
        self.assertAlive(self.refresh(first["refresh_token"]))

    def test_unknown_tokens_are_invalid(self):
        unknown = secret_tokens.new_token(secret_tokens.REFRESH_PREFIX)
        for secret in (unknown, "x", "\0", self.connect()["access_token"]):
            self.refused("invalid_grant", self.form_of_refresh(secret))

    def test_dead_grants_and_users_get_nothing(self):
        revoked, expired, archived = self.connect(), self.connect(), self.connect()
        self.grant(revoked)._revoke()
        self.grant(expired).expires_at = fields.Datetime.now() - timedelta(seconds=1)
        for answer in (revoked, expired):
            self.refused("invalid_grant", self.form_of_refresh(answer["refresh_token"]))
        self.env.cr.execute("UPDATE res_users SET active = FALSE WHERE id = %s", [self.user.id])
        self.env.invalidate_all()
        self.refused("invalid_grant", self.form_of_refresh(archived["refresh_token"]))

    def test_life_is_idle_and_absolute(self):
        first = self.connect()
        with self.later(days=31):
            self.refused("invalid_grant", self.form_of_refresh(first["refresh_token"]))
        current = self.connect()
        grant = self.grant(current)
        for days in range(25, 176, 25):
            with self.later(days=days):
                current = self.refresh(current["refresh_token"])
        with self.later(days=181):
            self.refused("invalid_grant", self.form_of_refresh(current["refresh_token"]))
        self.assertLessEqual(grant.expires_at, fields.Datetime.now() + timedelta(days=180))

    def test_scope_is_narrowed_for_one_access_token_and_never_widened(self):
        wide, narrow = self.connect(), self.connect(granted=("mcp:read",))
        secret = wide["refresh_token"]
        for asked, granted in (
            ("mcp:read", "mcp:read"),
            (None, "mcp:read mcp:write"),
            ("mcp:read mcp:write mcp:admin offline_access", "mcp:read mcp:write"),
            ("openid profile", "mcp:read mcp:write"),
        ):
            answer = self.refresh(secret, scope=asked)
            secret = answer["refresh_token"]
            self.assertEqual((answer["scope"], " ".join(self.state(answer).scopes)), (granted, granted), asked)
        self.assertEqual(self.refresh(narrow["refresh_token"], scope="mcp:write mcp:admin")["scope"], "mcp:read")

    def test_resource_is_optional_and_ours(self):
        first = self.connect()
        secret = first["refresh_token"]
        self.refused("invalid_target", self.form_of_refresh(secret, resource="https://other.example.com/mcp"))
        self.assertAlive(self.refresh(secret, resource=self.resource + "/"))

    def test_a_public_client_is_known_by_its_token(self):
        self.assertAlive(self.refresh(self.connect()["refresh_token"], client_id=None))
        confidential = self.make_client("confidential", auth_method="client_secret_post")
        code = self.form_of_code(self.code(client=confidential), client_id="confidential")
        secret = self.token({**code, "client_secret": SECRET})["refresh_token"]
        self.refused("invalid_client", self.form_of_refresh(secret, client_id=None), status=401)

    def test_nothing_stored_is_enough_for_a_successor(self):
        first = self.connect()
        second = self.refresh(first["refresh_token"])
        self.env.cr.execute("SELECT string_agg(r::text, '') FROM mcp_oauth_refresh r")
        stored = self.env.cr.fetchone()[0]
        for secret in (first["refresh_token"], second["refresh_token"]):
            self.assertNotIn(secret[9:40], stored)
        # The same generation of the same grant, but another predecessor: another token.
        row = self.env["mcp.oauth.refresh"]._find(first["refresh_token"])
        self.assertEqual(row._successor(first["refresh_token"]), second["refresh_token"])
        self.assertNotEqual(row._successor(row.digest), second["refresh_token"])

    def test_dead_generations_are_kept_until_the_grant_ends(self):
        first = self.connect()
        self.refresh(first["refresh_token"])
        self.env["mcp.oauth.refresh"]._gc_ended()
        rows = [("token_id", "=", self.grant(first).id)]
        self.assertEqual(self.env["mcp.oauth.refresh"].search_count(rows), 2)
        self.grant(first).revoked_at = fields.Datetime.now() - timedelta(minutes=1)
        self.env.flush_all()
        self.env["mcp.oauth.refresh"]._gc_ended()
        self.env.invalidate_all()
        self.assertFalse(self.env["mcp.oauth.refresh"].search_count(rows))
