from collections.abc import Sequence
from datetime import timedelta

from odoo import api, fields, models

from ..services import input_requests, tasks
from ..services.errors import ToolError
from ..services.exchange import Credential, Exchange
from ..services.versions import Version
from .job_answers import question_of
from .job_listing import is_by_outsiders
from .tool_answer import error_answer

YOUNG = timedelta(seconds=10)


class McpJob(models.Model):
    """Tasks of the protocol: jobs that a client has been given in place of a result."""

    _inherit = "mcp.job"

    @api.model
    def _check_task(self, call) -> None:
        """Let a call of a tool that takes long go on as a task, where its client knows what that is.

        :raises BecomesTask: it does
        :raises MissingCapability: the tool runs as a task only
        """
        if call.spec.task != "never":
            call.become_task(required=call.spec.task == "required")

    @api.model
    def _begin_task(self, call) -> dict:
        """Queue a call that was checked, and return the task that stands for its result."""
        exchange = call.exchange
        _spec, arguments = self.env["mcp.tool.registry"]._called(exchange)
        if exchange.state:
            # What was answered is good for one task.
            self.env["mcp.idempotency"]._consume_state(call, exchange.state)
        job = self._queue(
            call,
            arguments,
            is_task=True,
            capabilities=tasks.abilities(exchange.capabilities),
            answers=dict(call.answers),
            proven=False,
        )
        return {"resultType": "task", **job._task_facts()}

    @api.model
    def _task_of(self, exchange: Exchange):
        """Return the job of the task that a request names.

        :raises ProtocolError: the extension is not declared, or there is no such task of this connection
        """
        job = self._tasks([tasks.task_id(exchange)], exchange.credential)
        if not job:
            raise tasks.unknown()
        return job

    @api.model
    def _tasks(self, ids: Sequence[str], credential: Credential):
        """Return the jobs of these tasks, as superuser: those of this connection, whose time is not over."""
        own = [
            ("handle", "in", ids),
            ("is_task", "=", True),
            ("user_id", "=", self.env.uid),
            ("token_id", "=", credential.token_id),
        ]
        now = fields.Datetime.now()
        # sudo: found by ids that cannot be guessed, among those of the caller's own connection.
        return self.sudo().search(own).filtered(lambda job: job.expires_at >= now or job._is_open())

    def _task_state(self, credential: Credential) -> dict[str, object]:
        """Return a task with what it has come to, as this connection may see it now."""
        details = self._task_details()
        result = details.get("result", {}) if self.state == "done" else {}
        try:
            self._check_result(result, self.env["mcp.profile"]._compiled_for(credential))
        except ToolError as error:
            details = {"result": {"resultType": "complete", **error_answer(error)}}
        else:
            if is_by_outsiders(result):
                # It is read now, which may be long after it was made.
                self.env["mcp.token"]._taint(credential.token_id)
        return {**self._task_facts(), **details}

    def _task_facts(self) -> dict[str, object]:
        """Return a task without its result."""
        pulse = self.env["mcp.job.pulse"]._of(self).get(self.id)
        status, message = tasks.STATUS[self.state], None
        if self.state == "running" and pulse and pulse.total:
            message = " ".join(filter(None, [f"{pulse.done:g} of {pulse.total:g}", pulse.message]))
        elif self.state == "needs_input":
            message = self.questions[0]["message"]
        elif self.state == "failed" and "rpc" not in self.failure and self.failure["result"]:
            status = "completed"
        changed = [moment for moment in (self.write_date, pulse and pulse.date) if moment]
        is_young = fields.Datetime.now() - self.create_date < YOUNG
        facts = {
            "taskId": self.handle,
            "status": status,
            "statusMessage": message,
            "createdAt": tasks.to_wire(self.create_date),
            "lastUpdatedAt": tasks.to_wire(max(changed)),
            "ttlMs": int((self.expires_at - self.create_date).total_seconds() * 1000),
            "pollIntervalMs": tasks.POLL_MS if is_young else tasks.LATER_POLL_MS,
        }
        return {name: value for name, value in facts.items() if value is not None}

    def _task_details(self) -> dict[str, object]:
        """Return what a task has come to, beside its facts: questions, result or error."""
        if self.state == "needs_input":
            return {"inputRequests": {each["name"]: each["request"] for each in self.questions if each["request"]}}
        if self.state == "done":
            return {"result": {"resultType": "complete", **self._whole_result()}}
        if self.state == "failed":
            if self.failure["result"] and "rpc" not in self.failure:
                return {"result": {"resultType": "complete", **self.failure["result"]}}
            return {"error": self.failure.get("rpc") or {"code": -32603, "message": self.failure["message"]}}
        return {}

    def _take_responses(self, given: dict) -> None:
        """Note the answers to open questions; what is none of them is ignored."""
        answers = {}
        for each in self.questions or []:
            response = given.get(each["name"])
            if _is_answer(each, response):
                answers[each["key"]] = response
        if answers:
            self._answer(answers)


class McpServer(models.AbstractModel):
    _inherit = "mcp.server"

    @api.model
    def _rpc_table(self, version: Version) -> dict[str, str]:
        table = super()._rpc_table(version)
        if not version.modern:
            return table
        return table | {
            "tasks/get": "_rpc_tasks_get",
            "tasks/update": "_rpc_tasks_update",
            "tasks/cancel": "_rpc_tasks_cancel",
        }

    @api.model
    def _capabilities(self, version: Version) -> dict[str, dict]:
        found = super()._capabilities(version)
        if version.modern:
            found["extensions"] = {**found.get("extensions", {}), tasks.EXTENSION: {}}
        return found

    def _rpc_tasks_get(self, exchange: Exchange) -> dict:
        return self.env["mcp.job"]._task_of(exchange)._task_state(exchange.credential)

    def _rpc_tasks_update(self, exchange: Exchange) -> dict:
        job = self.env["mcp.job"]._task_of(exchange)
        given = input_requests.responses(exchange.message.params.get("inputResponses"))
        if job.state == "needs_input":
            job._take_responses(given)
        return {}

    def _rpc_tasks_cancel(self, exchange: Exchange) -> dict:
        self.env["mcp.job"]._task_of(exchange)._cancel()
        return {}


def _is_answer(facts: dict, response: object) -> bool:
    question = question_of(facts)
    if input_requests.refused(response) or input_requests.accepted(question, response) is not None:
        return True
    # A page of ours was opened; whether it was agreed to there is looked up when the call runs again.
    on_page = (facts["request"] or {}).get("params", {}).get("mode") == "url"
    return on_page and isinstance(response, dict) and response.get("action") == "accept"
