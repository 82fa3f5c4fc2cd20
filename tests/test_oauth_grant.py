from odoo.tests import tagged

from .common import McpCase
from .oauth_flow import OAuthMixin


@tagged("post_install", "-at_install")
class TestOauthGrant(OAuthMixin, McpCase):
    def test_a_grant_is_seen_and_ended_by_its_user(self):
        answer = self.connect()
        grant = self.grant(answer).with_user(self.user)
        seen = (grant.kind, grant.name, grant.scope, grant.state)
        self.assertEqual(seen, ("oauth", "public", "mcp:read mcp:write", "active"))
        self.assertNotIn(answer["access_token"][9:40], str(grant.read()))
        grant.action_revoke()
        self.assertDead(answer)

    def test_logging_out_everywhere_and_resetting_two_factors_end_connections(self):
        ends = [lambda: self.user.with_user(self.user)._action_revoke_all_devices()]
        if "totp_secret" in self.user._fields:
            ends.append(lambda: self.user.write({"totp_secret": False}))
        for end in ends:
            answer, personal = self.connect(), self.issue()
            end()
            self.env.flush_all()
            self.assertDead(answer)
            self.assertIsNone(self.env["mcp.token"]._find(personal).refusal)

    def test_a_grant_that_is_blocked_or_over_does_not_count(self):
        for end in (
            lambda grant: grant._revoke(),
            lambda grant: grant.oauth_client_id.write({"blocked": True}),
            lambda grant: grant.oauth_client_id.write({"active": False}),
        ):
            self.client.write({"blocked": False, "active": True})
            grant = self.grant(self.connect())
            self.assertTrue(grant._counts())
            end(grant)
            self.assertFalse(grant._counts())

    def test_scopes_are_those_of_grants_alone(self):
        self.assertEqual(self.grant(self.connect(granted=("mcp:read",)))._scopes(), ("mcp:read",))
        self.issue()
        self.assertIsNone(self.env["mcp.token"].search([("kind", "=", "personal")], limit=1)._scopes())
