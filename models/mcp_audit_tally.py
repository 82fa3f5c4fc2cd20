"""How often what was called: totals of the sealed days, so that counters outlive the retention of the rows."""

from datetime import date, datetime, time, timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ..services.versions import VERSIONS

# Upper bounds of the classes of durations, in milliseconds; what takes longer is in the last one.
BOUNDS = (5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000)
SLOWEST = 2_147_483_647
# What stands in the log besides the methods that answer.
OTHER_METHODS = ("notifications/initialized", "notifications/cancelled", "http/POST", "http/GET", "http/DELETE",
                 "oauth/token", "retention/purge", "button/revert")  # fmt: skip


class McpAuditTally(models.Model):
    _name = "mcp.audit.tally"
    _description = "MCP Audit Tally"
    _log_access = False
    _order = "day desc, id"
    _rec_name = "day"

    day = fields.Date(required=True, readonly=True, index=True)
    method = fields.Char(readonly=True)
    tool = fields.Char(readonly=True)
    outcome = fields.Char(readonly=True)
    bound = fields.Integer(readonly=True)
    requests = fields.Integer(readonly=True)
    milliseconds = fields.Float(readonly=True)

    @api.model
    def _count_day(self, day: date) -> None:
        """Store the totals of a day that is being sealed."""
        start = datetime.combine(day, time.min)
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO mcp_audit_tally (day, method, tool, outcome, bound, requests, milliseconds)
                     SELECT %s, * FROM (%s) counted
                """,
                day,
                self._counted(SQL("date >= %s AND date < %s", start, start + timedelta(days=1))),
            )
        )

    @api.model
    def _totals(self) -> list[tuple]:
        """Return the totals since the beginning: `(method, tool, outcome, bound, requests, milliseconds)`.

        They never fall: the sealed days are in the table, and all rows after them are counted now.
        """
        self.env.cr.execute(SQL("SELECT max(day) + 1 FROM mcp_audit_seal"))
        open_since = self.env.cr.fetchone()[0] or date.min
        self.env.cr.execute(
            SQL(
                """
                SELECT method, tool, outcome, bound, sum(requests), sum(milliseconds)
                  FROM (SELECT method, tool, outcome, bound, requests, milliseconds FROM mcp_audit_tally
                        UNION ALL (%s)) AS both_parts
                 GROUP BY 1, 2, 3, 4
                """,
                self._counted(SQL("date >= %s", datetime.combine(open_since, time.min))),
            )
        )
        return self.env.cr.fetchall()

    def _counted(self, condition: SQL) -> SQL:
        # What clients make up (unknown methods and tools, addresses of resources) is counted together.
        tables = map(self.env["mcp.server"]._rpc_table, VERSIONS.values())
        methods = (*{method for table in tables for method in table}, *OTHER_METHODS)
        tools = tuple(self.env["mcp.tool.registry"]._specs()) or ("",)
        bounds = SQL(" ").join(SQL("WHEN duration_ms <= %s THEN %s", bound, bound) for bound in BOUNDS)
        return SQL(
            """
            SELECT CASE WHEN method IN %s THEN method ELSE 'other' END AS method,
                   CASE WHEN tool IS NULL THEN '' WHEN tool IN %s THEN tool ELSE 'other' END AS tool,
                   outcome,
                   CASE %s ELSE %s END AS bound,
                   count(*) + coalesce(sum(repeats), 0) AS requests,
                   coalesce(sum(duration_ms), 0) AS milliseconds
              FROM mcp_audit_log WHERE %s
             GROUP BY 1, 2, 3, 4
            """,
            methods,
            tools,
            bounds,
            SLOWEST,
            condition,
        )
