"""What was done in a session, counted from the audit log when somebody looks: no call writes it down."""

from odoo import api, fields, models
from odoo.tools import SQL

from .retention import PURGE_BATCH

# What `calls` counts; listing, pinging and the like are part of being connected.
CALLS = ("tools/call", "resources/read", "prompts/get")


class McpSession(models.Model):
    _inherit = "mcp.session"

    calls = fields.Integer(compute="_compute_use")
    failed_calls = fields.Integer(string="Failed", compute="_compute_use", help="Errors and refusals, of those logged.")
    last_call_at = fields.Datetime(string="Last Request", compute="_compute_use")
    duration = fields.Char(compute="_compute_use", help="From connecting to the last request.")

    @api.depends("last_seen", "ended_at", "purged_calls")
    def _compute_use(self):
        # Straight SQL: who may read a session may know how much was asked in it, and it is one pass over an index.
        self.env.cr.execute(
            SQL(
                """
                SELECT session_id, count(*) FILTER (WHERE method IN %s),
                       count(*) FILTER (WHERE outcome IN ('error', 'refused')), max(date)
                  FROM mcp_audit_log WHERE session_id IN %s GROUP BY session_id
                """,
                CALLS,
                tuple(self.ids) or (0,),
            )
        )
        found = {session_id: numbers for session_id, *numbers in self.env.cr.fetchall()}
        for session in self:
            calls, failed, last = found.get(session.id, (0, 0, None))
            session.calls, session.failed_calls = session.purged_calls + calls, failed
            session.last_call_at = max(filter(None, (last, session.last_seen)))
            session.duration = session._in_words((session.last_call_at - session.create_date).total_seconds())

    def _in_words(self, seconds: float) -> str:
        minutes, seconds = divmod(max(round(seconds), 0), 60)
        hours, minutes = divmod(minutes, 60)
        if hours:
            return self.env._("%(hours)s h %(minutes)s min", hours=hours, minutes=minutes)
        return self.env._("%s min", minutes) if minutes else self.env._("%s s", seconds)


class McpAuditLog(models.Model):
    _inherit = "mcp.audit.log"

    def _purge_before(self, moment) -> tuple[int, bool]:
        """Delete a batch of older rows, and keep the number of their calls with their sessions.

        :return: how many went, and whether more may be left
        """
        self.env.cr.execute(
            SQL(
                """
                WITH gone AS (
                    DELETE FROM mcp_audit_log WHERE id IN (SELECT id FROM mcp_audit_log WHERE date < %s LIMIT %s)
                    RETURNING session_id, method
                ), counted AS (
                    SELECT session_id, count(*) AS calls FROM gone
                     WHERE session_id IS NOT NULL AND method IN %s GROUP BY session_id
                ), kept AS (
                    UPDATE mcp_session SET purged_calls = coalesce(purged_calls, 0) + calls
                      FROM counted WHERE mcp_session.id = session_id
                )
                SELECT count(*) FROM gone
                """,
                moment,
                PURGE_BATCH,
                CALLS,
            )
        )
        done = self.env.cr.fetchone()[0]
        self.env["mcp.session"].invalidate_model(["purged_calls"])
        return done, done == PURGE_BATCH
