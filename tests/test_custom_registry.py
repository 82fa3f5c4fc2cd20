import json

from odoo.exceptions import ValidationError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .custom_tools import CustomToolCase

CONTACT = ("contact", "record", {"model_name": "res.partner", "is_required": True})
CONTACTS = ("contacts", "records", {"model_name": "res.partner"})


@tagged("post_install", "-at_install")
class TestToolOfServerAction(CustomToolCase):
    def test_runs_as_the_user_on_the_given_record_with_the_arguments(self):
        action = self.server_action(
            "given = env.context['mcp_arguments']\n"
            "record.write({'color': given['shade'], 'comment': '%s %s %s' % (env.uid, env.su, given['day'])})"
        )
        self.make("paint", "action", action, CONTACT, ("shade", "integer", {"default_value": "4"}), ("day", "date", {}))
        partner = self.partners[0]
        facts = self.confirmed("paint", contact="azure kiosk", day="2026-02-03")
        self.assertEqual((facts["status"], facts["ids"]), ("done", partner.ids))
        self.assertEqual(partner.color, 4)
        self.assertIn(f"{self.user.id} False 2026-02-03", partner.comment)
        self.assertEqual(self.env["mcp.change"].search([("tool", "=", "paint")]).mapped("res_id"), partner.ids)
        row = self.env["mcp.audit.log"].search([("tool", "=", "paint")], limit=1)
        self.assertEqual((row.outcome, row.model), ("ok", "res.partner"))

    def test_arguments_arrive_as_plain_values(self):
        action = self.server_action("env['res.partner'].create({'name': repr(env.context['mcp_arguments'])})")
        self.make(
            "note_all", "action", action, CONTACTS, ("words", "text", {}), ("number", "number", {}),
            ("flag", "boolean", {}), ("moment", "datetime", {}), ("pick", "selection", {"options": "red, green"}),
        )  # fmt: skip
        ids = self.partners[:2].ids
        self.confirmed(
            "note_all", contacts=ids, words="'); import os", number="1.5", flag="true",
            moment="2026-02-03T10:00:00+02:00", pick="GREEN",
        )  # fmt: skip
        noted = self.env["res.partner"].search([], order="id desc", limit=1).name
        for part in (
            f"'contacts': {ids}",
            "'number': 1.5",
            "'flag': True",
            "'2026-02-03 08:00:00'",
            "'green'",
            "import os",
        ):
            self.assertIn(part, noted)

    def test_runs_without_records_and_tells_what_it_made(self):
        action = self.server_action("env['res.partner'].create({'name': 'Made by ' + env.user.name})")
        self.make("make_one", "action", action)
        facts = self.confirmed("make_one")
        self.assertEqual(facts["count"], 0)
        self.assertEqual(self.env["res.partner"].search_count([("name", "=", "Made by Eve Employee")]), 1)
        self.assertEqual(facts["created"][0]["name"], "Made by Eve Employee")

    def test_dry_run_leaves_nothing(self):
        self.make("paint", "action", self.server_action("record.write({'color': 9})"), CONTACT)
        result = self.ok("paint", contact=str(self.partners[0].id), dry_run=True)
        self.assertEqual(result["status"], "dry_run")
        self.assertIn("color", json.dumps(result["changes"]))
        self.assertEqual(self.partners[0].color, 3)
        self.assertFalse(self.env["mcp.change"].search([("tool", "=", "paint")]))

    def test_what_it_changed_is_undone(self):
        self.make("paint", "action", self.server_action("record.write({'color': 9})"), CONTACT)
        facts = self.confirmed("paint", contact=str(self.partners[0].id))
        self.assertEqual(self.partners[0].color, 9)
        self.ok("odoo_undo", change_id=facts["change_ids"][0])
        self.assertEqual(self.partners[0].color, 3)

    def test_is_a_step_of_a_batch_like_any_tool(self):
        self.make("paint", "action", self.server_action("record.write({'color': 9})"), CONTACT)
        self.make("kiosks", "filter", self.saved_filter("[('name', 'ilike', 'Azure Kiosk')]"))
        steps = [
            {"tool": "kiosks", "arguments": {}},
            {"tool": "paint", "arguments": {"contact": str(self.partners[0].id)}},
            {"tool": "paint", "arguments": {"contact": "2147483647"}},
        ]
        self.fails("not_found", "odoo_batch", steps=steps)
        self.assertEqual(self.partners[0].color, 3)
        self.confirmed("odoo_batch", steps=steps[:2])
        self.assertEqual(self.partners[0].color, 9)

    def test_a_repeated_key_has_one_effect(self):
        self.make("make_one", "action", self.server_action("env['res.partner'].create({'name': 'Once only'})"))
        asked = self.ok("make_one")
        for _attempt in range(2):
            self.ok("make_one", idempotency_key="k-1", confirm_token=asked["confirm_token"])
        self.assertEqual(self.env["res.partner"].search_count([("name", "=", "Once only")]), 1)

    @mute_logger("odoo.addons.base.models.ir_actions")
    def test_is_refused_for_users_whom_odoo_would_refuse(self):
        for_settings = self.server_action("record.write({'color': 9})", group_ids=[
            Command.link(self.env.ref("base.group_system").id)])  # fmt: skip
        self.make("paint", "action", for_settings, CONTACT)
        self.fails("access_denied", "paint", contact=str(self.partners[0].id))
        plain = new_test_user(self.env, "mcp_plain", groups="base.group_user")
        self.make("colour", "action", self.server_action("record.write({'color': 9})"), CONTACT)
        asked = self.call("colour", plain, contact=str(self.partners[0].id))
        self.assertEqual(asked["structuredContent"]["error"]["code"], "access_denied")
        self.make("paint_all", "action", self.server_action("model.search([]).write({'color': 9})"))
        self.assertTrue(self.call("paint_all", plain)["isError"])
        self.fails("policy_denied", "paint", profile="read", contact="1")
        self.assertEqual(self.partners[0].color, 3)

    def test_hidden_and_strange_records_are_refused(self):
        self.make("paint", "action", self.server_action("record.write({'color': 9})"), CONTACT)
        self.fails("not_found", "paint", contact="2147483647")
        self.fails("invalid_arguments", "paint", contact="nobody is called so")
        self.fails("invalid_arguments", "paint", contact="Kiosk")
        self.fails("invalid_arguments", "paint")
        self.fails("invalid_arguments", "paint", contact=True)
        self.make("paint_many", "action", self.server_action("records.write({'color': 9})"), CONTACTS)
        self.fails("invalid_arguments", "paint_many", contacts=list(range(1, 102)))
        self.fails("not_found", "paint_many", contacts=[self.partners[0].id, 2147483647])
        self.assertEqual(self.partners[0].color, 3)

    def test_action_that_opens_a_form_is_refused_and_undone(self):
        code = (
            "record.write({'color': 9})\n"
            "action = {'type': 'ir.actions.act_window', 'res_model': 'base.partner.merge.automatic.wizard',"
            " 'views': [(False, 'form')], 'target': 'new'}"
        )
        self.make("merge_it", "action", self.server_action(code), CONTACT)
        asked = self.call("merge_it", contact=str(self.partners[0].id))
        error = asked["structuredContent"].get("error") or {}
        token = asked["structuredContent"].get("confirm_token")
        if token:
            error = self.fails("not_possible", "merge_it", contact=str(self.partners[0].id), confirm_token=token)
        self.assertIn("form that has to be filled in", error["message"])
        self.assertEqual(self.partners[0].color, 3)


@tagged("post_install", "-at_install")
class TestToolOfSavedFilter(CustomToolCase):
    def names(self, tool, **arguments):
        return [row["name"] for row in self.ok(tool, **arguments)["rows"]]

    def test_searches_with_domain_order_and_columns(self):
        origin = self.saved_filter("[('name', 'ilike', 'Kiosk')]", sort='["color desc"]')
        self.make("kiosks", "filter", origin, columns="name, city")
        facts = self.ok("kiosks")
        self.assertEqual([row["name"] for row in facts["rows"]], self.partners[::-1].mapped("name"))
        self.assertEqual(set(facts["rows"][0]), {"id", "name", "city"})
        first = self.ok("kiosks", limit=2)
        self.assertEqual(len(first["rows"]), 2)
        self.assertEqual(self.names("kiosks", limit=2, cursor=first["next_cursor"]), ["Azure Kiosk"])
        self.assertEqual(self.env["mcp.audit.log"].search([], limit=1).tool, "kiosks")

    def test_arguments_fill_the_marks_and_absent_ones_drop_their_condition(self):
        origin = self.saved_filter("['|', ('city', '=', '{{city}}'), ('color', '=', '{{color}}')]")
        self.make(
            "kiosks", "filter", origin, ("city", "text", {}), ("color", "integer", {}), ("part", "text", {}),
            condition="[('name', 'ilike', '{{part}} Kiosk')]", columns="name",
        )  # fmt: skip
        self.assertEqual(self.names("kiosks", city="Oslo"), ["Coral Kiosk"])
        self.assertEqual(set(self.names("kiosks", city="Oslo", color="3")), {"Coral Kiosk", "Azure Kiosk"})
        self.assertEqual(self.names("kiosks", part="Beryl"), ["Beryl Kiosk"])
        self.assertEqual(self.names("kiosks", city="Bergen", part="Coral"), [])

    def test_records_dates_and_moments_fill_marks(self):
        origin = self.saved_filter(
            "[('parent_id', '=', '{{company}}'), ('create_date', '>=', '{{since}}'), ('create_date', '<=', '{{day}}')]"
        )
        self.partners[1:].parent_id = self.partners[0]
        self.make(
            "kiosks", "filter", origin, ("company", "record", {"model_name": "res.partner"}), ("since", "datetime", {}),
            ("day", "date", {}), columns="name",
        )  # fmt: skip
        self.assertEqual(set(self.names("kiosks", company="Azure Kiosk")), {"Beryl Kiosk", "Coral Kiosk"})
        self.assertEqual(self.names("kiosks", company="Azure Kiosk", since="2999-01-01T00:00:00Z"), [])
        self.assertEqual(len(self.names("kiosks", company="Azure Kiosk", day="today")), 2)
        self.fails("invalid_arguments", "kiosks", day="soon")
        self.fails("invalid_arguments", "kiosks", since="soon")

    def test_values_are_never_read_as_code_or_domain(self):
        origin = self.saved_filter("[('name', '=', '{{name}}')]")
        self.make("kiosks", "filter", origin, ("name", "text", {"is_required": True}), columns="name")
        for hostile in (
            "') or ('1' = '1",
            "{{name}}",
            "{{env}}",
            "__import__('os')",
            "'), (1, '=', 1), ('name', '=', '",
        ):
            with self.subTest(hostile):
                self.assertEqual(self.names("kiosks", name=hostile), [])
        self.fails("invalid_arguments", "kiosks", name={"a": 1})
        self.fails("invalid_arguments", "kiosks", name=["x"])

    def test_grouped_filter_is_aggregated(self):
        origin = self.saved_filter(
            "[('name', 'ilike', 'Kiosk')]",
            context="{'group_by': ['city'], 'pivot_measures': ['__count', 'color:sum']}", sort='["name"]',
        )  # fmt: skip
        self.make("kiosks_by_city", "filter", origin)
        rows = self.ok("kiosks_by_city")["rows"]
        self.assertEqual(
            {row["city"]: (row["__count"], row["color:sum"]) for row in rows}, {"Bergen": (2, 8), "Oslo": (1, 7)}
        )

    def test_rows_are_those_of_the_caller(self):
        # The filter is its owner's; what it finds follows the caller's own rules and guardrails.
        origin = self.saved_filter("[('user_ids.password', '!=', False)]")
        self.make("kiosks", "filter", origin)
        self.assertTrue(self.call("kiosks")["isError"])
        rule = self.env["ir.rule"].create({
            "name": "no Oslo", "model_id": self.env["ir.model"]._get_id("res.partner"),
            "domain_force": "[('city', '!=', 'Oslo')]", "groups": [Command.link(self.env.ref("base.group_user").id)],
        })  # fmt: skip
        self.assertTrue(rule)
        self.make("kiosk_list", "filter", self.saved_filter("[('name', 'ilike', 'Kiosk')]"), columns="name")
        self.assertEqual(set(self.names("kiosk_list")), {"Azure Kiosk", "Beryl Kiosk"})

    def test_filter_that_its_owner_has_spoilt_says_so(self):
        origin = self.saved_filter()
        self.make("kiosks", "filter", origin)
        for domain in ("[('name', '=', env.user.sudo().name)]", "[('name', '=', '{{other}}')]", "nonsense", "7"):
            with self.subTest(domain):
                origin.domain = domain
                self.fails("tool_broken", "kiosks")

    def test_relative_dates_and_the_user_work(self):
        origin = self.saved_filter(
            "[('create_date', '>=', (context_today() - relativedelta(days=3)).strftime('%Y-%m-%d')),"
            " ('create_date', '<=', context_today()), ('create_uid', '!=', uid), ('name', 'ilike', 'Kiosk')]"
        )
        self.make("recent", "filter", origin, columns="name")
        self.assertEqual(len(self.names("recent")), 3)

    def test_writes_nothing_even_for_a_read_only_profile(self):
        self.make("kiosks", "filter", self.saved_filter())
        self.ok("kiosks", profile="read")


@tagged("post_install", "-at_install")
class TestToolOfReport(CustomToolCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["ir.ui.view"].create({
            "name": "mcp_card", "key": "mcp_endpoint.test_card", "type": "qweb",
            "arch": "<t t-name='mcp_endpoint.test_card'><main>"
            "<p t-foreach='docs' t-as='doc'>Card of <t t-out='doc.name'/></p></main></t>",
        })  # fmt: skip
        cls.report = cls.env["ir.actions.report"].create(
            {
                "name": "Card",
                "model": "res.partner",
                "report_type": "qweb-html",
                "report_name": "mcp_endpoint.test_card",
            }
        )

    def test_prints_the_given_records_as_text(self):
        self.make("card", "report", self.report, CONTACT)
        facts = self.ok("card", contact="Azure Kiosk", profile="read")
        self.assertIn("Card of Azure Kiosk", facts["content"])
        self.assertIn("<p>", self.ok("card", contact="Azure Kiosk", format="html")["content"])

    def test_report_for_other_groups_is_refused(self):
        self.make("card", "report", self.report, CONTACT)
        self.report.group_ids = self.env.ref("base.group_system")
        self.fails("not_found", "card", contact="Azure Kiosk")


@tagged("post_install", "-at_install")
class TestToolOfTemplate(CustomToolCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.origin = cls.template()
        cls.make("welcome", "template", cls.origin, CONTACT)

    def test_asks_sends_and_says_who_is_mailed(self):
        partner = self.partners[0]
        asked = self.ok("welcome", contact="Azure Kiosk")
        self.assertIn("azure@example.com", asked["question"])
        self.assertFalse(partner.message_ids.filtered("mcp_client"))
        facts = self.ok("welcome", contact="Azure Kiosk", confirm_token=asked["confirm_token"])
        self.assertEqual([each["email"] for each in facts["emailed"]], ["azure@example.com"])
        message = self.env["mail.message"].browse(facts["message_id"])
        self.assertEqual((message.subject, message.author_id), ("Welcome, Azure Kiosk", self.user.partner_id))
        self.assertIn("Dear Azure Kiosk", message.body)
        self.assertTrue(message.mcp_client)
        self.assertEqual(message.partner_ids, partner)

    def test_dry_run_tells_and_leaves_nothing(self):
        # A new token is told to its owner by mail.
        self.exchange()
        before = {model: self.env[model].search_count([]) for model in ("mail.message", "mail.mail", "ir.attachment")}
        result = self.ok("welcome", contact="Azure Kiosk", dry_run=True)
        self.assertIn("azure@example.com", json.dumps(result))
        self.assertEqual(before, {model: self.env[model].search_count([]) for model in before})

    def test_nobody_to_write_to_is_an_error(self):
        self.assertIn("Coral Kiosk", self.fails("no_address", "welcome", contact="Coral Kiosk")["message"])
        self.origin.partner_to = False
        self.fails("no_address", "welcome", contact="Azure Kiosk")

    def test_refused_where_the_record_is_closed(self):
        plain = new_test_user(self.env, "mcp_plain", groups="base.group_user")
        rule = {"name": "own", "model_id": self.env["ir.model"]._get_id("res.partner"), "domain_force": "[(0, '=', 1)]"}
        self.env["ir.rule"].create({**rule, "groups": [Command.link(self.env.ref("base.group_user").id)]})
        self.assertTrue(self.call("welcome", plain, contact=str(self.partners[0].id))["isError"])
        self.fails("policy_denied", "welcome", profile="read", contact="1")

    def test_files_of_the_template_go_with_it(self):
        values = {"name": "terms.txt", "raw": b"Be kind.", "res_model": "mail.template", "res_id": self.origin.id}
        self.origin.attachment_ids = self.env["ir.attachment"].create(values)
        facts = self.confirmed("welcome", contact="Azure Kiosk")
        self.assertEqual(
            self.env["mail.message"].browse(facts["message_id"]).attachment_ids.mapped("name"), ["terms.txt"]
        )

    def test_template_moved_to_another_model_is_not_run_on_the_old_one(self):
        country = self.env["ir.model"]._get_id("res.country")
        self.origin.model_id = country
        self.assertTrue(self.call("welcome", contact="Azure Kiosk")["isError"])
        with self.assertRaises(ValidationError):
            self.env["mcp.tool"].search([("name", "=", "welcome")]).title = "Again"
