from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from .common import McpCase

HIDDEN = ("before", "after", "res_name")


@tagged("post_install", "-at_install")
class TestChangeReading(McpCase):
    """Governing assistants opens no record: what the journal holds is shown to those who may read it in Odoo."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        groups = "base.group_user,base.group_allow_export,mcp_endpoint.group_mcp_admin"
        cls.governor = new_test_user(cls.env, "mcp_governor", groups=groups)
        cls.partner = cls.env["res.partner"].create({"name": "Secret Name", "function": "Spy"})

    def change(self, **values):
        """Let the user's assistant change the partner, and return the row as the administrator sees it."""
        self.ok("odoo_update_records", model="res.partner", ids=self.partner.ids, values=values)
        self.env.flush_all()
        return self.newest().with_user(self.governor)

    def newest(self):
        return self.env["mcp.change"].search([("model", "=", "res.partner")], limit=1)

    def hide_partner(self, domain=None):
        self.env["ir.rule"].create(
            {
                "name": "hidden",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "domain_force": domain or f"[('id', '!=', {self.partner.id})]",
            }
        )
        self.env.invalidate_all()

    def test_readable_records_are_shown_with_labels_and_names(self):
        category = self.env["res.partner.category"].create({"name": "Gold"})
        country = self.env.ref("base.be")
        change = self.change(
            function="Agent", country_id=country.id, category_id={"set": category.ids}, employee=True, type="invoice"
        )
        self.assertEqual((change.name, change.display_name, change.is_hidden), ("Secret Name",) * 2 + (False,))
        html = change.values_html
        for expected in ("Job Position", "Spy", "Agent", country.name, "Gold", "Yes", "Invoice"):
            self.assertIn(expected, html)

    def test_raw_values_are_for_nobody(self):
        change = self.change(function="Agent")
        self.user.group_ids += self.env.ref("base.group_allow_export")
        for user in (self.governor, self.user, self.env.ref("base.user_admin")):
            for name in HIDDEN:
                with self.assertRaises(AccessError, msg=name):
                    change.with_user(user).read([name])
                with self.assertRaises(AccessError, msg=name):
                    self.env["mcp.change"].with_user(user).search([(name, "like", "Secret")])
            for method in (
                lambda journal: journal.export_data(["before"]),
                lambda journal: journal._read_group([], ["res_name"]),
                lambda journal: journal.search([], order="res_name"),
                lambda journal: journal.web_read({"after": {}}),
            ):
                with self.assertRaises(AccessError):
                    method(change.with_user(user))

    def test_hidden_record_has_neither_name_nor_values(self):
        change = self.change(function="Agent")
        self.hide_partner()
        self.assertTrue(change.is_hidden)
        self.assertEqual(change.name, f"res.partner {self.partner.id}")
        self.assertEqual(change.display_name, change.name)
        self.assertFalse(change.values_html)
        asked = {"name": {}, "values_html": {}, "display_name": {}, "user_id": {"fields": {"name": {}}}}
        shown = change.web_read(asked)
        exported = change.export_data(["name", "display_name", "values_html"])
        for text in (str(shown), str(exported)):
            self.assertNotIn("Secret", text)
            self.assertNotIn("Spy", text)
        self.assertFalse(change.search([("name", "ilike", "secret")]))
        self.assertTrue(self.newest().with_user(self.user).search([("name", "ilike", "secret")]))

    def test_closed_model_is_hidden_also_from_search(self):
        change = self.change(function="Agent")
        self.env["ir.model.access"].search([("model_id.model", "=", "res.partner")]).perm_read = False
        self.env.invalidate_all()
        self.assertTrue(change.is_hidden)
        self.assertFalse(change.search([("name", "ilike", "secret")]))
        self.assertFalse(change.search([("name", "in", ["Secret Name"])]))

    def test_closed_field_is_left_out(self):
        change = self.change(function="Agent", city="Ghent")
        field = self.env["res.partner"]._fields["function"]
        self.patch(field, "groups", "base.group_system")
        self.assertNotIn("Spy", change.values_html)
        self.assertIn("Ghent", change.values_html)

    def test_linked_records_are_named_to_those_who_see_them(self):
        boss = self.env["res.partner"].create({"name": "Hidden Boss", "is_company": True})
        change = self.change(parent_id=boss.id)
        self.assertIn("Hidden Boss", change.values_html)
        self.hide_partner(f"[('id', '!=', {boss.id})]")
        self.assertNotIn("Hidden Boss", change.values_html)
        self.assertIn(f"#{boss.id}", change.values_html)

    def test_deleted_record_is_shown_where_rules_would_have_shown_it(self):
        self.profiles["full"].confirmation = "never"
        for domain, is_hidden in (
            ("[('function', '=', 'Spy')]", False),
            ("[('function', '=', 'King')]", True),
        ):
            doomed = self.env["res.partner"].create({"name": "Doomed", "function": "Spy"})
            self.ok("odoo_delete_records", model="res.partner", ids=doomed.ids, mode="delete")
            self.env.flush_all()
            rule = self.env["ir.rule"].create(
                {"name": "r", "model_id": self.env["ir.model"]._get_id("res.partner"), "domain_force": domain}
            )
            change = self.newest().with_user(self.governor)
            self.assertEqual((change.operation, change.is_hidden), ("delete", is_hidden), domain)
            self.assertEqual("Spy" in (change.values_html or ""), not is_hidden)
            rule.unlink()

    def test_what_the_journal_lacks_keeps_a_deleted_record_hidden(self):
        self.profiles["full"].confirmation = "never"
        doomed = self.env["res.partner"].create({"name": "Doomed"})
        self.ok("odoo_delete_records", model="res.partner", ids=doomed.ids, mode="delete")
        self.env.flush_all()
        self.hide_partner("[('write_uid', '!=', 0)]")
        self.assertTrue(self.newest().with_user(self.governor).is_hidden)

    def test_own_rows_stay_readable_and_values_are_escaped(self):
        self.change(function="<script>alert(1)</script>")
        self.hide_partner()
        own = self.newest().with_user(self.user)
        self.assertFalse(own.is_hidden)
        self.assertIn("&lt;script&gt;", own.values_html)
        self.assertNotIn("<script>", own.values_html)
