from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.tests import new_test_user, tagged

from .common import McpCase


@tagged("post_install", "-at_install")
class TestTokenNotices(McpCase):
    def setUp(self):
        super().setUp()
        self.user.email = "eve@example.com"
        # The cron commits after each token, which a test must not.
        self.startPatcher(patch.object(type(self.env["ir.cron"]), "_commit_progress", lambda *_args, **_options: 0))

    def token(self, user=None, days=30, left=None):
        """A token made long ago with `left` days to live."""
        token = self.env["mcp.token"].browse(self.env["mcp.token"]._find(self.issue(user, "read", days=days)).id)
        if left is not None:
            now = fields.Datetime.now()
            token.write({"expires_at": now + timedelta(days=left), "rotated_at": now - timedelta(days=days - left)})
        return token

    def mails(self, done):
        """Return the subject and text of the mails that `done` sends to the user."""
        before = self.env["mail.mail"].search([])
        done()
        return [(mail.subject, str(mail.body_html or mail.body)) for mail in self.env["mail.mail"].search([]) - before]

    def warn(self):
        self.env["mcp.token"]._cron_warn_expiring()

    def warnings(self, user=None):
        partner = (user or self.user).partner_id
        return self.env["mail.message"].search(
            [("subject", "=like", "Token “test” expires on%"), ("partner_ids", "=", partner.id)]
        )

    def test_owner_is_told_of_a_new_token_without_its_secret(self):
        secrets = []
        [(subject, text)] = self.mails(lambda: secrets.append(self.issue()))
        self.assertIn("New token", subject)
        self.assertIn("…" + secrets[0][-4:], text)
        self.assertNotIn(secrets[0], text)

    def test_owner_is_told_of_a_rotation_without_the_secret(self):
        token, secrets = self.token(), []
        [(subject, text)] = self.mails(lambda: secrets.append(token.with_user(self.user)._rotate(days=5)))
        self.assertIn("New secret", subject)
        self.assertNotIn(secrets[0], text)

    def test_name_in_the_mail_is_text(self):
        [(_subject, text)] = self.mails(
            lambda: self.env["mcp.token"]._issue(self.user, name="<img src=x>", profile=self.profiles["read"])
        )
        self.assertNotIn("<img src=x", text)

    def test_warned_once_a_week_before_the_end(self):
        token = self.token(left=7.5)
        self.warn()
        self.assertFalse(self.warnings())
        token.expires_at = fields.Datetime.now() + timedelta(days=6)
        self.warn()
        self.assertEqual(len(self.warnings()), 1)
        activity = token.expiry_activity_id
        self.assertEqual((activity.user_id, activity.date_deadline), (self.user, token.expires_at.date()))
        self.assertTrue(activity.with_user(self.user).read(["summary", "note"]))
        self.warn()
        self.assertEqual((len(self.warnings()), token.expiry_activity_id), (1, activity))

    def test_dead_short_lived_and_other_kinds_are_not_warned_of(self):
        self.token(left=-1)
        self.token(left=3)._revoke()
        self.token(days=3)
        self.token(left=3).kind = "api_key"
        archived = new_test_user(self.env, "mcp_gone", groups="base.group_user")
        self.token(archived, left=3)
        self.env.cr.execute("UPDATE res_users SET active = FALSE WHERE id = %s", [archived.id])
        self.env.invalidate_all()
        self.warn()
        self.assertFalse(self.warnings() | self.warnings(archived))

    def test_rotating_or_revoking_ends_the_reminder_and_a_new_secret_is_warned_of_again(self):
        token = self.token(left=3)
        self.warn()
        token.with_user(self.user)._rotate(days=30)
        self.assertFalse(token.expiry_activity_id)
        token.write({"expires_at": fields.Datetime.now() + timedelta(days=2)})
        token.rotated_at = fields.Datetime.now() - timedelta(days=28)
        self.warn()
        self.assertEqual(len(self.warnings()), 2)
        token.with_user(self.user)._revoke()
        self.assertFalse(token.expiry_activity_id)

    def test_portal_user_gets_the_mail_and_no_activity(self):
        self.env["ir.config_parameter"].set_param("mcp_endpoint.portal_users", True)
        portal = new_test_user(self.env, "mcp_portal", groups="base.group_portal")
        token = self.token(portal, left=3)
        self.warn()
        self.assertFalse(token.expiry_activity_id)
        self.assertIn("/my/assistants", self.warnings(portal).body)
