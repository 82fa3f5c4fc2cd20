import logging
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import psycopg2
from odoo import api, fields, models
from odoo.api import Environment
from odoo.modules.registry import Registry
from odoo.service.model import retrying

from ..services import job_parts
from ..services.errors import HttpRefusal, NeedsInput, ProtocolError, RateLimited
from ..services.exchange import Exchange, Message
from ..services.versions import V2026_07_28
from . import job_queue
from .job_outlet import JobOutlet
from .job_queue import LEASE, Claim
from .later_call import narrowing_from_json
from .mcp_cancellation import call_watch
from .odoo_errors import CONCURRENCY_ERRORS

_logger = logging.getLogger(__name__)

# A lane gives its worker back after so many seconds of parts: other scheduled jobs wait for it.
SLICE = 10
# A job whose worker ends in the middle of the same part again and again is the cause of it.
MOST_ATTEMPTS = 3
MOST_CONFLICTS = 8
# Two lanes of one worker run one after the other, and Odoo gives both together the time of one.
NEIGHBOUR = 1.0
_ended = {"at": float("-inf"), "long": False}


class McpJob(models.Model):
    """The runner. A lane is a record of `ir.cron`, which never runs twice at once; as many run at once as there are.

    Each part of a job is one transaction on a cursor of its own, in an environment of the job's user: the call, its
    audit row and journal, and how far the job is now. So a worker that ends at any moment leaves nothing half done,
    and nothing is done twice.
    """

    _inherit = "mcp.job"

    @api.model
    def _cron_run_lane(self) -> None:
        """Run due jobs for a while, then let the worker do something else."""
        started, registry = time.monotonic(), self.env.registry
        if _ended["long"] and started < _ended["at"] + NEIGHBOUR:
            self._wake()
            return
        # Nothing of this transaction is needed while jobs run in theirs.
        self.env["ir.cron"]._commit_progress()
        running = self.env["mcp.limits"]._settings().jobs_running
        count = 0
        while time.monotonic() < started + SLICE and (taken := job_queue.claim(registry, running)):
            run(registry, taken, started + SLICE)
            count += 1
        self.env.invalidate_all(flush=False)
        if time.monotonic() >= started + SLICE:
            self._wake()
        elif due := job_queue.next_due(registry):
            self._wake(due + timedelta(seconds=1))
        self.env["ir.cron"]._commit_progress(count, remaining=0)
        _ended.update(at=time.monotonic(), long=time.monotonic() > started + SLICE)

    def _run_part(self, attempts: int) -> bool:
        """Run the next part and say whether the job has come to an end or a stop.

        The row is locked until the end of this transaction, whose environment is the user's.
        """
        if self.env["mcp.job.pulse"]._of(self)[self.id].is_cancelled:
            return self._end("cancelled")
        if attempts > MOST_ATTEMPTS:
            text = f"Its worker ended {MOST_ATTEMPTS} times in the middle of it: it takes too long, or too much memory."
            return self._fail("worker_lost", text)
        if reason := self._why_dead():
            return self._fail("not_allowed", reason)
        outlet = JobOutlet(self.env.registry, self.id, self.checkpoint, self.total)
        call = self._exchange(outlet)
        acting = self.env(user=self.user_id.id, context={}, su=False)
        if not self.checkpoint and not self.answers:
            # Raises when the budget of calls is used up: the job then waits its turn.
            acting["mcp.limits"]._count(call)
        started = time.monotonic()
        try:
            with call_watch.watching(outlet.running):
                result = acting["mcp.tool.registry"]._call_tool(call)
        except NeedsInput as needed:
            return self._wait_for_answer(needed)
        except (ProtocolError, HttpRefusal) as error:
            return self._fail("protocol_error", error.message, error)
        return self._keep(result, time.monotonic() - started)

    def _exchange(self, outlet: JobOutlet) -> Exchange:
        """Return the call, or its next part, as its own token would make it now."""
        arguments = dict(self.arguments or {})
        if self.parts_by:
            arguments[self.parts_by] = arguments[self.parts_by][self.checkpoint : self.checkpoint + self.part_size]
        # The progress that the call tells is the job's; a job's own token for it is as good as any.
        params = {"name": self.tool, "arguments": arguments, "_meta": {"progressToken": self.id}}
        return Exchange(
            message=Message("tools/call", params, id=self.id),
            version=V2026_07_28,
            credential=self._credential(),
            request_id=self.request_id,
            client={"name": self.client or ""},
            capabilities=self.capabilities or {},
            narrowing=narrowing_from_json(self.narrowing),
            transport="job",
            approval_id=self.approval_id.id or None,
            answers=self.answers or {},
            proven=self.proven,
            tainted=self.tainted,
            outlet=outlet,
            running=outlet.running,
            job_id=self.id,
            part_start=self.checkpoint,
        )

    def _keep(self, result: dict, seconds: float) -> bool:
        """Note what a part came to, in its own transaction, and say whether the job has ended."""
        items = min(self.part_size, self.total - self.checkpoint) if self.total else 1
        text = next((block["text"] for block in result["content"] if block["type"] == "text"), "")
        is_parked = self.total and result["structuredContent"].get("status") == "waiting_for_approval"
        outcome = "error" if result["isError"] else "waited" if is_parked else "ok"
        self.env["mcp.job.part"].create(
            {
                "job_id": self.id,
                "date": fields.Datetime.now(),
                "first": self.checkpoint + 1,
                "items": items,
                "seconds": seconds,
                "outcome": outcome,
                "told": text[:200],
                "result": result if outcome == "ok" else False,
            }
        )
        if outcome == "waited":
            # What was not done is no progress, and the parts that follow would ask one by one.
            return self._fail("needs_approval", text, result=result)
        if result["isError"]:
            error = result["structuredContent"]["error"]
            if error["code"] == "cancelled":
                return self._end("cancelled")
            if error["code"] == "timeout" and self.total and self.part_size > job_parts.LEAST:
                self.write({"part_size": max(self.part_size // 4, job_parts.LEAST)})
                return False
            return self._fail(error["code"], text, result=result)
        self.write(
            {
                "checkpoint": self.checkpoint + items,
                "part_size": job_parts.next_size(self.part_size, seconds),
                "lease_until": fields.Datetime.now() + LEASE,
                "attempts": 0,
                "conflicts": 0,
            }
        )
        if self.total and self.checkpoint < self.total:
            return False
        return self._end("done", text)

    def _meet_others(self) -> bool:
        """Have the job try again after a pause, unless it was cancelled or has tried often enough."""
        if self.env["mcp.job.pulse"]._of(self)[self.id].is_cancelled:
            return self._end("cancelled")
        if self.conflicts >= MOST_CONFLICTS:
            return self._fail("conflict", "Others kept changing the same records. Nothing of this part was kept.")
        return self._postpone(job_queue.pause_after(self.conflicts + 1), conflicts=1)


def run(registry: Registry, taken: Claim, until: float) -> None:
    """Run the parts of a job until it ends, stops, or the time is up (`time.monotonic`)."""
    while not _run_once(registry, taken):
        if time.monotonic() >= until:
            return job_queue.give_back(registry, taken)
    return None


def _run_once(registry: Registry, taken: Claim) -> bool:
    """Run one part, and say whether the job has ended or is not to go on now."""
    try:
        return _with_job(registry, taken, lambda job: job._run_part(taken.attempts))
    except RateLimited as refusal:
        pause = refusal.data["retry_after"]
        return _with_job(registry, taken, lambda job: job._postpone(pause))
    except (*CONCURRENCY_ERRORS, psycopg2.InterfaceError) as error:
        # The last one: the connection was lost, which says nothing about the job.
        _logger.info("Job %s waits: %s", taken.job_id, type(error).__name__)
        return _with_job(registry, taken, lambda job: job._meet_others())
    except Exception:
        # The other place that catches everything: a job must not stop its lane, and never run for ever.
        _logger.exception("Job %s failed", taken.job_id)
        message = "Something went wrong inside Odoo. Nothing of this part was kept."
        return _with_job(registry, taken, lambda job: job._fail("internal_error", message))


def _with_job(registry: Registry, taken: Claim, deed: Callable) -> bool:
    """Do something with a job in a transaction of its own, in its user's environment."""
    # What other workers have changed since the last part: profiles, groups, settings.
    with registry.check_signaling().cursor() as cr:
        env = Environment(cr, taken.user_id, {})
        return retrying(partial(_locked, env, taken, deed), env)


def _locked(env: Environment, taken: Claim, deed: Callable) -> bool:
    """Take the row for this transaction, and do it if the job is still this worker's."""
    env.transaction.default_env = env
    env.cr.execute(
        "SELECT id FROM mcp_job WHERE id = %s AND claim = %s AND state = 'running' FOR NO KEY UPDATE",
        [taken.job_id, taken.key],
    )
    if not env.cr.fetchone():
        _logger.info("Job %s is not this worker's any more", taken.job_id)
        return True
    # sudo: users may not write jobs; the call itself runs in an environment without it.
    return deed(env["mcp.job"].sudo().browse(taken.job_id))
