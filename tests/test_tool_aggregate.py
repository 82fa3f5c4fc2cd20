import json

from odoo.tests import tagged

from .common import McpCase

TOOL = "odoo_aggregate_records"


@tagged("post_install", "-at_install")
class TestToolAggregate(McpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tag = cls.env["res.partner.category"].create({"name": "Grouped"})
        cls.fr, cls.be = cls.env.ref("base.fr"), cls.env.ref("base.be")
        cls.partners = cls.env["res.partner"].create(
            [
                {"name": f"Group {n}", "color": n, "country_id": (cls.fr if n < 3 else cls.be).id,
                 "category_id": [(6, 0, cls.tag.ids)], "is_company": n % 2 == 0}
                for n in range(5)
            ]
        )  # fmt: skip
        cls.filters = [{"field": "category_id", "op": "eq", "value": str(cls.tag.id)}]

    def dated(self, *moments):
        for partner, moment in zip(self.partners, moments, strict=False):
            self.env.cr.execute("UPDATE res_partner SET create_date = %s WHERE id = %s", [moment, partner.id])
        self.env.invalidate_all()

    def grouped(self, **arguments):
        return self.ok(TOOL, model="res.partner", filters=self.filters, **arguments)

    def test_declared(self):
        definition = self.env["mcp.tool.registry"]._specs()[TOOL].definition
        self.assertTrue(definition["annotations"]["readOnlyHint"])
        self.assertEqual(definition["inputSchema"]["required"], ["model"])
        self.assertLess(len(json.dumps(definition)), 2_600)

    def test_groups_measures_and_totals(self):
        result = self.call(
            TOOL, model="res.partner", filters=self.filters, group_by=["country_id"],
            measures=["count", "color:sum", "color:avg"], order="count desc", totals=True,
        )  # fmt: skip
        facts = result["structuredContent"]
        self.assertEqual(
            facts["rows"],
            [
                {"country_id": {"id": self.fr.id, "name": "France"}, "__count": 3, "color:sum": 3, "color:avg": 1.0},
                {"country_id": {"id": self.be.id, "name": "Belgium"}, "__count": 2, "color:sum": 7, "color:avg": 3.5},
            ],
        )
        self.assertEqual(facts["totals"], {"__count": 5, "color:sum": 10, "color:avg": 2.0})
        lines = result["content"][0]["text"].splitlines()
        self.assertEqual(lines[0], "res.partner: 2 groups by country_id.")
        self.assertEqual(lines[1], "country_id\t__count\tcolor:sum\tcolor:avg")
        self.assertIn("Total: ", result["content"][0]["text"])

    def test_short_forms(self):
        self.assertEqual(self.grouped()["rows"], [{"__count": 5}])
        facts = self.grouped(group_by="is_company", measures="color", order="color desc")
        self.assertEqual(facts["rows"], [{"is_company": True, "color:sum": 6}, {"is_company": False, "color:sum": 4}])
        by_path = self.grouped(group_by=["country_id.code"])
        self.assertEqual([row["country_id.code"] for row in by_path["rows"]], ["BE", "FR"])

    def test_dates_are_cut_in_the_callers_zone(self):
        self.user.tz = "Asia/Tokyo"
        # 20:00 UTC on 31 January is February in Tokyo.
        self.dated("2025-01-31 20:00:00", "2025-01-31 10:00:00", "2025-04-15 00:00:00", "2025-04-15 00:00:00")
        among = [["id", "in", self.partners[:4].ids]]
        cases = [
            ("month", {"2025-01": 1, "2025-02": 1, "2025-04": 2}),
            ("quarter", {"2025-Q1": 2, "2025-Q2": 2}),
            ("year", {"2025": 4}),
            ("day", {"2025-01-31": 1, "2025-02-01": 1, "2025-04-15": 2}),
        ]
        for granularity, expected in cases:
            with self.subTest(granularity=granularity):
                term = f"create_date:{granularity}"
                rows = self.grouped(group_by=[term], domain=among)["rows"]
                self.assertEqual({row[term]: row["__count"] for row in rows}, expected)
        for name, count in (("2025-01", 1), ("2025-Q1", 2), ("2025-02-01", 1)):
            within = {"field": "create_date", "op": "within", "value": name}
            found = self.ok(TOOL, model="res.partner", filters=[*self.filters, within], domain=among)
            self.assertEqual(found["rows"], [{"__count": count}], "a group's name is a filter for it")

    def test_iso_weeks(self):
        self.env["res.lang"]._lang_get(self.user.lang).sudo().week_start = "1"
        self.dated("2026-01-28 12:00:00")
        rows = self.grouped(group_by=["create_date:week"], domain=[["id", "=", self.partners[0].id]])["rows"]
        self.assertEqual(rows, [{"create_date:week": "2026-W05", "__count": 1}])

    def test_gaps_are_filled(self):
        self.dated("2025-01-10 12:00:00", "2025-04-10 12:00:00")
        among = [["id", "in", self.partners[:2].ids]]
        facts = self.grouped(group_by=["create_date"], measures=["color:sum", "count"], domain=among, fill_gaps=True)
        self.assertEqual(
            [(row["create_date:month"], row["__count"]) for row in facts["rows"]],
            [("2025-01", 1), ("2025-02", 0), ("2025-03", 0), ("2025-04", 1)],
        )
        result = self.call(TOOL, model="res.partner", group_by=["country_id"], fill_gaps=True)
        self.assertIn("fill_gaps was left out", " ".join(result["_meta"]["warnings"]))

    def test_pages(self):
        arguments = {"group_by": ["color"], "limit": 2}
        seen, cursor = [], None
        for _page in range(5):
            facts = self.grouped(**arguments, **({"cursor": cursor} if cursor else {}))
            seen += [row["color"] for row in facts["rows"]]
            cursor = facts.get("next_cursor")
            if not cursor:
                break
        self.assertEqual(seen, [0, 1, 2, 3, 4])
        cursor = self.grouped(**arguments)["next_cursor"]
        self.fails("invalid_cursor", TOOL, model="res.partner", group_by=["color"], limit=2, cursor=cursor)

    def test_wrong_terms_are_errors_that_teach(self):
        cases = [
            ({"measures": ["name:sum"]}, "invalid_measure"),
            ({"measures": ["color:median"]}, "invalid_measure"),
            ({"measures": ["colour:sum"]}, "unknown_field"),
            ({"group_by": ["child_ids"]}, "invalid_group_by"),
            ({"group_by": ["create_date:fortnight"]}, "invalid_group_by"),
            ({"group_by": ["country_id:month"]}, "invalid_group_by"),
            ({"group_by": ["nmae"]}, "unknown_field"),
            ({"group_by": ["country_id"], "order": "name"}, "invalid_order"),
            ({"group_by": ["country_id"], "order": "credit_limit:max desc"}, "invalid_order"),
            ({"domain": [["child_ids", "ANY!", []]]}, "invalid_filter"),
        ]
        for arguments, code in cases:
            with self.subTest(arguments=arguments):
                self.fails(code, TOOL, model="res.partner", **arguments)
        error = self.fails("invalid_measure", TOOL, model="res.partner", measures=["name:sum"])
        self.assertIn("color", error["message"])

    def test_closed_fields_and_models_stay_closed(self):
        self.patch(self.env["res.partner"]._fields["color"], "groups", "base.group_system")
        for arguments in (
            {"measures": ["color:sum"]},
            {"group_by": ["color"]},
            {"group_by": ["parent_id.color"]},
        ):
            with self.subTest(arguments=arguments):
                self.fails("access_denied", TOOL, model="res.partner", **arguments)
        self.fails("policy_denied", TOOL, model="res.users", group_by=["password"])
        self.fails("policy_denied", TOOL, model="ir.attachment")
        result = self.call(TOOL, model="res.users", measures=["password:max"])
        self.assertEqual(result["structuredContent"]["error"]["code"], "policy_denied")
        result = self.call(TOOL, model="res.users", order="password:max desc", group_by=["company_id"])
        self.assertTrue(result["isError"])

    def test_no_records_is_no_error(self):
        nobody = [["id", "=", 2**31 - 1]]
        self.assertEqual(self.grouped(domain=nobody, group_by=["country_id"])["rows"], [])
        self.assertEqual(
            self.grouped(domain=nobody, measures=["color:sum", "color:avg"])["rows"],
            [{"color:sum": 0, "color:avg": None}],
        )


@tagged("post_install", "-at_install", "mcp_full")
class TestToolAggregateAmounts(McpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.user.group_ids += cls.env.ref("sales_team.group_sale_salesman_all_leads")

    def test_amounts_have_their_currency(self):
        facts = self.ok(TOOL, model="sale.order", group_by=["date_order:month", "state"], measures=["amount_total:sum"])
        self.assertEqual(list(facts["currencies"]), ["amount_total:sum"])

    def test_mixed_currencies_are_told(self):
        orders = self.env["sale.order"].search([("amount_total", ">", 0)], limit=2)
        other = (
            self.env["res.currency"]
            .with_context(active_test=False)
            .search([("id", "!=", orders[0].currency_id.id)], limit=1)
        )
        other.active = True
        self.env.cr.execute("UPDATE sale_order SET currency_id = %s WHERE id = %s", [other.id, orders[1].id])
        self.env.invalidate_all()
        arguments = {"model": "sale.order", "domain": [["id", "in", orders.ids]]}
        result = self.call(TOOL, **arguments, measures=["amount_total:sum"])
        self.assertNotIn("currencies", result["structuredContent"])
        self.assertIn("sum_currency", " ".join(result["_meta"]["warnings"]))
        facts = self.ok(TOOL, **arguments, measures=["amount_total:sum_currency"])
        self.assertEqual(facts["currencies"]["amount_total:sum_currency"], self.env.company.currency_id.name)
        facts = self.ok(TOOL, **arguments, measures=["amount_total:sum"], group_by=["currency_id"])
        self.assertEqual(len(facts["rows"]), 2)
