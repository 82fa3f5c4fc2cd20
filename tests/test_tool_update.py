from datetime import timedelta

from odoo.tests import tagged

from .common import McpCase


@tagged("post_install", "-at_install")
class TestToolUpdate(McpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.partners = cls.env["res.partner"].create(
            [{"name": "Upd A", "function": "old"}, {"name": "Upd B", "function": "old"}]
        )

    def test_same_values_for_many(self):
        result = self.ok("odoo_update_records", model="res.partner", ids=self.partners.ids, values={"function": "new"})
        self.assertEqual(self.partners.mapped("function"), ["new", "new"])
        change = next(change for change in result["changes"] if change["field"] == "function")
        self.assertEqual((change["before"], change["after"]), ("old", "new"))

    def test_other_values_for_each(self):
        updates = [{"id": partner.id, "values": {"function": partner.name[-1]}} for partner in self.partners]
        self.ok("odoo_update_records", model="res.partner", updates=updates)
        self.assertEqual(self.partners.mapped("function"), ["A", "B"])
        self.fails("invalid_arguments", "odoo_update_records", model="res.partner", updates=updates[:1] * 2)

    def test_by_filter_only_with_the_expected_count(self):
        by_filter = {"model": "res.partner", "domain": [["name", "like", "Upd "]], "values": {"function": "f"}}
        error = self.fails("invalid_arguments", "odoo_update_records", **by_filter)
        self.assertIn("2 records match", error["message"])
        self.fails("count_mismatch", "odoo_update_records", expected_count=3, **by_filter)
        self.assertEqual(self.partners.mapped("function"), ["old", "old"])
        self.ok("odoo_update_records", expected_count=2, **by_filter)
        self.assertEqual(self.partners.mapped("function"), ["f", "f"])

    def test_which_records_must_be_said_in_one_way(self):
        for arguments in (
            {"values": {"function": "x"}},
            {"ids": [1]},
            {"ids": [1], "domain": [["id", "=", 1]], "values": {"function": "x"}},
            {"updates": [{"id": 1, "values": {}}], "values": {"function": "x"}},
        ):
            with self.subTest(arguments=arguments):
                self.fails("invalid_arguments", "odoo_update_records", model="res.partner", **arguments)

    def test_changed_since_read_is_a_conflict_that_names_who(self):
        partner = self.partners[0]
        partner.flush_recordset()
        read_at = partner.write_date.replace(microsecond=0)
        arguments = {"model": "res.partner", "ids": partner.ids, "values": {"function": "mine"}}
        before = (read_at - timedelta(minutes=1)).isoformat() + "Z"
        error = self.fails("conflict", "odoo_update_records", if_unmodified_since=before, **arguments)
        self.assertEqual((error["record"], error["changed_by"]), (partner.id, self.env.user.name))
        self.assertEqual(partner.function, "old")
        self.ok("odoo_update_records", if_unmodified_since=read_at.isoformat() + "+00:00", **arguments)
        self.fails("invalid_arguments", "odoo_update_records", if_unmodified_since="yesterday", **arguments)

    def test_hidden_and_missing_records_are_not_found(self):
        company = self.env["res.company"].create({"name": "Elsewhere"})
        foreign = self.env["res.partner"].create({"name": "Foreign", "company_id": company.id})
        for record_id in (foreign.id, 2**30):
            self.fails("not_found", "odoo_update_records", model="res.partner", ids=[record_id], values={"name": "x"})
        self.assertEqual(foreign.name, "Foreign")

    def test_archived_records_are_reached_by_id(self):
        self.partners[0].active = False
        self.ok("odoo_update_records", model="res.partner", ids=self.partners[0].ids, values={"active": True})
        self.assertTrue(self.partners[0].active)

    def test_dry_run_shows_the_difference_and_keeps_nothing(self):
        result = self.ok(
            "odoo_update_records",
            dry_run=True,
            model="res.partner",
            ids=self.partners.ids,
            values={"name": "Other", "function": "x"},
        )
        self.assertEqual(self.partners.mapped("name"), ["Upd A", "Upd B"])
        fields = {change["field"] for change in result["changes"]}
        self.assertLessEqual({"name", "function", "complete_name"}, fields)
        computed = next(change for change in result["changes"] if change["field"] == "complete_name")
        self.assertTrue(computed["computed"])

    def test_repeated_ids_are_one_record(self):
        ids = self.partners[:1].ids * 2
        self.assertEqual(
            self.ok("odoo_update_records", model="res.partner", ids=ids, values={"function": "x"})["count"], 1
        )
