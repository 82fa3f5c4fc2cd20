from datetime import timedelta

from odoo import fields
from odoo.tests import tagged

from ..models.mcp_oauth_access import LIVE_PER_GRANT
from .common import McpCase
from .oauth_flow import OAuthMixin


@tagged("post_install", "-at_install")
class TestMcpOauthAccess(OAuthMixin, McpCase):
    def test_a_grant_keeps_its_latest_tokens(self):
        other = self.connect()
        answers = [self.connect()]
        for _refresh in range(LIVE_PER_GRANT):
            answers.append(self.refresh(answers[-1]["refresh_token"]))
        self.assertIsNone(self.state(answers[0]))
        for answer in (*answers[1:], other):
            self.assertAlive(answer)

    def test_life_is_a_setting_within_limits(self):
        for setting, seconds in (("", 3600), ("7200", 7200), ("1", 600), ("9999999", 86_400), ("x", 3600)):
            self.env["ir.config_parameter"].set_param("mcp_endpoint.access_token_seconds", setting)
            self.assertEqual(self.connect()["expires_in"], seconds)

    def test_no_token_outlives_its_grant(self):
        answer = self.connect()
        self.grant(answer).expires_at = fields.Datetime.now() + timedelta(minutes=5)
        self.assertLessEqual(self.refresh(answer["refresh_token"])["expires_in"], 300)

    def test_nothing_stored_is_the_token(self):
        answer = self.connect()
        self.env.cr.execute("SELECT string_agg(a::text, '') FROM mcp_oauth_access a")
        self.assertNotIn(answer["access_token"][9:40], self.env.cr.fetchone()[0])

    def test_dead_tokens_are_purged(self):
        alive, expired, revoked = self.connect(), self.connect(), self.connect()
        past = fields.Datetime.now() - timedelta(days=2)
        self.env["mcp.oauth.access"]._find(expired["access_token"]).expires_at = past
        self.grant(revoked).revoked_at = past
        self.env.flush_all()
        self.env["mcp.oauth.access"]._gc_dead()
        self.env.invalidate_all()
        self.assertAlive(alive)
        self.assertIsNone(self.state(expired))
        self.assertIsNone(self.state(revoked))
