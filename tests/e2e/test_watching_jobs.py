"""How far a job is, told by several processes: to a client that listens to its task, and to a person who looks on."""

import json
import time
import unittest

import fixture
from endpoint import META
from streams import Client

from devtools import chromium, consent, tokens

DECLARED = {
    **META,
    "io.modelcontextprotocol/clientCapabilities": {"extensions": {"io.modelcontextprotocol/tasks": {}}},
}
PATIENCE = 60


class JobCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.running = fixture.shared()
        cls.client = Client(cls.running.base, cls.running.token)

    def begin(self, tool="slow_compute", **arguments):
        """Make a call that becomes a task; its id."""
        params = {"name": tool, "arguments": arguments, "_meta": DECLARED}
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        headers = {"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": tool}
        return self.client.endpoint.post(body, headers).result["taskId"]


class TestTaskNotifications(JobCase):
    def test_task_is_followed_to_its_end(self):
        (other,) = tokens.issue(self.running.database, tokens.Wanted("admin", "full", name="other"))
        task = self.begin(seconds=9, label="followed")
        stranger = Client(self.running.base, other).listen(meta=DECLARED, taskIds=[task, "made-up"])
        stream = self.client.listen(meta=DECLARED, taskIds=[task, "made-up"])
        for each, granted in ((stranger, []), (stream, [task])):
            self.addCleanup(each.close)
            self.assertEqual(each.message()["params"]["notifications"], {"taskIds": granted})
        states = []
        while not states or states[-1]["status"] == "working":
            message = stream.message(PATIENCE)
            self.assertEqual(message["method"], "notifications/tasks")
            states.append(message["params"])
        self.assertEqual((states[0]["status"], states[-1]["status"]), ("working", "completed"))
        self.assertIn("followed", json.dumps(states[-1]["result"]))
        self.assertEqual({state["taskId"] for state in states}, {task})
        self.assertEqual(stranger.methods(), [])

    def test_extension_has_to_be_declared(self):
        stream = self.client.listen(taskIds=["x"])
        self.assertEqual(stream.status, 400)
        self.assertEqual(json.loads(stream.answer.read())["error"]["code"], -32021)


class TestJobScreen(JobCase):
    STATE = "document.querySelector('.o_statusbar_status .o_arrow_button_current')?.innerText.includes('%s')"

    def test_list_and_form_show_what_happens_meanwhile(self):
        with chromium.running() as browser:
            page = browser.page()
            page.go(f"{self.running.base}/web/login?redirect=/odoo/mcp-jobs")
            page.wait("Boolean(document.querySelector('form.oe_login_form'))")
            consent.log_in(page, "admin", "admin")
            page.wait("Boolean(document.querySelector('.o_list_view'))", PATIENCE)
            # The list subscribes when its websocket is there, which takes a moment after the page.
            time.sleep(3)
            before = page.run("document.querySelectorAll('.o_data_row').length")
            page.run("window.isSamePage = true")
            self.begin(seconds=20, label="watched")
            page.wait(f"document.querySelectorAll('.o_data_row').length > {before}")
            page.wait("document.querySelector('.o_data_row').innerText.includes('Running')", PATIENCE)
            page.run("document.querySelector('.o_data_row .o_data_cell[name=name]').click()")
            page.wait(self.STATE % "Running")
            page.wait(self.STATE % "Done", PATIENCE)
            self.assertTrue(page.run("window.isSamePage"))
