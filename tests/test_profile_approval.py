from odoo.exceptions import ValidationError
from odoo.tests import tagged

from .approvals import ApprovalMixin
from .common import McpCase


@tagged("post_install", "-at_install")
class TestProfileApproval(ApprovalMixin, McpCase):
    def test_profile_that_wants_approval_names_who_gives_it(self):
        with self.assertRaises(ValidationError):
            self.profiles["full"].approver_ids = False
        with self.assertRaises(ValidationError):
            self.profiles["write"].approval = "always"

    def test_who_may_approve(self):
        profile = self.profiles["full"]
        group = self.env["res.groups"].create({"name": "Deciders", "user_ids": self.other.ids})
        archived = self.other.copy({"login": "mcp_archived", "active": False})
        profile.write({"approver_ids": (self.approver | self.user | archived).ids, "approver_group_id": group.id})
        found = profile._approvers(profile, self.user)
        self.assertEqual(found, self.approver | self.other)
        profile.allow_self_approval = True
        self.assertEqual(profile._approvers(profile, self.user), self.approver | self.other | self.user)
        self.assertFalse(profile._approvers(profile.browse(), self.user))

    def test_change_holds_for_the_next_call(self):
        self.park()
        self.profiles["full"].write({"approval": "never", "confirmation": "never"})
        self.ok("odoo_delete_records", **self.arguments)
        self.assertFalse(self.partner.exists())
