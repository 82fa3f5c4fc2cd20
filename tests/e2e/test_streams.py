"""Long-lived streams through nginx with the README's recipe, 2 workers and the evented process."""

import os
import signal
import time
import unittest
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from stream_case import HEARTBEAT, RECORD, SETTINGS, UPDATED, StreamCase
from streams import Client, evented_pid

from devtools import databases, fixture_server, server, tokens

MOST_THREADED = 20
# Run in `odoo shell`.
REVOKE = 'env["mcp.token"].search([("user_id.login", "=", "streams_leaver")])._revoke()'
# For one person only; the others go on changing the record.
HIDE = """
env["ir.rule"].create({"name": "streams_test", "model_id": env["ir.model"]._get_id("res.partner"),
                       "domain_force": "[('id', '!=', 1 if user.login == 'streams_reader' else 0)]"})
"""
SHOW = 'env["ir.rule"].search([("name", "=", "streams_test")]).unlink()'


class TestStreams(StreamCase):
    def test_session_hears_of_what_it_subscribed_to(self):
        session = self.client.session()
        stream = self.opened(self.client.get(session))
        self.assertEqual(self.client.ask("resources/subscribe", {"uri": RECORD}, session).result, {})
        self.change()
        self.assertEqual(stream.message(), {"jsonrpc": "2.0", "method": UPDATED, "params": {"uri": RECORD}})
        self.client.ask("resources/unsubscribe", {"uri": RECORD}, session)
        self.change()
        self.assertEqual(stream.methods(), [])

    def test_listener_is_acknowledged_first_and_told_what_it_asked_for(self):
        stream = self.opened(self.client.listen(promptsListChanged=True, resourceSubscriptions=[RECORD]))
        first = stream.message()
        self.assertEqual(first["method"], "notifications/subscriptions/acknowledged")
        self.change()
        tag = {"io.modelcontextprotocol/subscriptionId": "listen-1"}
        self.assertEqual(stream.message()["params"], {"uri": RECORD, "_meta": tag})

    def test_missed_changes_come_after_a_break(self):
        session, stream = self.told_session()
        last = stream.last_id
        stream.close()
        self.change()
        again = self.opened(self.client.get({**session, "Last-Event-ID": last}))
        self.assertEqual(again.message()["method"], UPDATED)
        self.assertNotEqual(again.last_id, last)

    def test_newer_stream_of_a_session_replaces_the_older(self):
        session = self.client.session()
        first = self.opened(self.client.get(session))
        second = self.opened(self.client.get(session))
        self.assertTrue(first.ended.wait(5))
        self.assertFalse(second.ended.wait(1))

    def test_session_that_ends_takes_its_stream_along(self):
        session = self.client.session()
        stream = self.opened(self.client.get(session))
        self.assertEqual(self.client.endpoint.post(b"", session, method="DELETE").status, 204)
        self.assertTrue(stream.ended.wait(5))
        self.assertEqual(self.client.get(session).status, 404)

    def test_foreign_and_made_up_event_ids_are_refused(self):
        mine, other = self.client.session(), self.client.session()
        stream = self.opened(self.client.get(mine))
        deadline = time.monotonic() + 5
        while stream.last_id is None and time.monotonic() < deadline:
            time.sleep(0.05)
        for event_id in (stream.last_id, "x_1", "0"):
            self.assertEqual(self.client.get({**other, "Last-Event-ID": event_id}).status, 400)

    def test_token_has_so_many_streams(self):
        streams = [self.opened(Client(self.running.base, self.people[0]).listen()) for _number in range(5)]
        self.assertEqual(Client(self.running.base, self.people[0]).listen().status, 429)
        streams[0].close()
        deadline = time.monotonic() + 10
        while (status := Client(self.running.base, self.people[0]).listen().status) != 200:
            self.assertLess(time.monotonic(), deadline, status)
            time.sleep(0.2)

    def test_clients_that_come_at_once_get_no_more_than_there_is(self):
        token = tokens.issue(self.running.database, tokens.Wanted("streams_reader", "full"))[0]
        with ThreadPoolExecutor(30) as pool:
            found = list(pool.map(lambda _number: Client(self.running.base, token).listen(), range(30)))
        for stream in found:
            self.addCleanup(stream.close)
        self.assertEqual(Counter(stream.status for stream in found), {200: 5, 429: 25})

    def test_the_port_of_streams_does_no_work(self):
        direct = Client(f"http://127.0.0.1:{self.running.server.gevent_port}", self.running.token).endpoint
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
        listening = {"Mcp-Method": "subscriptions/listen"}
        # Also where it calls itself a wish to listen.
        for payload, headers in ((body, None), (body, listening), ([body], listening)):
            self.assertEqual(direct.post(payload, headers).status, 503)

    def test_a_worker_answers_405(self):
        worker = Client(self.running.server.base, self.running.token)
        session = worker.session()
        self.assertEqual(worker.get(session).status, 405)
        self.assertEqual(worker.get().status, 405)
        self.assertEqual(worker.listen().status, 404)


class TestEndOfStreams(StreamCase):
    def test_revoked_token_loses_its_streams_within_a_heartbeat(self):
        leaver = Client(self.running.base, self.people[1])
        session = leaver.session()
        streams = [self.opened(leaver.get(session)), self.opened(leaver.listen()), self.opened(leaver.get())]
        mine = self.opened(self.client.listen())
        databases.change(self.running.database, REVOKE)
        for stream in streams:
            self.assertTrue(stream.ended.wait(HEARTBEAT + 5))
        self.assertIn("result", streams[1].methods(1))
        self.assertIsNotNone(streams[0].retry)
        self.assertFalse(mine.ended.is_set())
        self.assertGreater(mine.heartbeats, 0)

    def test_who_lost_access_hears_nothing(self):
        reader = Client(self.running.base, self.people[0])
        stream = self.opened(reader.listen(resourceSubscriptions=[RECORD]))
        stream.message()
        self.change()
        self.assertEqual(stream.message()["method"], UPDATED)
        databases.change(self.running.database, HIDE)
        self.addCleanup(databases.change, self.running.database, SHOW)
        self.change()
        self.assertEqual(stream.methods(2), [])

    def test_killed_process_of_streams_comes_back_and_nothing_is_lost(self):
        session, stream = self.told_session()
        last = stream.last_id
        os.kill(evented_pid(self.running.server), signal.SIGKILL)
        self.assertTrue(stream.ended.wait(5))
        # Workers work on.
        self.change()
        self.wait_for_evented()
        again = self.opened(self.client.get({**session, "Last-Event-ID": last}))
        self.assertEqual(again.message()["method"], UPDATED)

    def test_process_of_streams_that_is_asked_to_go_ends_them(self):
        session = self.client.session()
        standalone, listening = self.opened(self.client.get(session)), self.opened(self.client.listen())
        listening.message()
        os.kill(evented_pid(self.running.server), signal.SIGTERM)
        self.assertTrue(standalone.ended.wait(10))
        self.assertTrue(listening.ended.wait(10))
        self.assertIsNotNone(standalone.retry)
        self.assertEqual(listening.methods(1), ["result"])
        self.wait_for_evented()


class TestThreadedServer(unittest.TestCase):
    """`workers = 0`: a few streams, in threads."""

    def test_few_streams_that_end_with_the_server(self):
        with fixture_server.running("streamsthreads", workers=0) as running:
            client = Client(running.server.base, running.token)
            databases.change(running.database, SETTINGS % 100)
            session = client.session()
            self.assertEqual(client.ask("resources/subscribe", {"uri": RECORD}, session).result, {})
            stream = client.get(session)
            more = [client.listen(resourceSubscriptions=[RECORD]) for _number in range(MOST_THREADED)]
            self.assertEqual([each.status for each in more], [200] * (MOST_THREADED - 1) + [429])
            values = {"comment": os.urandom(4).hex()}
            client.endpoint.facts("odoo_update_records", model="res.partner", ids=[1], values=values)
            self.assertEqual(stream.message()["method"], UPDATED)
            self.assertIn(UPDATED, more[0].methods())
            server.stop(running.server)
            self.assertTrue(stream.ended.wait(5))
            self.assertIsNotNone(stream.retry)
            self.assertIn("result", more[1].methods(2))
