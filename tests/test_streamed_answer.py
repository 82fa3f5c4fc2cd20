import dataclasses
import json
from unittest.mock import patch

from odoo.tests import tagged

from ..services.errors import AskOnStream
from .common import MODERN_META
from .test_mcp_dispatcher import DispatcherCase, request

STREAM = "text/event-stream"


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
