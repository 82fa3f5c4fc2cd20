from odoo.exceptions import UserError, ValidationError
from odoo.tests import new_test_user, tagged

from .common import McpCase


@tagged("post_install", "-at_install")
class TestMcpModelTier(McpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.boss = new_test_user(
            cls.env, "mcp_tiers", groups="base.group_user,base.group_partner_manager,mcp_endpoint.group_mcp_admin"
        )

    def tier(self, pattern, tier="never"):
        return self.env["mcp.model.tier"].create({"pattern": pattern, "tier": tier})

    def test_tier_takes_effect_on_the_next_call(self):
        self.ok("odoo_search_records", model="res.partner")
        row = self.tier("res.partner*")
        found = self.fails("policy_denied", "odoo_search_records", model="res.partner")
        self.assertEqual(found["rule"], "tier:never")
        row.active = False
        self.ok("odoo_search_records", model="res.partner")

    def test_administrators_keep_what_is_theirs(self):
        self.tier("res.partner", "admin")
        self.assertEqual(self.fails("policy_denied", "odoo_search_records", model="res.partner")["rule"], "tier:admin")
        self.ok("odoo_search_records", self.boss, model="res.partner")

    def test_read_only_holds_for_all(self):
        self.tier("res.partner", "read_only")
        for user in (self.user, self.boss):
            self.ok("odoo_search_records", user, model="res.partner")
            found = self.fails(
                "policy_denied", "odoo_create_records", user, model="res.partner", records=[{"name": "x"}]
            )
            self.assertEqual(found["rule"], "tier:read_only")

    def test_shipped_rows_can_be_extended_but_not_shrunk(self):
        rows = self.env["mcp.model.tier"].with_user(self.boss)
        shipped = rows.search([("is_shipped", "=", True)])
        self.assertGreater(len(shipped), 20)
        for change in ({"tier": "read_only"}, {"active": False}, {"pattern": "x.y"}, {"is_shipped": False}):
            with self.assertRaises(UserError):
                shipped[0].write(change)
        with self.assertRaises(UserError):
            shipped[0].unlink()
        own = rows.create({"pattern": "res.bank", "tier": "never", "is_shipped": True})
        self.assertFalse(own.is_shipped)
        own.unlink()

    def test_pattern_is_a_name(self):
        for pattern in ("res partner", "Res.Partner", "res.partner;"):
            with self.assertRaises(ValidationError):
                self.tier(pattern)

    def test_count_of_models(self):
        self.assertEqual(self.tier("res.partner.category").model_count, 1)
        self.assertGreater(self.tier("res.partner*").model_count, 2)
