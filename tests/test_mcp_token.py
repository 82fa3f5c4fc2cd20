from datetime import timedelta

from odoo import api, fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import new_test_user, tagged

from .common import McpCase


@tagged("post_install", "-at_install")
class TestMcpToken(McpCase):
    def token(self, secret):
        return self.env["mcp.token"].browse(self.env["mcp.token"]._find(secret).id)

    def test_secret_is_not_stored(self):
        secret = self.issue()
        token = self.token(secret)
        self.env.cr.execute("SELECT t::text FROM mcp_token t WHERE id = %s", [token.id])
        self.assertNotIn(secret[9:40], self.env.cr.fetchone()[0])

    def test_issued_token_is_found(self):
        state = self.env["mcp.token"]._find(self.issue())
        self.assertEqual((state.user_id, state.refusal), (self.user.id, None))

    def test_unknown_and_malformed_tokens_are_not_found(self):
        secret = self.issue()
        for wrong in ("", "x", secret[:-1] + "!", secret.upper(), "omcp_pat_" + "a" * 49):
            self.assertIsNone(self.env["mcp.token"]._find(wrong))

    def test_token_of_another_database_is_not_found(self):
        secret = self.issue()
        self.env["ir.config_parameter"].set_param("database.uuid", "00000000-0000-0000-0000-000000000000")
        self.assertIsNone(self.env["mcp.token"]._find(secret))

    def test_expired_revoked_and_archived_are_refused(self):
        secret = self.issue()
        token = self.token(secret)
        token.expires_at = fields.Datetime.now() - timedelta(minutes=5)
        token.flush_recordset()
        self.assertEqual(self.env["mcp.token"]._find(secret).refusal, "token_expired")
        self.assertEqual(token.state, "expired")

        secret = self.issue()
        self.token(secret)._revoke()
        self.env.flush_all()
        self.assertEqual(self.env["mcp.token"]._find(secret).refusal, "token_revoked")

    def test_archiving_the_user_and_a_new_password_revoke(self):
        for values in ({"active": False}, {"password": "an0ther-Secret"}):
            secret = self.issue()
            self.user.write(values)
            self.env.flush_all()
            self.assertEqual(self.env["mcp.token"]._find(secret).refusal, "token_revoked", values)
            self.user.active = True

    def test_nobody_mints_for_the_superuser_portal_public_or_without_the_group(self):
        portal = new_test_user(self.env, "mcp_portal", groups="base.group_portal")
        for user in (
            self.env["res.users"].browse(api.SUPERUSER_ID),
            portal,
            self.env.ref("base.public_user"),
        ):
            with self.assertRaises(AccessError):
                self.env["mcp.token"]._issue(user, name="no")

    def test_life_has_limits(self):
        for days in (0, -1, 366):
            with self.assertRaises(ValidationError):
                self.issue(days=days)
        self.env["ir.config_parameter"].set_param("mcp_endpoint.token_max_days", "7")
        with self.assertRaises(ValidationError):
            self.issue(days=8)

    def test_profile_must_be_open_to_the_user(self):
        for profile in (self.env.ref("mcp_endpoint.profile_developer"), self.env.ref("mcp_endpoint.profile_baseline")):
            with self.assertRaises(ValidationError):
                self.env["mcp.token"]._issue(self.user, name="no", profile=profile)

    def test_others_cannot_see_or_revoke(self):
        token = self.token(self.issue())
        other = new_test_user(self.env, "mcp_other", groups="base.group_user")
        as_other = token.with_user(other)
        self.assertNotIn(token, self.env["mcp.token"].with_user(other).search([]))
        for forbidden in (lambda: as_other.action_revoke(), lambda: as_other.read(["name"]), as_other.unlink):
            with self.assertRaises(AccessError):
                forbidden()

    def test_owner_and_admin_revoke(self):
        mine = self.token(self.issue())
        mine.with_user(self.user).action_revoke()
        self.assertEqual(mine.state, "revoked")
        theirs = self.token(self.issue())
        admin = new_test_user(self.env, "mcp_boss", groups="base.group_user,mcp_endpoint.group_mcp_admin")
        theirs.with_user(admin).action_revoke()
        self.assertEqual(theirs.state, "revoked")

    def test_life_of_a_token_is_told_in_its_chatter(self):
        token = self.env["mcp.token"].browse(self.env["mcp.token"]._find(self.issue()).id)
        self.env.flush_all()
        self.env.cr.flush()
        token.with_user(self.user)._revoke()
        self.env.flush_all()
        self.env.cr.flush()
        messages = token.message_ids
        self.assertEqual(messages[0].author_id, self.user.partner_id)
        self.assertEqual(messages[0].tracking_value_ids.field_id.name, "revoked_at")
        self.assertTrue(messages.with_user(self.user).has_access("read"))
        stranger = new_test_user(self.env, "mcp_stranger", groups="base.group_user")
        self.assertFalse(messages.with_user(stranger)._filtered_access("read"))

    def test_digest_is_readable_by_nobody(self):
        token = self.token(self.issue())
        for user in (self.user, self.env.ref("base.user_admin")):
            with self.assertRaises(AccessError):
                token.with_user(user).read(["digest"])

    def test_rows_cannot_be_made_or_changed_over_rpc(self):
        token = self.token(self.issue())
        admin = self.env.ref("base.user_admin")
        with self.assertRaises(AccessError):
            token.with_user(admin).write({"expires_at": "2099-01-01"})
        with self.assertRaises(AccessError):
            self.env["mcp.token"].with_user(admin).create(
                {"name": "x", "user_id": admin.id, "profile_id": self.profiles["full"].id, "expires_at": "2099-01-01"}
            )

    def test_living_token_is_not_deleted(self):
        token = self.token(self.issue())
        with self.assertRaises(UserError):
            token.unlink()
        token._revoke()
        token.unlink()

    def test_state_can_be_searched(self):
        token = self.token(self.issue())
        self.assertIn(token, self.env["mcp.token"].search([("state", "=", "active")]))
        token._revoke()
        self.assertIn(token, self.env["mcp.token"].search([("state", "=", "revoked")]))
        self.assertNotIn(token, self.env["mcp.token"].search([("state", "!=", "revoked")]))
