"""A profile that wants approvals, its approver, and a parked call: what the tests of approvals start from."""

from odoo.tests import new_test_user

from .common import McpMixin


class ApprovalMixin(McpMixin):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        groups = "base.group_user"
        cls.approver = new_test_user(cls.env, "mcp_approver", groups=groups, name="Ada Approver", email="ada@x.example")
        cls.other = new_test_user(cls.env, "mcp_other", groups=groups, name="Otto Other")
        cls.profiles["full"].write({"approval": "destructive", "approver_ids": cls.approver.ids})
        cls.partner = cls.env["res.partner"].create({"name": "Doomed"})
        cls.arguments = {"model": "res.partner", "ids": cls.partner.ids, "mode": "delete"}

    def park(self, tool="odoo_delete_records", /, **arguments):
        """Make a call that is parked and return its request."""
        result = self.ok(tool, **(arguments or self.arguments))
        self.assertEqual(result["status"], "waiting_for_approval", result)
        self.env.flush_all()
        return self.env["mcp.approval"].browse(result["id"])

    def press(self, approval, action="action_approve", user=None):
        """Press a button of a request as the approver, and return the notification's kind."""
        with self.enter_registry_test_mode():
            answer = getattr(approval.with_user(user or self.approver), action)()
        self.env.invalidate_all()
        return answer["params"]["type"]
