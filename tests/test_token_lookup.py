from odoo import api
from odoo.tests import tagged

from ..services import secret_tokens
from .common import McpCase
from .oauth_flow import OAuthMixin

# Long before this test's transaction began: the query takes its time from there.
PAST = "2020-01-01 00:00:00"


@tagged("post_install", "-at_install")
class TestTokenLookup(OAuthMixin, McpCase):
    def assertRefusal(self, refusal, answer):
        self.assertEqual(self.state(answer).refusal, refusal)

    def test_what_ends_a_grant_ends_its_access_tokens_at_once(self):
        parameters = self.env["ir.config_parameter"]
        for refusal, end in (
            ("token_revoked", lambda grant: grant._revoke()),
            ("token_revoked", lambda grant: grant.with_user(self.user).action_revoke()),
            ("token_revoked", lambda grant: grant.user_id.write({"password": "an0ther-Secret"})),
            ("token_expired", lambda grant: grant.write({"expires_at": PAST})),
            ("client_blocked", lambda grant: grant.oauth_client_id.write({"blocked": True})),
            ("client_blocked", lambda grant: grant.oauth_client_id.write({"blocked": False, "active": False})),
            ("wrong_audience", lambda grant: parameters.set_param("mcp_endpoint.issuer", "https://other.example")),
            ("client_blocked", lambda grant: parameters.set_param("mcp_endpoint.oauth", "off")),
        ):
            answer = self.connect()
            self.assertAlive(answer)
            end(self.grant(answer))
            self.assertRefusal(refusal, answer)
            self.client.write({"blocked": False, "active": True})
            parameters.set_param("mcp_endpoint.issuer", "http://127.0.0.1:8069")
        parameters.set_param("mcp_endpoint.oauth", "on")

    def test_archived_users_and_the_superuser_are_refused(self):
        answer = self.connect()
        self.env.cr.execute("UPDATE res_users SET active = FALSE WHERE id = %s", [self.user.id])
        self.assertRefusal("user_archived", answer)
        self.env.cr.execute("UPDATE mcp_token SET user_id = %s", [api.SUPERUSER_ID])
        self.env.cr.execute("UPDATE res_users SET active = TRUE WHERE id = %s", [api.SUPERUSER_ID])
        self.assertRefusal("user_not_allowed", answer)

    def test_an_access_token_has_an_end_of_its_own(self):
        answer = self.connect()
        self.env["mcp.oauth.access"]._find(answer["access_token"]).expires_at = PAST
        self.assertRefusal("token_expired", answer)

    def test_a_token_of_another_database_is_unknown(self):
        answer, personal = self.connect(), self.issue()
        self.env["ir.config_parameter"].set_param("database.uuid", "00000000-0000-0000-0000-000000000000")
        self.assertIsNone(self.state(answer))
        self.assertIsNone(self.env["mcp.token"]._find(personal))
        self.refused("invalid_grant", self.form_of_refresh(answer["refresh_token"]))

    def test_only_access_and_personal_tokens_open_the_endpoint(self):
        answer = self.connect()
        find = self.env["mcp.token"]._find
        secret = secret_tokens.new_token(secret_tokens.CLIENT_SECRET_PREFIX)
        disguised = answer["refresh_token"].replace("omcp_rt_", "omcp_at_")
        for other in (answer["refresh_token"], disguised, secret, self.code(), "", "x", "a.b.c"):
            self.assertIsNone(find(other), other)

    def test_one_query_finds_a_token(self):
        answer, personal = self.connect(), self.issue()
        self.env.flush_all()
        for secret in (answer["access_token"], personal):
            self.env["mcp.token"]._find(secret)
            with self.assertQueryCount(1):
                self.env["mcp.token"]._find(secret)

    def test_the_query_uses_the_indexes(self):
        answer = self.connect()
        digest = self.env["mcp.token"]._digest(answer["access_token"])
        self.env.cr.execute("SET LOCAL enable_seqscan = off")
        self.env.cr.execute(
            "EXPLAIN SELECT 1 FROM mcp_oauth_access a JOIN mcp_token t ON t.id = a.token_id WHERE a.digest = %s",
            [digest],
        )
        plan = " ".join(row[0] for row in self.env.cr.fetchall())
        self.assertIn("mcp_oauth_access_digest_unique", plan)
        self.assertNotIn("Seq Scan", plan)

    def test_rows_are_nobodys(self):
        self.connect()
        for model in ("mcp.oauth.code", "mcp.oauth.access", "mcp.oauth.refresh"):
            for user in (self.user, self.env.ref("base.user_admin")):
                for operation in ("read", "write", "create", "unlink"):
                    self.assertFalse(self.env[model].with_user(user).has_access(operation), (model, operation))
