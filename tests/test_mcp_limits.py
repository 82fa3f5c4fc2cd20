import itertools
import json
from dataclasses import replace
from unittest.mock import patch

from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger
from psycopg2.errors import CheckViolation, QueryCanceled

from ..models import call_counting, mcp_limits
from ..models.call_counting import Counting
from ..models.rehearsal import reading
from ..services.call_limits import Limits
from ..services.call_slots import NoSlot
from ..services.errors import RateLimited
from ..services.rate_limiter import MemoryStore
from ..services.versions import V2026_07_28
from .common import McpCase, McpHttpCase

requests = itertools.count()


class LimitsMixin:
    def setUp(self):
        super().setUp()
        counting = Counting("unused", "test")
        counting._memory = MemoryStore(None, places=64)
        patcher = patch.object(mcp_limits, "counting_of", lambda database, scope: counting)
        patcher.start()
        self.addCleanup(patcher.stop)
        self.env.registry.clear_cache("stable")
        self.addCleanup(self.env.registry.clear_cache, "stable")

    def set(self, **limits):
        for name, value in limits.items():
            self.env["ir.config_parameter"].set_param(f"mcp_endpoint.{name}", str(value))


@tagged("post_install", "-at_install")
class TestMcpLimits(LimitsMixin, McpCase):
    def handle(self, tool="odoo_get_context", *, session=None, modern=False, request=None, **options):
        method = options.pop("method", "tools/call")
        params = options.pop("params", {"name": tool, "arguments": options.pop("arguments", {})})
        exchange = self.exchange(method=method, params=params, **options)
        exchange = replace(exchange, request_id=request or f"limits-{next(requests)}", session_id=session)
        if modern:
            exchange = replace(exchange, version=V2026_07_28)
        server = self.registry_as().env["mcp.server"]
        with patch.object(type(server), "_run", lambda self, exchange: {"content": [], "isError": False}):
            return server._handle(exchange)

    def allowed(self, calls, *args, **options):
        """How many of so many calls are let in."""
        count = 0
        for _number in range(calls):
            try:
                self.handle(*args, **options)
                count += 1
            except RateLimited:
                pass
        return count

    def rows(self):
        return self.env["mcp.audit.log"].search([("user_id", "=", self.user.id), ("outcome", "=", "refused")])

    def test_calls_of_a_token_and_of_its_user(self):
        self.set(calls=5, user_calls=8)
        self.assertEqual(self.allowed(7), 5)
        self.assertEqual(self.allowed(7, profile="read"), 3)

    def test_changing_and_heavy_calls_have_less(self):
        self.set(calls=10, writes=3, heavy=2)
        self.assertEqual(self.allowed(5, "odoo_create_records"), 3)
        self.assertEqual(self.allowed(5, "search"), 2)
        self.assertEqual(self.allowed(9), 5)

    def test_a_name_of_another_server_counts_as_the_tool_it_stands_for(self):
        self.set(writes=1)
        arguments = {"model": "res.partner", "values": {"name": "x"}}
        self.assertEqual(self.allowed(3, "create_record", arguments=arguments), 1)

    def test_the_strictest_profile_wins(self):
        self.set(calls=10)
        self.profiles["full"].calls_per_minute = 4
        self.assertEqual(self.allowed(9), 4)
        self.env.ref("mcp_endpoint.profile_baseline").calls_per_minute = 2
        self.assertEqual(self.allowed(9, profile="read"), 2)
        self.profiles["write"].calls_per_minute = 100
        self.env.ref("mcp_endpoint.profile_baseline").calls_per_minute = 0
        self.assertEqual(self.allowed(15, profile="write"), 10)
        with self.assertRaises(CheckViolation), mute_logger("odoo.sql_db"), self.env.cr.savepoint():
            self.profiles["full"].calls_per_minute = -1
            self.env.flush_all()

    def test_a_profile_limits_where_the_settings_do_not(self):
        self.profiles["full"].calls_per_minute = 3
        self.assertEqual(self.allowed(5), 3)

    def test_nothing_is_counted_where_nothing_limits(self):
        self.assertNotIn("_meta", self.handle())
        self.assertEqual(self.allowed(200), 200)

    def test_listing_and_connecting_are_no_calls(self):
        self.set(calls=1)
        self.assertEqual(self.allowed(9, method="tools/list", params={}), 9)
        self.assertEqual(self.allowed(9, method="resources/read", params={"uri": "odoo://models"}), 1)

    def test_a_request_that_odoo_runs_again_counts_once(self):
        self.set(calls=2)
        for _retry in range(5):
            self.handle(request="again")
        self.assertEqual(self.allowed(5), 1)

    def test_the_answer_says_what_is_left(self):
        self.set(calls=10, writes=2)
        left = self.handle("odoo_create_records")["_meta"]["rate_limit"]
        self.assertEqual(left, {"limit": 2, "remaining": 1, "window_seconds": 60})

    def test_a_session_gets_a_result_that_the_model_reads(self):
        self.set(calls=1)
        self.handle()
        session = self.env["mcp.session"].search([], limit=1).id or None
        for options, status, has_result in (
            ({}, 429, False),
            ({"modern": True}, 429, False),
            ({"session": session or 1}, 200, True),
            ({"session": session or 1, "method": "resources/read", "params": {"uri": "x"}}, 200, False),
        ):
            audit = patch.object(type(self.env["mcp.audit.log"]), "_record")
            with self.subTest(options=options), audit, self.assertRaises(RateLimited) as caught:
                self.handle(**options)
            refusal = caught.exception
            self.assertEqual((refusal.http_status, refusal.result is not None), (status, has_result))
            self.assertTrue(1 <= refusal.retry_after <= 61)
            if has_result:
                error = refusal.result["structuredContent"]["error"]
                self.assertEqual((error["code"], error["retryable"]), ("rate_limited", True))
                self.assertEqual(error["retry_after"], refusal.retry_after)
                self.assertIn(f"Wait {refusal.retry_after} s", refusal.result["content"][0]["text"])

    def test_a_flood_of_refusals_is_one_row(self):
        self.set(calls=1)
        self.allowed(50)
        self.assertEqual(len(self.rows()), 1)
        self.assertIn("rate_limited", self.rows().reason)
        # Another token's refusal is not lost among them.
        self.allowed(3, profile="read")
        self.assertEqual(len(self.rows()), 2)

    def test_no_place_means_busy(self):
        with (
            patch.object(call_counting.machine_slots(), "held", side_effect=NoSlot("token")),
            self.assertRaises(RateLimited) as caught,
        ):
            self.handle()
        self.assertEqual(caught.exception.data, {"code": "busy", "retryable": True, "retry_after": 1})
        self.assertIn("this connection", caught.exception.message)

    def test_settings_that_make_no_sense_are_the_defaults(self):
        self.set(calls="many", user_calls="-5", heavy="9" * 30, store="cloud")
        limits = self.env["mcp.limits"]._settings()
        self.assertEqual((limits.calls, limits.user_calls, limits.store), (60, 120, "memory"))
        self.assertEqual(limits.heavy, 10**9)

    def test_the_address_of_redis_is_in_no_representation(self):
        self.assertNotIn("secret", repr(Limits(redis_url="redis://:secret@host")))


@tagged("post_install", "-at_install")
class TestCallTime(McpCase):
    def setUp(self):
        super().setUp()
        self.env["ir.config_parameter"].set_param("mcp_endpoint.read_seconds", "1")

    def run_as_tool(self, function, tool="odoo_get_context", **arguments):
        registry = type(self.env["mcp.tool.registry"])
        with patch.object(registry, "execute_tool", lambda self, call: function(call) or {}):
            return self.call(tool, **arguments)

    def slow(self, call):
        call.env.cr.execute("SELECT pg_sleep(3)")

    def timeout(self):
        self.env.cr.execute("SHOW statement_timeout")
        return self.env.cr.fetchone()[0]

    @mute_logger("odoo.sql_db")
    def test_a_slow_read_is_stopped_and_told_how_to_ask_for_less(self):
        result = self.run_as_tool(self.slow)
        error = result["structuredContent"]["error"]
        self.assertEqual((error["code"], error["retryable"]), ("timeout", False))
        self.assertIn("1 s", error["message"])
        self.assertIn("limit", error["fix"])
        self.assertEqual(self.timeout(), "0")
        row = self.env["mcp.audit.log"].search([], limit=1)
        self.assertEqual((row.outcome, row.reason), ("error", "timeout"))

    def test_what_follows_a_read_has_no_limit(self):
        self.assertFalse(self.run_as_tool(lambda call: None)["isError"])
        self.assertEqual(self.timeout(), "0")

    def test_the_limit_is_set_while_reading(self):
        with reading(self.env):
            self.assertEqual(self.timeout(), "1s")
        self.env["ir.config_parameter"].set_param("mcp_endpoint.read_seconds", "0")
        self.env.cr.execute("SET LOCAL statement_timeout TO DEFAULT")
        with reading(self.env):
            self.assertEqual(self.timeout(), "0")

    def test_a_write_is_not_stopped_by_the_limit_of_reads(self):
        def write(call):
            call.env.cr.execute("SELECT pg_sleep(1.2)")

        arguments = {"model": "res.partner", "records": [{"name": "x"}]}
        self.assertFalse(self.run_as_tool(write, "odoo_create_records", **arguments)["isError"])

    def test_a_call_whose_time_is_up_runs_no_further_query_and_leaves_nothing(self):
        self.env["ir.config_parameter"].set_param("mcp_endpoint.call_seconds", "1")

        def write(call):
            for number in range(30):
                call.env["res.partner"].create({"name": f"Too slow {number}"})
                call.env.flush_all()
                call.env.cr.execute("SELECT pg_sleep(0.2)")

        result = self.run_as_tool(write, "odoo_create_records", model="res.partner", records=[{"name": "x"}])
        self.assertEqual(result["structuredContent"]["error"]["code"], "timeout")
        self.assertFalse(self.env["res.partner"].search([("name", "like", "Too slow")]))

    @mute_logger("odoo.sql_db")
    def test_a_query_that_an_administrator_cancels_is_no_timeout(self):
        def cancelled(call):
            call.env.cr.execute("DO $$ BEGIN RAISE SQLSTATE '57014'; END $$")

        with self.assertRaises(QueryCanceled), self.env.cr.savepoint():
            self.run_as_tool(cancelled)

    def test_the_cursor_is_as_it_was(self):
        before = self.env.cr.execute
        self.run_as_tool(lambda call: None)
        self.assertEqual(self.env.cr.execute, before)


@tagged("post_install", "-at_install")
class TestLimitsHttp(LimitsMixin, McpHttpCase):
    def test_429_with_retry_after(self):
        self.set(calls=1)
        token = self.issue()
        params = {"name": "odoo_get_context", "arguments": {}}
        first = self.rpc("tools/call", params, token=token)
        self.assertEqual(first.json()["result"]["_meta"]["rate_limit"]["remaining"], 0)
        answer = self.rpc("tools/call", params, token=token)
        self.assertEqual(answer.status_code, 429)
        self.assertTrue(1 <= int(answer.headers["Retry-After"]) <= 61)
        error = answer.json()["error"]
        self.assertEqual((error["code"], error["data"]["retryable"]), (429, True))
        self.assertEqual(error["data"]["retry_after"], int(answer.headers["Retry-After"]))

    def test_each_message_of_a_batch_counts(self):
        self.set(calls=2)
        message = {"jsonrpc": "2.0", "method": "tools/call", "params": {"name": "odoo_get_context", "arguments": {}}}
        # One id for all: what a client names its messages does not matter.
        answer = self.post([{**message, "id": 7}] * 5, headers={"MCP-Protocol-Version": "2025-03-26"})
        self.assertEqual(answer.status_code, 200)
        self.assertEqual(["result" in item for item in answer.json()], [True, True, False, False, False])

    def test_a_session_of_the_handshake_survives_a_refusal(self):
        self.set(calls=1)
        token = self.issue()
        opened = self.post(
            {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "2025-06-18"}},
            token=token,
        )
        headers = {"Mcp-Session-Id": opened.headers["Mcp-Session-Id"], "MCP-Protocol-Version": "2025-06-18"}
        body = {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "odoo_get_context"}}
        self.assertFalse(self.post(body, token=token, headers=headers).json()["result"]["isError"])
        answer = self.post(body, token=token, headers=headers)
        self.assertEqual(answer.status_code, 200)
        self.assertIn("Retry-After", answer.headers)
        self.assertEqual(answer.json()["result"]["structuredContent"]["error"]["code"], "rate_limited")
        json.dumps(answer.json())


@tagged("post_install", "-at_install")
class TestLimitSettings(McpCase):
    def save(self, **values):
        settings = self.env["res.config.settings"].create(values)
        settings.set_values()
        return settings

    def test_numbers_and_zeros_are_kept(self):
        self.save(mcp_calls=7, mcp_user_calls=0, mcp_call_seconds=5)
        limits = self.env["mcp.limits"]._settings()
        self.assertEqual((limits.calls, limits.user_calls, limits.call_seconds), (7, 0, 5))
        again = self.env["res.config.settings"].create({})
        self.assertEqual((again.mcp_calls, again.mcp_user_calls), (7, 0))
        for value in (-1, 10**7):
            with self.assertRaises(ValidationError):
                self.save(mcp_calls=value)

    def test_redis_test_says_what_is_wrong_and_not_where(self):
        settings = self.env["res.config.settings"].create({"mcp_redis_url": "redis://:topsecret@127.0.0.1:1/0"})
        answer = settings.action_mcp_test_redis()["params"]
        self.assertEqual(answer["type"], "danger")
        self.assertNotIn("topsecret", answer["message"])
        self.assertIn("not used at the moment", settings.mcp_redis_state)
        settings.mcp_redis_url = False
        self.assertFalse(settings.mcp_redis_state)
        with self.assertRaises(UserError):
            settings.action_mcp_test_redis()
