from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from .common import McpCase


@tagged("post_install", "-at_install")
class TestAuditSearch(McpCase):
    def tools(self, reference, user=None):
        self.env.flush_all()
        logs = self.env["mcp.audit.log"].with_user(user or self.env.ref("base.user_admin"))
        return logs.search([("about", "=", reference)], order="id").mapped("tool")

    def test_rows_that_list_the_record_are_found(self):
        one, two = self.env["res.partner"].create([{"name": "One"}, {"name": "Two"}])
        self.ok("odoo_search_records", model="res.partner", ids=[one.id, two.id])
        self.ok("odoo_search_records", model="res.partner", ids=[two.id])
        self.assertEqual(self.tools(f"res.partner,{one.id}"), ["odoo_search_records"])
        self.assertEqual(len(self.tools(f"res.partner,{two.id}")), 2)

    def test_same_id_of_another_model_and_part_of_an_id_are_not(self):
        partner = self.env["res.partner"].create({"name": "One"})
        self.ok("odoo_search_records", model="res.partner", ids=[partner.id])
        for reference in (
            f"res.users,{partner.id}",
            f"res.partner,{str(partner.id)[:-1]}",
            f"res.partner,{partner.id}0",
        ):
            self.assertEqual(self.tools(reference), [], reference)

    def test_records_changed_beside_the_first_model_are_found(self):
        steps = [
            {
                "tool": "odoo_create_records",
                "arguments": {"model": "res.partner.category", "records": [{"name": "Tag"}]},
            },
            {"tool": "odoo_create_records", "arguments": {"model": "res.partner", "records": [{"name": "Made"}]}},
        ]
        self.ok("odoo_batch", steps=steps)
        partner = self.env["res.partner"].search([("name", "=", "Made")])
        self.assertIn("odoo_batch", self.tools(f"res.partner,{partner.id}"))

    def test_record_beyond_the_listed_ids_is_found_when_it_was_changed(self):
        partners = self.env["res.partner"].create([{"name": f"Many {number}"} for number in range(60)])
        self.ok("odoo_update_records", model="res.partner", ids=partners.ids, values={"comment": "x"})
        self.assertEqual(self.tools(f"res.partner,{partners[-1].id}"), ["odoo_update_records"])

    def test_nonsense_finds_nothing(self):
        for reference in (
            "",
            "res.partner",
            "res.partner,",
            "res.partner,x",
            "res.partner,1 OR 1=1",
            "',1",
            ",",
            "x,-1",
        ):
            self.assertEqual(self.tools(reference), [], reference)
        self.assertEqual(self.tools(f"res.partner,{2**70}"), [])

    def test_users_find_their_own_rows_only(self):
        partner = self.env["res.partner"].create({"name": "One"})
        self.ok("odoo_search_records", model="res.partner", ids=[partner.id])
        other = new_test_user(self.env, "mcp_stranger", groups="base.group_user")
        self.assertEqual(self.tools(f"res.partner,{partner.id}", other), [])
        self.assertEqual(len(self.tools(f"res.partner,{partner.id}", self.user)), 1)

    def test_cog_menu_opens_it_for_administrators(self):
        logs = self.env["mcp.audit.log"].with_user(self.env.ref("base.user_admin"))
        partner = self.env["res.partner"].create({"name": "One"})
        action = logs.action_open_for_record("res.partner", partner.id)
        self.assertEqual(action["domain"], [("about", "=", f"res.partner,{partner.id}")])
        self.assertIn("One", action["name"])
        with self.assertRaises(AccessError):
            logs.with_user(self.user).action_open_for_record("res.partner", partner.id)

    def test_cog_menu_tells_no_names_of_hidden_records(self):
        admin = new_test_user(self.env, "mcp_only_admin", groups="base.group_user,mcp_endpoint.group_mcp_admin")
        with self.assertRaises(AccessError):
            self.env["mcp.audit.log"].with_user(admin).action_open_for_record("ir.config_parameter", 1)

    def test_smart_button_of_an_application(self):
        client = self.env["mcp.oauth.client"].create({"name": "App", "redirect_uris": "https://app.example/cb"})
        action = client.action_open_audit_log()
        self.assertEqual(self.env["mcp.audit.log"].search(action["domain"]).ids, [])
        self.assertEqual(action["name"], "App")
