from unittest.mock import patch

from odoo.tests import tagged

from ..models import event_streams, stream_hub
from ..models.event_streams import McpServer
from ..services.errors import InvalidParams, MethodNotFound
from ..services.exchange import Credential
from ..services.stream_index import StreamLimits
from ..services.versions import V2025_11_25, V2026_07_28
from .common import McpCase, McpHttpCase
from .test_mcp_limits import LimitsMixin

LISTS = ("tools", "prompts", "resources")


@tagged("post_install", "-at_install")
class TestEventStreams(McpCase):
    def setUp(self):
        super().setUp()
        index = patch.dict(stream_hub._indexes, clear=True)
        index.start()
        self.addCleanup(index.stop)

    def server(self, workers=2, routed=True):
        self.patch(event_streams, "config", {"workers": workers})
        self.env["ir.config_parameter"].set_param("mcp_endpoint.streams_routed", routed)
        return self.registry_as().env["mcp.server"]

    def test_streams_are_offered_where_they_are_known_to_arrive(self):
        for workers, routed, offered in ((2, False, False), (2, True, True), (0, False, True)):
            server = self.server(workers, routed)
            for version in (V2025_11_25, V2026_07_28):
                capabilities = server._capabilities(version)
                with self.subTest(workers=workers, routed=routed, version=version.name):
                    self.assertEqual(all(capabilities[name].get("listChanged") for name in LISTS), offered)
                    self.assertEqual(capabilities["resources"].get("subscribe", False), offered)
                    methods = {"subscriptions/listen", "resources/subscribe", "resources/unsubscribe"}
                    expected = {"subscriptions/listen"} if version.modern else methods - {"subscriptions/listen"}
                    self.assertEqual(methods & set(server._rpc_table(version)), expected if offered else set())

    def test_a_worker_holds_none(self):
        self.assertFalse(self.server(2)._holds_streams())
        self.assertTrue(self.server(0)._holds_streams())
        with patch.object(event_streams.odoo, "evented", True):
            self.assertTrue(self.server(2)._holds_streams())

    def test_threads_are_few(self):
        self.env["ir.config_parameter"].set_param("mcp_endpoint.streams", "500")
        self.assertEqual(self.server(2)._stream_limits().total, 500)
        self.assertEqual(self.server(0)._stream_limits().total, event_streams.MOST_THREADED)

    def listen(self, wished, workers=0):
        exchange = self.exchange(method="subscriptions/listen", params={"notifications": wished}, version=V2026_07_28)
        return self.server(workers)._rpc_subscriptions_listen(exchange)["notifications"]

    def test_only_what_is_known_is_acknowledged(self):
        wished = {"toolsListChanged": True, "promptsListChanged": False, "other": True, "resourceSubscriptions": []}
        self.assertEqual(self.listen(wished), {"toolsListChanged": True, "resourceSubscriptions": []})
        self.assertEqual(self.listen({}), {})

    def test_wishes_that_are_none(self):
        for wished in (None, [], "all", {"toolsListChanged": "yes"}, {"resourceSubscriptions": "odoo://context"},
                       {"resourceSubscriptions": [1]}, {"resourceSubscriptions": ["x"] * 1 + [""]},
                       {"resourceSubscriptions": [f"test://{n}" for n in range(101)]}):  # fmt: skip
            with self.subTest(wished=wished), self.assertRaises(InvalidParams):
                self.listen(wished)

    def test_a_worker_does_not_listen(self):
        with self.assertRaises(MethodNotFound):
            self.listen({}, workers=2)

    def test_subscriptions_need_a_session(self):
        exchange = self.exchange(method="resources/subscribe", params={"uri": "odoo://context"})
        with self.assertRaises(InvalidParams):
            self.server()._rpc_resources_subscribe(exchange)


class StreamRequests:
    def setUp(self):
        super().setUp()
        # As on a worker.
        self.patch(McpServer, "_holds_streams", lambda _self: False)
        self.token = self.issue()

    def get(self, path="/mcp", token=None, **headers):
        sent = {"Accept": "text/event-stream", "Authorization": f"Bearer {token or self.token}"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self.url_open(path, headers=sent, method="GET")

    def opening(self, token=None):
        params = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
        body = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}
        return self.post(body, token=token or self.token)

    def initialize(self):
        return self.opening().headers["Mcp-Session-Id"]

    def session_row(self, key):
        return self.env["mcp.session"].search([("digest", "=", self.env["mcp.session"]._digest(key))])


@tagged("post_install", "-at_install")
class TestEventStreamsHttp(StreamRequests, McpHttpCase):
    """GET and the messages of HTTP+SSE, as far as they hold nothing open: that is tested with real processes."""

    def test_a_worker_has_no_stream(self):
        session = self.initialize()
        for path, headers in (
            ("/mcp", {"Mcp_Session_Id": session}),
            ("/mcp", {}),
            ("/mcp/sse", {}),
            ("/mcp/messages", {}),
            ("/mcp", {"Mcp_Protocol_Version": "2026-07-28"}),
            ("/mcp", {"Mcp_Session_Id": session, "Accept": "text/html"}),
        ):
            with self.subTest(path=path, **headers):
                response = self.get(path, **headers)
                self.assertEqual(response.status_code, 405)
                self.assertIn("POST", response.headers["Allow"])

    def test_foreign_sessions_and_event_ids_are_refused(self):
        session = self.initialize()
        self.assertEqual(self.get(Mcp_Session_Id="made up").status_code, 404)
        self.assertEqual(self.get(Last_Event_ID="x_1").status_code, 400)
        for event_id in ("x_1", "", "0_0"):
            self.assertEqual(self.get(Mcp_Session_Id=session, Last_Event_ID=event_id).status_code, 400)
        other = self.issue(self.env.ref("base.user_admin"))
        self.assertEqual(self.get(token=other, Mcp_Session_Id=session, Last_Event_ID="x_1").status_code, 404)

    def test_what_a_stream_holds_is_replayed_and_the_answer_ends(self):
        session = self.initialize()
        row = self.session_row(session)
        outbox = self.env["mcp.stream.event"]
        name = outbox._new_stream(row.id)
        empty = self.get(Mcp_Session_Id=session, Last_Event_ID=f"{name}_0")
        again = f"id: {name}_0\nretry: 1500\ndata: \n\n"
        self.assertEqual((empty.status_code, empty.text), (200, again))
        event = outbox._append(name, row.id, {"jsonrpc": "2.0", "id": 5, "result": {}})
        outbox._finish(name, row.id)
        found = self.get(Mcp_Session_Id=session, Last_Event_ID=f"{name}_0")
        self.assertTrue(found.headers["Content-Type"].startswith("text/event-stream"))
        self.assertEqual(found.text, f'id: {event}\ndata: {{"jsonrpc":"2.0","id":5,"result":{{}}}}\n\n')
        self.assertNotIn("data", self.get(Mcp_Session_Id=session, Last_Event_ID=event).text)

    def test_answer_is_to_be_had_where_no_more_streams_may_be_held(self):
        session = self.initialize()
        row = self.session_row(session)
        name = self.env["mcp.stream.event"]._new_stream(row.id)
        self.patch(McpServer, "_holds_streams", lambda _self: True)
        self.patch(McpServer, "_stream_limits", lambda _self: StreamLimits(total=0, per_token=0, per_user=0))
        self.assertEqual(self.get(Mcp_Session_Id=session).status_code, 429)
        found = self.get(Mcp_Session_Id=session, Last_Event_ID=f"{name}_0")
        self.assertEqual((found.status_code, found.text), (200, f"id: {name}_0\nretry: 1500\ndata: \n\n"))

    def test_probe_tells_where_it_arrived(self):
        self.assertEqual(self.get(X_Mcp_Probe="1").json(), {"streams": False})
        response = self.post(raw=b"{}", body=None, token=self.token, headers={"X-Mcp-Probe": "1"})
        self.assertEqual(response.json(), {"streams": False})

    def test_message_for_no_stream_is_404(self):
        body = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
        session = self.initialize()
        for query in ("", "?session_id=", "?session_id=made-up", f"?session_id={session}"):
            response = self.post(body, token=self.token, path=f"/mcp/messages{query}")
            self.assertEqual(response.status_code, 404, query)

    def test_listening_needs_a_client_that_reads_streams(self):
        meta = {"io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientCapabilities": {}}  # fmt: skip
        params = {"notifications": {}, "_meta": meta}
        body = {"jsonrpc": "2.0", "id": 1, "method": "subscriptions/listen", "params": params}
        headers = {"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "subscriptions/listen"}
        accepted = self.post(body, token=self.token, headers=headers)
        self.assertEqual((accepted.status_code, accepted.json()["error"]["code"]), (404, -32601))
        refused = self.post(body, token=self.token, headers={**headers, "Accept": "application/json"})
        self.assertEqual(refused.status_code, 406)


@tagged("post_install", "-at_install")
class TestConnectLimitsHttp(LimitsMixin, StreamRequests, McpHttpCase):
    """A token that opens sessions and streams as fast as it can."""

    def assertRateLimited(self, response, status=429):
        self.assertEqual(response.status_code, status, response.text)
        wait = int(response.headers["Retry-After"])
        self.assertTrue(1 <= wait <= 61)
        self.assertEqual(response.json()["error"]["code"], 429)
        self.assertEqual(response.json()["error"]["data"]["retry_after"], wait)

    def sessions(self):
        return self.env["mcp.session"].search_count([("user_id", "=", self.user.id)])

    def test_sessions_of_a_token_and_of_its_user(self):
        self.set(connects=2)
        self.assertEqual([self.opening().status_code for _number in range(2)], [200, 200])
        self.assertRateLimited(self.opening())
        other = self.issue()
        self.assertEqual([self.opening(other).status_code for _number in range(2)], [200, 200])
        self.assertRateLimited(self.opening(self.issue()))
        self.assertEqual(self.sessions(), 4)
        self.assertEqual(self.opening(self.issue(self.env.ref("base.user_admin"))).status_code, 200)

    def test_calls_go_on_and_do_not_count(self):
        self.set(connects=1, calls=5)
        self.initialize()
        self.assertRateLimited(self.opening())
        for left in (4, 3, 2):
            result = self.rpc("tools/call", {"name": "odoo_get_context", "arguments": {}}, token=self.token).json()
            rate_limit = result["result"]["_meta"]["rate_limit"]
            self.assertEqual(rate_limit, {"limit": 5, "remaining": left, "window_seconds": 60})
        read = self.rpc("resources/read", {"uri": "odoo://context"}, token=self.token).json()["result"]
        self.assertEqual(read["_meta"]["rate_limit"], {"limit": 5, "remaining": 1, "window_seconds": 60})
        self.set(connects=0)
        self.assertEqual(self.opening().status_code, 200)

    def test_streams_are_refused_before_anything_is_made(self):
        self.set(connects=1)
        session = self.initialize()
        self.patch(McpServer, "_holds_streams", lambda _self: True)
        for path, headers in (("/mcp", {"Mcp_Session_Id": session}), ("/mcp", {}), ("/mcp/sse", {})):
            with self.subTest(path=path, **headers):
                self.assertRateLimited(self.get(path, **headers))
        self.assertRateLimited(
            self.rpc("subscriptions/listen", {"notifications": {"toolsListChanged": True}}, token=self.token)
        )
        self.assertEqual(self.sessions(), 1)
        self.assertFalse(stream_hub.index_of(self.env.cr.dbname)._places)
        reasons = self.env["mcp.audit.log"].search(
            [("user_id", "=", self.user.id), ("outcome", "=", "refused"), ("method", "=", "http/GET")]
        )
        self.assertEqual({row.reason.partition(":")[0] for row in reasons}, {"rate_limited"})

    def test_a_worker_still_says_that_it_has_no_streams(self):
        self.set(connects=1)
        session = self.initialize()
        self.assertEqual(self.get(Mcp_Session_Id=session).status_code, 405)

    def test_session_survives_that_its_subscription_is_refused(self):
        self.set(connects=1)
        headers = {"Mcp-Session-Id": self.initialize()}
        body = {"jsonrpc": "2.0", "id": 2, "method": "resources/subscribe", "params": {"uri": "odoo://context"}}
        self.assertRateLimited(self.post(body, token=self.token, headers=headers), status=200)
        self.assertFalse(self.env["mcp.subscription"].search([("token_id.user_id", "=", self.user.id)]))

    def test_answer_to_a_call_is_never_refused(self):
        self.set(connects=1)
        session = self.initialize()
        row = self.session_row(session)
        outbox = self.env["mcp.stream.event"]
        name = outbox._new_stream(row.id)
        outbox._append(name, row.id, {"jsonrpc": "2.0", "id": 5, "result": {}})
        self.patch(McpServer, "_holds_streams", lambda _self: True)
        # The one stream of this minute that may be held for answers.
        self.env["mcp.limits"]._count_opening(
            Credential("personal", row.token_id.id, self.user.id, 0, "127.0.0.1"), "earlier", resumed=True
        )
        for _number in range(3):
            found = self.get(Mcp_Session_Id=session, Last_Event_ID=f"{name}_0")
            self.assertEqual(found.status_code, 200)
            self.assertIn('"id":5', found.text)
