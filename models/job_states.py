from datetime import timedelta

from odoo import fields, models
from odoo.exceptions import UserError

from ..services.errors import NeedsInput, ProtocolError
from . import job_answers
from .mcp_job import ACTIVITY, OPEN

LONGEST_OUTCOME = 2000
# Who waits for a job sees it end; of one that took longer they are told as of a message.
SHORT = timedelta(seconds=60)


class McpJob(models.Model):
    """From state to state. Whoever calls these holds the row, or finds out at its commit that somebody else does."""

    _inherit = "mcp.job"

    def _end(self, state: str, text: str = "", **values: object) -> bool:
        """Note the end of a job and tell its user. :return: True, for the runner: there is nothing to go on with"""
        self.ensure_one()
        now = fields.Datetime.now()
        # Set before the chatter is written, whose hooks may read it.
        self.write(
            {
                "state": state,
                "finished_at": now,
                "claim": False,
                "lease_until": False,
                "questions": False,
                "outcome": text[:LONGEST_OUTCOME],
                # A task has said how long it is kept.
                "expires_at": self.expires_at if self.is_task else max(self.expires_at, now + self._life()),
                **values,
            }
        )
        self.activity_ids.unlink()
        self._tell_user()
        return True

    def _fail(self, code: str, message: str, error: Exception | None = None, *, result: dict | None = None) -> bool:
        """Note that a job has failed.

        :param error: what a protocol answers with, where it is that
        :param result: the `CallToolResult` that says so, where there is one
        """
        failure = {"code": code, "message": message, "result": result}
        if error is not None:
            data = error.data if isinstance(error, ProtocolError) else None
            failure["rpc"] = {"code": error.code, "message": message, **({} if data is None else {"data": data})}
        if self.checkpoint:
            message = self.env._("After %(count)s items, which are kept: %(text)s", count=self.checkpoint, text=message)
        return self._end("failed", message, failure=failure)

    def _postpone(self, seconds: float, *, conflicts: int = 0) -> bool:
        """Have a job go on after a pause. :param conflicts: how many more of them it has met"""
        self.write(
            {
                "state": "queued",
                "not_before": fields.Datetime.now() + timedelta(seconds=seconds),
                "claim": False,
                "lease_until": False,
                "attempts": 0,
                "conflicts": self.conflicts + conflicts,
            }
        )
        self._wake(self.not_before + timedelta(seconds=1))
        return True

    def _wait_for_answer(self, needed: NeedsInput) -> bool:
        """Stop until its human has answered what the call asks. Nothing was kept of it."""
        notes = job_answers.scope(self.total - self.checkpoint, self.part_size)
        questions = job_answers.kept(needed, self.answers or {}, notes)
        self.write(
            {
                "state": "needs_input",
                "questions": questions,
                "answers": {**(self.answers or {}), **needed.answers},
                "claim": False,
                "lease_until": False,
            }
        )
        if not any(question["request"] for question in questions) or not self.is_task:
            job = self.with_context(lang=self.user_id.lang, mail_activity_quick_update=True)
            job.activity_schedule(
                ACTIVITY,
                user_id=self.user_id.id,
                summary=job.env._("An assistant's job needs your answer"),
            )
            job._notify(job.env._("Needs your answer: %s", self.name), questions[0]["message"])
        return True

    def _answer(self, answers: dict[str, object], *, proven: bool = False) -> None:
        """Take answers by key; when none is missing, the call runs again with them.

        :param proven: they were given in Odoo, or as the profile wants it
        """
        open_questions = [question for question in self.questions or [] if question["key"] not in answers]
        earlier = self.answers or {}
        if proven and not self.proven:
            # What a client has agreed to is not proven by the answer to another question.
            earlier = job_answers.without_yes(earlier)
        values = {
            "answers": {**earlier, **answers},
            "questions": open_questions or False,
            "proven": proven,
        }
        if not open_questions:
            values.update(state="queued", not_before=False)
            self.activity_ids.unlink()
        self.write(values)
        self._wake()

    def _cancel(self) -> None:
        """End a job: at once where it waits, at the next occasion where it runs."""
        waiting = self.filtered(lambda job: job.state in ("queued", "needs_input"))
        for job in waiting:
            job._end("cancelled")
        if running := self.filtered(lambda job: job.state == "running"):
            self.env["mcp.job.pulse"]._cancel(running.ids)
            self._wake()

    def _retry(self) -> None:
        """Run a job again that has failed or was cancelled: from where it was, in parts that are kept.

        :raises UserError: it waits, runs or is done; or others have approved what it was to do then
        """
        for job in self:
            if job.state not in ("failed", "cancelled"):
                raise UserError(self.env._("Only a job that has failed or was cancelled can be run again."))
            if job.approval_id:
                raise UserError(self.env._("It was approved once. Have the assistant ask for it anew."))
            self.env["mcp.job.pulse"]._forgive(job.id)
            job.write(
                {
                    "state": "queued",
                    "not_before": False,
                    "finished_at": False,
                    "failure": False,
                    "outcome": False,
                    "attempts": 0,
                    "conflicts": 0,
                }
            )
        self._wake()

    def _tell_user(self) -> None:
        """Tell the user that a job has ended: on the screen, and where it took a while or failed by a message."""
        job = self.with_context(lang=self.user_id.lang)
        took = self.finished_at - self.create_date
        if self.is_task and self.state == "done" and took < SHORT:
            # Its client waits for it, and tells.
            return
        label = dict(self._fields["state"]._description_selection(job.env))[self.state]
        kind = {"done": "success", "failed": "danger"}.get(self.state, "info")
        title = f"{label}: {self.name}"
        self.user_id._bus_send("simple_notification", {"type": kind, "title": title, "message": self.outcome or ""})
        if self.state == "failed" or (self.state == "done" and took > SHORT):
            job._notify(title, self.outcome or "")

    def _notify(self, subject: str, body: str) -> None:
        # Not in the chatter, which others read too.
        self.message_notify(
            author_id=self.env.ref("base.partner_root").id,
            partner_ids=self.user_id.partner_id.ids,
            subject=subject,
            body=body,
        )

    def _is_open(self) -> bool:
        return self.state in OPEN
