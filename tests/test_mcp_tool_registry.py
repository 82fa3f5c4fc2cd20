from odoo.tests import tagged
from odoo.tools import mute_logger

from ..services.errors import InvalidParams
from ..services.exchange import Narrowing
from ..services.schema import assert_portable
from .common import McpCase

REGISTRY = "odoo.addons.mcp_endpoint.models.mcp_tool_registry"


@tagged("post_install", "-at_install")
class TestMcpToolRegistry(McpCase):
    def listing(self, profile="full", **narrowing):
        exchange = self.exchange(profile=profile, method="tools/list", narrowing=Narrowing(**narrowing))
        return self.registry_as()._listing(exchange)

    def names(self, *arguments, **narrowing):
        return [tool["name"] for tool in self.listing(*arguments, **narrowing)]

    def audit_rows(self):
        return self.env["mcp.audit.log"].search([("user_id", "=", self.user.id)])

    def test_listing_is_stable_and_starts_with_finding(self):
        self.assertEqual(self.names(), self.names())
        self.assertEqual(self.names()[:3], ["fetch", "search", "odoo_aggregate_records"])
        self.assertIn("odoo_create_records", self.names())

    def test_tools_on_request_are_listed_when_asked_for_and_callable_anyway(self):
        self.assertNotIn("odoo_batch", self.names())
        self.assertIn("odoo_batch", self.names(toolsets=frozenset({"write"})))
        self.assertIn("odoo_batch", self.names(toolsets=frozenset({"all"})))
        self.ok("odoo_batch", steps=[])

    def test_listing_shows_what_the_profile_opens(self):
        self.assertNotIn("odoo_create_records", self.names("read"))
        self.assertIn("odoo_search_records", self.names("read"))

    def test_url_can_only_narrow(self):
        self.assertNotIn("odoo_create_records", self.names(readonly=True))
        self.assertNotIn("odoo_create_records", self.names(toolsets=frozenset({"core"})))
        self.assertNotIn("odoo_get_context", self.names(exclude=frozenset({"odoo_get_context"})))
        self.assertEqual(self.names("read", toolsets=frozenset({"write"})), [])

    def test_every_listed_tool_keeps_to_the_portable_dialect(self):
        for form in ("rich", "portable"):
            for tool in self.listing(schema=form):
                assert_portable(tool["inputSchema"])
                self.assertLessEqual(set(tool["annotations"]), {
                    "readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"})  # fmt: skip

    def test_unknown_tool_is_a_protocol_error(self):
        for name in ("odoo_make_coffee", "", None, 7, "sudo", "_call_tool"):
            with self.assertRaises(InvalidParams):
                self.registry_as()._call_tool(self.exchange(params={"name": name, "arguments": {}}))

    def test_arguments_that_are_no_object_are_a_protocol_error(self):
        for arguments in ([], "x", 1, True):
            with self.assertRaises(InvalidParams):
                self.registry_as()._call_tool(
                    self.exchange(params={"name": "odoo_get_context", "arguments": arguments})
                )

    def test_tool_outside_the_profile_is_refused_by_name_and_audited(self):
        error = self.fails("policy_denied", "odoo_create_records", profile="read", model="res.partner", records=[{}])
        self.assertEqual(error["rule"], "profile:tool")
        row = self.audit_rows()[0]
        self.assertEqual((row.tool, row.outcome), ("odoo_create_records", "refused"))
        self.assertIn("profile:tool", row.reason)

    def test_read_only_url_refuses_a_write(self):
        result = self.call(
            "odoo_create_records", narrowing=Narrowing(readonly=True), model="res.partner", records=[{"name": "X"}]
        )
        self.assertEqual(result["structuredContent"]["error"]["rule"], "url:readonly")

    def test_what_the_url_leaves_out_cannot_be_called(self):
        for narrowing in (
            Narrowing(toolsets=frozenset({"write"})),
            Narrowing(exclude=frozenset({"odoo_search_records"})),
            Narrowing(exclude=frozenset({"core"})),
        ):
            with self.subTest(narrowing=narrowing):
                result = self.call("odoo_search_records", narrowing=narrowing, model="res.partner")
                self.assertEqual(result["structuredContent"]["error"]["rule"], "url:toolsets")
        for toolsets in ({"core"}, {"all"}):
            self.ok("odoo_search_records", narrowing=Narrowing(toolsets=frozenset(toolsets)), model="res.partner")

    def test_every_call_leaves_one_audit_row(self):
        before = len(self.audit_rows())
        self.ok("odoo_get_context")
        self.fails("unknown_model", "odoo_search_records", model="no.such.model")
        self.assertEqual(len(self.audit_rows()), before + 2)
        self.assertEqual(self.audit_rows()[0].outcome, "error")
        self.assertEqual(self.audit_rows()[1].outcome, "ok")
        self.assertGreater(self.audit_rows()[1].duration_ms, 0)

    def test_failed_write_keeps_the_audit_row_and_nothing_else(self):
        before = self.env["res.partner"].search_count([])
        self.call(
            "odoo_create_records", model="res.partner", records=[{"name": "First"}, {"name": "Second", "nope": 1}]
        )
        self.assertEqual(self.env["res.partner"].search_count([]), before)
        self.assertEqual(self.audit_rows()[0].outcome, "error")
        self.assertFalse(self.env["mcp.change"].search([("user_id", "=", self.user.id)]))

    def test_aliases_answer_without_being_listed(self):
        self.assertNotIn("search_read", self.names())
        result = self.call("search_read", model="res.partner", domain=[["id", "=", self.user.partner_id.id]])
        self.assertFalse(result["isError"], result)
        self.assertEqual(self.audit_rows()[0].tool, "odoo_search_records")

    def test_stray_arguments_of_clients_are_ignored_and_said(self):
        result = self.call("odoo_get_context", toolCallId="x", sessionId="y")
        self.assertFalse(result["isError"])
        self.assertIn("toolCallId", result["content"][0]["text"])

    def test_crash_shows_a_reference_and_no_cause(self):
        def crash(*_arguments):
            raise RuntimeError("the secret cause")

        self.patch(type(self.env["mcp.tool.registry"]), "execute_tool", crash)
        with mute_logger(REGISTRY):
            error = self.fails("internal_error", "odoo_get_context")
        self.assertIn("test-request", error["message"])
        self.assertNotIn("secret cause", str(error))
        self.assertIn("RuntimeError", self.audit_rows()[0].reason)

    def test_company_must_be_the_users(self):
        other = self.env["res.company"].create({"name": "Other Company"})
        error = self.fails("invalid_company", "odoo_get_context", company_id=other.id)
        self.assertIn(self.user.company_id.name, error["fix"])
        self.user.company_ids += other
        self.ok("odoo_get_context", company_id=other.id)

    def test_language_must_be_installed(self):
        self.assertIn("en_US", self.fails("invalid_language", "odoo_get_context", lang="tlh")["fix"])
        self.ok("odoo_get_context", lang="en-us")


@tagged("post_install", "-at_install")
class TestReadsCannotWrite(McpCase):
    def test_database_refuses_a_write_in_a_read_tool(self):
        def write(registry, call):
            call.env["res.partner"].create({"name": "Smuggled"}).flush_recordset()
            return {}

        self.patch(type(self.env["mcp.tool.registry"]), "execute_tool", write)
        with mute_logger("odoo.sql_db"):
            self.fails("read_only", "odoo_get_context")
        self.assertFalse(self.env["res.partner"].search([("name", "=", "Smuggled")]))
        # The audit row of the refused read is written by the same transaction, which is writable again.
        self.assertEqual(self.env["mcp.audit.log"].search([], limit=1).outcome, "error")
