"""The way between a call that runs as a job and whoever looks at the job: progress out, the wish to end it in."""

import logging
from collections.abc import Mapping

import psycopg2
from odoo.modules.registry import Registry

from ..services.running_calls import RunningCall
from . import mcp_job_pulse

_logger = logging.getLogger(__name__)

CANCELLED = "This job was cancelled. Nothing of this part was kept."


class JobOutlet:
    """An `Outlet` (`services.outlet`) for one part of a job.

    :param before: items of the job that earlier parts have done
    :param total: of all of them, 0 where it is not run in parts
    """

    def __init__(self, registry: Registry, job_id: int, before: int, total: int) -> None:
        self.registry = registry
        self.job_id = job_id
        self.before = before
        self.total = total
        self.running = RunningCall(is_gone=self._look)

    def notify(self, method: str, params: Mapping[str, object]) -> None:
        if method != "notifications/progress":
            return
        done, total = float(params["progress"]), float(params.get("total") or 0)
        if self.total:
            # The call counts its own part.
            done, total = self.before + min(done, self.total - self.before), self.total
        message = str(params.get("message") or "")
        if mcp_job_pulse.tell(self.registry, self.job_id, done, total, message):
            self.running.cancel(CANCELLED)

    def check(self) -> None:
        self.running.check()

    def _look(self) -> bool:
        """End the call if the job was cancelled. Also asked by another thread, while the call works."""
        try:
            if mcp_job_pulse.is_cancelled(self.registry, self.job_id):
                self.running.cancel(CANCELLED)
        except psycopg2.Error:
            # The other calls of this process are looked after all the same.
            _logger.debug("Cannot look whether job %s was cancelled", self.job_id, exc_info=True)
        return False
