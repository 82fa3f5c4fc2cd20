import json

from odoo.tests import new_test_user, tagged

from ..models.change_journal import MOST_COMPARED
from .common import McpCase


@tagged("post_install", "-at_install")
class TestChangeJournal(McpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.profiles["full"].confirmation = "never"
        cls.partner = cls.env["res.partner"].create({"name": "Journal", "function": "old", "comment": "<p>Note</p>"})
        cls.tag = cls.env["res.partner.category"].create({"name": "Tag"})

    def rows(self):
        return self.env["mcp.change"].search([], order="id")

    def test_write_keeps_before_and_after_in_restorable_form(self):
        call = self.make_call("odoo_update_records")
        records = call.records("res.partner", "write", self.partner.ids)
        country = self.env.ref("base.be")
        call.write(records, {"function": "new", "country_id": country.id, "category_id": {"add": [self.tag.id]}})
        row = self.rows()
        # Apps may derive more from a country; what was written is there in any case.
        self.assertLessEqual({"function": "old", "country_id": None, "category_id": []}.items(), row.before.items())
        written = {"function": "new", "country_id": country.id, "category_id": [self.tag.id]}
        self.assertLessEqual(written.items(), row.after.items())
        self.assertEqual(
            (row.user_id, row.operation, row.model, row.res_id, row.res_name, row.tool, row.request_id),
            (self.user, "write", "res.partner", self.partner.id, "Journal", "odoo_update_records", "test-request"),
        )
        self.assertEqual(row.token_id.id, call.exchange.credential.token_id)
        self.partner.invalidate_recordset()
        self.assertLessEqual(self.partner.write_date.replace(microsecond=0), row.date)
        self.partner.write(row.before | {"category_id": [(6, 0, [])]})
        self.assertEqual(self.partner.function, "old")

    def test_what_did_not_change_is_not_kept(self):
        call = self.make_call("odoo_update_records")
        call.write(call.records("res.partner", "write", self.partner.ids), {"function": "old"})
        self.assertFalse(self.rows())

    def test_consequences_are_shown_and_what_odoo_computes_is_not_restored(self):
        call = self.make_call("odoo_update_records")
        call.write(call.records("res.partner", "write", self.partner.ids), {"name": "Renamed"})
        difference = {row["field"]: row for row in call.journal.difference()}
        self.assertEqual((difference["name"]["before"], difference["name"]["after"]), ("Journal", "Renamed"))
        self.assertTrue(difference["complete_name"]["computed"])
        self.assertEqual(set(self.rows().before), {"name"})

    def test_many_records_in_one_statement_without_consequences(self):
        partners = self.env["res.partner"].create([{"name": f"Many {i}"} for i in range(MOST_COMPARED + 1)])
        call = self.make_call("odoo_update_records")
        call.write(call.records("res.partner", "write", partners.ids), {"name": "Same"})
        self.assertEqual(len(self.rows()), len(partners))
        self.assertEqual({row["field"] for row in call.journal.difference()}, {"name"})

    def test_create_keeps_what_was_given(self):
        call = self.make_call("odoo_create_records")
        created = call.create("res.partner", [{"name": "Born", "function": "x"}, {"name": "Second"}])
        rows = self.rows()
        self.assertEqual(rows.mapped("operation"), ["create", "create"])
        self.assertEqual(rows[0].after, {"name": "Born", "function": "x"})
        self.assertEqual(rows[1].after, {"name": "Second"})
        self.assertFalse(rows[0].before)
        self.assertEqual(call.journal.ids, rows.ids)
        self.assertEqual(rows.mapped("res_id"), created.ids)

    def test_delete_keeps_all_stored_values_and_the_lines_that_go_along(self):
        bank = self.env["res.partner.bank"].create({"acc_number": "BE1", "partner_id": self.partner.id})
        self.partner.category_id = self.tag
        call = self.make_call("odoo_delete_records")
        call.delete(call.records("res.partner", "delete", self.partner.ids))
        line, parent = self.rows()
        self.assertEqual((line.model, line.res_id, line.before["acc_number"]), ("res.partner.bank", bank.id, "BE1"))
        self.assertEqual(parent.before["function"], "old")
        self.assertEqual(parent.before["category_id"], self.tag.ids)
        self.assertEqual(parent.before["comment"], "<p>Note</p>")

    def test_nested_lines_have_rows_of_their_own(self):
        kept, gone = self.env["res.partner"].create(
            [{"name": "Kept", "parent_id": self.partner.id}, {"name": "Gone", "parent_id": self.partner.id}]
        )
        call = self.make_call("odoo_update_records")
        commands = {"update": [{"id": kept.id, "function": "x"}], "delete": [gone.id], "create": [{"name": "New"}]}
        call.write(call.records("res.partner", "write", self.partner.ids), {"child_ids": commands})
        rows = {(row.res_name, row.operation): row for row in self.rows()}
        self.assertEqual(rows["Journal, Kept", "write"].before["function"], None)
        self.assertEqual(rows["Journal, Gone", "delete"].before["name"], "Gone")
        self.assertEqual(rows["Journal, New", "create"].res_id, (self.partner.child_ids - kept).id)
        self.assertEqual(rows["Journal", "write"].before["child_ids"], (gone + kept).ids)

    def test_archive_is_an_archive(self):
        call = self.make_call("odoo_delete_records")
        call.archive(call.records("res.partner", "write", self.partner.ids))
        self.assertEqual(self.rows().operation, "archive")

    def test_binaries_are_only_marked(self):
        image = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
        call = self.make_call("odoo_update_records")
        call.write(call.records("res.partner", "write", self.partner.ids), {"image_1920": image})
        row = self.rows()
        self.assertEqual(row.after["image_1920"], {"binary": True})
        self.assertNotIn(image[:20], json.dumps(row.after))

    def test_change_that_takes_the_record_out_of_sight_is_kept(self):
        company = self.env["res.company"].create({"name": "Second"})
        self.user.company_ids += company
        call = self.make_call("odoo_update_records")
        call.env = call.env(context={**call.env.context, "allowed_company_ids": self.user.company_id.ids})
        records = call.records("res.partner", "write", self.partner.ids)
        with call.journal.changing(records, {"company_id": company.id}):
            self.partner.company_id = company
        self.assertEqual(self.rows().before, {"company_id": None})
        self.assertIn("no longer visible", call.notes[0])

    def test_the_journal_is_each_user_s_own_and_cannot_be_changed(self):
        call = self.make_call("odoo_update_records")
        call.write(call.records("res.partner", "write", self.partner.ids), {"function": "new"})
        rows = self.rows()
        mcp_group = self.env.ref("mcp_endpoint.group_mcp_user")
        other = new_test_user(self.env, "mcp_other_journal", groups="base.group_user")
        other.group_ids += mcp_group
        self.user.group_ids += mcp_group
        self.assertEqual(self.env["mcp.change"].with_user(self.user).search([]), rows)
        self.assertFalse(self.env["mcp.change"].with_user(other).search([]))
        with self.assertRaises(Exception):  # noqa: B017 - Odoo's AccessError or UserError
            rows.with_user(self.user).write({"before": {}})
        with self.assertRaisesRegex(Exception, "cannot be changed"):
            rows.write({"before": {}})

    def test_old_rows_are_purged(self):
        call = self.make_call("odoo_update_records")
        call.write(call.records("res.partner", "write", self.partner.ids), {"function": "new"})
        self.env.cr.execute("UPDATE mcp_change SET date = date - interval '91 days'")
        self.assertEqual(self.env["mcp.change"]._gc_old_rows(), (1, False))
