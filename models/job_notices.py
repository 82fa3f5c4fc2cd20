"""Who hears that a job has come further: clients that listen to its task, and the screens of people who may see it."""

from collections.abc import Iterable, Mapping

from odoo import api, models
from odoo.tools import SQL

from ..services import tasks, topics
from ..services.exchange import Exchange
from ..services.held_stream import HeldStream

# What the web client waits for: see `static/src/jobs`.
CHANGED = "mcp_endpoint.jobs"
_PENDING = "mcp_endpoint.changed_jobs"


class McpJob(models.Model):
    _inherit = "mcp.job"

    def _mcp_is_watched(self) -> bool:
        return self.pool.ready

    def _mcp_topics(self) -> Iterable[str]:
        return [topics.task(job_id) for job_id in self.ids]

    def _mcp_note_change(self) -> None:
        precommit = self.env.cr.precommit
        if _PENDING not in precommit.data:
            precommit.data[_PENDING] = set()
            precommit.add(self.browse()._tell_screens)
        precommit.data[_PENDING].update(self.ids)
        return super()._mcp_note_change()

    @api.model
    def _tell_screens(self) -> None:
        """Tell people which jobs have changed, on channels that are their own. How, they read as they may."""
        ids = list(self.env.cr.precommit.data.pop(_PENDING))
        self.env.cr.execute(SQL("SELECT user_id, array_agg(id) FROM mcp_job WHERE id = ANY(%s) GROUP BY user_id", ids))
        by_user = self.env.cr.fetchall()
        # sudo: names the channels of a job's user, and of those who may see all jobs.
        for user_id, of_user in by_user:
            self.env["res.users"].sudo().browse(user_id)._bus_send(CHANGED, {"ids": of_user})
        self.env.ref("mcp_endpoint.group_mcp_admin").sudo()._bus_send(CHANGED, {"ids": ids})


class McpServer(models.AbstractModel):
    _inherit = "mcp.server"

    @api.model
    def _granted(self, exchange: Exchange, wished: Mapping[str, object]) -> dict[str, object]:
        granted = super()._granted(exchange, wished)
        if "taskIds" in wished:
            ids = tasks.wished(exchange, wished["taskIds"])
            own = set(self.env["mcp.job"]._tasks(ids, exchange.credential).mapped("handle"))
            # Without a word on the others: whether there is such a task is not for everybody to know.
            granted["taskIds"] = [each for each in ids if each in own]
        return granted

    @api.model
    def _listening_stream(self, exchange: Exchange, granted: dict[str, object]) -> HeldStream:
        stream = super()._listening_stream(exchange, granted)
        jobs = self.env["mcp.job"]._tasks(granted.get("taskIds", []), exchange.credential)
        stream.tasks = {topics.task(job.id): job.handle for job in jobs}
        return stream
