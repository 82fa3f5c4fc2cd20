from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.tests import tagged

from ..services import tasks
from ..services.errors import InvalidParams, MissingCapability
from ..services.versions import V2025_11_25, V2026_07_28
from .common import McpCase, McpHttpCase
from .tasks import ASKING, DECLARED, ROWS, TaskMixin, deletion


@tagged("post_install", "-at_install")
class TestJobTasks(TaskMixin, McpCase):
    def test_result_comes_by_asking(self):
        result = self.send("tools/call", {"name": "odoo_import_records", "arguments": ROWS})
        expected = {"resultType", "taskId", "status", "createdAt", "lastUpdatedAt", "ttlMs", "pollIntervalMs"}
        self.assertEqual(set(result), expected)
        self.assertEqual(result["ttlMs"], 7 * 24 * 3600 * 1000)
        self.assertFalse(self.imported())
        task = result["taskId"]
        self.env.flush_all()
        self.assertEqual(self.get(task)["status"], "working")
        self.run_lane()
        found = self.get(task)
        self.assertEqual((found["status"], self.imported()), ("completed", 1))
        self.assertFalse(found["result"]["isError"])
        self.assertEqual(found["result"]["structuredContent"]["created"], 1)
        self.assertEqual(found["ttlMs"], 7 * 24 * 3600 * 1000)

    def test_outsiders_text_taints_who_fetches_it_and_is_hidden_in_lockdown(self):
        task = self.begin()
        self.run_lane()
        part = self.job_of(task).part_ids
        part.result = {**part.result, "_meta": {"untrusted": {"id": "0123456789ab", "note": "By outsiders."}}}
        self.env.flush_all()
        with patch.object(type(self.env["mcp.token"]), "_taint") as tainted:
            self.assertFalse(self.get(task)["result"]["isError"])
            self.assertEqual(tainted.call_count, 1)
            self.profiles["full"].lockdown = True
            result = self.get(task)["result"]
        self.assertEqual(result["structuredContent"]["error"]["code"], "hidden")
        self.assertEqual(tainted.call_count, 1)

    def test_only_declared_and_only_in_the_stateless_revision(self):
        call = {"name": "odoo_import_records", "arguments": ROWS}
        for options in ({"capabilities": {}}, {"version": V2025_11_25}):
            with self.subTest(**options), self.env.cr.savepoint() as savepoint:
                result = self.send("tools/call", call, **options)
                self.assertIn("content", result)
                savepoint.rollback()
        server = self.env["mcp.server"]
        self.assertNotIn("tasks/get", server._rpc_table(V2025_11_25))
        self.assertNotIn("extensions", server._capabilities(V2025_11_25))
        self.assertNotIn("tasks", server._capabilities(V2026_07_28))
        self.assertEqual(server._capabilities(V2026_07_28)["extensions"][tasks.EXTENSION], {})
        for method in ("tasks/get", "tasks/update", "tasks/cancel"):
            with self.subTest(method), self.assertRaises(MissingCapability) as caught:
                self.send(method, {"taskId": "x"}, capabilities={})
            self.assertEqual(caught.exception.data, {"requiredCapabilities": DECLARED})

    def test_quick_tools_are_no_tasks_and_a_dry_run_is_none(self):
        quick = self.send("tools/call", {"name": "odoo_get_context", "arguments": {}})
        self.assertIn("content", quick)
        dry = self.send("tools/call", {"name": "odoo_import_records", "arguments": {**ROWS, "dry_run": True}})
        self.assertEqual(dry["structuredContent"]["status"], "dry_run")

    def test_refused_calls_become_no_task(self):
        self.profiles["full"].access_level = "read"
        result = self.send("tools/call", {"name": "odoo_import_records", "arguments": ROWS})
        self.assertTrue(result["isError"])
        self.assertFalse(self.jobs.search([]))

    def test_tool_that_fails_is_a_completed_task(self):
        task = self.begin(arguments={**ROWS, "model": "no.such.model"})
        self.run_lane()
        found = self.get(task)
        self.assertEqual((found["status"], found["result"]["isError"]), ("completed", True))

    def test_call_that_is_refused_as_such_is_a_failed_task(self):
        task = self.begin()
        self.env["mcp.tool"].action_open_tools()
        self.env["mcp.tool"].search([("name", "=", "odoo_import_records")]).is_enabled = False
        self.run_lane()
        found = self.get(task)
        self.assertEqual((found["status"], found["error"]["code"]), ("failed", -32602))

    def test_revoked_token_is_a_failed_task(self):
        task = self.begin()
        self.job_of(task).token_id.revoked_at = fields.Datetime.now()
        self.run_lane()
        self.assertEqual(self.job_of(task).state, "failed")

    def test_useless_to_anybody_else(self):
        task = self.begin()
        for options in ({"user": self.other}, {"profile": "write"}):
            for method in ("tasks/get", "tasks/update", "tasks/cancel"):
                with self.subTest(method, **options), self.assertRaises(InvalidParams):
                    self.send(method, {"taskId": task}, **options)
        self.assertEqual(self.get(task)["status"], "working")
        job = self.submit()
        others = (str(job.id), job.id, job.handle)
        for wrong in ("", "x", task[:-1], task + "x", None, 7, ["x"], "x" * 10_000, "%", *others):
            for method in ("tasks/get", "tasks/update", "tasks/cancel"):
                with self.subTest(method, wrong=wrong), self.assertRaises(InvalidParams):
                    self.send(method, {"taskId": wrong})
        self.assertEqual(job.state, "queued")

    def test_cancel_is_final_and_idempotent(self):
        task = self.begin()
        for _time in range(2):
            self.assertEqual(self.send("tasks/cancel", {"taskId": task}), {})
        self.run_lane()
        self.assertEqual((self.get(task)["status"], self.imported()), ("cancelled", 0))
        done = self.begin()
        self.run_lane()
        self.send("tasks/cancel", {"taskId": done})
        self.assertEqual(self.get(done)["status"], "completed")

    def test_expired_task_is_gone(self):
        task = self.begin()
        self.run_lane()
        self.job_of(task).expires_at = fields.Datetime.now() - timedelta(seconds=1)
        with self.assertRaises(InvalidParams):
            self.get(task)

    def test_question_in_the_middle(self):
        partner = self.partners.create({"name": "Doomed"})
        steps = deletion(partner)
        task = self.begin("odoo_batch", {"steps": steps}, capabilities=ASKING)
        self.run_lane()
        found = self.get(task)
        self.assertEqual((found["status"], list(found["inputRequests"])), ("input_required", ["confirm"]))
        self.assertIn("Doomed", found["inputRequests"]["confirm"]["params"]["message"])
        for nothing in ({}, {"other": {"action": "accept"}}, {"confirm": "yes"}, {"confirm": {"action": "accept"}}):
            self.assertEqual(self.send("tasks/update", {"taskId": task, "inputResponses": nothing}), {})
            self.assertEqual(self.get(task)["status"], "input_required")
        with self.assertRaises(InvalidParams):
            self.send("tasks/update", {"taskId": task, "inputResponses": ["confirm"]})
        yes = {"confirm": {"action": "accept", "content": {"confirm": True}}}
        self.send("tasks/update", {"taskId": task, "inputResponses": yes})
        self.assertEqual(self.get(task)["status"], "working")
        self.assertNotIn("inputRequests", self.get(task))
        self.run_lane()
        self.assertEqual(self.get(task)["status"], "completed")
        self.assertFalse(partner.exists())
        rows = self.env["mcp.audit.log"].search([("request_id", "=", self.job_of(task).request_id)])
        self.assertIn("asked", rows.mapped("outcome"))

    def test_refusal_in_the_middle(self):
        partner = self.partners.create({"name": "Doomed"})
        steps = deletion(partner)
        task = self.begin("odoo_batch", {"steps": steps}, capabilities=ASKING)
        self.run_lane()
        self.send("tasks/update", {"taskId": task, "inputResponses": {"confirm": {"action": "decline"}}})
        self.run_lane()
        found = self.get(task)
        self.assertEqual((found["status"], found["result"]["structuredContent"]["status"]), ("completed", "declined"))
        self.assertTrue(partner.exists())

    def test_client_that_cannot_ask_confirms_with_the_next_call(self):
        partner = self.partners.create({"name": "Doomed"})
        steps = deletion(partner)
        task = self.begin("odoo_batch", {"steps": steps})
        self.run_lane()
        facts = self.get(task)["result"]["structuredContent"]
        self.assertEqual(facts["status"], "confirmation_required")
        task = self.begin("odoo_batch", {"steps": steps, "confirm_token": facts["confirm_token"]})
        self.run_lane()
        self.assertFalse(self.get(task)["result"]["isError"])
        self.assertFalse(partner.exists())

    def test_capabilities_are_kept_in_small(self):
        task = self.begin(capabilities={**ASKING, "x": "y" * 1000, "elicitation": {"form": {"z": 1}, "more": 1}})
        self.assertEqual(self.job_of(task).capabilities, {"elicitation": {"form": {}}})

    def test_tool_says_when_it_is_time(self):
        self.patch(type(self.env["mcp.tool.registry"]), "_tool_get_context", _slow)
        result = self.send("tools/call", {"name": "odoo_get_context", "arguments": {}})
        self.assertEqual(result["resultType"], "task")
        self.env.flush_all()
        self.run_lane()
        self.assertEqual(self.get(result["taskId"])["result"]["structuredContent"], {"slow": True})
        with self.assertRaises(MissingCapability):
            self.send("tools/call", {"name": "odoo_get_context", "arguments": {}}, capabilities={})
        result = self.send("tools/call", {"name": "odoo_get_context", "arguments": {}}, version=V2025_11_25)
        self.assertTrue(result["isError"])


@tagged("post_install", "-at_install")
class TestJobTasksHttp(McpHttpCase):
    def test_statuses_and_headers(self):
        token = self.issue()
        meta = {
            "io.modelcontextprotocol/protocolVersion": V2026_07_28.name,
            "io.modelcontextprotocol/clientCapabilities": DECLARED,
        }

        def send(method, params, **headers):
            names = {"MCP-Protocol-Version": V2026_07_28.name, "Mcp-Method": method, **headers}
            body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": meta}}
            return self.post(body, token=token, headers=names)

        call = {"name": "odoo_import_records", "arguments": ROWS}
        begun = send("tools/call", call, **{"Mcp-Name": "odoo_import_records"}).json()["result"]
        task = begun["taskId"]
        got = send("tasks/get", {"taskId": task}, **{"Mcp-Name": task})
        self.assertEqual((got.status_code, got.json()["result"]["resultType"]), (200, "complete"))
        self.assertEqual(send("tasks/get", {"taskId": task}).json()["error"]["code"], -32020)
        self.assertEqual(send("tasks/get", {"taskId": "x"}, **{"Mcp-Name": "x"}).json()["error"]["code"], -32602)
        for method in ("tasks/result", "tasks/list"):
            answer = send(method, {"taskId": task}, **{"Mcp-Name": task})
            self.assertEqual((answer.status_code, answer.json()["error"]["code"]), (404, -32601))


def _slow(registry, call, *, sections=(), app_query=None):
    call.become_task(required=True)
    return {"slow": True}
