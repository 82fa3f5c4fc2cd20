from dataclasses import replace
from datetime import timedelta

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from ..models import mcp_audit_log
from ..services.exchange import Exchange, Message
from ..services.flood_gate import FloodGate
from .common import McpCase, McpHttpCase

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@tagged("post_install", "-at_install")
class TestMcpAuditLog(McpCase):
    def row(self):
        self.env.invalidate_all()
        return self.env["mcp.audit.log"].search([], limit=1)

    def test_row_says_who_did_what_to_which_records(self):
        partner = self.user.partner_id
        self.ok("odoo_search_records", model="res.partner", ids=[partner.id])
        row = self.row()
        self.assertEqual(
            (row.user_id, row.method, row.tool, row.model, row.record_ids, row.record_count, row.outcome, row.ip),
            (self.user, "tools/call", "odoo_search_records", "res.partner", str(partner.id), 1, "ok", "127.0.0.1"),
        )
        self.assertEqual(row.token_id.user_id, self.user)
        self.assertEqual(row.request_id, "test-request")
        self.assertLess(abs(row.date - fields.Datetime.now()), timedelta(minutes=1))

    def test_client_text_cannot_break_the_row(self):
        exchange = self.exchange()
        hostile = Exchange(
            message=Message(method="tools/call" * 50, params={}, id=1),
            version=exchange.version,
            credential=exchange.credential,
            request_id="r",
            client={"name": "evil\ud800\x00'); DROP TABLE mcp_audit_log; --" * 20, "version": ["x"]},
        )
        self.env["mcp.audit.log"]._record(hostile, outcome="error", duration_ms=1, reason="x" * 10_000)
        row = self.row()
        self.assertEqual(row.outcome, "error")
        self.assertLessEqual(len(row.reason), 500)

    def test_long_id_lists_are_cut_and_counted(self):
        self.env["mcp.audit.log"]._record(
            self.exchange(), outcome="ok", duration_ms=1, model="res.partner", record_ids=list(range(1, 201))
        )
        row = self.row()
        self.assertEqual(row.record_count, 200)
        self.assertEqual(len(row.record_ids.split(",")), 50)

    def test_nobody_changes_or_deletes_rows(self):
        self.ok("odoo_get_context")
        row = self.row()
        for user in (self.env.ref("base.user_admin"), self.env.ref("base.user_root")):
            mine = row.with_user(user)
            for change in (
                lambda mine=mine: mine.write({"outcome": "ok"}),
                lambda mine=mine: mine.sudo().write({"outcome": "ok"}),
                lambda mine=mine: mine.unlink(),
                lambda mine=mine: mine.copy(),
                lambda mine=mine: mine.create({"date": fields.Datetime.now()}),
            ):
                with self.assertRaises(UserError):
                    change()
            self.assertFalse(row.with_user(user).load(["date"], [["2026-01-01 00:00:00"]])["ids"])
        self.assertTrue(row.exists())

    def test_users_see_their_own_rows_and_admins_all(self):
        self.ok("odoo_get_context")
        row = self.row()
        other = new_test_user(self.env, "mcp_other", groups="base.group_user")
        self.assertIn(row, self.env["mcp.audit.log"].with_user(self.user).search([]))
        self.assertNotIn(row, self.env["mcp.audit.log"].with_user(other).search([]))
        self.assertIn(row, self.env["mcp.audit.log"].with_user(self.env.ref("base.user_admin")).search([]))

    def test_old_rows_are_purged_and_new_ones_stay(self):
        self.ok("odoo_get_context")
        old = self.row()
        self.env.cr.execute("UPDATE mcp_audit_log SET date = date - interval '32 days' WHERE id = %s", [old.id])
        self.ok("odoo_get_context")
        new = self.row()
        self.env["mcp.audit.log"]._gc_old_rows()
        self.env.invalidate_all()
        self.assertTrue(old.exists(), "a day that is not sealed is kept")
        self.env["mcp.audit.seal"]._seal_day(old.date.date())
        self.env["mcp.audit.log"]._gc_old_rows()
        self.env.invalidate_all()
        self.assertFalse(old.exists())
        self.assertTrue(new.exists())

    def test_client_and_version_are_apart(self):
        exchange = replace(self.exchange(), client={"name": "Claude", "version": "1.2"}, trace=TRACE)
        self.env["mcp.audit.log"]._record(exchange, outcome="ok", duration_ms=1)
        row = self.row()
        self.assertEqual((row.client, row.client_version, row.trace), ("Claude", "1.2", TRACE))
        self.assertEqual(row.token_number, row.token_id.id)

    def test_number_of_a_deleted_token_stays(self):
        self.ok("odoo_get_context")
        row = self.row()
        number = row.token_id.id
        self.env.cr.execute("DELETE FROM mcp_token WHERE id = %s", [number])
        self.env.invalidate_all()
        self.assertEqual((row.token_id.id, row.token_number), (False, number))

    def test_flood_of_refusals_is_counted_not_listed(self):
        exchange = self.exchange(profile="read")
        self.patch(mcp_audit_log, "_refusals", FloodGate(burst=5, per_second=0.0))
        before = self.env["mcp.audit.log"].search_count([])
        for _try in range(20):
            self.env["mcp.audit.log"]._record(exchange, outcome="refused", duration_ms=1, reason="no")
        self.assertEqual(self.env["mcp.audit.log"].search_count([]) - before, 5)
        for _try in range(20):
            self.env["mcp.audit.log"]._record(exchange, outcome="ok", duration_ms=1)
        self.assertEqual(self.env["mcp.audit.log"].search_count([]) - before, 25, "what was done is always listed")
        mcp_audit_log._refusals._per_second = 1e9
        self.env["mcp.audit.log"]._record(exchange, outcome="refused", duration_ms=1, reason="no")
        self.assertEqual(self.row().repeats, 15)


@tagged("post_install", "-at_install")
class TestUnheardRequests(McpHttpCase):
    """Requests that were authenticated and never became a message that the endpoint could hear."""

    def rows(self, method=None):
        self.env.invalidate_all()
        rows = self.env["mcp.audit.log"].search([("user_id", "=", self.user.id)], order="id")
        return [(row.method, row.outcome, row.reason or "") for row in rows]

    def test_each_refusal_has_its_row(self):
        ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
        for sent, method, reason in (
            ({"raw": b"{not json"}, "http/POST", "JSON"),
            ({"raw": b"[]"}, "http/POST", "atch"),
            ({"body": {"jsonrpc": "1.0"}}, "http/POST", ""),
            ({"body": ping, "headers": {"Mcp-Session-Id": "unknown"}}, "http/POST", "ession"),
            ({"body": ping, "headers": {"Content-Type": "text/plain"}}, "http/POST", "Content-Type"),
            ({"body": ping, "headers": {"Accept": "image/png"}}, "http/POST", "Accept"),
            ({"body": ping, "headers": {"Origin": "https://evil.example"}}, "http/POST", "Origin"),
            ({"body": ping, "headers": {"MCP-Protocol-Version": "1999-01-01"}}, "ping", ""),
        ):
            with self.subTest(sent=sent):
                before = self.rows()
                response = self.post(sent.pop("body", None), token=self.issue(), **sent)
                self.assertGreaterEqual(response.status_code, 400)
                new = self.rows()[len(before) :]
                self.assertEqual([(row[0], row[1]) for row in new], [(method, "refused")])
                self.assertIn(reason, new[0][2])

    def test_unknown_methods_and_scopes_have_one_row(self):
        self.post({"jsonrpc": "2.0", "id": 1, "method": "no/such"})
        self.assertEqual([row[:2] for row in self.rows()], [("no/such", "refused")])

    def test_notifications_responses_and_ends_of_sessions_have_rows(self):
        token = self.issue()
        self.post({"jsonrpc": "2.0", "method": "notifications/initialized"}, token=token)
        self.post({"jsonrpc": "2.0", "method": "tools/call", "params": {"name": "odoo_delete_records"}}, token=token)
        self.post({"jsonrpc": "2.0", "id": 7, "result": {}}, token=token)
        self.url_open("/mcp", method="DELETE", headers={"Authorization": f"Bearer {token}", "Mcp-Session-Id": "x"})
        self.assertEqual(
            [row[:2] for row in self.rows()],
            [
                ("notifications/initialized", "ok"),
                ("tools/call", "ok"),
                ("http/POST", "ok"),
                ("http/DELETE", "refused"),
            ],
        )

    def test_bad_messages_of_a_batch_have_rows(self):
        batch = [{"jsonrpc": "2.0", "id": 1, "method": "ping"}, {"jsonrpc": "2.0", "id": 2}, 7]
        self.post(batch, headers={"MCP-Protocol-Version": "2025-03-26"})
        self.assertEqual([row[1] for row in self.rows()], ["ok", "refused", "refused"])

    def test_crash_has_a_row_though_its_transaction_is_gone(self):
        def crash(model, exchange):
            raise ZeroDivisionError

        self.patch(self.env.registry["mcp.server"], "_run", crash)
        with mute_logger("odoo.addons.mcp_endpoint.controllers.mcp_dispatcher", "odoo.http"):
            self.post({"jsonrpc": "2.0", "id": 1, "method": "ping"}, headers={"traceparent": TRACE})
        self.assertEqual([row[:2] for row in self.rows()], [("ping", "error")])
        self.assertNotIn("ZeroDivision", self.rows()[0][2])

    def test_trace_of_the_header_and_of_the_message_is_noted(self):
        other = TRACE.replace("319c", "3190")
        self.post({"jsonrpc": "2.0", "id": 1, "method": "ping"}, headers={"traceparent": TRACE})
        params = {"_meta": {"traceparent": other}}
        self.post({"jsonrpc": "2.0", "id": 1, "method": "ping", "params": params}, headers={"traceparent": "junk"})
        self.env.invalidate_all()
        rows = self.env["mcp.audit.log"].search([("user_id", "=", self.user.id)], order="id")
        self.assertEqual(rows.mapped("trace"), [TRACE, other])

    def test_wrong_tokens_have_none(self):
        before = self.env["mcp.audit.log"].search_count([])
        self.post({"jsonrpc": "2.0", "id": 1, "method": "ping"}, token="omcp_pat_" + "x" * 43)
        self.post(None, raw=b"{", token=False)
        self.env.invalidate_all()
        self.assertEqual(self.env["mcp.audit.log"].search_count([]), before)
