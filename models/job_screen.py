import json

from markupsafe import Markup
from odoo import api, fields, models
from odoo.exceptions import UserError

from . import job_answers
from .approval_preview import rendered_arguments

# Characters of arguments and result that the form shows; assistants get all of it.
MOST_SHOWN = 20_000


class McpJob(models.Model):
    """The person's side: what the list and the form show, and their buttons."""

    _inherit = "mcp.job"

    progress = fields.Integer(string="Progress (%)", compute="_compute_progress")
    progress_text = fields.Char(string="Progress Told", compute="_compute_progress")
    is_cancelling = fields.Boolean(compute="_compute_progress")
    may_change = fields.Boolean(compute="_compute_may_change")
    is_mine = fields.Boolean(compute="_compute_may_change")
    question = fields.Text(compute="_compute_question")
    asks_consent = fields.Boolean(compute="_compute_question")
    outcome_text = fields.Text(string="Outcome", compute="_compute_question")
    arguments_html = fields.Html(string="What is called", compute="_compute_arguments_html", sanitize=False)
    result_html = fields.Html(string="Result", compute="_compute_result_html", sanitize=False)

    @api.depends("state", "checkpoint", "total")
    def _compute_progress(self):
        # sudo: progress is as open as its job, which the user reads.
        pulses = self.env["mcp.job.pulse"].sudo()._of(self)
        for job in self:
            pulse = pulses.get(job.id)
            done, total = job.checkpoint, job.total
            if pulse and job.state == "running":
                done, total = max(done, pulse.done), total or pulse.total
            job.is_cancelling = bool(pulse and pulse.is_cancelled and job.state == "running")
            job.progress = 100 if job.state == "done" else min(int(100 * done / total), 100) if total else 0
            told = self.env._("%(done)s of %(total)s", done=int(done), total=int(total)) if total else ""
            message = pulse.message if pulse and job.state == "running" else ""
            job.progress_text = " · ".join(filter(None, [told, message])) or False

    @api.depends("user_id")
    @api.depends_context("uid")
    def _compute_may_change(self):
        is_admin = self.env.user.has_group("mcp_endpoint.group_mcp_admin")
        for job in self:
            job.is_mine = job.user_id == self.env.user
            job.may_change = is_admin or job.is_mine

    @api.depends("questions", "outcome")
    @api.depends_context("uid")
    def _compute_question(self):
        for job in self:
            stored = job._shown()
            questions = [job_answers.question_of(each) for each in stored.questions or []]
            job.question = "\n".join(question.message for question in questions) or False
            job.asks_consent = bool(questions) and all(question.is_consent for question in questions)
            job.outcome_text = stored.outcome

    @api.depends("tool", "arguments")
    @api.depends_context("uid")
    def _compute_arguments_html(self):
        for job in self:
            stored = job._shown()
            arguments = _shortened(stored.arguments or {})
            job.arguments_html = rendered_arguments(job.tool, arguments) if stored else False

    @api.depends("state", "checkpoint")
    @api.depends_context("uid")
    def _compute_result_html(self):
        for job in self:
            stored = job._shown()
            facts = stored._whole_result().get("structuredContent") if stored else None
            text = json.dumps(facts, ensure_ascii=False, indent=1, default=str) if facts else ""
            if len(text) > MOST_SHOWN:
                text = f"{text[:MOST_SHOWN]}…"
            job.result_html = Markup('<pre style="white-space: pre-wrap">%s</pre>') % text if text else False

    def action_cancel(self):
        """Button *Cancel*."""
        self._check_is_owner_or_admin()
        # sudo: nobody may write jobs; whose they are was checked.
        self.sudo()._cancel()
        return _reload()

    def action_retry(self):
        """Button *Run Again*."""
        self._check_is_owner_or_admin()
        # sudo: as above.
        jobs = self.sudo()
        for job in jobs.filtered(lambda job: job.user_id != self.env.user):
            # Their yes was to that run, and nobody says it for them: they are asked again.
            job.write({"answers": job_answers.without_yes(job.answers or {}), "proven": False})
        jobs._retry()
        return _reload()

    def action_agree(self):
        """Button *Go Ahead*: a person's yes, for the user whose assistant asked."""
        return self._reply(job_answers.YES)

    def action_decline(self):
        """Button *Do Not*."""
        return self._reply(job_answers.NO)

    def _reply(self, answer: dict):
        self.ensure_one()
        self.check_access("read")
        if self.user_id != self.env.user or not self.asks_consent or self.state != "needs_input":
            raise UserError(self.env._("There is no such question to you."))
        # sudo: as above.
        job = self.sudo()
        job._answer({question["key"]: answer for question in job.questions}, proven=True)
        return _reload()

    def action_open_changes(self):
        """Smart button *Changes*: what its calls have changed."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("mcp_endpoint.action_mcp_change")
        return {**action, "domain": [("request_id", "=", self.request_id)], "context": {}}

    def action_open_log(self):
        """Smart button *Audit Log*."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("mcp_endpoint.action_mcp_audit_log")
        return {**action, "domain": [("request_id", "=", self.request_id)], "context": {}}


def _reload() -> dict[str, str]:
    return {"type": "ir.actions.client", "tag": "soft_reload"}


def _shortened(arguments: dict) -> dict[str, object]:
    """Return the arguments without the bulk of long lists."""
    shown = {}
    for name, value in arguments.items():
        if len(json.dumps(value, default=str)) > MOST_SHOWN and isinstance(value, list):
            value = [*value[:10], f"… {len(value) - 10} more"]
        shown[name] = value
    return shown
