from shutil import which as find_executable
from unittest import skipUnless
from unittest.mock import patch

from odoo.tests import tagged
from odoo.tools import mute_logger

from ..models.attachment_text import read_pages
from ..models.reports import render_pdf
from ..services.untrusted import parts
from .common import McpCase


@tagged("post_install", "-at_install")
class TestToolReport(McpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.record = cls.env["res.partner"].create({"name": "Acme & <Sons>"})
        cls.env["ir.ui.view"].create(
            {
                "name": "card",
                "type": "qweb",
                "key": "mcp_test.card",
                "arch": """<t t-name="mcp_test.card"><t t-call="web.html_container"><main>
                    <style>p { color: red }</style><script>alert(1)</script>
                    <p t-foreach="docs" t-as="doc">Card of <b t-out="doc.name"/></p>
                    <p t-out="'word ' * 6000" t-if="docs[:1].comment"/>
                </main></t></t>""",
            }
        )
        cls.report = cls.env["ir.actions.report"].create(
            {"name": "Card", "model": "res.partner", "report_type": "qweb-pdf", "report_name": "mcp_test.card"}
        )

    def render(self, **arguments):
        return self.ok("odoo_render_report", model="res.partner", ids=self.record.ids, **arguments)

    def said(self, result):
        """Return what a report says; all of it stands inside the boundary, as outsiders may have a part in it."""
        opening, content, closing = parts(result["content"])
        self.assertTrue(opening.startswith("<untrusted id=") and closing)
        return content

    def test_reports_are_listed_by_the_users_groups(self):
        listed = self.ok("odoo_render_report", model="res.partner")["reports"]
        self.assertIn({"id": self.report.id, "report": "mcp_test.card", "name": "Card", "type": "pdf"}, listed)
        self.report.group_ids = self.env.ref("base.group_system")
        self.assertNotIn("mcp_test.card", str(self.ok("odoo_render_report", model="res.partner")))
        for wanted in ("mcp_test.card", "Card", str(self.report.id)):
            self.fails("not_found", "odoo_render_report", model="res.partner", ids=self.record.ids, report=wanted)

    def test_text_is_for_reading(self):
        for wanted in ("mcp_test.card", "card", str(self.report.id)):
            with self.subTest(report=wanted):
                self.assertEqual(self.said(self.render(report=wanted)), "Card of **Acme & <Sons>**")

    def test_html_has_no_scripts(self):
        content = self.render(report="Card", format="html")["content"]
        self.assertIn("Acme &amp; &lt;Sons&gt;", content)
        for gone in ("<script", "alert", "<style", "color", "<link"):
            self.assertNotIn(gone, content)

    def test_long_reports_come_in_parts(self):
        self.record.comment = "long"
        first = self.render(report="Card")
        self.assertEqual(len(self.said(first)), 20_000)
        second = self.render(report="Card", cursor=first["next_cursor"])
        self.assertEqual(len(self.said(first)) + len(self.said(second)), first["characters"])

    def test_pdf_is_a_link_or_says_what_is_missing(self):
        reports = type(self.env["ir.actions.report"])
        with patch.object(reports, "get_wkhtmltopdf_state", lambda self: "install"):
            error = self.fails(
                "no_pdf", "odoo_render_report", model="res.partner", ids=self.record.ids, report="Card", format="pdf"
            )
            self.assertIn("wkhtmltopdf", error["message"])
        with patch.object(reports, "get_wkhtmltopdf_state", lambda self: "ok"):
            self.assertIn("/mcp/files/", self.render(report="Card", format="pdf")["url"])

    @skipUnless(find_executable("wkhtmltopdf"), "wkhtmltopdf is not installed")
    # There is no server to fetch styles from while this test runs.
    @mute_logger("odoo.addons.base.models.ir_actions_report")
    def test_a_real_pdf_says_what_the_report_says(self):
        call = self.make_call("odoo_render_report")
        call.env = call.env(context={**call.env.context, "force_report_rendering": True})
        self.assertIn("/mcp/files/", self.render(report="Card", format="pdf")["url"])
        content = render_pdf(call, self.report.id, call.records("res.partner", "read", self.record.ids))
        self.assertEqual((content.mimetype, content.data[:5]), ("application/pdf", b"%PDF-"))
        self.assertTrue(content.name.startswith("Card"))
        pages = read_pages(content, None)
        self.assertEqual((pages.unit, pages.count), ("page", 1))
        self.assertIn("Card of Acme & <Sons>", " ".join(pages.text.split()))
        filed = [("res_model", "=", "res.partner"), ("name", "like", "Card")]
        self.assertFalse(self.env["ir.attachment"].search(filed))

    def test_records_and_models_stay_closed(self):
        arguments = {"report": "Card", "model": "res.partner"}
        self.fails("not_found", "odoo_render_report", ids=[2**30], **arguments)
        self.fails("invalid_arguments", "odoo_render_report", ids=[], **arguments)
        self.fails("policy_denied", "odoo_render_report", model="ir.cron", ids=[1], report="x")
        self.fails("not_found", "odoo_render_report", model="res.partner", ids=self.record.ids, report="sale.report")

    def test_hidden_records_are_not_printed(self):
        model = self.env["ir.model"]._get("res.partner").id
        self.env["ir.rule"].create(
            {"name": "hide", "model_id": model, "domain_force": f"[('id', '!=', {self.record.id})]"}
        )
        self.fails("not_found", "odoo_render_report", model="res.partner", ids=self.record.ids, report="Card")


@tagged("post_install", "-at_install", "mcp_full")
class TestToolReportFull(McpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.user.group_ids += cls.env.ref("account.group_account_invoice")

    def test_an_invoice_is_read_as_text_without_a_write(self):
        invoice = self.env["account.move"].search(
            [("move_type", "=", "out_invoice"), ("state", "=", "posted"), ("company_id", "=", self.user.company_id.id)],
            limit=1,
        )
        written = invoice.write_date
        arguments = {"model": "account.move", "ids": invoice.ids, "report": "account.report_invoice_with_payments"}
        content = self.ok("odoo_render_report", **arguments)["content"]
        self.assertIn(invoice.name, content)
        self.assertIn(invoice.invoice_line_ids[0].product_id.name, content)
        self.assertNotIn("<div", content)
        # Its template makes a portal link, with a token that is written; nothing of that is kept.
        self.env.invalidate_all()
        self.assertEqual(invoice.write_date, written)

    def test_threads_of_documents_are_read(self):
        for model in ("account.move", "res.partner"):
            record = self.env[model].search([("message_ids", "!=", False)], limit=1, order="id")
            self.assertTrue(self.ok("odoo_read_thread", model=model, id=record.id)["messages"])
