"""The older transport, HTTP+SSE, through nginx and without any SDK."""

import time

from stream_case import HEARTBEAT, StreamCase
from streams import Client


class TestLegacyTransport(StreamCase):
    def connect(self, path="/mcp/sse"):
        stream = self.opened(self.client.get(path=path))
        name, address = stream.event()
        self.assertEqual(name, "endpoint")
        self.assertTrue(address.startswith("/mcp/messages?session_id="), address)
        return stream, address

    def send(self, address, method, params=None, message_id=1):
        body = {"jsonrpc": "2.0", "method": method, "params": params or {}}
        body |= {} if message_id is None else {"id": message_id}
        answer = self.client.endpoint.post(body, path=address)
        self.assertEqual((answer.status, answer.body), (202, b""))

    def initialize(self, stream, address):
        client = {"name": "old", "version": "1"}
        self.send(address, "initialize", {"protocolVersion": "2024-11-05", "capabilities": {}, "clientInfo": client})
        answer = stream.message()
        self.assertEqual((answer["id"], answer["result"]["protocolVersion"]), (1, "2024-11-05"))
        self.send(address, "notifications/initialized", message_id=None)

    def test_handshake_tools_and_errors(self):
        for path in ("/mcp/sse", "/mcp"):
            stream, address = self.connect(path)
            self.initialize(stream, address)
            self.send(address, "ping", message_id="p")
            self.assertEqual(stream.message(), {"jsonrpc": "2.0", "id": "p", "result": {}})
            self.send(address, "tools/call", {"name": "greet", "arguments": {"name": "Ann"}}, 7)
            self.assertEqual(stream.message()["id"], 7)
            self.send(address, "no/such", message_id=8)
            self.assertEqual(stream.message()["error"]["code"], -32601)

    def test_call_is_cancelled_while_it_runs(self):
        stream, address = self.connect()
        self.initialize(stream, address)
        self.send(address, "tools/call", {"name": "slow_compute", "arguments": {"seconds": 20, "label": "x"}}, 9)
        self.send(address, "ping", message_id=10)
        self.assertEqual(stream.message()["id"], 10)
        self.send(address, "notifications/cancelled", {"requestId": 9}, None)
        time.sleep(3)
        self.send(address, "ping", message_id=11)
        self.assertEqual(stream.message()["id"], 11)

    def test_nobody_else_posts_there(self):
        stream, address = self.connect()
        body = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
        other = Client(self.running.base, self.people[0]).endpoint
        self.assertEqual(other.post(body, path=address).status, 404)
        self.assertEqual(self.client.endpoint.post(body, path=f"{address}x").status, 404)
        self.assertEqual(self.client.endpoint.post([body], path=address).status, 400)
        self.assertEqual(self.client.endpoint.post(b"{", path=address).status, 400)

    def test_session_ends_with_its_stream(self):
        stream, address = self.connect()
        stream.close()
        deadline = time.monotonic() + HEARTBEAT + 5
        body = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
        while self.client.endpoint.post(body, path=address).status != 404:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.5)

    def test_url_narrows_the_connection(self):
        stream, address = self.connect("/mcp/sse?readonly=1")
        self.initialize(stream, address)
        self.send(address, "tools/list", message_id=2)
        names = {tool["name"] for tool in stream.message()["result"]["tools"]}
        self.assertIn("odoo_search_records", names)
        self.assertNotIn("odoo_update_records", names)
