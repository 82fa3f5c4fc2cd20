from datetime import timedelta

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import new_test_user, tagged

from ..services.exchange import Exchange, Message
from .common import McpCase


@tagged("post_install", "-at_install")
class TestMcpAuditLog(McpCase):
    def row(self):
        self.env.invalidate_all()
        return self.env["mcp.audit.log"].search([], limit=1)

    def test_row_says_who_did_what_to_which_records(self):
        partner = self.user.partner_id
        self.ok("odoo_search_records", model="res.partner", ids=[partner.id])
        row = self.row()
        self.assertEqual(
            (row.user_id, row.method, row.tool, row.model, row.record_ids, row.record_count, row.outcome, row.ip),
            (self.user, "tools/call", "odoo_search_records", "res.partner", str(partner.id), 1, "ok", "127.0.0.1"),
        )
        self.assertEqual(row.token_id.user_id, self.user)
        self.assertEqual(row.request_id, "test-request")
        self.assertLess(abs(row.date - fields.Datetime.now()), timedelta(minutes=1))

    def test_client_text_cannot_break_the_row(self):
        exchange = self.exchange()
        hostile = Exchange(
            message=Message(method="tools/call" * 50, params={}, id=1),
            version=exchange.version,
            credential=exchange.credential,
            request_id="r",
            client={"name": "evil\ud800\x00'); DROP TABLE mcp_audit_log; --" * 20, "version": ["x"]},
        )
        self.env["mcp.audit.log"]._record(hostile, outcome="error", duration_ms=1, reason="x" * 10_000)
        row = self.row()
        self.assertEqual(row.outcome, "error")
        self.assertLessEqual(len(row.reason), 500)

    def test_long_id_lists_are_cut_and_counted(self):
        self.env["mcp.audit.log"]._record(
            self.exchange(), outcome="ok", duration_ms=1, model="res.partner", record_ids=list(range(1, 201))
        )
        row = self.row()
        self.assertEqual(row.record_count, 200)
        self.assertEqual(len(row.record_ids.split(",")), 50)

    def test_nobody_changes_or_deletes_rows(self):
        self.ok("odoo_get_context")
        row = self.row()
        for user in (self.env.ref("base.user_admin"), self.env.ref("base.user_root")):
            for change in (lambda row=row, user=user: row.with_user(user).write({"outcome": "ok"}),
                           lambda row=row, user=user: row.with_user(user).unlink()):  # fmt: skip
                with self.assertRaises(UserError):
                    change()
        self.assertTrue(row.exists())

    def test_users_see_their_own_rows_and_admins_all(self):
        self.ok("odoo_get_context")
        row = self.row()
        other = new_test_user(self.env, "mcp_other", groups="base.group_user")
        self.assertIn(row, self.env["mcp.audit.log"].with_user(self.user).search([]))
        self.assertNotIn(row, self.env["mcp.audit.log"].with_user(other).search([]))
        self.assertIn(row, self.env["mcp.audit.log"].with_user(self.env.ref("base.user_admin")).search([]))

    def test_old_rows_are_purged_and_new_ones_stay(self):
        self.ok("odoo_get_context")
        old = self.row()
        self.env.cr.execute("UPDATE mcp_audit_log SET date = date - interval '91 days' WHERE id = %s", [old.id])
        self.ok("odoo_get_context")
        new = self.row()
        self.env["mcp.audit.log"]._gc_old_rows()
        self.env.invalidate_all()
        self.assertFalse(old.exists())
        self.assertTrue(new.exists())
