from dataclasses import dataclass
from datetime import datetime

import psycopg2
from odoo import api, fields, models
from odoo.api import SUPERUSER_ID, Environment
from odoo.modules.registry import Registry
from odoo.tools import SQL

LONGEST_MESSAGE = 200


@dataclass(frozen=True)
class Pulse:
    """How far a job is, by its own words."""

    done: float = 0
    total: float = 0
    message: str = ""
    date: datetime | None = None
    is_cancelled: bool = False


class McpJobPulse(models.Model):
    """What is said of and to a job while it runs: a row of its own, as the job's is held by its transaction."""

    _name = "mcp.job.pulse"
    _description = "Progress of an Assistant's Job"
    _log_access = False

    job_id = fields.Many2one("mcp.job", required=True, readonly=True, ondelete="cascade")
    done = fields.Float(readonly=True)
    total = fields.Float(readonly=True)
    message = fields.Char(readonly=True)
    date = fields.Datetime(readonly=True)
    cancelled_at = fields.Datetime(readonly=True)

    _job = models.UniqueIndex("(job_id)", "A job has one pulse.")

    @api.model
    def _begin(self, jobs) -> None:
        # sudo: whoever makes a job has been checked; nobody may write these over RPC.
        self.sudo().create([{"job_id": job.id, "total": job.total, "done": job.checkpoint} for job in jobs])

    @api.model
    def _of(self, jobs) -> dict[int, Pulse]:
        """Return the pulse of each job by its id."""
        if not jobs.ids:
            return {}
        # Straight SQL: others write these rows while a cache would still hold the old ones.
        self.env.cr.execute(
            SQL(
                "SELECT job_id, done, total, COALESCE(message, ''), date, cancelled_at IS NOT NULL FROM mcp_job_pulse"
                " WHERE job_id IN %s",
                tuple(jobs.ids),
            )
        )
        return {job_id: Pulse(*values) for job_id, *values in self.env.cr.fetchall()}

    @api.model
    def _cancel(self, job_ids) -> None:
        """Ask running jobs to end at the next occasion."""
        self.env.cr.execute(
            SQL(
                "UPDATE mcp_job_pulse SET cancelled_at = %s WHERE job_id IN %s AND cancelled_at IS NULL",
                fields.Datetime.now(),
                tuple(job_ids),
            )
        )
        self.env["mcp.job"].browse(job_ids)._mcp_note_change()

    @api.model
    def _forgive(self, job_id: int) -> None:
        """Let a cancelled job run again."""
        self.env.cr.execute(SQL("UPDATE mcp_job_pulse SET cancelled_at = NULL WHERE job_id = %s", job_id))


def tell(registry: Registry, job_id: int, done: float, total: float, message: str) -> bool:
    """Note how far a job is, seen by everybody at once; return whether it was cancelled."""
    query = SQL(
        """
        UPDATE mcp_job_pulse pulse SET done = %s, total = %s, message = %s, date = %s
          FROM mcp_job_pulse before WHERE pulse.job_id = %s AND before.id = pulse.id
        RETURNING pulse.cancelled_at IS NOT NULL, before.date IS DISTINCT FROM pulse.date
        """,
        done,
        total,
        message[:LONGEST_MESSAGE],
        fields.Datetime.now(),
        job_id,
    )
    try:
        with registry.cursor() as cr:
            cr.execute(query)
            row = cr.fetchone()
            # Who waits for news of it is woken once a second; times have no fractions.
            if row and row[1]:
                # Superuser: that it has come further is told as of every other change of a job.
                Environment(cr, SUPERUSER_ID, {})["mcp.job"].browse(job_id)._mcp_note_change()
    except psycopg2.errors.SerializationFailure:
        # Somebody cancels it at this very moment.
        return is_cancelled(registry, job_id)
    # Without a row the job itself is gone.
    return row is None or row[0]


def is_cancelled(registry: Registry, job_id: int) -> bool:
    """Say whether somebody has cancelled a job, also after this transaction began."""
    with registry.cursor() as cr:
        cr.execute(SQL("SELECT cancelled_at IS NOT NULL FROM mcp_job_pulse WHERE job_id = %s", job_id))
        row = cr.fetchone()
    return row is None or row[0]
