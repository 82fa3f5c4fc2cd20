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
REPORTED = 10.5  # seconds; PostgreSQL's processes report what they counted after ten seconds without work


class TestHotPath(unittest.TestCase):
    """After its first use, a token is read and nothing is written, for five minutes."""

    def setUp(self):
        self.running = shared()

    def counts(self):
        time.sleep(REPORTED)
        rows = postgres.query(COUNTS, self.running.database)
        # The shared server's scheduled actions run meanwhile.
        counts = {name: int(count) for name, count in rows if not name.startswith("ir_cron")}
        # Rows are counted themselves: rolled back ones are in the statistics too.
        counts[JOURNAL] = int(postgres.query(f"SELECT count(*) FROM {JOURNAL}", self.running.database)[0][0])
        return counts

    def test_a_known_token_is_only_read(self):
        secrets = {
            "personal token": self.running.token,
            "access token": oauth_tokens.issue(self.running.database, "admin"),
        }
        endpoints = {kind: Endpoint(self.running.base, secret) for kind, secret in secrets.items()}
        for endpoint in endpoints.values():
            for _number in range(10):
                self.assertEqual(endpoint.rpc("tools/list").status, 200)
        before = self.counts()
        for kind, endpoint in endpoints.items():
            with self.subTest(kind):
                for _number in range(CALLS):
                    self.assertEqual(endpoint.rpc("tools/list").status, 200)
        after = self.counts()
        written = {name: after[name] - before.get(name, 0) for name in after if after[name] != before.get(name, 0)}
        self.assertEqual(written, {JOURNAL: CALLS * len(endpoints)})

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
