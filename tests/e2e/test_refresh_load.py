"""Many refreshes of one connection at once, against a server with two workers: what several agents do that share one
file of credentials. However they interleave, one refresh token is current in the end, and nobody sees a 500."""

import http.client
import json
import random
import threading
import time
import unittest
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode, urlsplit

from endpoint import Endpoint
from fixture import shared

from devtools import databases, postgres

ALL = 200
CONNECT = """
client = env["mcp.oauth.client"].create({"name": "load", "client_id": "load-%(number)s", "redirect_uris": "https://x/"})
grant = env["mcp.token"]._open_grant(
    env.ref("base.user_admin"), client, env.ref("mcp_endpoint.profile_read"), ("mcp:read",),
    env["mcp.oauth.server"]._resource(),
)
print("SECRET " + env["mcp.oauth.refresh"]._start(grant))
env.cr.commit()
"""
VERIFIER = "v" * 43
MINT = """
from odoo.addons.mcp_endpoint.services.oauth import pkce
client = env["mcp.oauth.client"].search([("client_id", "=", "load-%(number)s")])
print("SECRET " + env["mcp.oauth.code"]._mint(
    request_key="load %(number)s", user=env.ref("base.user_admin"), client=client,
    profile=env.ref("mcp_endpoint.profile_read"), scopes=("mcp:read",), redirect_uri="https://x/",
    challenge=pkce.challenge("%(verifier)s"), resource=env["mcp.oauth.server"]._resource(),
))
env.cr.commit()
"""


class TestRefreshLoad(unittest.TestCase):
    """Each test has a connection of its own."""

    number = 0

    def setUp(self):
        self.running = shared()
        type(self).number += 1
        self.client = f"load-{self.number}"
        self.secret = self.made(CONNECT % {"number": self.number})

    def made(self, script):
        """Run a script in Odoo's shell; the secret that it prints."""
        output = databases.shell(self.running.database, script, capture=True)
        return next(line.split()[1] for line in output.splitlines() if line.startswith("SECRET "))

    def refresh(self, secret):
        """Refresh; HTTP status and body."""
        return self.ask({"grant_type": "refresh_token", "refresh_token": secret})

    def ask(self, form):
        """Send a token request, again where the connection broke, as clients do; HTTP status and body."""
        for _attempt in range(100):
            try:
                return self.send({"client_id": self.client, **form})
            except ConnectionError:
                # Odoo's server keeps 16 connections waiting and drops the others.
                time.sleep(random.uniform(0.05, 0.5))
        raise AssertionError("No answer")

    def send(self, form):
        """Send one request."""
        parts = urlsplit(self.running.base)
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=120)
        try:
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            connection.request("POST", "/oauth/token", urlencode(form), headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def check_one_live_generation(self):
        """Check that one refresh token of the connection is current, and return how many there have been."""
        rows = postgres.query(
            f"""SELECT count(*), count(*) FILTER (WHERE r.first_used_at IS NULL), max(r.generation), max(t.generation),
                       count(t.revoked_at)
                  FROM mcp_oauth_refresh r JOIN mcp_token t ON t.id = r.token_id
                  JOIN mcp_oauth_client c ON c.id = t.oauth_client_id WHERE c.client_id = '{self.client}'""",
            self.running.database,
        )
        issued, current, newest, known, revoked = map(int, rows[0])
        self.assertEqual((current, newest, known, revoked), (1, issued - 1, issued - 1, 0))
        return issued

    def test_the_same_token_two_hundred_times(self):
        with ThreadPoolExecutor(ALL) as pool:
            answers = list(pool.map(self.refresh, [self.secret] * ALL))
        statuses = Counter(status for status, _body in answers)
        # Those past the cap of replays are refused; a 503 is a retry that came too late, which clients send again.
        self.assertLessEqual(set(statuses), {200, 400, 503}, statuses)
        self.assertGreater(statuses[200], 1, statuses)
        self.assertLess(statuses[503], ALL / 20, statuses)
        self.assertEqual({body["error"] for status, body in answers if status == 400} - {"invalid_grant"}, set())
        successors = {body["refresh_token"] for status, body in answers if status == 200}
        self.assertEqual(len(successors), 1)
        self.assertEqual(self.check_one_live_generation(), 2)
        status, body = self.refresh(successors.pop())
        self.assertEqual(status, 200)
        self.assertEqual(Endpoint(self.running.base, body["access_token"]).rpc("tools/list").status, 200)

    def test_agents_that_share_a_file(self):
        lock, newest, statuses = threading.Lock(), [self.secret], Counter()

        def agent(_number):
            for _round in range(ALL // 10):
                status, body = self.refresh(newest[0])
                with lock:
                    statuses[status] += 1
                    if status == 200:
                        newest[0] = body["refresh_token"]

        with ThreadPoolExecutor(10) as pool:
            list(pool.map(agent, range(10)))
        self.assertLessEqual(set(statuses), {200, 400, 503}, statuses)
        self.assertGreater(statuses[200], ALL / 2, statuses)
        self.assertGreater(self.check_one_live_generation(), 2)
        # An agent may have put back a token that another has replaced; its successor is there to be had.
        self.assertIn(self.refresh(newest[0])[0], (200, 400))

    def test_a_code_many_times_at_once(self):
        code = self.made(MINT % {"number": self.number, "verifier": VERIFIER})
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": "https://x/"}
        form["code_verifier"] = VERIFIER
        with ThreadPoolExecutor(20) as pool:
            answers = list(pool.map(self.ask, [form] * 20))
        statuses = Counter(status for status, _body in answers)
        self.assertEqual(statuses[200], 1, statuses)
        self.assertLessEqual(set(statuses), {200, 400, 503}, statuses)
        [given] = [body for status, body in answers if status == 200]
        # The losers are the winner's own second thoughts: they cost it nothing.
        self.assertEqual(Endpoint(self.running.base, given["access_token"]).rpc("tools/list").status, 200)
        self.assertEqual(self.refresh(given["refresh_token"])[0], 200)
