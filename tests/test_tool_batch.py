from odoo.tests import tagged
from odoo.tools import mute_logger

from ..models.batch_steps import BatchRun
from ..services.errors import ToolError
from ..services.tool import spec_from_definition
from .common import McpCase


def create(name, **values):
    return {
        "tool": "odoo_create_records",
        "arguments": {"model": "res.partner", "records": [{"name": name, **values}]},
    }


@tagged("post_install", "-at_install")
class TestToolBatch(McpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.ref("mcp_endpoint.profile_full").confirmation = "never"
        cls.partner = cls.env["res.partner"].create({"name": "Batch Target"})

    def found(self, name):
        return self.env["res.partner"].with_context(active_test=False).search([("name", "=", name)])

    def audit_rows(self):
        return self.env["mcp.audit.log"].search([("request_id", "=", "test-request")], order="id")

    def test_definition_is_small_and_destructive(self):
        definition = self.registry_as()._specs()["odoo_batch"].definition
        self.assertTrue(definition["annotations"]["destructiveHint"])
        self.assertEqual(definition["inputSchema"]["required"], ["steps"])
        self.assertLessEqual(len(definition["description"]), 700)

    def test_a_step_that_reads_lets_what_others_write_wait_for_the_disk(self):
        steps = [
            create("Batch Durable"),
            {"tool": "odoo_search_records", "arguments": {"model": "res.partner", "fields": ["name"], "limit": 1}},
        ]
        self.ok("odoo_batch", steps=steps)
        self.env.cr.execute("SELECT source FROM pg_settings WHERE name = 'synchronous_commit'")
        self.assertNotEqual(self.env.cr.fetchone(), ("session",))

    def test_later_steps_use_earlier_results_across_models(self):
        steps = [
            create("Batch Parent", is_company=True),
            create("Batch Child", parent_id="$1.id"),
            {
                "tool": "odoo_create_records",
                "arguments": {
                    "model": "res.partner.bank",
                    "records": [{"acc_number": "B-1", "partner_id": "$2.records.0.id"}],
                },
            },
            {
                "tool": "odoo_update_records",
                "arguments": {"model": "res.partner", "ids": "$2.ids", "values": {"function": "$$1.id"}},
            },
            {
                "tool": "odoo_search_records",
                "arguments": {"model": "res.partner", "domain": '[["parent_id", "=", "$1.id"]]', "fields": ["name"]},
            },
        ]
        result = self.ok("odoo_batch", steps=steps)
        parent, child = self.found("Batch Parent"), self.found("Batch Child")
        self.assertEqual(child.parent_id, parent)
        self.assertEqual(child.function, "$1.id", "the escaped text stays a text")
        self.assertEqual(child.bank_ids.acc_number, "B-1")
        self.assertEqual([row["id"] for row in result["steps"][4]["result"]["rows"]], child.ids)

    def test_failing_step_takes_all_back_and_is_named(self):
        steps = [create("Batch Gone"), create("Batch Bad", color="many"), create("Batch Never")]
        error = self.fails("invalid_value", "odoo_batch", steps=steps)
        self.assertEqual((error["step"], error["tool"], error["field"]), (2, "odoo_create_records", "color"))
        self.assertIn("Step 2", error["message"])
        self.assertFalse(self.found("Batch Gone") or self.found("Batch Never"))
        self.assertFalse(self.env["mcp.change"].search([]))
        rows = self.audit_rows()
        self.assertEqual(
            [(row.tool, row.outcome) for row in rows],
            [("odoo_create_records", "error"), ("odoo_create_records", "error"), ("odoo_batch", "error")],
        )
        self.assertIn("rolled_back", rows[0].reason)

    def test_wrong_references_are_refused_before_anything_runs(self):
        cases = [
            ([create("$1.id")], 1),
            ([create("A", ref="$2.id"), create("B", ref="$1.id")], 1),
            ([create("A"), create("B", ref="$9.id")], 2),
            ([create("A"), create("B", ref="$0.id")], 2),
            ([create("A"), {"tool": "odoo_search_records", "arguments": {"domain": '[["id","=","$2.id"]]'}}], 2),
        ]
        for steps, number in cases:
            with self.subTest(steps=steps):
                error = self.fails("invalid_reference", "odoo_batch", steps=steps)
                self.assertEqual(error["step"], number)
        for reference in ("$1.nothing", "$1.records.7.id", "$1.__class__", "$1.records.0.id.__class__"):
            with self.subTest(reference=reference):
                error = self.fails("invalid_reference", "odoo_batch", steps=[create("A"), create("B", ref=reference)])
                self.assertEqual(error["step"], 2)
        self.assertFalse(self.found("A"))

    def test_text_that_only_contains_a_reference_or_a_price_is_left_alone(self):
        self.ok("odoo_batch", steps=[create("Batch One"), create("Batch Two", ref="$1.50", function="see $1.id")])
        two = self.found("Batch Two")
        self.assertEqual((two.ref, two.function), ("$1.50", "see $1.id"))

    def test_each_step_meets_the_whole_gate(self):
        delete = {
            "tool": "odoo_delete_records",
            "arguments": {"model": "res.partner", "ids": self.partner.ids, "mode": "delete"},
        }
        cases = [
            ("policy_denied", "write", delete),
            ("policy_denied", "full", {"tool": "odoo_search_records", "arguments": {"model": "ir.rule"}}),
            ("unknown_tool", "full", {"tool": "odoo_drop_database"}),
            ("unknown_tool", "full", {"tool": "_tool_batch"}),
            ("not_possible", "full", {"tool": "odoo_batch", "arguments": {"steps": [create("X")]}}),
            ("not_possible", "full", {"tool": "odoo_import_records", "arguments": {"model": "res.partner"}}),
            ("invalid_arguments", "full", {"tool": "odoo_create_records", "arguments": {"dry_run": True}}),
            ("invalid_arguments", "full", {"tool": "odoo_create_records", "arguments": {"model": "res.partner"}}),
            (
                "invalid_company",
                "full",
                {"tool": "odoo_search_records", "arguments": {"model": "res.partner", "company_id": 9999}},
            ),
        ]
        for code, profile, step in cases:
            with self.subTest(code=code, step=step):
                error = self.fails(code, "odoo_batch", profile=profile, steps=[create("Batch Before"), step])
                self.assertEqual(error["step"], 2)
                self.assertTrue(self.partner.exists())
                self.assertFalse(self.found("Batch Before"))
        self.fails("policy_denied", "odoo_batch", profile="read", steps=[create("X")])

    def test_refused_step_is_a_refusal_in_the_audit_log(self):
        self.call("odoo_batch", steps=[{"tool": "odoo_search_records", "arguments": {"model": "ir.rule"}}])
        self.assertEqual(self.audit_rows().mapped("outcome"), ["refused", "refused"])

    @mute_logger("odoo.sql_db")
    def test_read_step_cannot_write(self):
        def write(registry, call, **arguments):
            registry.env["res.partner"].browse(self.partner.id).name = "Written by a read"
            registry.env.flush_all()
            return {}

        cls = type(self.env["mcp.tool.registry"])
        self.patch(cls, "_tool_search_records", write)
        self.fails(
            "read_only", "odoo_batch", steps=[{"tool": "odoo_search_records", "arguments": {"model": "res.partner"}}]
        )
        self.assertEqual(self.partner.name, "Batch Target")

    def test_dry_run_keeps_nothing_and_tells_all_changes(self):
        steps = [
            create("Batch Dry"),
            {
                "tool": "odoo_update_records",
                "arguments": {"model": "res.partner", "ids": ["$1.id"], "values": {"ref": "D"}},
            },
        ]
        result = self.ok("odoo_batch", steps=steps, dry_run=True)
        self.assertEqual(result["status"], "dry_run")
        self.assertEqual({change["operation"] for change in result["changes"]}, {"create", "write"})
        self.assertFalse(self.found("Batch Dry"))
        self.assertEqual(self.audit_rows().mapped("dry_run"), [True] * 3)

    def test_one_question_for_all_steps_before_any_effect(self):
        self.env.ref("mcp_endpoint.profile_full").confirmation = "destructive"
        other = self.env["res.partner"].create({"name": "Batch Other"})
        steps = [create("Batch Asked")] + [
            {"tool": "odoo_delete_records", "arguments": {"model": "res.partner", "ids": each.ids, "mode": "delete"}}
            for each in (self.partner, other)
        ]
        asked = self.ok("odoo_batch", steps=steps)
        self.assertEqual(asked["status"], "confirmation_required")
        for text in ("Step 2", "Batch Target", "Step 3", "Batch Other"):
            self.assertIn(text, asked["question"])
        self.assertFalse(self.found("Batch Asked"))
        self.assertFalse(self.env["mcp.change"].search([]))
        changed = [*steps[:2], {**steps[2], "arguments": {**steps[2]["arguments"], "ids": self.user.partner_id.ids}}]
        self.fails("invalid_confirm_token", "odoo_batch", steps=changed, confirm_token=asked["confirm_token"])
        self.ok("odoo_batch", steps=steps, confirm_token=asked["confirm_token"])
        self.assertFalse((self.partner + other).exists())
        self.assertEqual(len(self.found("Batch Asked")), 1)

    def test_declined_batch_runs_no_step(self):
        self.env.ref("mcp_endpoint.profile_full").confirmation = "destructive"
        call = self.make_call("odoo_batch")
        call.answers = {"confirm": {"action": "accept", "content": {"confirm": False}}}
        with self.assertRaises(ToolError) as caught:
            BatchRun(self.registry_as(), call).run([create("Batch Declined")])
        self.assertEqual(caught.exception.code, "declined")
        self.assertFalse(self.found("Batch Declined"))

    def test_profile_that_always_asks_asks_once(self):
        self.env.ref("mcp_endpoint.profile_full").confirmation = "always"
        asked = self.ok("odoo_batch", steps=[create("Batch Always"), create("Batch Always 2")])
        self.assertEqual(asked["status"], "confirmation_required")
        self.assertFalse(self.found("Batch Always"))
        steps = [create("Batch Always"), create("Batch Always 2")]
        self.assertEqual(self.ok("odoo_batch", steps=steps, confirm_token=asked["confirm_token"])["count"], 2)

    def test_batch_without_destructive_steps_is_not_asked_about(self):
        self.env.ref("mcp_endpoint.profile_full").confirmation = "destructive"
        self.assertEqual(self.ok("odoo_batch", steps=[create("Batch Free")])["count"], 1)
        self.assertEqual(len(self.found("Batch Free")), 1, "the trial run before was taken back")

    def test_success_has_an_audit_row_per_step_and_one_journal(self):
        self.ok("odoo_batch", steps=[create("Batch A"), create("Batch B")])
        rows = self.audit_rows()
        self.assertEqual(rows.mapped("tool"), ["odoo_create_records", "odoo_create_records", "odoo_batch"])
        self.assertEqual(set(rows.mapped("outcome")), {"ok"})
        self.assertEqual(rows[0].record_ids, str(self.found("Batch A").id))
        changes = self.env["mcp.change"].search([])
        self.assertEqual(set(changes.mapped("tool")), {"odoo_create_records"})
        self.assertEqual(set(changes.mapped("request_id")), {"test-request"})

    def test_repeat_with_the_same_key_does_nothing_again(self):
        for _attempt in range(2):
            self.ok("odoo_batch", steps=[create("Batch Once")], idempotency_key="k1")
        self.assertEqual(len(self.found("Batch Once")), 1)

    def test_hostile_shapes_are_errors_of_the_caller(self):
        deep = {"name": "x"}
        for _level in range(60):
            deep = {"child_ids": [deep]}
        for steps in (
            [{"arguments": {}}],
            [{"tool": 5, "arguments": []}],
            "$1.id",
            [create("x")] * 51,
            [create("x", child_ids=[deep])],
        ):
            with self.subTest(steps=str(steps)[:60]):
                result = self.call("odoo_batch", steps=steps)
                self.assertTrue(result["isError"])
                self.assertNotEqual(result["structuredContent"]["error"]["code"], "internal_error")

    def test_steps_share_company_of_the_batch(self):
        company = self.env["res.company"].create({"name": "Batch Company"})
        self.user.company_ids += company
        result = self.ok("odoo_batch", steps=[create("Batch Co")], company_id=company.id)
        self.assertEqual(result["steps"][0]["result"]["company"]["id"], company.id)

    def test_third_party_write_tool_runs_as_a_step(self):
        spec = spec_from_definition({"name": "x_tool", "inputSchema": {"type": "object", "properties": {}}})
        registry = type(self.env["mcp.tool.registry"])
        original = registry._specs
        self.patch(registry, "_specs", lambda registry: {**original(registry), "x_tool": spec})
        self.patch(
            registry,
            "execute_tool",
            lambda registry, call: {"id": 7} if call.spec is spec else registry._tool_batch(call, **call.arguments),
        )
        result = self.ok("odoo_batch", steps=[{"tool": "x_tool", "arguments": {}}])
        self.assertEqual(result["steps"][0]["result"], {"id": 7})
