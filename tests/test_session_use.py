from datetime import timedelta

from odoo import fields
from odoo.tests import new_test_user, tagged
from odoo.tools import SQL

from .common import McpHttpCase


@tagged("post_install", "-at_install")
class TestSessionUse(McpHttpCase):
    def session_of(self, token):
        """Open a session over HTTP; its record and the headers of its further requests."""
        params = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "Tests", "version": "1"}}
        body = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}
        key = self.post(body, token=token).headers["Mcp-Session-Id"]
        session = self.env["mcp.session"].search([("digest", "=", self.env["mcp.session"]._digest(key))])
        return session, {"Mcp-Session-Id": key, "MCP-Protocol-Version": "2025-06-18"}

    def call_tool(self, token, headers, name, **arguments):
        body = {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": name, "arguments": arguments}}
        return self.post(body, token=token, headers=headers)

    def use(self, session):
        session.invalidate_recordset()
        return session.calls, session.failed_calls

    def test_calls_and_failures_are_counted_without_a_write(self):
        token = self.issue()
        session, headers = self.session_of(token)
        self.post({"jsonrpc": "2.0", "id": 2, "method": "ping"}, token=token, headers=headers)
        self.assertEqual(self.use(session), (0, 0))
        for _time in range(2):
            self.call_tool(token, headers, "odoo_get_context")
        self.call_tool(token, headers, "odoo_search_records", model="no.such")
        self.assertEqual(self.use(session), (3, 1))
        query = "SELECT purged_calls, write_date = create_date FROM mcp_session WHERE id = %s"
        self.env.cr.execute(query, [session.id])
        self.assertEqual(self.env.cr.fetchone(), (None, True))

    def test_duration_is_told_in_words(self):
        session, _headers = self.session_of(self.issue())
        for seconds, words in ((-5, "0 s"), (12, "12 s"), (61, "1 min"), (7_270, "2 h 1 min")):
            self.assertEqual(session._in_words(seconds), words)
        self.assertGreaterEqual(session.last_call_at, session.last_seen)
        self.assertTrue(session.duration.endswith(" s"))

    def test_count_outlives_the_rows_of_the_log(self):
        token = self.issue()
        session, headers = self.session_of(token)
        self.call_tool(token, headers, "odoo_get_context")
        other, more = self.session_of(token)
        self.call_tool(token, more, "odoo_get_context")
        past = fields.Datetime.now() - timedelta(days=60)
        self.env.flush_all()
        self.env.cr.execute(SQL("UPDATE mcp_audit_log SET date = %s WHERE session_id = %s", past, session.id))
        done, is_more = self.env["mcp.audit.log"]._purge_before(past + timedelta(days=1))
        self.assertGreaterEqual(done, 1)
        self.assertFalse(is_more)
        self.call_tool(token, headers, "odoo_get_context")
        self.assertEqual((self.use(session), self.use(other)), ((2, 0), (1, 0)))

    def test_list_counts_all_sessions_at_once(self):
        token = self.issue()
        sessions = self.session_of(token)[0] | self.session_of(token)[0] | self.session_of(token)[0]
        self.env.flush_all()
        self.env.invalidate_all()
        sessions.mapped("last_seen")
        with self.assertQueryCount(1):
            sessions.mapped("calls")

    def test_everybody_sees_their_own(self):
        session, _headers = self.session_of(self.issue())
        stranger = new_test_user(self.env, "mcp_stranger", groups="base.group_user")
        self.assertIn(session, session.with_user(self.user).search([]))
        self.assertFalse(session.with_user(stranger).search([]))
        self.assertEqual(session.with_user(self.user).read(["calls"])[0]["calls"], 0)
