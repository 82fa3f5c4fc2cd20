import json
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import new_test_user, tagged

from ..models import model_schema
from ..models.tools import describe
from ..services import guardrails, schema_cache
from .common import McpCase

PARTNER = "res.partner"
BUDGET = 8_000


def size(value):
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


class DescribeCase(McpCase):
    def describe(self, model=PARTNER, user=None, **arguments):
        return self.ok("odoo_describe_model", user, model=model, **arguments)

    def names(self, *arguments, **options):
        return [item["name"] for item in self.describe(*arguments, **options)["fields"]]

    def settle(self):
        """Let the schema cache work in this transaction: it does not while changes are pending."""
        self.env.flush_all()
        self.env.registry.signal_changes()
        schema_cache.invalidate()
        self.addCleanup(schema_cache.invalidate)


@tagged("post_install", "-at_install")
class TestToolDescribe(DescribeCase):
    def test_brief_tells_what_matters_within_the_budget(self):
        for purpose in ("read", "filter", "create", "write"):
            with self.subTest(purpose):
                result = self.call("odoo_describe_model", model=PARTNER, purpose=purpose)
                facts = result["structuredContent"]
                self.assertLessEqual(size(facts), BUDGET)
                self.assertLess(len(result["content"][0]["text"]), BUDGET)
                self.assertLessEqual(len(facts["fields"]), 40)
                self.assertIn("name", [item["name"] for item in facts["fields"]][:3])
        facts = self.describe()
        total = len(facts["fields"]) + facts["omitted"]["fields"]
        self.assertEqual(total, len(self.env[PARTNER].with_user(self.user).fields_get()) - self.secrets())
        self.assertIn("field_query", facts["omitted"]["how"])

    def secrets(self):
        return sum(guardrails.field_is_secret(name) for name in self.env[PARTNER].with_user(self.user).fields_get())

    def test_general_facts(self):
        facts = self.describe()
        self.assertEqual((facts["model"], facts["label"]), (PARTNER, "Contact"))
        self.assertEqual(facts["record_name"], self.env[PARTNER]._rec_name)
        self.assertEqual(facts["order"], self.env[PARTNER]._order)
        self.assertEqual(facts["archive"], "active")
        self.assertIs(facts["chatter"], True)
        self.assertEqual(facts["company"]["field"], "company_id")
        self.assertEqual(facts["operations"], ["read", "create", "write", "delete"])
        self.assertEqual(self.describe(profile="read")["operations"], ["read"])

    def test_field_facts_are_odoos(self):
        described = self.env[PARTNER].fields_get(["country_id", "type", "create_date", "category_id"])
        shown = {item["name"]: item for item in self.describe(fields=list(described))["fields"]}
        for name, facts in described.items():
            self.assertEqual(shown[name]["type"], facts["type"])
            self.assertEqual(shown[name]["label"], facts["string"])
            self.assertEqual(shown[name].get("relation"), facts.get("relation"))
            self.assertEqual(shown[name].get("readonly", False), facts["readonly"])
        self.assertEqual(shown["type"]["selection"], [list(pair) for pair in described["type"]["selection"]])

    def test_values_given_by_a_method_are_shown_and_long_ones_cut(self):
        lang, tz = self.describe(fields=["lang", "tz"])["fields"]
        self.assertEqual(lang["selection"], [list(item) for item in self.env["res.lang"].get_installed()])
        self.assertEqual(len(tz["selection"]), 20)
        self.assertGreater(tz["selection_omitted"], 100)

    def test_dotted_paths_are_followed(self):
        (shown,) = self.describe(fields=["country_id.currency_id.name"])["fields"]
        self.assertEqual((shown["name"], shown["type"]), ("country_id.currency_id.name", "char"))
        self.assertEqual(self.fails("unknown_field", "odoo_describe_model", model=PARTNER, fields=["name.id"])["field"],
                         "name.id")  # fmt: skip

    def test_unknown_names_are_answered_with_real_ones(self):
        error = self.fails("unknown_field", "odoo_describe_model", model=PARTNER, fields=["emial"])
        self.assertIn("email", error["nearest"])
        error = self.fails("unknown_model", "odoo_describe_model", model="customer")
        self.assertEqual(error["nearest"][0], PARTNER)
        error = self.fails("unknown_model", "odoo_describe_model", model="res.partner.address")
        self.assertEqual(error["nearest"], [PARTNER])
        for name in ("", "res_partner'; --", "mail.thread", "_unknown", "base"):
            with self.subTest(name):
                self.assertTrue(self.call("odoo_describe_model", model=name)["isError"])

    def test_field_query_looks_in_names_labels_and_nearly(self):
        self.assertIn("phone", self.names(field_query="phone")[:2])
        self.assertIn("vat", self.names(field_query="tax id"))
        self.assertIn("country_id", self.names(field_query="contry"))
        self.fails("not_found", "odoo_describe_model", model=PARTNER, field_query="zzzzqqqq")

    def test_full_detail_has_more_and_keeps_its_budget(self):
        facts = self.describe(detail="full")
        self.assertGreater(len(facts["fields"]), 40)
        self.assertLessEqual(size(facts), 20_000)
        self.assertTrue(any(item.get("searchable") for item in facts["fields"]))

    def test_write_lists_only_what_may_be_written(self):
        for item in self.describe("res.partner", purpose="write", detail="full")["fields"]:
            self.assertNotIn("readonly", item)
            self.assertFalse(guardrails.field_is_unwritable(item["name"]), item["name"])
        plain = new_test_user(self.env, "mcp_plain", groups="base.group_user")
        self.fails("access_denied", "odoo_describe_model", plain, model=PARTNER, purpose="write")
        self.fails("policy_denied", "odoo_describe_model", profile="read", model=PARTNER, purpose="create")

    def test_filter_examples_work(self):
        for model in (PARTNER, "mail.activity", "res.country", "calendar.event", "res.currency"):
            if model not in self.env:
                continue
            with self.subTest(model):
                facts = self.describe(model, purpose="filter")
                example = facts["example"]
                self.ok("odoo_search_records", model=model, filters=example["filters"], limit=1)
                self.ok("odoo_search_records", model=model, domain=example["domain"], limit=1)
                for group in facts.get("group_by", ())[:5]:
                    self.ok("odoo_aggregate_records", model=model, group_by=[group])
                for measure in facts.get("measures", ())[:5]:
                    self.ok("odoo_aggregate_records", model=model, measures=[measure])

    def test_create_tells_required_and_defaults(self):
        facts = self.describe("res.partner.bank", purpose="create")
        self.assertEqual({item["name"] for item in facts["required"]}, {"acc_number", "partner_id"})
        self.assertNotIn("acc_number", facts.get("defaults", {}))
        defaults = self.describe(purpose="create")["defaults"]
        self.assertEqual((defaults["type"], defaults["active"]), ("contact", True))

    def test_what_create_requires_is_enough_to_create(self):
        facts = self.describe("res.partner.bank", purpose="create")
        values = {"acc_number": "BE68539007547034", "partner_id": self.user.partner_id.id}
        self.assertEqual({item["name"] for item in facts["required"]}, values.keys())
        self.ok("odoo_create_records", model="res.partner.bank", records=[values])

    def test_default_that_needs_a_write_costs_only_the_defaults(self):
        def draws_a_number(partners, fields):
            partners.env.cr.execute("SELECT nextval('res_partner_id_seq')")

        def refuses(partners, fields):
            raise UserError("Not here.")

        for method in (draws_a_number, refuses):
            with self.subTest(method.__name__), patch.object(type(self.env[PARTNER]), "default_get", method):
                result = self.call("odoo_describe_model", model=PARTNER, purpose="create")
                self.assertFalse(result["isError"], result)
                self.assertNotIn("defaults", result["structuredContent"])
                self.assertIn("dry_run", str(result["_meta"]["warnings"]))
                self.assertTrue(result["structuredContent"]["fields"])

    def test_describing_writes_nothing(self):
        def renames(partners, fields):
            partners.env.cr.execute("UPDATE res_partner SET name = 'Smuggled'")
            return {}

        with patch.object(type(self.env[PARTNER]), "default_get", renames):
            self.describe(purpose="create")
        self.env.invalidate_all()
        self.assertFalse(self.env[PARTNER].search([("name", "=", "Smuggled")]))

    def test_broken_list_view_does_not_hide_the_model(self):
        def broken(*arguments, **options):
            raise ValueError("bad view")

        self.settle()
        with patch.object(type(self.env["res.country"]), "get_view", broken):
            self.assertIn("name", self.names("res.country"))

    def test_buttons_are_those_of_the_users_form(self):
        countries = self.env.ref("base.action_country").id
        self.env["ir.ui.view"].create({
            "name": "bank form", "model": "res.partner.bank", "priority": 1,
            "arch": f"""<form><header>
                <button name="action_archive" type="object" string="Shelve" invisible="not active"/>
                <button name="action_unarchive" type="object" string="Take back" invisible="active"/>
                <button name="copy" type="object" string="For admins" groups="base.group_system"/>
                <button name="unlink" type="object" string="Never"/>
                <button name="{countries}" type="action" string="Unclear" invisible="context.get('x')"/>
                </header><field name="active"/><field name="acc_number"/><field name="partner_id"/></form>""",
        })  # fmt: skip
        bank = self.env["res.partner.bank"].create({"acc_number": "123", "partner_id": self.user.partner_id.id})
        facts = self.describe("res.partner.bank", purpose="actions", ids=[bank.id])
        buttons = {button["name"]: button for button in facts["buttons"]}
        self.assertEqual([button["label"] for button in facts["buttons"]], ["Shelve", "Take back", "Unclear"])
        self.assertEqual(buttons["action_archive"]["offered_on"], [bank.id])
        self.assertEqual(buttons["action_unarchive"]["offered_on"], [])
        self.assertEqual(facts["buttons"][2]["unclear_on"], [bank.id])
        error = self.fails(
            "not_found", "odoo_describe_model", model="res.partner.bank", purpose="actions", ids=[2**31 - 5]
        )
        self.assertIn("res.partner.bank", error["message"])

    def test_bound_actions_follow_the_users_groups(self):
        model = self.env["ir.model"]._get("res.country")
        values = {"model_id": model.id, "binding_model_id": model.id, "state": "code", "code": "pass"}
        self.env["ir.actions.server"].create([
            {**values, "name": "For all"},
            {**values, "name": "For admins", "group_ids": [(6, 0, self.env.ref("base.group_system").ids)]},
        ])  # fmt: skip
        self.env["ir.actions.report"].create({
            "name": "Country sheet", "model": "res.country", "report_name": "x.y", "binding_model_id": model.id,
        })  # fmt: skip
        facts = self.describe("res.country", purpose="actions")
        self.assertEqual([action["name"] for action in facts["server_actions"]], ["For all"])
        self.assertEqual([report["name"] for report in facts["reports"]], ["Country sheet"])


@tagged("post_install", "-at_install")
class TestDescribeDoesNotLeak(DescribeCase):
    def test_closed_models_and_secret_fields(self):
        for model in ("ir.rule", "mcp.token", "res.users.apikeys", "ir.config_parameter"):
            self.fails("policy_denied", "odoo_describe_model", model=model)
        names = self.names("res.users", detail="full") + self.names(PARTNER, detail="full")
        self.assertFalse({name for name in names if guardrails.field_is_secret(name)})
        self.fails("policy_denied", "odoo_describe_model", model="res.users", fields=["password"])

    def test_fields_of_a_group_are_not_served_to_others_from_the_cache(self):
        admin = new_test_user(self.env, "mcp_admin", groups="base.group_system,mcp_endpoint.group_mcp_user")
        field = self.env[PARTNER]._fields["email"]
        self.patch(field, "groups", "base.group_system")
        self.settle()
        self.assertIn("email", self.names(PARTNER, admin))
        self.assertNotIn("email", self.names(PARTNER))
        self.assertIn("email", self.names(PARTNER, admin))
        self.fails("access_denied", "odoo_describe_model", model=PARTNER, fields=["email"])
        for purpose in ("create", "write", "filter"):
            self.assertNotIn("email", self.names(purpose=purpose, detail="full"))

    def test_policy_is_applied_after_the_cache(self):
        self.settle()
        self.assertIn("email", self.names())
        with patch.object(guardrails, "field_is_secret", lambda name: name == "email"):
            self.assertNotIn("email", self.names())
            self.assertNotIn("email", self.describe(purpose="create").get("defaults", {}))
        self.assertIn("email", self.names())

    def test_language_of_one_call_is_not_served_to_the_next(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        field = self.env["ir.model.fields"]._get(PARTNER, "city")
        field.with_context(lang="fr_FR").field_description = "Ville"
        self.settle()
        labels = [self.describe(fields=["city"], lang=lang)["fields"][0]["label"] for lang in ("fr_FR", "en_US")]
        self.assertEqual(labels, ["Ville", "City"])


@tagged("post_install", "-at_install")
class TestDescribeCache(DescribeCase):
    def test_second_description_builds_nothing(self):
        self.settle()
        with patch.object(model_schema, "_build", wraps=model_schema._build) as build:
            first = self.describe()
            self.assertEqual(self.describe(), first)
            self.assertEqual(build.call_count, 1)
            schema_cache.invalidate("fields:res.partner")
            self.describe()
            self.assertEqual(build.call_count, 2)

    def test_a_kept_answer_is_for_the_same_policy_only(self):
        self.settle()
        with patch.object(describe, "_add_fields", wraps=describe._add_fields) as build:
            full = self.describe("res.partner.category")
            self.assertEqual(self.describe("res.partner.category"), full)
            self.assertEqual(build.call_count, 1)
            read = self.call("odoo_describe_model", profile="read", model="res.partner.category")["structuredContent"]
            self.assertEqual(build.call_count, 2)
        self.assertEqual(read["operations"], ["read"])
        self.assertNotEqual(full["operations"], ["read"])

    def test_schema_holds_only_plain_data_and_no_record(self):
        for model in (PARTNER, "res.users", "ir.sequence", "mail.message"):
            schema = model_schema.model_schema(self.env(user=self.user.id), model)
            self.assertEqual(json.loads(json.dumps(schema)), schema)
            self.assertFalse([item for item in schema["fields"] if "rank" in item])


@tagged("post_install", "-at_install", "mcp_full")
class TestDescribeBusiness(DescribeCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.user.group_ids += cls.env.ref("sales_team.group_sale_salesman_all_leads")

    def test_document_with_lines(self):
        facts = self.describe("sale.order", purpose="create")
        self.assertEqual([item["name"] for item in facts["required"]], ["partner_id"])
        self.assertIn("partner_invoice_id", facts["required_computed"])
        (lines,) = facts["lines"]
        self.assertEqual((lines["field"], lines["model"]), ("order_line", "sale.order.line"))
        self.assertIn("product_id", lines["fields"])
        self.assertIn("product_uom_qty", lines["fields"])
        self.assertLessEqual(size(facts), BUDGET)

    def test_states_and_buttons(self):
        order = self.env["sale.order"].create({"partner_id": self.user.partner_id.id, "user_id": self.user.id})
        facts = self.describe("sale.order", purpose="actions", ids=[order.id])
        self.assertEqual(facts["state"]["field"], "state")
        self.assertIn(["draft", "Quotation"], facts["state"]["values"])
        buttons = {button["name"]: button for button in facts["buttons"]}
        self.assertEqual(buttons["action_confirm"]["offered_on"], [order.id])
        self.assertEqual(buttons["action_draft"]["offered_on"], [])
        self.assertTrue(facts["reports"])

    def test_every_readable_model_can_be_described_within_the_budget(self):
        call = self.make_call("odoo_describe_model", self.env.ref("base.user_admin"))
        registry = self.registry_as(self.env.ref("base.user_admin"))
        names = [name for name in self.env.registry if not self.env[name]._transient and call.allows_model(name)]
        self.assertGreater(len(names), 200)
        for name in names:
            if self.env[name]._abstract:
                continue
            with self.subTest(name):
                result = registry.with_env(call.env)._tool_describe_model(call, model=name)
                self.assertLessEqual(size(result.structured), BUDGET)
