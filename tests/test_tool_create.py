from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import McpCase


@tagged("post_install", "-at_install")
class TestToolCreate(McpCase):
    def test_creates_all_and_tells_what_was_set(self):
        france = self.env.ref("base.fr")
        result = self.ok(
            "odoo_create_records",
            model="res.partner",
            records=[{"name": "Acme", "country_id": "France", "is_company": True}, {"name": "Bolt"}],
        )
        acme, bolt = self.env["res.partner"].browse(result["ids"])
        self.assertEqual((acme.name, acme.country_id, bolt.name), ("Acme", france, "Bolt"))
        self.assertEqual(acme.create_uid, self.user)
        self.assertEqual(result["records"][0]["url"], f"http://127.0.0.1:8069/odoo/res.partner/{acme.id}")
        self.assertEqual(result["company"]["id"], self.user.company_id.id)
        self.assertEqual(len(result["change_ids"]), 2)
        country = next(change for change in result["changes"] if change.get("field") == "country_id")
        self.assertEqual((country["before"], country["after"]), (None, {"id": france.id, "name": "France"}))

    def test_one_object_is_a_list_of_one(self):
        self.assertEqual(self.ok("odoo_create_records", model="res.partner", records={"name": "One"})["count"], 1)

    def test_all_or_nothing(self):
        self.fails(
            "invalid_value", "odoo_create_records", model="res.partner", records=[{"name": "Good"}, {"color": "red"}]
        )
        self.assertFalse(self.env["res.partner"].search([("name", "=", "Good")]))

    @mute_logger("odoo.sql_db")
    def test_missing_required_fields_are_named_all_at_once(self):
        error = self.fails(
            "missing_required", "odoo_create_records", model="res.partner.bank", records=[{"bank_name": "x"}]
        )
        self.assertIn("acc_number", error["missing"])
        self.assertIn("partner_id", error["missing"])
        self.assertIn("Account Number", error["message"])

    def test_dry_run_leaves_nothing(self):
        result = self.ok("odoo_create_records", dry_run=True, model="res.partner", records=[{"name": "Ghost"}])
        self.assertEqual(result["status"], "dry_run")
        self.assertTrue([change for change in result["changes"] if change["after"] == "Ghost"])
        self.assertFalse(self.env["res.partner"].search([("name", "=", "Ghost")]))
        self.assertFalse(self.env["mcp.change"].search([]))

    def test_read_only_profile_writes_nothing(self):
        self.fails(
            "policy_denied", "odoo_create_records", profile="read", model="res.partner", records=[{"name": "No"}]
        )
        self.assertFalse(self.env["res.partner"].search([("name", "=", "No")]))

    def test_hostile_values_are_told_not_crashed(self):
        cases = [
            ("unknown_field", {"name": "A", "nmae": "B"}),
            ("unknown_field", {"name": "A", "name'; DROP TABLE res_partner; --": "B"}),
            ("policy_denied", {"name": "A", "create_uid": 1}),
            ("policy_denied", {"name": "A", "id": 1}),
            ("policy_denied", {"name": "A", "write_date": "2020-01-01"}),
            ("invalid_value", {"name": {"a": 1}}),
            ("invalid_value", {"name": "A", "color": 2**40}),
            ("invalid_value", {"name": "A", "country_id": {"x": 1}}),
            ("invalid_value", {"name": "A", "category_id": "x"}),
            ("invalid_value", {"name": "A", "category_id": [[9, 0, 0]]}),
            ("invalid_value", {"name": "A", "category_id": [[6, 0, 5]]}),
            ("invalid_value", {"name": "A", "category_id": {"oops": [1]}}),
            ("invalid_value", {"name": "A", "child_ids": [[0, 0, 5]]}),
            ("invalid_value", {"name": "A", "image_1920": "not base64!"}),
            ("invalid_value", {"name": "A", "type": "martian"}),
            ("not_found", {"name": "A", "parent_id": 2**30}),
            ("not_found", {"name": "A", "country_id": "Atlantis"}),
            ("not_found", {"name": "A", "country_id": "x' OR '1'='1"}),
        ]
        for code, values in cases:
            with self.subTest(values=values):
                self.fails(code, "odoo_create_records", model="res.partner", records=[values])

    def test_text_that_cannot_be_stored_is_refused(self):
        for text in ("nul \x00", "half \ud800 pair"):
            for values in ({"name": text}, {"name": "A", "child_ids": [{"name": text}]}, {"name": "A", text: "B"}):
                with self.subTest(values=values):
                    call = self.make_call("odoo_create_records")
                    with self.assertRaisesRegex(Exception, "NUL|no field"):
                        call.create("res.partner", [values])

    def test_closed_models_stay_closed(self):
        for model in ("res.users", "ir.attachment", "ir.cron", "mail.mail", "mcp.token", "res.groups"):
            with self.subTest(model=model):
                self.fails("policy_denied", "odoo_create_records", model=model, records=[{"name": "x"}])
