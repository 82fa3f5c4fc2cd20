"""What only several processes can show: caches that follow a change, transactions that end in the middle, races."""

import http.client
import os
import re
import signal
import threading
import time
import unittest
import xmlrpc.client
from concurrent.futures import ThreadPoolExecutor

from endpoint import Endpoint
from fixture import shared

from devtools import postgres, tokens

# So many requests reach both workers but once in a million runs.
MANY = 24
SLOW = 5


class WorkersCase(unittest.TestCase):
    """A server with 2 workers and the fixture addon."""

    @classmethod
    def setUpClass(cls):
        cls.running = shared()
        cls.endpoint = Endpoint(cls.running.server.base, cls.running.token)
        cls.odoo = xmlrpc.client.ServerProxy(f"{cls.running.server.base}/xmlrpc/2/object")

    def execute(self, model, method, *arguments):
        """Call Odoo as its administrator, past our endpoint: some worker changes the database."""
        return self.odoo.execute_kw(self.running.database, 2, "admin", model, method, list(arguments))

    def rows(self, sql):
        return postgres.query(sql, self.running.database)

    def number(self, sql):
        return int(self.rows(sql)[0][0])

    def partner(self, name):
        return self.execute("res.partner", "create", [{"name": name}])[0]

    def partner_model(self):
        return self.number("SELECT id FROM ir_model WHERE model = 'res.partner'")

    def name_of(self, partner):
        return self.rows(f"SELECT name FROM res_partner WHERE id = {partner}")[0][0]

    def audit_rows(self, tool, outcome="ok"):
        return self.number(f"SELECT count(*) FROM mcp_audit_log WHERE tool = '{tool}' AND outcome = '{outcome}'")

    def workers(self, since):
        """The processes that answered requests to the endpoint, from the log after byte `since`."""
        with open(self.running.server.log, errors="replace") as log:
            log.seek(since)
            return set(re.findall(r"^\S+ \S+ (\d+) INFO \S+ werkzeug: .*POST /mcp ", log.read(), re.MULTILINE))

    def log_size(self):
        return os.path.getsize(self.running.server.log)

    def writing_worker(self, size):
        """The worker whose transaction has written and now dawdles: the one that does not answer others."""
        query = (
            f"SELECT 1 FROM pg_stat_activity WHERE datname = '{self.running.database}' AND backend_xid IS NOT NULL"
            " AND state = 'idle in transaction' AND state_change < now() - interval '0.3 s'"
        )
        deadline = time.monotonic() + SLOW
        while not self.rows(query):
            self.assertLess(time.monotonic(), deadline, "no transaction was writing")
            time.sleep(0.1)
        self.endpoint.rpc("tools/list")
        with open(self.running.server.log, errors="replace") as log:
            started = {int(pid) for pid in re.findall(r"Worker WorkerHTTP \((\d+)\) alive", log.read())}
        alive = {pid for pid in started if os.path.exists(f"/proc/{pid}")}
        (busy,) = alive - {int(pid) for pid in self.workers(size)}
        return busy

    def many(self, function):
        with ThreadPoolExecutor(4) as pool:
            return list(pool.map(lambda _number: function(), range(MANY)))


class TestSignals(WorkersCase):
    """A change made in one worker holds in the other from the next request on."""

    def test_profile_change_reaches_both_workers(self):
        profile = int(
            self.rows("SELECT res_id FROM ir_model_data WHERE module = 'mcp_endpoint' AND name = 'profile_full'")[0][0]
        )
        partner = self.partner("Before")
        level = self.execute("mcp.profile", "read", [profile], ["access_level"])[0]["access_level"]
        self.addCleanup(self.execute, "mcp.profile", "write", [profile], {"access_level": level})

        def rename():
            return self.endpoint.call("odoo_update_records", model="res.partner", ids=[partner], values={"name": "X"})

        for _round in range(3):
            self.execute("mcp.profile", "write", [profile], {"access_level": "read"})
            size, refused = self.log_size(), self.many(rename)
            self.assertEqual([result["isError"] for result in refused], [True] * MANY)
            self.assertEqual(len(self.workers(size)), 2)
            self.assertEqual(self.name_of(partner), "Before")
            self.execute("mcp.profile", "write", [profile], {"access_level": level})
            allowed = self.endpoint.call(
                "odoo_update_records", model="res.partner", ids=[partner], values={"comment": "y"}
            )
            self.assertFalse(allowed["isError"], allowed)

    def test_revoked_token_is_refused_by_both_workers(self):
        (secret,) = tokens.issue(self.running.database, tokens.Wanted("admin", "full", name="to revoke"))
        endpoint = Endpoint(self.endpoint.base, secret)
        self.assertEqual({answer.status for answer in self.many(lambda: endpoint.rpc("tools/list"))}, {200})
        token = self.number("SELECT id FROM mcp_token WHERE name = 'to revoke'")
        self.execute("mcp.token", "action_revoke", [token])
        size = self.log_size()
        self.assertEqual({answer.status for answer in self.many(lambda: endpoint.rpc("tools/list"))}, {401})
        self.assertEqual(len(self.workers(size)), 2)

    def test_paused_endpoint_is_off_in_both_workers(self):
        parameters = ("ir.config_parameter", "set_param")
        self.addCleanup(self.execute, *parameters, "mcp_endpoint.paused", False)
        for value, status in (("True", 503), (False, 200), ("True", 503)):
            self.execute(*parameters, "mcp_endpoint.paused", value)
            size = self.log_size()
            self.assertEqual({answer.status for answer in self.many(lambda: self.endpoint.rpc("tools/list"))}, {status})
            self.assertEqual(len(self.workers(size)), 2)

    def test_rules_and_tiers_reach_both_workers(self):
        profile = self.number(
            "SELECT res_id FROM ir_model_data WHERE module = 'mcp_endpoint' AND name = 'profile_full'"
        )
        rows = (
            ("mcp.profile.rule", {"profile_id": profile, "pattern": "res.partner", "domain": '[["name", "=", "?"]]'}),
            ("mcp.model.tier", {"pattern": "res.partner", "tier": "never"}),
        )

        def found():
            result = self.endpoint.call("odoo_search_records", model="res.partner", count_only=True)
            return "refused" if result["isError"] else bool(result["structuredContent"]["count"])

        for (model, values), limited in zip(rows, (False, "refused"), strict=True):
            (row,) = self.execute(model, "create", [values])
            size = self.log_size()
            self.assertEqual(set(self.many(found)), {limited})
            self.assertEqual(len(self.workers(size)), 2)
            self.execute(model, "unlink", [row])
            self.assertEqual(set(self.many(found)), {True})

    def test_field_added_in_odoo_is_described_by_both_workers(self):
        def described():
            facts = self.endpoint.facts("odoo_describe_model", model="res.partner", field_query="x_mcp_added")
            return [field["name"] for field in facts["fields"]]

        def is_refused():
            result = self.endpoint.call("odoo_describe_model", model="res.partner", fields=["x_mcp_added"])
            return result["isError"]

        # Both workers know the model as it is.
        self.assertEqual(set(self.many(is_refused)), {True})
        values = {"name": "x_mcp_added", "field_description": "Added", "ttype": "char"}
        field = self.execute("ir.model.fields", "create", [{**values, "model_id": self.partner_model()}])[0]
        self.addCleanup(self.execute, "ir.model.fields", "unlink", [field])
        size = self.log_size()
        self.assertEqual(self.many(described), [["x_mcp_added"]] * MANY)
        self.assertEqual(len(self.workers(size)), 2)

    def test_clearing_the_schema_cache_reaches_both_workers(self):
        # A label changed past the ORM, which signals nothing: what is kept goes on saying the old one.
        self.addCleanup(self.execute, "ir.model", "write", [self.partner_model()], {"name": "Contact"})

        def label():
            return self.endpoint.facts("odoo_describe_model", model="res.partner", field_query="name")["label"]

        self.assertEqual(set(self.many(label)), {"Contact"})
        self.rows("UPDATE ir_model SET name = jsonb_build_object('en_US', 'Changed') WHERE model = 'res.partner'")
        self.assertEqual(set(self.many(label)), {"Contact"})
        settings = self.execute("res.config.settings", "create", [{}])[0]
        self.execute("res.config.settings", "action_mcp_clear_schema_cache", [settings])
        size = self.log_size()
        self.assertEqual(set(self.many(label)), {"Changed"})
        self.assertEqual(len(self.workers(size)), 2)


class TestTransactions(WorkersCase):
    """A change and its audit row are there together or not at all."""

    def test_killed_worker_leaves_neither_change_nor_audit_row(self):
        partner = self.partner("Untouched")
        before = self.audit_rows("fixture_rename_slowly")
        changes = self.number("SELECT count(*) FROM mcp_change")
        failures = []

        def rename():
            try:
                self.endpoint.call("fixture_rename_slowly", id=partner, name="Killed", seconds=SLOW)
            except (OSError, http.client.HTTPException) as failure:
                failures.append(failure)

        size = self.log_size()
        thread = threading.Thread(target=rename)
        thread.start()
        os.kill(self.writing_worker(size), signal.SIGKILL)
        thread.join()
        self.assertEqual(len(failures), 1)
        self.assertEqual(self.name_of(partner), "Untouched")
        self.assertEqual(self.audit_rows("fixture_rename_slowly"), before)
        self.assertEqual(self.number("SELECT count(*) FROM mcp_change"), changes)
        renamed = self.endpoint.facts("fixture_rename_slowly", id=partner, name="After", seconds=0)
        self.assertEqual(renamed, {"renamed": partner})
        self.assertEqual(self.name_of(partner), "After")

    def test_conflicting_writes_are_retried_once_each(self):
        partner = self.partner("Contended")
        before = self.audit_rows("fixture_rename_slowly")
        changes = self.number("SELECT count(*) FROM mcp_change")
        size = self.log_size()

        def rename(name):
            return self.endpoint.facts("fixture_rename_slowly", id=partner, name=name, seconds=1)

        with ThreadPoolExecutor(2) as pool:
            self.assertEqual([item["renamed"] for item in pool.map(rename, ["One", "Two"])], [partner] * 2)
        self.assertIn(self.name_of(partner), ("One", "Two"))
        self.assertEqual(self.audit_rows("fixture_rename_slowly"), before + 2)
        self.assertEqual(self.number("SELECT count(*) FROM mcp_change"), changes + 2)
        with open(self.running.server.log, errors="replace") as log:
            log.seek(size)
            self.assertIn("SERIALIZATION_FAILURE", log.read(), "there was no conflict: the test shows nothing")

    def test_one_idempotency_key_has_one_effect(self):
        for number in range(5):
            arguments = {
                "model": "res.partner",
                "records": [{"name": f"Once {number}"}],
                "idempotency_key": f"key-{number}",
            }
            with ThreadPoolExecutor(2) as pool:
                results = list(pool.map(self.endpoint.call, ["odoo_create_records"] * 2, [arguments] * 2))
            self.assertEqual(self.number(f"SELECT count(*) FROM res_partner WHERE name = 'Once {number}'"), 1)
            self.assertEqual([result["isError"] for result in results], [False] * 2, results)
            self.assertEqual(*[result["structuredContent"].get("ids") for result in results])

    def test_a_read_tool_that_writes_fails_and_its_worker_goes_on(self):
        results = self.many(lambda: self.endpoint.call("fixture_write_while_reading", name="Written by a read"))
        self.assertEqual([result["isError"] for result in results], [True] * MANY)
        self.assertEqual(self.number("SELECT count(*) FROM res_partner WHERE name = 'Written by a read'"), 0)
        self.assertEqual(self.audit_rows("fixture_write_while_reading"), 0)
        self.assertEqual(self.audit_rows("fixture_write_while_reading", "error"), MANY)
        partner = self.partner("Read only is over")
        for name in map(str, range(8)):
            self.endpoint.facts("odoo_update_records", model="res.partner", ids=[partner], values={"name": name})
            self.assertEqual(self.name_of(partner), name)

    def test_a_crash_leaves_nothing_and_says_nothing(self):
        result = self.endpoint.call("fixture_crash", name="Half done")
        self.assertTrue(result["isError"])
        self.assertNotIn("secret cause", str(result))
        self.assertEqual(self.number("SELECT count(*) FROM res_partner WHERE name = 'Half done'"), 0)
