from freezegun import freeze_time
from odoo import fields
from odoo.tests import tagged

from .common import McpCase


@tagged("post_install", "-at_install")
class TestConfirmation(McpCase):
    def setUp(self):
        super().setUp()
        self.partner = self.env["res.partner"].create({"name": "Doomed"})
        self.arguments = {"model": "res.partner", "ids": [self.partner.id], "mode": "delete"}

    def ask(self):
        result = self.ok("odoo_delete_records", **self.arguments)
        self.assertEqual(result["status"], "confirmation_required")
        self.assertTrue(self.partner.exists())
        return result["confirm_token"]

    def test_first_step_changes_nothing_and_shows_the_preview(self):
        result = self.call("odoo_delete_records", **self.arguments)
        self.assertIn("Doomed", str(result["structuredContent"]["preview"]))
        self.assertIn("confirm_token", result["content"][0]["text"])
        self.assertTrue(self.partner.exists())
        row = self.env["mcp.audit.log"].search([], limit=1)
        self.assertEqual((row.outcome, row.dry_run), ("asked", True))

    def test_second_step_goes_ahead_once(self):
        token = self.ask()
        self.ok("odoo_delete_records", **self.arguments, confirm_token=token)
        self.assertFalse(self.partner.exists())
        self.fails("confirmation_used", "odoo_delete_records", **self.arguments, confirm_token=token)

    def test_token_fits_only_its_own_call(self):
        token = self.ask()
        other = self.env["res.partner"].create({"name": "Innocent"})
        arguments = {**self.arguments, "ids": [other.id]}
        for wrong in (token, token[:-2], "x", "é" * 50, ""):
            result = self.call("odoo_delete_records", **arguments, confirm_token=wrong)
            self.assertTrue(other.exists())
            if wrong:
                self.assertEqual(result["structuredContent"]["error"]["code"], "invalid_confirm_token")

    def test_token_of_another_user_is_refused(self):
        token = self.ask()
        admin = self.env.ref("base.user_admin")
        self.fails("invalid_confirm_token", "odoo_delete_records", admin, **self.arguments, confirm_token=token)
        self.assertTrue(self.partner.exists())

    def test_token_expires(self):
        token = self.ask()
        with freeze_time(fields.Datetime.add(fields.Datetime.now(), minutes=16)):
            result = self.call("odoo_delete_records", **self.arguments, confirm_token=token)
        self.assertTrue(result["isError"])
        self.assertTrue(self.partner.exists())

    def test_profile_that_always_asks_asks_for_any_write(self):
        self.profiles["full"].confirmation = "always"
        arguments = {"model": "res.partner", "ids": [self.partner.id], "values": {"name": "Renamed"}}
        result = self.ok("odoo_update_records", **arguments)
        self.assertEqual(result["status"], "confirmation_required")
        self.assertEqual(self.partner.name, "Doomed")
        self.ok("odoo_update_records", **arguments, confirm_token=result["confirm_token"])
        self.assertEqual(self.partner.name, "Renamed")

    def test_profile_that_never_asks_does_not(self):
        self.profiles["full"].confirmation = "never"
        self.ok("odoo_delete_records", **self.arguments)
        self.assertFalse(self.partner.exists())

    def test_dry_run_is_not_asked(self):
        result = self.call("odoo_delete_records", **self.arguments, dry_run=True)
        self.assertFalse(result["isError"])
        self.assertNotEqual(result["structuredContent"].get("status"), "confirmation_required")
        self.assertTrue(self.partner.exists())
