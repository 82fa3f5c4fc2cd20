from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import McpCase


@tagged("post_install", "-at_install")
class TestRecordLimits(McpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.inside, cls.outside = cls.env["res.partner"].create(
            [{"name": "In", "function": "mcp in"}, {"name": "Out", "function": "mcp out"}]
        )
        cls.rule = cls.env["mcp.profile.rule"].create(
            {
                "profile_id": cls.profiles["full"].id,
                "pattern": "res.partner",
                "domain": '[["function", "=", "mcp in"]]',
                **{f"allow_{operation}": True for operation in ("write", "create", "delete")},
            }
        )
        cls.both = (cls.inside | cls.outside).ids

    def test_the_orm_itself_keeps_the_limit(self):
        partners = self.make_call().env["res.partner"]
        self.assertEqual(partners.search([("id", "in", self.both)]).ids, self.inside.ids)
        self.assertEqual(partners.search_count([("id", "in", self.both)]), 1)
        groups = partners._read_group([("id", "in", self.both)], ["function"], ["__count"])
        self.assertEqual(groups, [("mcp in", 1)])
        self.assertEqual([found for found, _name in partners.name_search("")], self.inside.ids)
        with self.assertRaises(AccessError):
            partners.browse(self.outside.id).read(["name"])
        with self.assertRaises(AccessError):
            partners.browse(self.outside.id).write({"name": "x"})
        with self.assertRaises(AccessError):
            partners.create({"name": "New", "function": "mcp out"})

    def test_it_holds_for_models_that_inherit_the_limited_one(self):
        users = self.make_call().env["res.users"]
        self.assertFalse(users.search([]))

    def test_the_answer_of_others_is_not_touched(self):
        """Odoo keeps the domains of record rules for all: the limit of one call must not be in them."""
        call = self.make_call()
        call.env["res.users"].search([])
        plain = call.env(context={name: value for name, value in call.env.context.items() if name != "mcp_policy"})
        self.assertIn(self.outside, plain["res.partner"].search([]))
        self.assertTrue(plain["res.users"].search([]))

    def test_odoo_as_superuser_sees_all(self):
        call = self.make_call()
        self.assertEqual(len(call.env["res.partner"].sudo().search([("id", "in", self.both)])), 2)

    def test_records_cannot_be_moved_out(self):
        # Some models read themselves while they are written, and Odoo then refuses first.
        self.fails("access_denied", "odoo_update_records", model="res.partner", ids=self.inside.ids,
                   values={"function": "mcp out"})  # fmt: skip
        self.assertEqual(self.inside.function, "mcp in")
        category = self.env["res.partner.category"].create({"name": "mcp in"})
        self.rule.write({"pattern": "res.partner.category", "domain": '[["name", "=", "mcp in"]]'})
        found = self.fails("policy_denied", "odoo_update_records", model=category._name, ids=category.ids,
                           values={"name": "mcp out"})  # fmt: skip
        self.assertEqual(found["rule"], "profile:domain")
        self.assertEqual(category.name, "mcp in")

    def test_no_query_is_added_to_a_call(self):
        for _round in range(2):
            self.ok("odoo_search_records", model="res.partner", fields=["name"])
        counts = []
        for domain in ('[["function", "=", "mcp in"]]', ""):
            self.rule.domain = domain
            self.ok("odoo_search_records", model="res.partner", fields=["name"])
            self.env.flush_all()
            start = self.env.cr.sql_log_count
            self.ok("odoo_search_records", model="res.partner", fields=["name"])
            counts.append(self.env.cr.sql_log_count - start)
        self.assertLessEqual(*counts)
