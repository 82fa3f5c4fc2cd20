from odoo.tests import tagged

from .test_missing_values import AskedCase


@tagged("post_install", "-at_install", "mcp_full")
class TestCompanyChoice(AskedCase):
    """A user of two companies has quotations made."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.first = cls.user.company_id
        cls.second = cls.env["res.company"].create({"name": "Second Company"})
        cls.user.company_ids += cls.second
        cls.user.group_ids += cls.env.ref("sales_team.group_sale_salesman")
        cls.customer = cls.env["res.partner"].create({"name": "Customer"})

    def create(self, answers=None, *, capabilities=None, more=None, **values):
        values = {"partner_id": self.customer.id, **values}
        arguments = {"model": "sale.order", "records": [values], **(more or {})}
        return self.send("odoo_create_records", arguments, answers, capabilities=capabilities)

    def company_of(self, result):
        self.assertFalse(result.get("isError", True), result)
        return self.env["sale.order"].browse(result["structuredContent"]["ids"]).company_id

    def test_person_says_in_which_company(self):
        message, properties = self.asked(self.create(), "company")
        self.assertIn("in which company", message)
        choices = {choice["title"]: choice["const"] for choice in properties["company"]["oneOf"]}
        self.assertEqual(set(choices), {self.first.name, "Second Company"})
        self.assertEqual(properties["company"]["default"], str(self.first.id))
        result = self.create({"company": {"company": choices["Second Company"]}})
        self.assertEqual(self.company_of(result), self.second)
        self.assertIn(f"company_id={self.second.id}", result["content"][0]["text"])
        for wrong in ("999999", "Second Company", self.second.id, ""):
            self.asked(self.create({"company": {"company": wrong}}), "company")

    def test_nobody_is_asked_where_it_is_said_or_follows(self):
        placed = self.env["res.partner"].create({"name": "Placed", "company_id": self.first.id})
        for more, values in (
            ({"company_id": self.second.id}, {}),
            ({}, {"company_id": self.first.id}),
            ({}, {"partner_id": placed.id}),
        ):
            with self.subTest(more=more, values=values):
                self.company_of(self.create(more=more, **values))
        result = self.send("odoo_create_records", {"model": "res.partner", "records": [{"name": "Shared by all"}]})
        self.assertFalse(result["isError"])

    def test_nobody_is_asked_who_cannot_be_or_should_not_be(self):
        self.assertEqual(self.company_of(self.create(capabilities={})), self.first)
        self.assertFalse(self.create(more={"dry_run": True})["isError"])
        self.profiles["full"].confirmation = "never"
        self.assertEqual(self.company_of(self.create()), self.first)

    def test_user_of_one_company_is_not_asked(self):
        self.user.company_ids = self.first
        self.assertEqual(self.company_of(self.create()), self.first)
