import random
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg2
from odoo import api, fields, models
from odoo.api import SUPERUSER_ID, Environment
from odoo.modules.registry import Registry
from odoo.tools import SQL, config

# Between two parts a worker has a job for so long without a word of it. While a part runs, its transaction holds the
# row: PostgreSQL lets go of it the moment the worker is gone.
LEASE = timedelta(seconds=15)
# What a worker needs to begin and to end a run, of the time that Odoo gives it.
MARGIN = 15
LEAST_SECONDS = 5
# The longest pause of a job that meets others at its records again and again.
LONGEST_PAUSE = 300


@dataclass(frozen=True)
class Claim:
    """A job that one worker has taken, until it says otherwise or its lease runs out.

    :param key: in the row as long as the claim holds
    :param attempts: how often the job was taken since it last came further, this time included
    """

    job_id: int
    user_id: int
    key: str
    attempts: int


class McpJob(models.Model):
    """The queue: who takes which job when. Each of these is a short transaction of its own, with plain SQL."""

    _inherit = "mcp.job"

    @api.model
    def _wake(self, at: datetime | None = None) -> None:
        """Have all lanes look for due jobs once this is committed, or at a later time."""
        # sudo: lanes belong to the system; all that is done is to start them sooner.
        crons = self.env["ir.cron"].sudo()
        for lane in crons.search([("model_id.model", "=", "mcp.job"), ("code", "ilike", "_cron_run_lane")]):
            lane._trigger(at)

    @api.model
    def _longest_part(self) -> int:
        """Return for how many seconds a part may run: as the setting says, and no longer than Odoo lets a worker."""
        wanted = self.env["mcp.limits"]._settings().job_seconds
        limit = config["limit_time_real_cron"]
        if limit < 0:
            limit = config["limit_time_real"]
        allowed = max(limit - MARGIN, LEAST_SECONDS) if limit else wanted
        return min(wanted, allowed) if wanted else allowed


def claim(registry: Registry, running_per_user: int) -> Claim | None:
    """Take the job that is next, None when there is none that is due and free.

    Those go on that were begun, also those whose worker is gone. A user's jobs start one after the other.

    :param running_per_user: how many of them may have been begun, 0 for any number
    """
    key, now = secrets.token_hex(8), fields.Datetime.now()
    query = SQL(
        """
        UPDATE mcp_job SET state = 'running', claim = %(key)s, lease_until = %(lease)s,
                           attempts = COALESCE(attempts, 0) + 1, started_at = COALESCE(started_at, %(now)s)
         WHERE id = (
            SELECT job.id FROM mcp_job job
             WHERE (job.state = 'running' AND (job.lease_until IS NULL OR job.lease_until < %(now)s))
                OR (job.state = 'queued' AND (job.not_before IS NULL OR job.not_before <= %(now)s)
                    AND (%(most)s = 0 OR %(most)s > (
                        SELECT COUNT(*) FROM mcp_job other
                         WHERE other.user_id = job.user_id AND other.state = 'running')))
             ORDER BY job.priority DESC, COALESCE(job.served_at, job.create_date), job.id
             LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED)
        RETURNING id, user_id, attempts
        """,
        key=key,
        lease=now + LEASE,
        now=now,
        most=running_per_user,
    )
    try:
        with registry.cursor() as cr:
            # One lane at a time looks, or two could each begin a job of the same user. Nothing else is held up by this
            # lock, and it is waited for before the transaction has its view of the rows.
            cr.execute("LOCK TABLE mcp_job IN SHARE UPDATE EXCLUSIVE MODE")
            cr.execute(query, log_exceptions=False)
            row = cr.fetchone()
            if row:
                # Superuser: that it runs is told as of every other change of a job.
                Environment(cr, SUPERUSER_ID, {})["mcp.job"].browse(row[0])._mcp_note_change()
    except psycopg2.errors.SerializationFailure:
        # Its user has cancelled it at this very moment.
        return claim(registry, running_per_user)
    return Claim(row[0], row[1], key, row[2]) if row else None


def give_back(registry: Registry, taken: Claim) -> None:
    """Let another lane, or this one later, go on with a job; others of the same priority come first."""
    query = SQL(
        "UPDATE mcp_job SET served_at = %s, lease_until = NULL, claim = NULL, attempts = 0"
        " WHERE id = %s AND claim = %s",
        fields.Datetime.now(),
        taken.job_id,
        taken.key,
    )
    with registry.cursor() as cr:
        cr.execute(query)


def pause_after(conflicts: int) -> float:
    """Return how long to wait after so many conflicts: longer each time, and never two jobs in step."""
    return min(2.0**conflicts, LONGEST_PAUSE) * random.uniform(0.5, 1.5)


def next_due(registry: Registry) -> datetime | None:
    """Return when a lane has to look again, if nobody wakes it: a job's time comes, or the lease of a lost one ends.

    What is due already and was not taken waits for another job of its user, whose lane goes on with it.
    """
    query = SQL(
        "SELECT min(at) FROM (SELECT CASE state WHEN 'running' THEN lease_until ELSE not_before END AS at"
        " FROM mcp_job WHERE state IN ('queued', 'running')) times WHERE at > %s",
        fields.Datetime.now(),
    )
    with registry.cursor() as cr:
        cr.execute(query)
        return cr.fetchone()[0]
