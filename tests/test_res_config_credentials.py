from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import McpCase


@tagged("post_install", "-at_install")
class TestResConfigCredentials(McpCase):
    def settings(self, **values):
        self.env["res.config.settings"].create(values).execute()

    def test_overlap_can_be_none(self):
        for hours in ("0", "72"):
            self.settings(mcp_token_overlap_hours=hours)
            self.assertEqual(self.env["mcp.token"]._overlap_hours(), int(hours))

    def test_minting_can_be_kept_to_a_group(self):
        group = self.env["res.groups"].create({"name": "Minters"})
        self.settings(mcp_minting_group_id=group.id)
        with self.assertRaises(AccessError):
            self.issue()
        self.user.group_ids += group
        self.assertTrue(self.issue())
        self.user.group_ids -= group
        self.settings(mcp_minting_group_id=False)
        self.assertTrue(self.issue())

    def test_a_deleted_minting_group_closes_minting(self):
        group = self.env["res.groups"].create({"name": "Minters"})
        self.settings(mcp_minting_group_id=group.id)
        group.unlink()
        with self.assertRaises(AccessError):
            self.issue()
