"""Buttons of business documents, pressed as an assistant presses them."""

from odoo.tests import new_test_user

from .common import McpCase

TOOL = "odoo_run_action"


class FullCase(McpCase):
    groups = "base.group_user"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.ref("mcp_endpoint.profile_full").confirmation = "never"
        cls.user = new_test_user(cls.env, "mcp_actor", groups=cls.groups, name="Ada Actor")
        cls.partner = cls.env["res.partner"].create({"name": "Buyer", "email": "buyer@example.com"})
        cls.product = cls.env["product.product"].create(
            {"name": "Chair", "type": "consu", "is_storable": True, "list_price": 100, "invoice_policy": "order"}
        )

    def press(self, records, action, **arguments):
        return self.ok(TOOL, self.user, model=records._name, ids=records.ids, action=action, **arguments)

    def refused(self, code, records, action, **arguments):
        return self.fails(code, TOOL, self.user, model=records._name, ids=records.ids, action=action, **arguments)

    def field(self, result, name):
        return next(field for field in result["fields"] if field["name"] == name)
