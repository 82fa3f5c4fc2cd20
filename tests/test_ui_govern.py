from odoo.tests import HttpCase, new_test_user, tagged

from .common import McpMixin


@tagged("post_install", "-at_install")
class TestUiGovern(McpMixin, HttpCase):
    """What administrators and users do in Odoo, in a real browser."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # No administrator of the settings.
        groups = "base.group_user,base.group_partner_manager,mcp_endpoint.group_mcp_admin"
        cls.governor = new_test_user(cls.env, "mcp_governor", groups=groups, name="Greta Governor")

    def test_profile_token_refusal_and_fix(self):
        self.start_tour("/odoo/mcp-profiles", "mcp_govern", login="mcp_governor", timeout=180)
        profile = self.env["mcp.profile"].search([("name", "=", "Night shift")])
        self.assertEqual(profile.access_level, "write")
        token = self.env["mcp.token"].search([("profile_id", "=", profile.id)])
        self.assertEqual((token.name, token.user_id), ("Night assistant", self.governor))
        self.assertEqual(self.env["res.partner"].search_count([("name", "=", "Made at night")]), 1)
        rows = self.env["mcp.audit.log"].search([("token_id", "=", token.id)], order="id")
        self.assertEqual(rows.mapped("outcome"), ["refused", "ok"])

    def test_user_takes_a_change_back(self):
        partner = self.env["res.partner"].create({"name": "Half done", "function": "Baker"})
        self.ok("odoo_update_records", model="res.partner", ids=partner.ids, values={"function": "King"})
        self.env.flush_all()
        self.start_tour("/odoo", "mcp_revert", login="mcp_employee", timeout=180)
        self.env.invalidate_all()
        self.assertEqual(partner.function, "Baker")

    def test_dashboard_is_read(self):
        self.env.cr.execute("DELETE FROM mcp_audit_log")
        self.call("odoo_get_context")
        self.call("odoo_get_context")
        self.call("odoo_create_records", profile="read", model="res.partner", records=[{"name": "No"}])
        self.env.flush_all()
        self.start_tour("/odoo", "mcp_overview", login="mcp_governor", timeout=180)
