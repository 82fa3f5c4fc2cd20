from odoo.tests import tagged

from ..models.default_fields import MAX_FIELDS, default_fields
from ..models.record_shape import columns
from .common import McpCase


@tagged("post_install", "-at_install")
class TestDefaultFields(McpCase):
    def test_every_readable_model_has_a_few_readable_ones(self):
        call = self.make_call()
        for model in self.env.registry:
            if self.env[model]._abstract or self.env[model]._transient or not call.allows_model(model):
                continue
            with self.subTest(model=model):
                names, others = default_fields(call, model)
                self.assertTrue(columns(call, model, names))
                self.assertLessEqual(len(names), MAX_FIELDS)
                self.assertGreaterEqual(others, 0)

    def test_the_name_comes_first(self):
        self.assertEqual(default_fields(self.make_call(), "res.partner")[0][0], "name")


@tagged("post_install", "-at_install", "mcp_full")
class TestDefaultFieldsOfDocuments(McpCase):
    def test_documents_of_money_show_how_much(self):
        self.user.group_ids += self.env.ref("account.group_account_invoice")
        names, _others = default_fields(self.make_call(), "account.move")
        self.assertIn("amount_total", names)
        self.assertNotIn("currency_id", names)
