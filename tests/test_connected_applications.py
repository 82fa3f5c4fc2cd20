from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .common import McpCase


@tagged("post_install", "-at_install")
class TestConnectedApplications(McpCase):
    def setUp(self):
        super().setUp()
        self.client = self.env["mcp.oauth.client"].create(
            {
                "name": "Agent <b>bold</b>",
                "client_id": "test-client",
                "redirect_uris": "https://agent.example/callback\nhttps://agent.example/other\ncursor://x/callback",
            }
        )
        self.grant = self.open_grant(self.user)
        self.governor = new_test_user(self.env, "mcp_governor", groups="base.group_user,mcp_endpoint.group_mcp_admin")

    def open_grant(self, user, scopes=("mcp:read",)):
        resource = self.env["mcp.oauth.server"]._resource()
        return self.env["mcp.token"]._open_grant(user, self.client, self.profiles["read"], scopes, resource)

    def test_user_sees_what_was_granted_apart_from_tokens(self):
        self.issue()
        user = self.user.with_user(self.user)
        self.assertEqual(user.mcp_application_ids, self.grant)
        self.assertEqual(user.mcp_token_ids.mapped("kind"), ["personal"])
        [values] = self.grant.with_user(self.user).read(["name", "client_host", "scope_words", "profile_id", "state"])
        self.assertEqual(values["client_host"], "agent.example, x")
        self.assertEqual((values["scope_words"], values["state"]), ("Read", "active"))

    def test_scopes_are_said_in_words(self):
        for scopes, words in (
            (("mcp:read",), "Read"),
            (("mcp:read", "mcp:write"), "Read and change"),
            (("mcp:admin",), "Read, change and administer"),
        ):
            self.assertEqual(self.open_grant(self.user, scopes).scope_words, words)

    def test_withdrawing_ends_the_access_tokens_with_the_next_request(self):
        secret, _seconds = self.env["mcp.oauth.access"]._issue(self.grant, ("mcp:read",))
        self.env.flush_all()
        self.assertIsNone(self.env["mcp.token"]._find(secret).refusal)
        self.grant.with_user(self.user).action_withdraw()
        self.env.flush_all()
        self.assertEqual(self.env["mcp.token"]._find(secret).refusal, "token_revoked")

    def test_others_neither_see_nor_withdraw_and_administrators_do_both(self):
        other = new_test_user(self.env, "mcp_other", groups="base.group_user")
        grant = self.grant.with_user(other)
        self.assertNotIn(self.grant, grant.search([]))
        with self.assertRaises(AccessError):
            grant.action_withdraw()
        self.assertIn(
            self.grant, self.grant.with_user(self.governor).search([("oauth_client_id", "=", self.client.id)])
        )
        self.grant.with_user(self.governor).action_withdraw()
        self.assertEqual(self.grant.state, "revoked")

    def test_client_counts_its_living_grants(self):
        self.open_grant(self.governor)
        self.assertEqual(self.client.connection_count, 2)
        self.grant._revoke()
        self.client.invalidate_recordset()
        self.assertEqual(self.client.connection_count, 1)

    def test_grants_are_purged_when_the_audit_log_has_forgotten_them(self):
        now = fields.Datetime.now()
        kept = [self.grant, self.open_grant(self.user), self.open_grant(self.user)]
        kept[1].revoked_at = now - timedelta(days=29)
        kept[2].expires_at = now - timedelta(days=29)
        gone = self.open_grant(self.user) | self.open_grant(self.user)
        gone[0].revoked_at = now - timedelta(days=31)
        gone[1].expires_at = now - timedelta(days=31)
        self.env.flush_all()
        self.env["mcp.token"]._gc_dead()
        self.env.invalidate_all()
        self.assertFalse(gone.exists())
        self.assertEqual(len(self.env["mcp.token"].concat(*kept).exists()), 3)

    def test_grants_are_not_rotated(self):
        with self.assertRaises(UserError) as raised:
            self.grant.with_user(self.user)._rotate(days=1)
        self.assertIn("personal token", str(raised.exception))
