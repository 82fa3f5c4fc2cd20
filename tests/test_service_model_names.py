from odoo.tests import BaseCase, tagged

from ..services import model_names


@tagged("post_install", "-at_install")
class TestModelNames(BaseCase):
    def test_words_and_old_names_lead_to_todays_model_first(self):
        cases = {
            "customer": "res.partner",
            "Customers": "res.partner",
            "vendor": "res.partner",
            "invoice": "account.move",
            "INVOICES": "account.move",
            "vendor bill": "account.move",
            "account.invoice": "account.move",
            "account_invoice": "account.move",
            "opportunity": "crm.lead",
            "opportunities": "crm.lead",
            "crm.opportunity": "crm.lead",
            "quotation": "sale.order",
            "sales order": "sale.order",
            "product": "product.template",
            "product variant": "product.product",
            "activity": "mail.activity",
            "hr.holidays": "hr.leave",
            "stock.production.lot": "stock.lot",
            "product.uom": "uom.uom",
            "mail.channel": "discuss.channel",
            "timesheets": "account.analytic.line",
        }
        for name, model in cases.items():
            with self.subTest(name):
                self.assertEqual(model_names.suggest(name)[:1], [model])

    def test_nothing_is_suggested_for_nonsense(self):
        for name in ("", " ", "...", "zzqx", "💥", "a" * 10_000, "res.partner; DROP TABLE"):
            self.assertEqual(model_names.suggest(name), [])

    def test_product_and_variant_are_told_apart(self):
        self.assertEqual(model_names.suggest("product"), ["product.template", "product.product"])
        self.assertEqual(model_names.suggest("sku"), ["product.product"])

    def test_match_grades(self):
        def match(query, name, *labels):
            return model_names.match(model_names.normalized(query), name, *labels)

        self.assertEqual(match("sale.order", "sale.order", "Sales Order"), 100)
        self.assertEqual(match("Sales Orders", "sale.order", "Sales Order"), 100)
        self.assertEqual(match("Verkaufsauftrag", "sale.order", "Verkaufsauftrag", "Sales Order"), 100)
        self.assertEqual(match("account.invoice", "account.move", "Journal Entry"), 95)
        self.assertGreater(match("invoice", "account.move", "Journal Entry"), 90)
        self.assertGreater(match("invoice", "account.move"), match("invoice", "account.invoice.report", "Statistics"))
        self.assertGreater(match("order line", "sale.order.line"), match("order", "sale.order.line"))
        self.assertGreater(match("sale order", "sale.order.line"), match("sale thing", "sale.order.line"))
        self.assertEqual(match("weather", "sale.order", "Sales Order"), 0)

    def test_old_names_do_not_lead_in_circles(self):
        for old, models in model_names.OLD_NAMES.items():
            self.assertNotIn(old, models)
            for model in models:
                self.assertNotIn(model, model_names.OLD_NAMES, f"{old} leads to another old name")
            self.assertNotIn(old, model_names.BUSINESS_MODELS)

    def test_importance_orders_business_before_the_rest(self):
        self.assertLess(model_names.importance("res.partner"), model_names.importance("sale.order.line"))
        self.assertLess(model_names.importance("sale.order.line"), model_names.importance("ir.sequence"))
        self.assertEqual(model_names.importance("ir.sequence"), model_names.importance("x_custom"))
