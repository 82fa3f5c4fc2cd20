import json

from odoo.tests import new_test_user, tagged

from ..services.cursors import verify
from .common import McpCase, altered

TOOL = "odoo_search_records"


@tagged("post_install", "-at_install")
class TestToolSearch(McpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tag = cls.env["res.partner.category"].create({"name": "Searched"})
        cls.partners = cls.env["res.partner"].create(
            [
                {
                    "name": f"Search {number:02}",
                    "email": f"s{number}@search.example",
                    "category_id": [(6, 0, cls.tag.ids)],
                    "comment": "<p>Some <b>bold</b> note</p>",
                }
                for number in range(12)
            ]
        )
        cls.filters = [{"field": "category_id", "op": "eq", "value": str(cls.tag.id)}]

    def ids(self, facts):
        return [row["id"] for row in facts["rows"]]

    def test_declared_small_with_every_argument_described(self):
        spec = self.env["mcp.tool.registry"]._specs()[TOOL]
        definition = spec.definition
        self.assertEqual(definition["annotations"]["readOnlyHint"], True)
        self.assertEqual(definition["inputSchema"]["required"], ["model"])
        self.assertLess(len(json.dumps(definition)), 2_800)

    def test_count_rows_and_text(self):
        result = self.call(TOOL, model="res.partner", filters=self.filters, fields=["name", "email"], order="name")
        facts = result["structuredContent"]
        self.assertEqual((facts["model"], facts["count"]), ("res.partner", 12))
        self.assertEqual(
            facts["rows"][0], {"id": self.partners[0].id, "name": "Search 00", "email": "s0@search.example"}
        )
        lines = result["content"][0]["text"].splitlines()
        self.assertEqual(lines[0], "res.partner: 1 to 12 of 12.")
        self.assertEqual(lines[1], "id\tname\temail")
        self.assertNotIn("next_cursor", facts)

    def test_pages_follow_each_other_without_gap_or_repetition(self):
        arguments = {"model": "res.partner", "filters": self.filters, "fields": ["name"], "limit": 5}
        seen, cursor, pages = [], None, 0
        while pages < 5:
            facts = self.ok(TOOL, **arguments, **({"cursor": cursor} if cursor else {}))
            seen += self.ids(facts)
            self.assertEqual(facts.get("count", facts.get("more")), 12 if len(facts["rows"]) < 5 else True)
            pages += 1
            cursor = facts.get("next_cursor")
            if not cursor:
                break
        self.assertEqual((pages, len(seen), set(seen)), (3, 12, set(self.partners.ids)))

    def test_a_cursor_cannot_change_the_query_nor_its_owner(self):
        arguments = {"model": "res.partner", "filters": self.filters, "fields": ["name"], "limit": 5}
        result = self.call(TOOL, **arguments)
        cursor = result["structuredContent"]["next_cursor"]
        self.assertEqual(result["_meta"]["next_cursor"], cursor)
        self.assertIn(cursor, result["content"][0]["text"])
        for change in (
            {"model": "res.users"},
            {"filters": []},
            {"fields": ["name", "phone"]},
            {"limit": 6},
            {"order": "name desc"},
            {"domain": [["id", ">", 0]]},
            {"archived": "include"},
        ):
            with self.subTest(change=change):
                error = self.fails("invalid_cursor", TOOL, **{**arguments, **change, "cursor": cursor})
                self.assertIn("first call", error["fix"])
        other = new_test_user(self.env, "search_other", groups="base.group_user")
        self.fails("invalid_cursor", TOOL, other, **arguments, cursor=cursor)
        self.fails("invalid_cursor", TOOL, **arguments, cursor=altered(cursor))
        self.fails("invalid_cursor", TOOL, **arguments, cursor="nonsense")
        with self.assertRaises(ValueError):
            verify(cursor, key=b"", scope="")

    def test_count_only(self):
        self.assertEqual(
            self.ok(TOOL, model="res.partner", filters=self.filters, count_only=True),
            {"model": "res.partner", "count": 12},
        )

    def test_ids_come_in_their_order_archived_or_not(self):
        self.partners[3].active = False
        wanted = [self.partners[5].id, self.partners[3].id, self.partners[9].id]
        self.assertEqual(self.ids(self.ok(TOOL, model="res.partner", ids=wanted, fields=["name"])), wanted)

    def test_missing_ids_are_named(self):
        gone = self.env["res.partner"].create({"name": "Gone"})
        gone_id = gone.id
        gone.unlink()
        error = self.fails("not_found", TOOL, model="res.partner", ids=[self.partners[0].id, gone_id])
        self.assertEqual(error["record"], gone_id)
        self.assertIn(str(gone_id), error["message"])

    def test_ids_hidden_by_a_rule_are_missing(self):
        self.env["ir.rule"].create(
            {
                "name": "hide",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "domain_force": f"[('id', '!=', {self.partners[0].id})]",
            }
        )
        self.fails("not_found", TOOL, model="res.partner", ids=self.partners[0].ids)

    def test_nothing_found_is_no_error(self):
        result = self.call(TOOL, model="res.partner", query="no such partner anywhere")
        self.assertEqual(result["structuredContent"]["rows"], [])
        self.assertIn("no records", result["content"][0]["text"])

    def test_wrong_filters_are_errors(self):
        for arguments in (
            {"domain": "[('name','=','x'"},
            {"domain": [["child_ids", "ANY!", [["id", ">", 0]]]]},
            {"domain": [["parent_id", "=", "Acme"]]},
            {"filters": [{"field": "name", "op": "eq"}]},
        ):
            with self.subTest(arguments=arguments):
                result = self.call(TOOL, model="res.partner", **arguments)
                self.assertTrue(result["isError"])
                self.assertIn(result["structuredContent"]["error"]["code"], ("invalid_filter", "invalid_arguments"))

    def test_smart_default_fields(self):
        result = self.call(TOOL, model="res.partner", filters=self.filters)
        row = result["structuredContent"]["rows"][0]
        self.assertIn("email", row)
        self.assertLessEqual(len(row), 10)
        self.assertIn("name", list(row)[1])
        for name, value in row.items():
            field = self.env["res.partner"]._fields[name]
            self.assertNotIn(field.type, ("binary", "html", "one2many", "many2many"), name)
            self.assertFalse(isinstance(value, bytes), name)
        self.assertEqual(result["_meta"]["default_fields"], [name for name in row if name != "id"])
        self.assertGreater(result["_meta"]["other_fields"], 10)

    def test_closed_fields_are_no_default_and_cannot_be_asked_for(self):
        self.patch(self.env["res.partner"]._fields["email"], "groups", "base.group_system")
        self.env.registry.clear_cache()
        self.env.registry._mcp_schema_cache = None
        del self.env.registry._mcp_schema_cache
        facts = self.ok(TOOL, model="res.partner", filters=self.filters)
        self.assertNotIn("email", facts["rows"][0])
        for name in ("email", "parent_id.email"):
            self.fails("access_denied", TOOL, model="res.partner", fields=["name", name])
        self.fails("policy_denied", TOOL, model="res.users", fields=["login", "password"])
        self.fails("policy_denied", TOOL, model="ir.config_parameter")

    def test_unknown_field_is_answered_with_the_nearest(self):
        error = self.fails("unknown_field", TOOL, model="res.partner", fields=["emial"])
        self.assertIn("email", error["nearest"])

    def test_all_fields_only_for_a_few_records(self):
        self.fails("too_many_fields", TOOL, model="res.partner", fields=["*"])
        facts = self.ok(TOOL, model="res.partner", ids=self.partners[0].ids, fields=["*"])
        self.assertGreater(len(facts["rows"][0]), 20)

    def test_budget_holds_and_the_cursor_goes_on_after_what_was_shown(self):
        self.partners.comment = "<p>" + "long text " * 400 + "</p>"
        arguments = {"model": "res.partner", "filters": self.filters, "fields": ["name", "comment"], "order": "name"}
        result = self.call(TOOL, **arguments)
        self.assertLess(len(result["content"][0]["text"]), 21_500)
        self.assertTrue(result["_meta"]["truncated"])
        shown = self.ids(result["structuredContent"])
        self.assertLess(len(shown), 12)
        following = self.ok(TOOL, **arguments, cursor=result["structuredContent"]["next_cursor"])
        self.assertEqual(self.ids(following)[0], self.partners[len(shown)].id)

    def test_limit_above_the_most_is_lowered_and_said(self):
        result = self.call(TOOL, model="res.partner", filters=self.filters, fields=["name"], limit=100_000)
        self.assertIn("200", " ".join(result["_meta"]["warnings"]))

    def test_json_format(self):
        result = self.call(TOOL, model="res.partner", ids=self.partners[0].ids, fields=["name"], format="json")
        self.assertIn('"name":"Search 00"', result["content"][0]["text"])

    def test_records_of_a_rule_protected_model_stay_hidden(self):
        company = self.env["res.company"].create({"name": "Other company"})
        hidden = self.env["res.partner"].create({"name": "Search hidden", "company_id": company.id})
        facts = self.ok(TOOL, model="res.partner", query="Search hidden")
        self.assertNotIn(hidden.id, self.ids(facts))

    def test_search_needs_few_queries(self):
        arguments = {"domain": [["category_id", "=", self.tag.id]], "fields": ["name", "email", "phone"], "limit": 20}
        self.ok(TOOL, model="res.partner", **arguments)
        registry = self.registry_as()
        call = self.make_call()
        call.env.invalidate_all()
        # Search and read; the record rules' companies are in the call's environment already.
        with self.assertQueryCount(3):
            registry._tool_search_records(call, model="res.partner", **arguments)
