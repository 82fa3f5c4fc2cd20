from odoo.exceptions import ValidationError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger
from psycopg2 import IntegrityError

from ..models import mcp_tool_checks
from .custom_tools import CustomToolCase

CONTACT = ("contact", "record", {"model_name": "res.partner", "is_required": True})


@tagged("post_install", "-at_install")
class TestMcpToolChecks(CustomToolCase):
    def refused(self, message, name="kiosks", source="filter", origin=None, *arguments, **values):
        before = self.env["mcp.tool"].search_count([])
        with self.assertRaisesRegex(ValidationError, message), self.env.cr.savepoint():
            self.make(name, source, origin or self.saved_filter(), *arguments, **values)
        self.assertEqual(self.env["mcp.tool"].search_count([]), before)

    def test_names_that_clients_refuse_are_refused(self):
        for name in ("ab", "Kiosks", "kiosk-list", "kiosk.list", "1kiosk", "kiosk list", "k" * 33, "kïosks", "a/b",
                     "kiosks\n", "__class__"):  # fmt: skip
            with self.subTest(name):
                self.refused("3 to 32 lower-case letters", name)

    def test_names_of_tools_and_aliases_are_taken(self):
        for name in ("odoo_search_records", "odoo_anything", "search", "fetch", "search_read"):
            with self.subTest(name):
                self.refused("Choose another name", name)
        self.make("kiosks", "filter", self.saved_filter())
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError), self.env.cr.savepoint():
            self.make("kiosks", "filter", self.saved_filter())

    def test_texts_are_neither_missing_nor_too_long(self):
        self.refused("Describe kiosks", description=" ")
        self.refused("are enough for any model", description="x" * 1001)
        self.refused("toolset", toolset="Sales Tools")
        self.refused("toolset", toolset="all")
        self.env["mcp.tool"].action_open_tools()
        row = self.env["mcp.tool"].search([("name", "=", "odoo_get_context")])
        with self.assertRaisesRegex(ValidationError, "are enough"):
            row.description = "x" * 1001
        with self.assertRaisesRegex(ValidationError, "No addon declares"):
            row.name = "kiosks_here"

    def test_arguments_that_clients_refuse_are_refused(self):
        cases = {
            "lower-case letters": ("City", "text", {}),
            "every tool has": ("limit", "integer", {}),
            "every tool has.": ("dry_run", "boolean", {}),
            "every tool has..": ("company_id", "integer", {}),
            "Describe the argument": ("city", "text", {"description": " "}),
            "Describe city in": ("city", "text", {"description": "x" * 301}),
            "List the values": ("city", "selection", {}),
            "too many values": ("city", "selection", {"options": ",".join(map(str, range(60)))}),
            "must be a number": ("city", "number", {"default_value": "many"}),
            "must be a whole number": ("city", "integer", {"default_value": "1.5"}),
            "must be true or false": ("city", "boolean", {"default_value": "maybe"}),
            "must be one of": ("city", "selection", {"options": "a, b", "default_value": "c"}),
            "Say of which model": ("city", "record", {}),
            "Say of which model.": ("city", "record", {"model_name": "no.such"}),
            "never open": ("city", "record", {"model_name": "ir.config_parameter"}),
        }
        for message, argument in cases.items():
            with self.subTest(argument):
                self.refused(message.rstrip("."), "kiosks", "filter", None, argument)
        self.refused("at most 20", "kiosks", "filter", None, *((f"a{number}", "text", {}) for number in range(21)))

    def test_what_could_never_run_is_refused(self):
        self.refused("closed to assistants", "of_rules", "action", self.server_action("pass", "ir.rule"))
        self.refused("closed to assistants", "of_users", "action", self.server_action("pass", "res.users"))
        self.refused("closed to assistants", "of_params", "filter", self.saved_filter(model="ir.config_parameter"))
        country = self.env["ir.model"]._get_id("res.country")
        self.refused("no chatter", "of_country", "template", self.template(model_id=country))
        report = self.env["ir.actions.report"].search([("model", "=", "res.partner")], limit=1) or self.env[
            "ir.actions.report"
        ].create({"name": "Card", "model": "res.partner", "report_name": "mcp_endpoint.none"})
        self.refused("Add a required argument", "of_report", "report", report)
        self.refused("Add a required argument", "welcome", "template", self.template())
        self.refused("Add a required argument", "welcome", "template", self.template(), ("c", "record", {
            "model_name": "res.partner"}))  # fmt: skip
        self.refused("one record at a time", "welcome", "template", self.template(), ("c", "records", {
            "model_name": "res.partner", "is_required": True}))  # fmt: skip
        with self.assertRaisesRegex(ValidationError, "Choose what"):
            self.env["mcp.tool"].create({"name": "nothing", "source": "report", "description": "Nothing at all."})

    def test_domains_with_code_or_strange_marks_are_refused(self):
        cases = {
            "no argument|not declared|add an argument": "[('city', '=', '{{town}}')]",
            "double braces": "[('city', '=', '{{city.__class__}}')]",
            "double braces.": "[('city', '=', '{{ env.user.sudo() }}')]",
            "double braces..": "[('city', '=', '{{city')]",
            "only in the value": "[('{{city}}', '=', 'x')]",
            "uses": "[('city', '=', env.user.name)]",
            "uses __class__": "[('city', '=', uid.__class__)]",
            "uses the name open": "[('city', '=', open('/etc/passwd'))]",
            "uses pow|uses binop|uses": "[('color', '=', 9**9**9)]",
            "uses listcomp": "[('id', '=', x) for x in (1, 2)]",
            "uses lambda": "(lambda: [])()",
            "cannot be read": "[('city', '=',",
            "no list": "5",
            "belongs": "['|', ('city', '=', 'x')]",
            "has more than": "[" + " " * 6000 + "]",
        }
        for message, domain in cases.items():
            with self.subTest(domain[:40]):
                self.refused(message.rstrip("."), "kiosks", "filter", self.saved_filter(domain), ("city", "text", {}))
                self.refused(message.rstrip("."), "kiosks", "filter", None, ("city", "text", {}), condition=domain)

    def test_the_list_stays_short_enough_for_models(self):
        long = {"description": "x" * 290}
        self.refused("Keep it within 4000", "kiosks", "filter", None, *((f"a{n}", "text", long) for n in range(13)))
        self.patch(mcp_tool_checks, "MOST_TOOLS", 2)
        tools = [self.make(f"kiosks_{number}", "filter", self.saved_filter()) for number in (1, 2)]
        self.refused("switch some off", "kiosks_3")
        tools[0].is_enabled = False
        third = self.make("kiosks_3", "filter", self.saved_filter())
        with self.assertRaisesRegex(ValidationError, "switch some off"):
            tools[0].is_enabled = True
        third.unlink()
        self.patch(mcp_tool_checks, "LONGEST_LIST", 600)
        self.refused("switch some off", "kiosks_3")

    def test_changing_arguments_is_checked_when_all_are_in_place(self):
        tool = self.make("welcome", "template", self.template(), CONTACT)
        other = {
            "name": "person",
            "kind": "record",
            "model_name": "res.partner",
            "description": "Who",
            "is_required": True,
        }
        tool.write({"argument_ids": [Command.delete(tool.argument_ids.id), Command.create(other)]})
        self.assertEqual(tool.argument_ids.name, "person")
        with self.assertRaisesRegex(ValidationError, "Add a required argument"):
            tool.write({"argument_ids": [Command.clear()]})

    def test_tool_that_got_past_the_checks_does_not_break_the_list(self):
        tool = self.make("kiosks", "filter", self.saved_filter(), ("city", "text", {}))
        self.env.flush_all()
        self.env.cr.execute("UPDATE mcp_tool_argument SET name = 'limit%%' WHERE tool_id = %s", [tool.id])
        self.env.invalidate_all()
        self.env.registry.clear_cache()
        listed = self.listed()
        self.assertNotIn("kiosks", listed)
        self.assertIn("odoo_get_context", listed)
