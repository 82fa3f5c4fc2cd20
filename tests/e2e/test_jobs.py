"""Jobs on a real server: lanes that share work, workers that are killed, tokens that are taken away meanwhile."""

import contextlib
import os
import re
import signal
import time
import unittest
import xmlrpc.client
from pathlib import Path

from endpoint import META, MODERN, Endpoint

from devtools import databases, postgres, server, tokens

PORT = 19069
ROWS = 5_000
PATIENCE = 300
ENDED = ("done", "failed", "cancelled")
# Each import changes the name of a partner in a way that shows how often it ran.
COUNT = "SELECT count(*), count(DISTINCT name) FROM res_partner WHERE name LIKE '{prefix} %'"


class JobsCase(unittest.TestCase):
    """A database of its own, 2 HTTP workers and 2 cron workers."""

    @classmethod
    def setUpClass(cls):
        stack = contextlib.ExitStack()
        cls.addClassCleanup(stack.close)
        cls.database = stack.enter_context(databases.temporary("small", "jobs"))
        databases.lift_limits(cls.database)
        databases.set_limits(cls.database, jobs_running=2, job_seconds=60)
        cls.tokens = tokens.issue(
            cls.database, *(tokens.Wanted("admin", "full", name=f"jobs {number}") for number in range(4))
        )
        cls.server = stack.enter_context(
            server.running(cls.database, port=PORT, options=("--max-cron-threads=2",))
        )
        cls.endpoint = Endpoint(cls.server.base, cls.tokens[0])

    def rows(self, sql):
        return postgres.query(sql, self.database)

    def submit(self, prefix, count, endpoint=None, **options):
        """Queue an import in parts; the job's id."""
        rows = [{"id": f"{prefix}_{number}", "name": f"{prefix} {number}"} for number in range(count)]
        arguments = {"model": "res.partner", "rows": rows}
        call = {"tool": "odoo_import_records", "arguments": arguments, "in_parts": True, **options}
        return (endpoint or self.endpoint).facts("odoo_run_job", call)["id"]

    def look(self, job, endpoint=None):
        return (endpoint or self.endpoint).facts("odoo_list_jobs", {"id": job, "kind": "job"})["jobs"][0]

    def until(self, job, condition, endpoint=None):
        """Ask about a job until it is so; all that was seen on the way."""
        seen, deadline = [], time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            seen.append(self.look(job, endpoint))
            if condition(seen[-1]):
                return seen
            if seen[-1]["status"] in ENDED:
                break
            time.sleep(0.1)
        self.fail(f"Job {job} ended otherwise: { {**seen[-1], 'result': None} }")

    def done(self, job, endpoint=None):
        return self.until(job, lambda facts: facts["status"] == "done", endpoint)

    def assert_once(self, prefix, count):
        self.assertEqual(self.rows(COUNT.format(prefix=prefix)), [[str(count), str(count)]])

    def kill_runners(self):
        """Kill all cron workers: one of them runs the job. Odoo starts others."""
        with open(self.server.log, errors="replace") as log:
            known = re.findall(r"WorkerCron \((\d+)\) alive", log.read())
        found = []
        for pid in map(int, known):
            # A number may be another process's by now.
            with contextlib.suppress(OSError):
                if int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]) == self.server.pid:
                    os.kill(pid, signal.SIGKILL)
                    found.append(pid)
        self.assertTrue(found)
        return found


class TestLongJob(JobsCase):
    """One import of many rows, seen, stopped and killed on its way."""

    def test_progress_is_seen_and_every_row_is_there_once(self):
        started = time.monotonic()
        job = self.submit("Seen", ROWS)
        seen = self.done(job)
        figures = sorted({facts.get("done", 0) for facts in seen})
        self.assertGreater(len(figures), 5, figures)
        self.assert_once("Seen", ROWS)
        parts = self.rows(f"SELECT count(*), sum(items) FROM mcp_job_part WHERE job_id = {job}")[0]
        self.assertEqual(parts[1], str(ROWS))
        audited = self.rows(
            "SELECT count(*) FROM mcp_audit_log WHERE transport = 'job' AND outcome = 'ok' AND request_id ="
            f" (SELECT request_id FROM mcp_job WHERE id = {job})"
        )[0][0]
        self.assertEqual(audited, parts[0])
        print(f"{ROWS} rows in {parts[0]} parts: {time.monotonic() - started:.1f} s; {len(figures)} figures seen")
        self.read_result(job)

    def read_result(self, job):
        """Page through the result: each row is reported once, under its own number."""
        numbers, cursor = [], None
        while True:
            more = {"cursor": cursor} if cursor else {}
            facts = self.endpoint.facts("odoo_list_jobs", {"id": job, "kind": "job", **more})
            numbers += [row["row"] for row in facts["jobs"][0]["result"]["rows"]]
            cursor = facts.get("next_cursor")
            if not cursor:
                break
        self.assertEqual(numbers, list(range(1, ROWS + 1)))

    def test_cancelled_in_the_middle(self):
        job = self.submit("Cancelled", ROWS)
        self.until(job, lambda facts: facts.get("done", 0) > 100)
        self.endpoint.facts("odoo_run_job", {"op": "cancel", "job_id": job})
        asked = time.monotonic()
        self.until(job, lambda facts: facts["status"] == "cancelled")
        took = time.monotonic() - asked
        kept = int(self.rows(f"SELECT checkpoint FROM mcp_job WHERE id = {job}")[0][0])
        self.assertLess(kept, ROWS)
        self.assert_once("Cancelled", kept)
        self.assertLess(took, 10)
        print(f"cancelled after {kept} rows, {took:.1f} s after it was asked")
        # Run again, it goes on where it was.
        self.endpoint.facts("odoo_run_job", {"op": "retry", "job_id": job})
        self.done(job)
        self.assert_once("Cancelled", ROWS)

    def test_worker_killed_in_the_middle(self):
        job = self.submit("Killed", ROWS)
        killed = []
        for done in (300, 1500, 3000):
            self.until(job, lambda facts, done=done: facts.get("done", 0) >= done)
            killed += self.kill_runners()
        at = time.monotonic()
        self.done(job)
        self.assert_once("Killed", ROWS)
        audited = self.rows(
            "SELECT sum(record_count) FROM mcp_audit_log WHERE outcome = 'ok' AND request_id ="
            f" (SELECT request_id FROM mcp_job WHERE id = {job})"
        )[0][0]
        self.assertEqual(audited, str(ROWS))
        print(f"killed {killed}; done {time.monotonic() - at:.1f} s after the last")


class TestManyJobs(JobsCase):
    """Lanes that share the work, and what changes between the call and its run."""

    def test_two_lanes_and_no_job_twice(self):
        jobs = [self.submit(f"Lane{number}", 40) for number in range(12)]
        for number, job in enumerate(jobs):
            self.done(job)
            self.assert_once(f"Lane{number}", 40)
        self.assertEqual(
            self.rows(f"SELECT sum(items) FROM mcp_job_part WHERE job_id IN ({','.join(map(str, jobs))})"), [["480"]]
        )
        lanes = self.rows(
            "SELECT count(*) FROM (SELECT 1 FROM mcp_job a JOIN mcp_job b ON a.id < b.id AND a.started_at <"
            f" b.finished_at AND b.started_at < a.finished_at WHERE a.id >= {jobs[0]}) together"
        )
        print(f"pairs of jobs that ran at the same time: {lanes[0][0]}")

    def test_token_revoked_meanwhile(self):
        endpoint = Endpoint(self.server.base, self.tokens[1])
        job = self.submit("Revoked", 2_000, endpoint)
        self.until(job, lambda facts: facts.get("done", 0) > 50, endpoint)
        self.execute("mcp.token", "action_revoke", [self.token_of(job)])
        self.ends(job, "failed")
        kept = int(self.rows(f"SELECT checkpoint FROM mcp_job WHERE id = {job}")[0][0])
        self.assertLess(kept, 2_000)
        self.assert_once("Revoked", kept)

    def test_profile_narrowed_meanwhile(self):
        endpoint = Endpoint(self.server.base, self.tokens[2])
        full = self.rows("SELECT res_id FROM ir_model_data WHERE model = 'mcp.profile' AND name = 'profile_full'")[0][0]
        (profile,) = self.execute("mcp.profile", "copy", [int(full)])
        self.rows(f"UPDATE mcp_token SET profile_id = {profile} WHERE name = 'jobs 2'")
        job = self.submit("Narrowed", 2_000, endpoint)
        self.until(job, lambda facts: facts.get("done", 0) > 50, endpoint)
        self.execute("mcp.profile", "write", [profile], {"access_level": "read"})
        self.ends(job, "failed")
        kept = int(self.rows(f"SELECT checkpoint FROM mcp_job WHERE id = {job}")[0][0])
        self.assertLess(kept, 2_000)
        self.assert_once("Narrowed", kept)

    def test_other_connections_jobs_are_unknown(self):
        job = self.submit("Foreign", 1)
        self.done(job)
        other = Endpoint(self.server.base, self.tokens[3])
        for tool, arguments in (
            ("odoo_list_jobs", {"id": job}),
            ("odoo_run_job", {"op": "cancel", "job_id": job}),
            ("odoo_run_job", {"op": "retry", "job_id": job}),
        ):
            self.assertEqual(other.call(tool, arguments)["structuredContent"]["error"]["code"], "not_found")

    def test_not_before(self):
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 20))
        job = self.submit("Later", 5, not_before=at)
        self.assertEqual(self.look(job)["status"], "queued")
        time.sleep(1.5)
        self.assertEqual(self.look(job)["status"], "queued")
        self.done(job)

    def execute(self, model, method, *arguments):
        """Have an HTTP worker change something, as its administrator."""
        odoo = xmlrpc.client.ServerProxy(f"{self.server.base}/xmlrpc/2/object", allow_none=True)
        return odoo.execute_kw(self.database, 2, "admin", model, method, list(arguments))

    def token_of(self, job):
        return int(self.rows(f"SELECT token_id FROM mcp_job WHERE id = {job}")[0][0])

    def ends(self, job, state):
        deadline = time.monotonic() + PATIENCE
        while (now := self.rows(f"SELECT state FROM mcp_job WHERE id = {job}")[0][0]) not in ENDED:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.2)
        self.assertEqual(now, state)


class TestTasks(JobsCase):
    """Tasks of the protocol, by raw requests: the official SDKs do not speak the extension yet."""

    def send(self, method, params, token=0, declared=True):
        capabilities = {"extensions": {"io.modelcontextprotocol/tasks": {}}} if declared else {}
        meta = {**META, "io.modelcontextprotocol/clientCapabilities": capabilities}
        name = params.get("name") or params.get("taskId")
        headers = {"MCP-Protocol-Version": MODERN, "Mcp-Method": method, "Mcp-Name": name}
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": meta}}
        return Endpoint(self.server.base, self.tokens[token]).post(body, headers)

    def begin(self, prefix, count, **options):
        rows = [{"id": f"{prefix}_{number}", "name": f"{prefix} {number}"} for number in range(count)]
        call = {"name": "odoo_import_records", "arguments": {"model": "res.partner", "rows": rows, **options}}
        return self.send("tools/call", call).result

    def settled(self, task):
        deadline = time.monotonic() + PATIENCE
        while (found := self.send("tasks/get", {"taskId": task}).result)["status"] == "working":
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.1)
        return found

    def test_task_is_found_at_once_by_every_worker(self):
        for number in range(5):
            begun = self.begin(f"Task{number}", 3)
            self.assertEqual(begun["resultType"], "task")
            for _look in range(6):
                found = self.send("tasks/get", {"taskId": begun["taskId"]}).result
                self.assertIn(found["status"], ("working", "completed"))
            found = self.settled(begun["taskId"])
            self.assertEqual(found["result"]["structuredContent"]["created"], 3)

    def test_task_is_useless_to_others(self):
        task = self.begin("Mine", 3)["taskId"]
        for method in ("tasks/get", "tasks/update", "tasks/cancel"):
            answer = self.send(method, {"taskId": task}, token=1)
            self.assertEqual((answer.status, answer.json()["error"]["code"]), (400, -32602))
            answer = self.send(method, {"taskId": task}, declared=False)
            self.assertEqual((answer.status, answer.json()["error"]["code"]), (400, -32021))
        self.assertEqual(self.settled(task)["status"], "completed")

    def test_cancelled_while_it_works_leaves_nothing(self):
        task = self.begin("Dropped", 2_000)["taskId"]
        self.send("tasks/cancel", {"taskId": task})
        asked = time.monotonic()
        self.assertEqual(self.settled(task)["status"], "cancelled")
        print(f"a task of 2,000 rows settled {time.monotonic() - asked:.1f} s after it was cancelled")
        self.assert_once("Dropped", 0)

    def test_worker_killed_in_the_middle(self):
        task = self.begin("Restarted", 400)["taskId"]
        deadline = time.monotonic() + 60
        while not self.rows("SELECT 1 FROM mcp_job WHERE state = 'running'"):
            self.assertLess(time.monotonic(), deadline)
        self.kill_runners()
        self.assertEqual(self.settled(task)["result"]["structuredContent"]["created"], 400)
        self.assert_once("Restarted", 400)
