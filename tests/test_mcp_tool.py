import json

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import mute_logger

from ..services.errors import InvalidParams
from ..services.exchange import Narrowing
from ..services.schema import assert_portable
from .custom_tools import CustomToolCase


@tagged("post_install", "-at_install")
class TestMcpTool(CustomToolCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.governor = new_test_user(cls.env, "mcp_governor", groups="base.group_user,mcp_endpoint.group_mcp_admin")
        cls.env["mcp.tool"].action_open_tools()

    def row(self, name):
        return self.env["mcp.tool"].search([("name", "=", name)])

    def unknown(self, name, message="Unknown tool"):
        with self.assertRaisesRegex(InvalidParams, message):
            self.registry_as()._call_tool(self.exchange(params={"name": name, "arguments": {}}))

    def test_opening_the_list_gives_each_tool_of_the_code_a_row_and_changes_nothing(self):
        coded = self.env["mcp.tool.registry"]._coded()
        before = list(self.listed())
        action = self.env["mcp.tool"].with_user(self.governor).action_open_tools()
        self.assertEqual(action["res_model"], "mcp.tool")
        rows = self.env["mcp.tool"].search([("source", "=", "code")])
        self.assertEqual(set(rows.mapped("name")), set(coded))
        self.assertFalse(any(rows.mapped("is_changed")))
        self.assertFalse(any(rows.mapped("problem")))
        self.assertEqual(list(self.listed()), before)
        # In the order in which they are listed, as far as they are.
        self.assertEqual([name for name in rows.mapped("name") if name in before], before)

    def test_rows_show_what_the_code_says_and_hold_no_copy_of_it(self):
        row = self.row("odoo_search_records")
        spec = self.env["mcp.tool.registry"]._coded()["odoo_search_records"]
        self.assertEqual((row.shown_description, row.shown_toolset), (spec.description, spec.toolset))
        self.assertEqual((row.access, row.description, row.toolset), ("read", False, False))
        self.assertEqual(json.loads(row.preview), json.loads(json.dumps(spec.definition)))
        self.assertEqual(row.size, len(json.dumps(spec.definition, ensure_ascii=False, separators=(",", ":"))))

    def test_switched_off_tool_is_unknown_at_once(self):
        self.ok("odoo_get_context")
        self.row("odoo_get_context").is_enabled = False
        self.assertNotIn("odoo_get_context", self.listed())
        self.unknown("odoo_get_context")
        self.row("odoo_search_records").is_enabled = False
        self.unknown("search_read")
        self.row("odoo_get_context").is_enabled = True
        self.assertIn("odoo_get_context", self.listed())
        self.ok("odoo_get_context")

    def test_a_change_that_is_rolled_back_leaves_the_list_as_it_was(self):
        before = self.listed()
        with self.assertRaises(ZeroDivisionError), self.env.cr.savepoint():
            self.row("odoo_get_context").is_enabled = False
            self.assertNotIn("odoo_get_context", self.listed())
            raise ZeroDivisionError
        self.env.registry.reset_changes()
        self.assertEqual(self.listed(), before)

    def test_every_worker_is_told(self):
        self.env.registry.cache_invalidated.clear()
        self.row("odoo_get_context").description = "Who you are, and where."
        self.assertIn("default", self.env.registry.cache_invalidated)

    def test_description_toolset_and_listing_replace_those_of_the_code(self):
        row = self.row("odoo_get_context")
        row.write({"description": "Who  you\nare.", "toolset": "find"})
        self.assertEqual(self.listed()["odoo_get_context"]["description"], "Who you are.")
        self.assertIn("odoo_get_context", self.listed(narrowing=Narrowing(toolsets=frozenset({"find"}))))
        self.assertNotIn("odoo_get_context", self.listed(narrowing=Narrowing(toolsets=frozenset({"core"}))))
        row.listing = "request"
        self.assertNotIn("odoo_get_context", self.listed())
        self.ok("odoo_get_context")
        self.row("odoo_batch").listing = "default"
        self.assertIn("odoo_batch", self.listed())

    def test_profiles_follow_the_toolset(self):
        self.row("odoo_run_action").toolset = "bi"
        self.profiles["analyst"].write({"access_level": "write"})
        self.assertIn("odoo_run_action", self.listed(profile="analyst"))
        self.row("odoo_get_context").toolset = "files"
        self.assertNotIn("odoo_get_context", self.listed(profile="analyst"))
        self.fails("policy_denied", "odoo_get_context", profile="analyst")

    def test_dragging_sorts_the_list(self):
        rows = self.env["mcp.tool"].search([])
        last = rows[-1]
        (last | rows[:-1]).web_resequence({"sequence": {}}, field_name="sequence")
        self.assertEqual(self.env["mcp.tool"].search([])[0], last)
        every = self.listed(narrowing=Narrowing(toolsets=frozenset({"all"})))
        self.assertEqual(
            list(every), [name for name in self.env["mcp.tool"].search([]).mapped("name") if name in every]
        )
        self.assertEqual(next(iter(every)), last.name)

    def test_restoring_brings_back_what_the_code_says(self):
        before = self.listed()
        row = self.row("odoo_get_context")
        row.write(
            {"description": "Other.", "toolset": "find", "is_enabled": False, "sequence": 1, "listing": "request"}
        )
        self.assertTrue(row.is_changed)
        row.action_restore()
        self.assertFalse(row.is_changed)
        self.assertEqual(self.listed(), before)

    def test_row_of_a_tool_that_is_gone_is_harmless_and_goes_if_it_says_nothing(self):
        row, kept = self.row("odoo_get_context"), self.row("odoo_undo")
        kept.is_enabled = False
        registry = type(self.env["mcp.tool.registry"])
        coded = self.env["mcp.tool.registry"]._coded()
        rest = {name: spec for name, spec in coded.items() if name not in ("odoo_get_context", "odoo_undo")}
        self.patch(registry, "_coded", lambda _self: rest)
        row.invalidate_recordset()
        self.assertIn("no longer installed", row.problem)
        self.listed()
        self.env["mcp.tool"].action_open_tools()
        self.assertFalse(row.exists())
        self.assertTrue(kept.exists())

    def test_revert_button_and_links_do_not_crash_without_their_tool(self):
        self.row("odoo_undo").is_enabled = False
        partner = self.ok("odoo_create_records", model="res.partner", records=[{"name": "Made by AI"}])
        change = self.env["mcp.change"].search([("res_id", "=", partner["ids"][0]), ("model", "=", "res.partner")])
        self.assertTrue(change.with_user(self.user).action_revert())
        self.assertFalse(self.env["res.partner"].browse(partner["ids"]).exists())

    def test_listing_asks_the_database_nothing_for_the_decisions(self):
        self.make("azure_kiosks", "filter", self.saved_filter())
        exchange = self.exchange(method="tools/list")
        registry = self.registry_as()
        registry._listing(exchange)
        first = registry._specs()
        with self.assertQueryCount(0):
            registry._listing(exchange)
        self.assertIs(registry._specs(), first)

    def test_made_tools_are_listed_in_the_portable_dialect_and_as_json(self):
        self.make(
            "every_kind", "filter", self.saved_filter(),
            *((kind, kind, {}) for kind in ("text", "number", "integer", "boolean", "date", "datetime")),
            ("pick", "selection", {"options": "red, green", "default_value": "red"}),
            ("contact", "record", {"model_name": "res.partner", "is_required": True}),
            ("contacts", "records", {"model_name": "res.partner"}),
        )  # fmt: skip
        definition = self.listed()["every_kind"]
        assert_portable(definition["inputSchema"])
        self.assertEqual(json.loads(json.dumps(definition)), definition)
        schema = definition["inputSchema"]
        self.assertEqual(schema["required"], ["contact"])
        self.assertEqual(schema["properties"]["pick"]["enum"], ["red", "green"])
        self.assertIn("Default: red.", schema["properties"]["pick"]["description"])
        self.assertTrue(definition["annotations"]["readOnlyHint"])
        self.assertNotIn("company_id", schema["properties"])

    def test_tool_without_arguments_has_a_property_for_clients_that_need_one(self):
        self.make("paint_all", "action", self.server_action("pass"))
        self.assertTrue(self.listed()["paint_all"]["inputSchema"]["properties"])

    def test_tool_vanishes_with_its_source_and_says_so_when_called(self):
        contact = ("contact", "record", {"model_name": "res.partner", "is_required": True})
        cases = {
            "of_action": ("action", self.server_action("pass"), ()),
            "of_filter": ("filter", self.saved_filter(), ()),
            "of_template": ("template", self.template(), (contact,)),
        }
        for name, (source, origin, arguments) in cases.items():
            with self.subTest(source):
                tool = self.make(name, source, origin, *arguments)
                self.assertIn(name, self.listed())
                origin.unlink()
                tool.invalidate_recordset()
                self.assertNotIn(name, self.listed())
                self.unknown(name, "what it was made of is gone")
                self.assertIn("deleted", tool.problem)
                with self.assertRaisesRegex(ValidationError, "Choose what"):
                    tool.title = "Still here"
                tool.is_enabled = False
                self.unknown(name)

    def test_archived_source_counts_as_gone_until_it_is_restored(self):
        origin = self.saved_filter()
        self.make("of_filter", "filter", origin)
        origin.active = False
        self.assertNotIn("of_filter", self.listed())
        origin.active = True
        self.assertIn("of_filter", self.listed())

    def test_tool_of_an_addon_that_comes_later_wins(self):
        tool = self.make("of_filter", "filter", self.saved_filter())
        coded = self.env["mcp.tool.registry"]._coded()
        theirs = {**coded, "of_filter": coded["odoo_get_context"]}
        self.patch(type(self.env["mcp.tool.registry"]), "_coded", lambda _self: theirs)
        self.env.registry.clear_cache()
        tool.invalidate_recordset()
        self.assertEqual(self.env["mcp.tool.registry"]._specs()["of_filter"], coded["odoo_get_context"])
        self.assertIn("listed instead", tool.problem)

    def test_only_administrators_see_and_write_tools(self):
        tool = self.make("of_filter", "filter", self.saved_filter(), ("city", "text", {}))
        for record in (tool, tool.argument_ids):
            for operation in ("read", "write", "create", "unlink"):
                self.assertFalse(record.with_user(self.user).has_access(operation), operation)
                self.assertTrue(record.with_user(self.governor).has_access(operation), operation)
        for call in (lambda tools: tools.action_open_tools(), lambda tools: tools.search([])):
            with self.assertRaises(AccessError):
                call(self.env["mcp.tool"].with_user(self.user))
        with self.assertRaises(AccessError):
            tool.with_user(self.user).action_restore()

    @mute_logger("odoo.addons.base.models.ir_model")
    def test_nobody_makes_a_tool_of_what_they_may_not_see(self):
        with self.assertRaises(AccessError):
            self.make("paint_all", "action", self.server_action("pass"), user=self.governor)
        own = self.saved_filter(user_ids=[(6, 0, self.user.ids)])
        with self.assertRaises(AccessError):
            self.make("someone_elses", "filter", own, user=self.governor)
        self.make("for_all", "filter", self.saved_filter(), user=self.governor)

    def test_administrator_of_mcp_reads_the_whole_list(self):
        self.make("paint_all", "action", self.server_action("pass"))
        specification = {
            name: {} for name in ("name", "shown_description", "preview", "problem", "access", "size", "model_name")
        } | {"server_action_id": {"fields": {"display_name": {}}}}
        rows = self.env["mcp.tool"].with_user(self.governor).web_search_read([], specification)["records"]
        self.assertIn("paint_all", [row["name"] for row in rows])

    def test_choosing_a_source_adds_the_argument_for_its_record(self):
        form = Form(self.env["mcp.tool"])
        form.name, form.source, form.description = "welcome", "template", "Welcomes a new contact."
        form.template_id = self.template()
        tool = form.save()
        argument = tool.argument_ids
        self.assertEqual((argument.kind, argument.model_name, argument.is_required), ("record", "res.partner", True))
        self.assertEqual(self.listed()["welcome"]["inputSchema"]["required"], ["record"])

    def test_copy_has_a_name_of_its_own(self):
        tool = self.make("of_filter", "filter", self.saved_filter(), ("city", "text", {}))
        self.assertEqual((tool.copy().name, tool.copy({"name": "x_y_z"}).argument_ids.name), ("of_filter_copy", "city"))

    def test_preview_follows_what_is_typed(self):
        tool = self.env["mcp.tool"].new(
            {"name": "draft_tool", "source": "filter", "filter_id": self.saved_filter().id, "description": "Draft."}
        )
        self.assertEqual(json.loads(tool.preview)["name"], "draft_tool")
        self.assertGreater(tool.size, 100)
        tool.name = False
        self.assertTrue(tool.preview)
