from odoo.tests import HttpCase, tagged

from .approvals import ApprovalMixin


class ApprovalTour(ApprovalMixin, HttpCase):
    def parked(self):
        result = self.ok("odoo_delete_records", **self.arguments)
        self.env.flush_all()
        return self.env["mcp.approval"].browse(result["id"])


@tagged("post_install", "-at_install")
class TestUiApprovals(ApprovalTour):
    def test_approver_approves_what_they_see(self):
        approval = self.parked()
        self.start_tour(f"/odoo/mcp-approvals/{approval.id}", "mcp_approve", login="mcp_approver", timeout=180)
        self.assertEqual((approval.state, approval.decided_by_id), ("done", self.approver))
        self.assertFalse(self.partner.exists())


@tagged("post_install", "-at_install")
class TestUiApprovalsPhone(ApprovalTour):
    browser_size = "375x667"
    touch_enabled = True

    def test_approver_refuses_on_a_phone(self):
        approval = self.parked()
        self.start_tour(f"/odoo/mcp-approvals/{approval.id}", "mcp_approve_phone", login="mcp_approver", timeout=180)
        self.assertEqual(approval.state, "refused")
        self.assertTrue(self.partner.exists())
