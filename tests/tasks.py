"""Calls that are answered with a task, and what clients do with it: what their tests start from."""

import json

from odoo.tests import new_test_user

from ..services import tasks
from ..services.exchange import Exchange, Message
from ..services.versions import V2026_07_28
from .jobs import JobMixin

DECLARED = {"extensions": {tasks.EXTENSION: {}}}
ASKING = {**DECLARED, "elicitation": {"form": {}}}
ROWS = {"model": "res.partner", "rows": [{"id": "task_1", "name": "Row 1"}]}


class TaskMixin(JobMixin):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = new_test_user(cls.env, "mcp_other", groups="base.group_user,base.group_partner_manager")

    def send(self, method, params, *, capabilities=None, user=None, profile="full", version=V2026_07_28) -> dict:
        """Run one method as the dispatcher has it run."""
        base = self.exchange(user, profile=profile, version=version)
        capabilities = DECLARED if capabilities is None else capabilities
        exchange = Exchange(
            message=Message(method, params, id=1),
            version=version,
            credential=base.credential,
            request_id="test-request",
            capabilities=capabilities,
        )
        server = self.registry_as(user).env["mcp.server"]
        return getattr(server, server._rpc_table(version)[method])(exchange)

    def begin(self, tool="odoo_import_records", arguments=None, **options):
        """Make a call that is answered with a task; its id."""
        arguments = ROWS if arguments is None else arguments
        result = self.send("tools/call", {"name": tool, "arguments": arguments}, **options)
        self.assertEqual(result["resultType"], "task", result)
        self.env.flush_all()
        json.dumps(result)
        return result["taskId"]

    def get(self, task, **options):
        return self.send("tasks/get", {"taskId": task}, **options)

    def job_of(self, task):
        return self.jobs.search([("handle", "=", task)])


def deletion(partner):
    """The steps of a batch that has to be confirmed."""
    return [
        {"tool": "odoo_delete_records", "arguments": {"model": "res.partner", "ids": partner.ids, "mode": "delete"}}
    ]
