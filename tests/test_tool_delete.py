from odoo.tests import tagged

from .common import McpCase


@tagged("post_install", "-at_install")
class TestToolDelete(McpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.partner = cls.env["res.partner"].create({"name": "Del", "function": "boss"})
        cls.env.ref("mcp_endpoint.profile_full").confirmation = "never"

    def test_archives_by_default(self):
        result = self.ok("odoo_delete_records", model="res.partner", ids=self.partner.ids)
        self.assertEqual(result["mode"], "archive")
        self.assertTrue(self.partner.exists())
        self.assertFalse(self.partner.active)
        change = self.env["mcp.change"].browse(result["change_ids"])
        self.assertEqual(
            (change.operation, change.before, change.after), ("archive", {"active": True}, {"active": False})
        )

    def test_model_without_archive_needs_mode_delete(self):
        title = self.env["res.partner.bank"].create({"acc_number": "1", "partner_id": self.partner.id})
        category = self.env["ir.model"]._get("res.country.group")
        self.assertTrue(category)
        group = self.env["res.country.group"].create({"name": "Zone"})
        self.user.group_ids += self.env.ref("base.group_system")
        error = self.fails("cannot_archive", "odoo_delete_records", model="res.country.group", ids=group.ids)
        self.assertIn("mode", error["fix"])
        self.assertTrue(group.exists() and title.exists())

    def test_delete_removes_and_journals_all_it_held(self):
        partner_id = self.partner.id
        result = self.ok("odoo_delete_records", model="res.partner", ids=[partner_id], mode="delete")
        self.assertFalse(self.partner.exists())
        change = self.env["mcp.change"].browse(result["change_ids"])
        self.assertEqual((change.operation, change.res_id, change.before["function"]), ("delete", partner_id, "boss"))

    def test_profile_that_asks_gets_a_question_before_anything_happens(self):
        self.env.ref("mcp_endpoint.profile_full").confirmation = "destructive"
        arguments = {"model": "res.partner", "ids": self.partner.ids, "mode": "delete"}
        asked = self.ok("odoo_delete_records", **arguments)
        self.assertEqual(asked["status"], "confirmation_required")
        self.assertTrue(self.partner.exists())
        self.ok("odoo_delete_records", confirm_token=asked["confirm_token"], **arguments)
        self.assertFalse(self.partner.exists())
        again = {**arguments, "confirm_token": asked["confirm_token"]}
        self.fails("confirmation_used", "odoo_delete_records", **again)

    def test_profile_without_delete_may_archive_only(self):
        arguments = {"model": "res.partner", "ids": self.partner.ids}
        self.fails("policy_denied", "odoo_delete_records", profile="write", mode="delete", **arguments)
        self.assertTrue(self.partner.exists())
        self.ok("odoo_delete_records", profile="write", **arguments)

    def test_refusals_leave_the_record(self):
        own = self.user.partner_id
        for code, model, ids in (
            ("not_found", "res.partner", [2**30]),
            ("policy_denied", "res.users", self.user.ids),
            ("invalid_arguments", "res.partner", []),
        ):
            with self.subTest(model=model):
                self.fails(code, "odoo_delete_records", model=model, ids=ids, mode="delete")
        result = self.call("odoo_delete_records", model="res.partner", ids=own.ids, mode="delete")
        self.assertTrue(result["isError"], "Odoo refuses the partner of an active user")
        self.assertTrue(own.exists())
        self.assertFalse(self.env["mcp.change"].search([]))

    def test_dry_run_deletes_nothing(self):
        arguments = {"model": "res.partner", "ids": self.partner.ids, "mode": "delete"}
        result = self.ok("odoo_delete_records", dry_run=True, **arguments)
        self.assertEqual([change["operation"] for change in result["changes"]], ["delete"])
        self.assertTrue(self.partner.exists())
