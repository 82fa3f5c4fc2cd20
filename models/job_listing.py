import json
from collections.abc import Mapping

from odoo import api, models

from ..services import job_parts
from ..services.errors import ToolError
from ..services.policy import FOLLOW_UP_TOOL, JOB_TOOL, CompiledPolicy
from ..services.times import to_wire
from ..services.tool import ToolResult
from . import file_links, job_answers
from .call_questions import CONSENT
from .paging import next_cursor, page_start

PAGE_BUDGET = 14_000
# What a list shows of a job, in the words of `odoo_list_jobs`.
NEXT = {
    "queued": f"{FOLLOW_UP_TOOL} id={{id}} after a while",
    "running": f"{FOLLOW_UP_TOOL} id={{id}} after a while",
    "needs_input": f"{JOB_TOOL} op=retry job_id={{id}} asks the user; or they answer in Odoo",
    "failed": f"{JOB_TOOL} op=retry job_id={{id}}, if it can succeed now",
}


class McpJob(models.Model):
    """What the assistant is told of its jobs: those of its own token, as another one's may see more than this one."""

    _inherit = "mcp.job"

    @api.model
    def _own(self, call, job_id: int):
        """Return a job of the caller's own connection, empty where there is none of this id."""
        domain = [("id", "=", job_id), *self._own_domain(call)]
        # sudo: the caller's own, by user and token.
        return self.sudo().search(domain)

    @api.model
    def _own_domain(self, call) -> list:
        return [("user_id", "=", call.env.uid), ("token_id", "=", call.exchange.credential.token_id)]

    @api.model
    def _changed(self, call, op: str, job_id: int | None):
        """Cancel a job, run it again, or have its question answered; return it.

        :raises ToolError: no such job, or it is past that
        """
        job = self._own(call, job_id or 0)
        if not job:
            raise ToolError("not_found", f"You have no job {job_id}.", fix=f"{FOLLOW_UP_TOOL} lists them.")
        if op == "cancel":
            job._cancel()
        elif job.state == "needs_input":
            questions = {each["key"]: job_answers.question_of(each) for each in job.questions}
            call.need_all(questions)
            # A rehearsal has no answers, and needs none.
            answers = {key: call.answers.get(key, job_answers.YES) for key in questions}
            job._answer(answers, proven=call.policy.confirms_on_page)
        elif job.state in ("failed", "cancelled") and not job.approval_id:
            if job.answers:
                # The user's yes was to that run.
                call.need(CONSENT, job_answers.again(job.name))
            job._retry()
        else:
            why = "it was approved once" if job.approval_id else f"it is {job.state}"
            raise ToolError("not_possible", f"Job {job.id} cannot be run again: {why}.", fix="Make a new job of it.")
        return job

    @api.model
    def _told(self, call, job) -> ToolResult:
        """Return what is said of a job that was just queued or changed."""
        facts = job._facts(call.env.context.get("tz"))
        following = f" Next: {facts['next']}." if "next" in facts else ""
        return ToolResult(facts, text=f"Job {job.id} is {facts['status']}: {job.name}.{following}")

    @api.model
    def _listed(self, call, status: str | None, limit: int) -> list[dict[str, object]]:
        domain = self._own_domain(call)
        if status:
            domain.append(("state", "=", status))
        # sudo: as in `_own`.
        jobs = self.sudo().search(domain, limit=limit)
        pulses = self.env["mcp.job.pulse"]._of(jobs)
        tz = call.env.context.get("tz")
        return [job._facts(tz, pulses.get(job.id)) for job in jobs]

    def _facts(self, tz: str | None, pulse=None) -> dict[str, object]:
        """Return the state of a job as plain JSON, for its own assistant."""
        pulse = pulse or self.env["mcp.job.pulse"]._of(self).get(self.id)
        status = "cancelling" if self.state == "running" and pulse and pulse.is_cancelled else self.state
        facts = {
            "id": self.id,
            "kind": "job",
            "tool": self.tool,
            "request": self.name,
            "status": status,
            "done": self._done(pulse),
            "total": self.total or (pulse and pulse.total) or None,
            "progress": (pulse and pulse.message) or None,
            "submitted": to_wire(self.create_date, tz),
            "not_before": to_wire(self.not_before, tz) if self.not_before and self.state == "queued" else None,
            "finished": to_wire(self.finished_at, tz) if self.finished_at else None,
            "question": self.questions[0]["message"] if self.questions else None,
            "error": self.outcome if self.state == "failed" else None,
            "next": NEXT.get(self.state, "").format(id=self.id) or None,
        }
        return {name: value for name, value in facts.items() if value not in (None, False)}

    def _done(self, pulse) -> float | None:
        """Return how many items are done: what is committed, or what the running part tells beyond it."""
        if self.state in ("done", "failed", "cancelled"):
            return self.checkpoint if self.total else None
        return max(self.checkpoint if self.total else 0, pulse.done if pulse else 0)

    def _whole_result(self) -> dict[str, object]:
        """Return the `CallToolResult` of a job: of its one call, or of all parts together."""
        # sudo: results are read here only, for those whose job it is.
        parts = self.env["mcp.job.part"].sudo().search([("job_id", "=", self.id), ("outcome", "=", "ok")], order="id")
        if not self.total:
            # A job that was run again has several; the last counts.
            return parts[-1:].result or {}
        results = parts.mapped("result")
        if not results:
            return {}
        structured = job_parts.merged(result["structuredContent"] for result in results)
        text = json.dumps(structured, ensure_ascii=False, separators=(",", ":"), default=str)
        whole = {"content": [{"type": "text", "text": text}], "structuredContent": structured, "isError": False}
        marked = [result["_meta"] for result in results if "untrusted" in result.get("_meta", {})]
        return {**whole, **({"_meta": marked[0]} if marked else {})}

    def _result(self, call, job, cursor: str | None, as_file: bool) -> ToolResult:
        """Return one page of a job's result, or a link to the whole of it."""
        facts = job._facts(call.env.context.get("tz"))
        lines = [f"Job {job.id}: {facts['status']}: {job.name}"]
        whole = job._shown_to(call)
        if as_file:
            link = file_links.issue(call, "job", job.id)
            return ToolResult({"jobs": [facts], "count": 1, "file": link}, text="\n".join([*lines, link["url"]]))
        criteria = {"id": job.id, "items": job.checkpoint}
        start = page_start(call, criteria, cursor)["offset"]
        found = job_parts.page(whole, start, PAGE_BUDGET)
        if found.structured:
            facts["result"] = found.structured
        if job.state == "failed":
            lines.append(job.outcome or "")
        meta = {}
        if found.next is not None:
            meta["next_cursor"] = next_cursor(call, criteria, {"offset": found.next})
            call.note("There is more: repeat with cursor, or take as_file.")
        text = "\n".join([*lines, found.text]) if found.text else "\n".join(lines)
        return ToolResult({"jobs": [facts], "count": 1, **meta}, text=text, content=list(found.content), meta=meta)

    def _shown_to(self, call) -> dict[str, object]:
        """Return the whole result, if the caller may see it now as it was kept then.

        :raises ToolError: see `_check_result`
        """
        whole = self._whole_result()
        self._check_result(whole, call.policy)
        # Whoever reads it is as exposed to it as who has read it first.
        call.gives_outsiders_file |= is_by_outsiders(whole)
        return whole

    def _check_result(self, whole: Mapping[str, object], policy: CompiledPolicy) -> None:
        """:raises ToolError: the profile has closed the tool or model since, or hides what outsiders wrote"""
        if not whole:
            return
        spec = self.env["mcp.tool.registry"]._specs().get(self.tool)
        model = self.arguments.get("model") if self.arguments else None
        is_read = spec is not None and spec.access == "read" and isinstance(model, str) and model in self.env
        if spec is None or not policy.allows_tool(spec) or (is_read and not policy.allows_model(model)):
            raise ToolError("hidden", "The result is of a tool or model that is closed to this connection by now.")
        if policy.lockdown and is_by_outsiders(whole):
            raise ToolError("hidden", "The result holds text by outsiders, which this profile hides.")

    def _file(self, call) -> bytes:
        """Return the whole result as a file."""
        return json.dumps(self._shown_to(call), ensure_ascii=False, default=str).encode()


def is_by_outsiders(result: Mapping[str, object]) -> bool:
    """Say whether a `CallToolResult` holds text by people outside the company."""
    return "untrusted" in result.get("_meta", {})
