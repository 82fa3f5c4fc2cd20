import json

from odoo.tests import new_test_user, tagged

from .common import McpCase


@tagged("post_install", "-at_install", "mcp_full")
class TestPortalCalls(McpCase):
    """What an assistant of a portal user gets: what the portal shows that user, and nothing more."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["ir.config_parameter"].set_param("mcp_endpoint.portal_users", True)
        cls.portal = new_test_user(cls.env, "mcp_portal", groups="base.group_portal", name="Paula Portal")
        product = cls.env["product.product"].create({"name": "Zebra desk", "standard_price": 777.25, "list_price": 900})
        stranger = cls.env["res.partner"].create({"name": "Secret Stranger"})
        cls.own, cls.other = (
            cls.env["sale.order"].create(
                {
                    "partner_id": partner.id,
                    "client_order_ref": ref,
                    "order_line": [(0, 0, {"product_id": product.id, "product_uom_qty": 1})],
                }
            )
            for partner, ref in ((cls.portal.partner_id, "Own Ref"), (stranger, "Strange Ref"))
        )
        (cls.own | cls.other).state = "sent"
        cls.own.message_subscribe(cls.portal.partner_id.ids)
        cls.own.message_post(body="Dear customer", message_type="comment", subtype_xmlid="mail.mt_comment")
        cls.own.message_post(body="Internal gossip", message_type="comment", subtype_xmlid="mail.mt_note")

    def ask(self, tool, **arguments):
        """Return the text of an answer, which must not be a crash nor tell of others."""
        result = self.call(tool, self.portal, profile="read", **arguments)
        text = json.dumps(result)
        for leak in ("Secret Stranger", "Strange Ref", "Internal gossip", "777.25", "Internal error"):
            self.assertNotIn(leak, text, (tool, arguments))
        return text

    def test_orders_are_the_users_own(self):
        search = {"model": "sale.order", "domain": [], "fields": ["name", "client_order_ref", "partner_id"]}
        text = self.ask("odoo_search_records", **search)
        self.assertIn("Own Ref", text)
        self.ask("odoo_search_records", model="sale.order", domain=[["client_order_ref", "=", "Strange Ref"]])
        text = self.ask("odoo_aggregate_records", model="sale.order", group_by=["state"])
        self.assertIn("sent", text)
        for model in ("sale.order", "sale.order.line", "res.partner", "res.users", "product.product", "mail.message"):
            self.ask("odoo_search_records", model=model, domain=[], limit=50)

    def test_record_of_another_customer_is_out_of_reach(self):
        for tool, arguments in (
            ("odoo_read_thread", {"model": "sale.order", "id": self.other.id}),
            ("odoo_preview_record", {"model": "sale.order", "values": {"partner_id": self.other.partner_id.id}}),
            ("fetch", {"id": f"sale.order/{self.other.id}"}),
            ("odoo_explain_access", {"model": "sale.order", "id": self.other.id}),
            ("odoo_render_report", {"model": "sale.order", "ids": [self.other.id]}),
            ("search", {"query": "Strange Ref"}),
            ("search", {"query": "Secret Stranger"}),
        ):
            with self.subTest(tool):
                result = self.call(tool, self.portal, profile="read", **arguments)
                text = json.dumps(result).replace(json.dumps(arguments.get("query"))[1:-1], "")
                for leak in ("Secret Stranger", "Strange Ref", "777.25", "Internal error"):
                    self.assertNotIn(leak, text)

    def test_internal_notes_stay_internal(self):
        text = self.ask("odoo_read_thread", model="sale.order", id=self.own.id)
        self.assertIn("Dear customer", text)

    def test_every_reading_tool_answers(self):
        self.assertIn("Paula Portal", self.ask("odoo_get_context"))
        self.ask("odoo_find_models", query="sale order")
        self.ask("odoo_describe_model", model="sale.order")
        self.ask("odoo_describe_model", model="res.partner")
        self.ask("odoo_explain_access", model="sale.order")
        self.ask("odoo_find_skills", query="order")
        self.ask("search", query="Own Ref")

    def test_nothing_can_be_changed_with_what_portal_users_may_choose(self):
        chosen = self.env["mcp.profile"]._available_to(self.portal)
        self.assertEqual(set(chosen.mapped("access_level")), {"read"})
        text = self.ask("odoo_update_records", model="sale.order", ids=[self.own.id], values={"note": "x"})
        self.assertIn("policy_denied", text)
