from unittest.mock import patch

from odoo.tests import tagged

from ..models import event_streams
from ..models.event_streams import McpServer
from ..services.errors import InvalidParams, MethodNotFound
from ..services.stream_index import StreamLimits
from ..services.versions import V2025_11_25, V2026_07_28
from .common import McpCase, McpHttpCase

LISTS = ("tools", "prompts", "resources")


@tagged("post_install", "-at_install")
class TestEventStreams(McpCase):
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


@tagged("post_install", "-at_install")
class TestEventStreamsHttp(McpHttpCase):
    """GET and the messages of HTTP+SSE, as far as they hold nothing open: that is tested with real processes."""

    def setUp(self):
        super().setUp()
        # As on a worker.
        self.patch(McpServer, "_holds_streams", lambda _self: False)
        self.token = self.issue()

    def get(self, path="/mcp", token=None, **headers):
        sent = {"Accept": "text/event-stream", "Authorization": f"Bearer {token or self.token}"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self.url_open(path, headers=sent, method="GET")

    def initialize(self):
        params = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
        body = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}
        return self.post(body, token=self.token).headers["Mcp-Session-Id"]

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
        row = self.env["mcp.session"].search([("digest", "=", self.env["mcp.session"]._digest(session))])
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
        row = self.env["mcp.session"].search([("digest", "=", self.env["mcp.session"]._digest(session))])
        name = self.env["mcp.stream.event"]._new_stream(row.id)
        self.patch(McpServer, "_holds_streams", lambda _self: True)
        self.patch(McpServer, "_stream_limits", lambda _self: StreamLimits(total=0, per_token=0))
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
