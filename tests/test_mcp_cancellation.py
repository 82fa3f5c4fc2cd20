import threading
from dataclasses import replace
from unittest.mock import patch

import psycopg2
from odoo.exceptions import UserError
from odoo.tests import tagged

from ..models import call_time, mcp_cancellation
from ..models.mcp_cancellation import MOST_PER_SESSION, place_of
from ..services.errors import Cancelled, NeedsInput, ToolError
from ..services.questions import Question
from ..services.running_calls import RunningCall
from .common import McpCase


def interrupting(running):
    """Cancel a call as soon as it waits for a query."""

    def work():
        while running.interrupt is None:
            pass
        running.cancel()

    return threading.Thread(target=work)


@tagged("post_install", "-at_install")
class TestMcpCancellation(McpCase):
    def setUp(self):
        super().setUp()
        self.session = self.opened()

    def opened(self):
        exchange = replace(self.exchange(method="initialize"), session_key=self.env["mcp.session"]._new_key())
        self.env["mcp.session"]._open(exchange)
        return self.env["mcp.session"].search([], order="id desc", limit=1)

    def cancel(self, session, **params):
        exchange = self.exchange(method="notifications/cancelled", params=params)
        exchange = replace(exchange, session_id=session and session.id, message=replace(exchange.message, id=None))
        self.env["mcp.server"]._handle(exchange)

    def noted(self):
        return [(row.session_id, row.request, row.reason) for row in self.env["mcp.cancellation"].search([])]

    def test_notification_is_kept_for_the_worker_that_runs_the_call(self):
        self.cancel(self.session, requestId=1)
        self.cancel(self.session, requestId="1", reason="Too\x00slow")
        rows = [(self.session, "1", False), (self.session, '"1"', "Too\\u0000slow")]
        self.assertEqual(self.noted(), rows)

    def test_what_names_no_request_is_ignored(self):
        for params in ({}, {"requestId": None}, {"requestId": True}, {"requestId": [1]}, {"requestId": 1.5}):
            self.cancel(self.session, **params)
        self.cancel(self.session, requestId="x" * 5000)
        self.cancel(None, requestId=1)
        self.assertEqual(self.noted(), [])

    def test_odd_reasons_do_not_matter(self):
        for reason in (5, None, {"a": 1}, "\ud800", "x" * 10_000, "%s'\""):
            self.cancel(self.session, requestId=2, reason=reason)
        self.assertEqual(len(self.noted()), 6)

    def test_a_session_cannot_fill_the_table(self):
        for number in range(MOST_PER_SESSION + 5):
            self.cancel(self.session, requestId=number)
        self.assertEqual(len(self.noted()), MOST_PER_SESSION)
        other = self.opened()
        self.cancel(other, requestId=1)
        self.assertIn((other, "1", False), self.noted())

    def test_place_is_the_sessions_own(self):
        self.assertEqual(place_of("db", 3, "a"), ("db", 3, '"a"'))
        self.assertIsNone(place_of("db", None, "a"))

    def test_looking_needs_no_luck(self):
        with patch.object(mcp_cancellation.sql_db, "db_connect", side_effect=psycopg2.OperationalError):
            self.assertEqual(mcp_cancellation._posted("db", [("db", 1, "1")]), {})
        self.assertEqual(mcp_cancellation._posted(self.env.cr.dbname, [(self.env.cr.dbname, 1, "1")] * 2), {})


@tagged("post_install", "-at_install")
class TestCancelledCall(McpCase):
    """A running call that its client does not want any more."""

    def call_cancelled(self, tool, work, **arguments):
        """Call a tool whose handler is `work(call)`; its result and its audit row."""
        running = RunningCall()
        exchange = self.exchange(params={"name": tool, "arguments": arguments})
        registry = self.registry_as()
        with patch.object(type(registry), "execute_tool", lambda _self, call: work(call)):
            result = registry._call_tool(replace(exchange, running=running))
        return result, self.env["mcp.audit.log"].search([], order="id desc", limit=1)

    def check(self, tool, work, **arguments):
        result, row = self.call_cancelled(tool, work, **arguments)
        self.assertTrue(result["isError"])
        self.assertEqual(result["structuredContent"]["error"]["code"], "cancelled")
        self.assertEqual(row.outcome, "cancelled")
        self.assertIn("Nothing was changed", row.message)
        self.assertFalse(self.env["res.partner"].search([("name", "=", "Cancelled")]))

    def create(self, call):
        self.env["res.partner"].create({"name": "Cancelled"}).flush_recordset()

    def be_interrupted(self, call):
        thread = interrupting(call.exchange.running)
        thread.start()
        try:
            call.env.cr.execute("SELECT pg_sleep(60)")
        finally:
            thread.join()

    def test_long_query_is_interrupted(self):
        def work(call):
            self.create(call)
            self.be_interrupted(call)

        self.check("odoo_create_records", work, model="res.partner", records=[{"name": "x"}])

    def test_long_read_is_interrupted(self):
        self.check("odoo_get_context", self.be_interrupted)

    def test_next_query_ends_it(self):
        def work(call):
            self.create(call)
            call.exchange.running.cancel()
            call.env.cr.execute("SELECT 1")

        self.check("odoo_create_records", work, model="res.partner", records=[{"name": "x"}])

    def test_swallowed_it_ends_before_the_end(self):
        def work(call):
            self.create(call)
            call.exchange.running.cancel()
            try:
                call.env.cr.execute("SELECT 1")
            except ToolError:
                return {"done": True}

        self.check("odoo_create_records", work, model="res.partner", records=[{"name": "x"}])

    def test_renamed_it_is_still_a_cancellation(self):
        def work(error):
            def work(call):
                self.create(call)
                call.exchange.running.cancel()
                try:
                    call.env.cr.execute("SELECT 1")
                except ToolError as cause:
                    raise error from cause

            return work

        for error in (UserError("Not possible."), ToolError("import_failed", "Rows failed.")):
            self.check("odoo_create_records", work(error), model="res.partner", records=[{"name": "x"}])

    def test_client_that_left_just_before_the_end(self):
        def work(call):
            self.create(call)
            call.exchange.running.is_gone = lambda: True
            return {"done": True}

        self.check("odoo_create_records", work, model="res.partner", records=[{"name": "x"}])

    def test_dry_run_is_cancelled_too(self):
        def work(call):
            self.create(call)
            call.exchange.running.cancel()
            call.check_cancelled()

        self.check("odoo_create_records", work, model="res.partner", records=[{"name": "x"}], dry_run=True)

    def test_import_and_batch_do_not_take_it_for_a_bad_row(self):
        rows = [{"id": f"row_{number}", "name": "Cancelled"} for number in range(250)]
        steps = [
            {"tool": "odoo_create_records", "arguments": {"model": "res.partner", "records": [{"name": "Cancelled"}]}}
        ] * 3
        for tool, arguments in (
            ("odoo_import_records", {"model": "res.partner", "rows": rows, "atomic": False}),
            ("odoo_batch", {"steps": steps}),
        ):
            running = RunningCall()
            told = []

            class Outlet:
                def notify(self, method, params, running=running, told=told):
                    told.append(params["progress"])
                    running.cancel()

                def check(self):
                    """Nothing of its own."""

            params = {"name": tool, "arguments": arguments, "_meta": {"progressToken": 1}}
            exchange = replace(self.exchange(params=params), running=running, outlet=Outlet())
            result = self.registry_as()._call_tool(exchange)
            self.assertEqual(result["structuredContent"]["error"]["code"], "cancelled", result)
            self.assertEqual(len(told), 1)
            rows = self.env["mcp.audit.log"].search([("request_id", "=", "test-request")], order="id desc")
            self.assertEqual(set(rows.mapped("outcome")), {"cancelled"})
            self.assertFalse(self.env["res.partner"].search([("name", "=", "Cancelled")]))
            rows.env.cr.execute("DELETE FROM mcp_audit_log WHERE request_id = 'test-request'")

    def test_ending_a_savepoint_is_never_refused(self):
        running = RunningCall()
        env = self.env
        with self.assertRaises(Cancelled), call_time.limited(env, running):
            env.cr.execute("SAVEPOINT mine")
            running.cancel()
            env.cr.execute("ROLLBACK TO SAVEPOINT mine")
            env.cr.execute("RELEASE SAVEPOINT mine")
            env.cr.execute("SELECT 1")
        env.cr.execute("SELECT 1")

    def test_questions_are_no_cancellation(self):
        def work(call):
            raise NeedsInput({"sure": Question("Sure?")})

        _result, row = self.call_cancelled("odoo_create_records", work, model="res.partner", records=[{"name": "x"}])
        self.assertNotEqual(row.outcome, "cancelled")
