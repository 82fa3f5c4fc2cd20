import inspect

from odoo.tests import BaseCase, tagged

from ..services import aliases
from ..services.tool import NAME_PATTERN


@tagged("post_install", "-at_install")
class TestAliases(BaseCase):
    def test_conversions(self):
        cases = [
            ("odoo_get_models", {}, "odoo_find_models", {}),
            ("list_models", {"filter": "sale"}, "odoo_find_models", {"query": "sale"}),
            ("odoo_fields_get", {"model": "m", "allfields": ["a"]}, "odoo_describe_model",
             {"model": "m", "fields": ["a"]}),
            ("get_model_fields", {"model_name": "m", "field_filter": "x"}, "odoo_describe_model",
             {"model": "m", "field_query": "x"}),
            ("odoo_get_views", {"model": "m"}, "odoo_describe_model", {"model": "m", "purpose": "actions"}),
            ("odoo_search_read", {"model": "m", "domain": [["a", "=", 1]], "order": "a", "limit": 3},
             "odoo_search_records", {"model": "m", "domain": [["a", "=", 1]], "order": "a", "limit": 3}),
            ("get_record", {"model": "m", "record_id": 7}, "odoo_search_records", {"model": "m", "ids": [7]}),
            ("read", {"model": "m", "ids": [1, 2], "fields": ["name"]}, "odoo_search_records",
             {"model": "m", "ids": [1, 2], "fields": ["name"]}),
            ("count", {"model": "m", "domain": []}, "odoo_search_records",
             {"model": "m", "domain": [], "count_only": True}),
            ("odoo_name_search", {"model": "m", "name": "acme"}, "odoo_search_records",
             {"model": "m", "query": "acme"}),
            ("odoo_create", {"model": "m", "values": {"name": "A"}}, "odoo_create_records",
             {"model": "m", "records": [{"name": "A"}]}),
            ("create_records", {"model": "m", "values_list": [{"name": "A"}]}, "odoo_create_records",
             {"model": "m", "records": [{"name": "A"}]}),
            ("create_record", {"model": "m", "values": '[{"name": "A"}]'}, "odoo_create_records",
             {"model": "m", "records": '[{"name": "A"}]'}),
            ("odoo_write", {"model": "m", "ids": 5, "vals": {"name": "A"}}, "odoo_update_records",
             {"model": "m", "ids": [5], "values": {"name": "A"}}),
            ("update_record", {"model": "m", "record_id": "5", "values": {}}, "odoo_update_records",
             {"model": "m", "ids": ["5"], "values": {}}),
            ("odoo_unlink", {"model": "m", "ids": [5]}, "odoo_delete_records",
             {"model": "m", "ids": [5], "mode": "delete"}),
            ("call_method", {"model": "m", "method": "action_confirm", "ids": [1], "kwargs": {}}, "odoo_run_action",
             {"model": "m", "action": "action_confirm", "ids": [1], "params": {}}),
            ("whoami", {}, "odoo_get_context", {}),
            ("list_companies", {}, "odoo_get_context", {"sections": ["companies"]}),
        ]  # fmt: skip
        for name, sent, tool, expected in cases:
            with self.subTest(name):
                self.assertEqual(aliases.resolve(name, sent), (tool, expected))

    def test_read_group_fields_become_measures(self):
        cases = [
            ({"fields": ["amount_total:sum"], "groupby": ["state"]}, ["amount_total:sum"]),
            ({"fields": ["amount_total"], "groupby": "date:month"}, ["amount_total:sum"]),
            ({"fields": ["total:avg(amount_total)"], "groupby": ["state"]}, ["amount_total:avg"]),
            ({"fields": ["sum(amount_total)"], "groupby": ["state"]}, ["amount_total:sum"]),
            ({"fields": ["state", "date", "amount"], "groupby": ["state", "date:month"]}, ["amount:sum"]),
            ({"fields": "amount,state", "groupby": "state"}, ["amount:sum"]),
            ({"fields": '["amount"]', "groupby": '["state"]'}, ["amount:sum"]),
            ({"fields": ["__count"], "groupby": ["state"]}, None),
            ({"fields": [None, 7, {}], "groupby": ["state"]}, None),
            ({"groupby": ["state"]}, None),
        ]
        for sent, measures in cases:
            with self.subTest(sent=sent):
                tool, arguments = aliases.resolve("odoo_read_group", {"model": "m", **sent})
                self.assertEqual(tool, "odoo_aggregate_records")
                self.assertEqual(arguments.get("measures"), measures)
                self.assertEqual(arguments["group_by"], sent["groupby"])
                self.assertNotIn("fields", arguments)

    def test_unknown_names_are_none(self):
        for name in ("", "search", "odoo_search_records", "sudo", "_call_tool", "SEARCH_READ"):
            self.assertIsNone(aliases.resolve(name, {}))

    def test_what_the_name_implies_wins(self):
        self.assertEqual(aliases.resolve("count", {"count_only": False})[1], {"count_only": True})
        self.assertEqual(aliases.resolve("unlink", {"ids": [1], "mode": "archive"})[1]["mode"], "delete")

    def test_arguments_without_counterpart_pass_unchanged(self):
        sent = {"model": "m", "offset": 10, "context": {"lang": "fr_FR"}}
        self.assertEqual(aliases.resolve("search_read", sent)[1], sent)

    def test_our_own_argument_is_not_overwritten(self):
        arguments = aliases.resolve("get_record", {"ids": [1], "record_id": 2})[1]
        self.assertEqual(arguments, {"ids": [1], "record_id": 2})
        arguments = aliases.resolve("get_record", {"record_id": 2, "ids": [1]})[1]
        self.assertEqual(arguments, {"record_id": 2, "ids": [1]})
        arguments = aliases.resolve("get_record", {"id": 1, "record_id": 2})[1]
        self.assertEqual(arguments, {"ids": [1], "record_id": 2})

    def test_any_json_is_survived_and_the_callers_arguments_stay(self):
        for value in (None, True, 0, 1.5, "", "x", "[", "[1]", [], [[]], {}, {"a": []}):
            for name in aliases.ALIASES:
                sent = {"model": value, "ids": value, "values": value, "fields": value, "groupby": value}
                before = dict(sent)
                tool, arguments = aliases.resolve(name, sent)
                self.assertIsInstance(arguments, dict)
                self.assertEqual(sent, before)
                self.assertTrue(tool)

    def test_every_target_is_a_name_of_ours_and_no_alias(self):
        for name, alias in aliases.ALIASES.items():
            self.assertTrue(NAME_PATTERN.fullmatch(alias.tool), alias.tool)
            self.assertNotIn(alias.tool, aliases.ALIASES)
            self.assertNotEqual(name, alias.tool)

    def test_is_pure(self):
        self.assertNotIn("import odoo", inspect.getsource(aliases))
