import secrets
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError

from .later_call import FIXED

STATES = [
    ("queued", "Queued"),
    ("running", "Running"),
    ("needs_input", "Needs an Answer"),
    ("done", "Done"),
    ("failed", "Failed"),
    ("cancelled", "Cancelled"),
]
OPEN = ("queued", "running", "needs_input")
PRIORITIES = [("0", "Low"), ("1", "Normal"), ("2", "High")]
ACTIVITY = "mail.mail_activity_data_todo"
PURGED_AT_ONCE = 200


class McpJob(models.Model):
    """One call of a tool that runs later, apart from the request that wanted it.

    While a part runs its transaction holds the row, so what others want to say meanwhile, and the progress, are in
    `mcp.job.pulse`.
    """

    _name = "mcp.job"
    _description = "Assistant's Job"
    _inherit = ["mcp.later.call"]
    # What was submitted never changes; what it ran into does.
    _fixed = FIXED | {"narrowing", "handle", "request_id", "approval_id"}

    name = fields.Char(string="Job", required=True, readonly=True)
    state = fields.Selection(STATES, required=True, readonly=True, default="queued", index=True)
    parts_by = fields.Char(string="Parts of", readonly=True, help="The argument by which it is run in parts.")
    narrowing = fields.Json(readonly=True, groups=fields.NO_ACCESS)
    capabilities = fields.Json(readonly=True, groups=fields.NO_ACCESS)
    answers = fields.Json(readonly=True, groups=fields.NO_ACCESS)
    questions = fields.Json(readonly=True, groups=fields.NO_ACCESS)
    proven = fields.Boolean(readonly=True, groups=fields.NO_ACCESS)
    # By then its assistant may have forgotten, and not what it has written into the job.
    tainted = fields.Boolean(readonly=True, groups=fields.NO_ACCESS)
    user_id = fields.Many2one(string="For", index=True)
    approval_id = fields.Many2one("mcp.approval", string="Approved as", readonly=True, ondelete="set null")
    is_task = fields.Boolean(string="Task", readonly=True, help="The client asked for a task of the protocol.")
    handle = fields.Char(readonly=True, groups=fields.NO_ACCESS, copy=False)
    priority = fields.Selection(PRIORITIES, required=True, readonly=True, default="1")
    not_before = fields.Datetime(readonly=True)
    claim = fields.Char(readonly=True, groups=fields.NO_ACCESS)
    lease_until = fields.Datetime(readonly=True, groups=fields.NO_ACCESS)
    served_at = fields.Datetime(readonly=True, groups=fields.NO_ACCESS)
    started_at = fields.Datetime(string="Started", readonly=True)
    finished_at = fields.Datetime(string="Finished", readonly=True)
    expires_at = fields.Datetime(string="Kept until", required=True, readonly=True, index=True)
    attempts = fields.Integer(readonly=True, help="How often its worker has ended in the middle.")
    conflicts = fields.Integer(readonly=True, help="How often others were changing the same records.")
    checkpoint = fields.Integer(string="Items Done", readonly=True)
    total = fields.Integer(string="Items", readonly=True)
    part_size = fields.Integer(readonly=True)
    failure = fields.Json(readonly=True, groups=fields.NO_ACCESS)
    outcome = fields.Text(string="Outcome as Told", readonly=True, groups=fields.NO_ACCESS)
    request_id = fields.Char(
        string="Request ID", readonly=True, help="Of its calls, in the audit log and the changes."
    )
    part_ids = fields.One2many("mcp.job.part", "job_id", string="Log", readonly=True)

    _handle = models.UniqueIndex("(handle)", "A job has a handle of its own.")
    _due = models.Index("(priority, id) WHERE state IN ('queued', 'running')")

    @api.model_create_multi
    def create(self, vals_list):
        for values in vals_list:
            values.setdefault("handle", secrets.token_urlsafe(24))
        jobs = super().create(vals_list)
        self.env["mcp.job.pulse"]._begin(jobs)
        return jobs

    def _check_is_owner_or_admin(self) -> None:
        """:raises AccessError: the job is neither the user's nor are they an administrator"""
        self.check_access("read")
        is_own = all(job.user_id == self.env.user for job in self)
        if not is_own and not self.env.user.has_group("mcp_endpoint.group_mcp_admin"):
            raise AccessError(self.env._("Only an MCP Administrator may change the jobs of other users."))

    @api.model
    def _life(self) -> timedelta:
        """Return for how long a job is kept."""
        return timedelta(days=max(self.env["mcp.limits"]._settings().job_days, 1))

    @api.autovacuum
    def _gc_expired(self):
        """Delete jobs past their time, with their results."""
        old = self.search(
            [("state", "not in", OPEN), ("expires_at", "<", fields.Datetime.now())], limit=PURGED_AT_ONCE
        )
        old.unlink()
        return len(old), len(old) == PURGED_AT_ONCE

    @api.autovacuum
    def _gc_unanswered(self):
        """Cancel jobs whose question nobody has answered while they were kept."""
        waiting = self.search(
            [("state", "=", "needs_input"), ("expires_at", "<", fields.Datetime.now())], limit=PURGED_AT_ONCE
        )
        for job in waiting:
            job._end("cancelled", self.env._("Nobody answered in time."))
        return len(waiting), len(waiting) == PURGED_AT_ONCE
