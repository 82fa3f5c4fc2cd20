import dataclasses
import json
from unittest.mock import patch

import psycopg2
from odoo.exceptions import ConcurrencyError
from odoo.tests import BaseCase, mute_logger, tagged

from ..controllers import stream_outlet
from ..controllers.stream_outlet import StreamOutlet
from ..models import call_reporting
from ..services.errors import AskOnStream, Cancelled, HttpRefusal, InvalidParams, RateLimited, ToolError
from ..services.running_calls import RunningCall
from .common import MODERN_META
from .dispatching import DispatcherCase, request

STREAM = "text/event-stream"
LEVEL = "io.modelcontextprotocol/logLevel"
OWN = "odoo.addons.mcp_endpoint.controllers.mcp_dispatcher"


@tagged("post_install", "-at_install")
class TestStreamedAnswer(DispatcherCase):
    def call(self, work, *, meta=None, headers=None, name="odoo_get_context", **arguments):
        """Call a tool whose handler is `work`, as a modern client that wants to hear of progress."""
        registry = type(self.env["mcp.tool.registry"])
        meta = {**MODERN_META, **({"progressToken": "t"} if meta is None else meta)}
        body = request("tools/call", name=name, arguments=arguments, _meta=meta)
        with patch.object(registry, "execute_tool", lambda _self, call: work(call)):
            return self.modern(body, Mcp_Name=name, **(headers or {}))

    def events(self, response):
        self.assertPlain(response)
        self.assertEqual(response.status_code, 200)
        self.assertEqual(response.headers["Content-Type"], STREAM)
        self.assertEqual(response.headers["X-Accel-Buffering"], "no")
        events = response.text.split("\n\n")
        self.assertEqual(events.pop(), "")
        return [json.loads(event.removeprefix("data: ")) for event in events]

    def test_progress_comes_before_the_result(self):
        self.patch(call_reporting, "PAUSE", 3600.0)

        def work(call):
            for done in range(3):
                call.progress(done, 2, f"step {done}")
            return {"done": True}

        *told, last = self.events(self.call(work))
        self.assertEqual([each["method"] for each in told], ["notifications/progress"] * 2)
        self.assertEqual(told[0]["params"], {"progressToken": "t", "progress": 0, "total": 2, "message": "step 0"})
        self.assertEqual(told[-1]["params"]["progress"], 2)
        self.assertEqual((last["id"], last["result"]["structuredContent"]), (1, {"done": True}))

    def test_answer_is_plain_where_nothing_was_sent(self):
        self.assertEqual(self.assertResult(self.call(lambda call: {"a": 1}))["structuredContent"], {"a": 1})

    def test_refusals_keep_their_status_where_nothing_was_sent(self):
        server = type(self.env["mcp.server"])
        for error, status in (
            (InvalidParams("No."), 400),
            (HttpRefusal(403, "No.", {"WWW-Authenticate": "Bearer scope"}), 403),
            (RateLimited("busy", "Too much.", 7), 429),
        ):
            with self.subTest(error=error), patch.object(server, "_run", side_effect=error):
                response = self.call(None)
                self.assertPlain(response)
                self.assertEqual(response.status_code, status)
                self.assertEqual(response.headers["Content-Type"], "application/json")
                self.assertTrue(response.json()["error"]["message"])
        self.assertEqual(response.headers["Retry-After"], "7")

    def test_calls_are_counted_once(self):
        self.env["ir.config_parameter"].set_param("mcp_endpoint.calls", "1000")
        remaining = [
            self.assertResult(self.call(lambda call: {}))["_meta"]["rate_limit"]["remaining"] for _number in range(2)
        ]
        self.assertEqual(remaining[0] - remaining[1], 1)

    def test_browsers_may_read_it(self):
        self.env["ir.config_parameter"].set_param("mcp_endpoint.allowed_origins", "https://app.example.com")
        origin = {"Origin": "https://app.example.com"}

        def work(call):
            call.progress(1, 2)
            return {}

        for response in (self.call(work, headers=origin), self.call(lambda call: {}, headers=origin)):
            self.assertEqual(response.headers["Access-Control-Allow-Origin"], "https://app.example.com")
            self.assertIn("Mcp-Session-Id", response.headers["Access-Control-Expose-Headers"])

    def test_failed_call_is_told_on_the_stream(self):
        def work(call):
            call.progress(1, 2)
            raise ToolError("no_good", "Not so.")

        *_told, last = self.events(self.call(work))
        self.assertTrue(last["result"]["isError"])

    def test_failure_of_the_whole_is_told_on_the_stream_and_logged_once(self):
        def work(call):
            call.progress(1, 2)
            raise psycopg2.OperationalError("the secret cause")

        with self.assertLogs(OWN, "ERROR") as logged, mute_logger("odoo.http"):
            *_told, last = self.events(self.call(work))
        self.assertEqual(last["error"]["code"], -32603)
        self.assertNotIn("secret", str(last))
        self.assertEqual(len(logged.output), 1)

    def test_failure_of_the_whole_before_the_stream(self):
        def work(call):
            raise psycopg2.OperationalError("the secret cause")

        with mute_logger(OWN, "odoo.http"):
            self.assertError(self.call(work), 200, -32603, 1)

    def test_attempts_that_are_rolled_back_are_told_once(self):
        tries = []

        def work(call):
            tries.append(1)
            call.log("info", {"step": 1})
            for done in range(len(tries) + 1):
                call.progress(done, 3)
                call._reported_at = 0
            if len(tries) < 3:
                raise ConcurrencyError("Somebody else was faster")
            return {"tries": len(tries)}

        with patch("odoo.service.model.time.sleep"), mute_logger("odoo.service.model"):
            *told, last = self.events(self.call(work, meta={"progressToken": 0, LEVEL: "info"}))
        self.assertEqual(last["result"]["structuredContent"], {"tries": 3})
        self.assertEqual([each["params"]["progress"] for each in told if "progress" in each["params"]], [0, 1, 2, 3])
        self.assertEqual(len([each for each in told if each["method"] == "notifications/message"]), 1)

    def test_log_messages_are_those_asked_for(self):
        def work(call):
            call.log("info", "less")
            call.log("error", "more", "tests")
            return {}

        told, _last = self.events(self.call(work, meta={LEVEL: "warning"}))
        self.assertEqual(told["params"], {"level": "error", "data": "more", "logger": "tests"})
        self.assertResult(self.call(work, meta={LEVEL: "critical"}))
        self.assertResult(self.call(work, meta={}))

    def test_call_runs_as_its_user_in_a_transaction_of_its_own(self):
        def work(call):
            call.progress(1, 2)
            self.assertEqual(call.env.transaction.default_env.user, self.user)
            return {"user": call.env.user.login, "lang": call.env.lang, "su": call.env.su}

        *_told, last = self.events(self.call(work))
        self.assertEqual(
            last["result"]["structuredContent"], {"user": self.user.login, "lang": self.user.lang, "su": False}
        )

    def test_cancelled_call_has_no_response(self):
        def work(call):
            call.progress(1, 2)
            call.exchange.running.cancel()
            call.check_cancelled()

        (told,) = self.events(self.call(work))
        self.assertEqual(told["method"], "notifications/progress")

        def silent(call):
            call.exchange.running.cancel()
            call.check_cancelled()

        response = self.call(silent, meta={})
        self.assertEqual((response.status_code, response.text), (200, ""))
        response = self.call(silent, headers={"Accept": "application/json"})
        self.assertTrue(self.assertResult(response)["isError"])

    def test_call_that_asks_is_rolled_back_and_run_again(self):
        server = type(self.env["mcp.server"])
        plain, seen = server._handle, []

        def proceed(stream, exchange):
            self.assertFalse(self.env["res.partner"].search_count([("name", "=", "Asked first")]))
            stream.push({"jsonrpc": "2.0", "id": "q", "method": "elicitation/create"}, event_id="s_1", retry=5)
            return dataclasses.replace(exchange, answers={"confirm": {"confirm": True}})

        def handle(server, exchange):
            seen.append(exchange.answers)
            server.env["res.partner"].sudo().create({"name": "Asked first"})
            if not exchange.answers:
                raise AskOnStream(proceed)
            return plain(server, exchange)

        with patch.object(server, "_handle", handle):
            response = self.call(lambda call: {"answers": call.answers})
        asked, answered = response.text.removesuffix("\n\n").split("\n\n")
        self.assertEqual(asked, 'id: s_1\nretry: 5\ndata: {"jsonrpc":"2.0","id":"q","method":"elicitation/create"}')
        result = json.loads(answered.removeprefix("data: "))["result"]
        self.assertEqual(result["structuredContent"], {"answers": {"confirm": {"confirm": True}}})
        self.assertEqual(len(seen), 2)
        self.assertEqual(self.env["res.partner"].search_count([("name", "=", "Asked first")]), 1)

    def test_stream_may_end_without_a_response(self):
        def end(stream, exchange):
            stream.push(None, event_id="s_2")

        with patch.object(type(self.env["mcp.server"]), "_handle", side_effect=AskOnStream(end)):
            response = self.call(None)
        self.assertEqual((response.status_code, response.text), (200, "id: s_2\ndata: \n\n"))


@tagged("post_install", "-at_install")
class TestStreamOutlet(BaseCase):
    def setUp(self):
        super().setUp()
        self.sent = []
        self.running = RunningCall(None, lambda: False)
        self.outlet = StreamOutlet(lambda: self.sent.append, self.running)

    def test_silence_is_broken_by_comments(self):
        self.outlet.beat()
        self.assertEqual(self.sent, [])
        with patch.object(stream_outlet, "HEARTBEAT_SECONDS", 0.0):
            self.outlet.beat()
        self.assertEqual(self.sent, [b":\n\n"])
        self.assertTrue(self.outlet.finish(b"last"))
        with patch.object(stream_outlet, "HEARTBEAT_SECONDS", 0.0):
            self.outlet.beat()
        self.assertEqual(self.sent[1:], [b"last"])

    def test_unopened_stream_leaves_the_answer_plain(self):
        self.assertFalse(self.outlet.finish(b"last"))
        self.outlet.push({"late": 1})
        self.assertEqual(self.sent, [])

    def test_heartbeat_does_not_open_a_stream_that_ends(self):
        lock = self.outlet._lock

        class BeatBetween:
            """Lets a heartbeat come as soon as the end has looked whether the stream is open."""

            def __enter__(this):
                return lock.__enter__()

            def __exit__(this, *raised):
                lock.__exit__(*raised)
                self.outlet._lock = lock
                with patch.object(stream_outlet, "HEARTBEAT_SECONDS", 0.0):
                    self.outlet.beat()

        self.outlet._lock = BeatBetween()
        self.assertFalse(self.outlet.finish(b"last"))
        self.assertEqual(self.sent, [])

    def test_progress_only_grows(self):
        for done in (1, 3, 2, 3, 4):
            self.outlet.notify("notifications/progress", {"progress": done})
        self.assertEqual([json.loads(event[6:])["params"]["progress"] for event in self.sent], [1, 3, 4])

    def broken(self, running):
        def write(data):
            raise BrokenPipeError

        return StreamOutlet(lambda: write, running)

    def test_gone_client_cancels_where_that_means_so(self):
        with self.assertRaises(Cancelled):
            self.broken(self.running).push({})
        kept = RunningCall(("db", 1, "1"))
        outlet = self.broken(kept)
        outlet.push({})
        outlet.push({})
        self.assertIsNone(kept.cancelled)
        self.assertTrue(outlet.finish(b"last"))
