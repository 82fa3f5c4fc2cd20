"""What checking a token costs the database, as the database counts it."""

import time
import unittest

from endpoint import Endpoint
from fixture import shared

from devtools import oauth_tokens, postgres

CALLS = 60
COUNTS = "SELECT relname, n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_user_tables"
# The journal of calls is what a call is written to; all else would make each read a write.
JOURNAL = "mcp_audit_log"


class TestHotPath(unittest.TestCase):
    """After its first use, a token is read and nothing is written, for five minutes."""

    def setUp(self):
        self.running = shared()

    def counts(self, endpoint):
        # Each server process reports what it has done at most once a second, at the end of a transaction.
        time.sleep(1.2)
        for _number in range(10):
            self.assertEqual(endpoint.rpc("tools/list").status, 200)
        time.sleep(0.2)
        return {name: int(count) for name, count in postgres.query(COUNTS, self.running.database)}

    def check(self, secret):
        endpoint = Endpoint(self.running.base, secret)
        before = self.counts(endpoint)
        for _number in range(CALLS):
            endpoint.rpc("tools/list")
        after = self.counts(endpoint)
        written = {name: after[name] - before[name] for name in after if after[name] != before.get(name)}
        journal = written.pop(JOURNAL)
        # The calls that made each count are in the next one, as far as they were reported.
        self.assertLessEqual(abs(journal - CALLS), 20)
        self.assertEqual(written, {})

    def test_personal_token(self):
        self.check(self.running.token)

    def test_access_token(self):
        self.check(oauth_tokens.issue(self.running.database, "admin"))

    def test_first_use_is_noted(self):
        secret = oauth_tokens.issue(self.running.database, "admin", name="First use")
        query = """SELECT count(*) FROM mcp_token t JOIN mcp_oauth_client c ON c.id = t.oauth_client_id
                    WHERE c.name = 'First use' AND t.last_used_at IS NOT NULL"""
        self.assertEqual(postgres.query(query, self.running.database)[0][0], "0")
        Endpoint(self.running.base, secret).rpc("tools/list")
        deadline = time.monotonic() + 10
        while postgres.query(query, self.running.database)[0][0] != "1":
            self.assertLess(time.monotonic(), deadline, "The use was not noted")
            time.sleep(0.1)
