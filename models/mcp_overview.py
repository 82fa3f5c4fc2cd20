"""The dashboard: what was asked, what failed, what was refused, who and what is busiest. All by aggregates in SQL."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytz
from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

PERIODS = {"day": (timedelta(days=1), "hour"), "week": (timedelta(days=7), "day"), "month": (timedelta(days=30), "day")}
TOP = 8
EXPIRING_WITHIN = timedelta(days=14)
EXPIRING = 5


@dataclass(frozen=True)
class Scope:
    """Which rows count: those from the first point in time on, of everybody or of one user."""

    points: tuple[datetime, ...]
    user_id: int | None

    @property
    def since(self) -> datetime:
        return self.points[0]

    @property
    def whose(self) -> SQL:
        return SQL("TRUE") if self.user_id is None else SQL("user_id = %s", self.user_id)


class McpOverview(models.AbstractModel):
    _name = "mcp.overview"
    _description = "MCP Overview"

    @api.model
    def read_overview(self, period: str) -> dict:
        """Return all that the dashboard shows: of everybody to administrators, of themselves to others.

        :param period: `day`, `week` or `month`, up to now
        """
        user = self.env.user
        if not user.has_group("mcp_endpoint.group_mcp_user"):
            raise AccessError(self.env._("The overview is open to those who may connect assistants."))
        if period not in PERIODS:
            raise UserError(self.env._("The overview is of a day, a week or a month."))
        is_admin = user.has_group("mcp_endpoint.group_mcp_admin")
        scope = Scope(self._points(*PERIODS[period]), None if is_admin else user.id)
        # Compiling these queries takes PostgreSQL longer than running them.
        self.env.cr.execute(SQL("SET LOCAL jit = off"))
        # The SQL below reads the log directly; `scope` is what the record rules say.
        return {
            "period": period,
            "is_admin": is_admin,
            "since": fields.Datetime.to_string(scope.since),
            **self._counts(scope),
            "latency": self._latency(scope),
            "expiring": self._expiring(),
            "steps": self._steps(is_admin),
        }

    def _points(self, span: timedelta, unit: str) -> tuple[datetime, ...]:
        """Return the moments, in UTC, at which the points of the chart begin in the user's time zone, and the end."""
        step = timedelta(hours=1) if unit == "hour" else timedelta(days=1)
        now = fields.Datetime.now()
        local = (pytz.utc.localize(now - span)).astimezone(self.env.tz).replace(minute=0, second=0, tzinfo=None)
        at = local if unit == "hour" else local.replace(hour=0)
        points = []
        while (start := self.env.tz.localize(at).astimezone(pytz.utc).replace(tzinfo=None)) <= now:
            points.append(start)
            at += step
        return (*points, now + timedelta(minutes=1))

    def _counts(self, scope: Scope) -> dict:
        """Return totals, the series and the top lists, from one pass over the rows."""
        self.env.cr.execute(
            SQL(
                """
                SELECT GROUPING(point, tool, user_id, client, reason) AS kind, point, tool, user_id, client, reason,
                       outcome, sum(requests)
                  FROM unnest(%s::timestamp[], %s::timestamp[]) WITH ORDINALITY AS step (start, until, point)
                 CROSS JOIN LATERAL (
                       SELECT coalesce(tool, method) AS tool, user_id, client, outcome,
                              CASE WHEN outcome = 'refused' THEN left(reason, 120) END AS reason,
                              count(*) + coalesce(sum(repeats), 0) AS requests
                         FROM mcp_audit_log WHERE date >= start AND date < until AND %s
                        GROUP BY 1, 2, 3, 4, 5) AS counted
                 GROUP BY GROUPING SETS ((point, outcome), (tool, outcome), (user_id, outcome), (client, outcome),
                                         (reason, outcome))
                """,
                list(scope.points[:-1]),
                list(scope.points[1:]),
                scope.whose,
            )
        )
        # `GROUPING` has a bit for each column that a row is not grouped by.
        kinds = {0b01111: [], 0b10111: [], 0b11011: [], 0b11101: [], 0b11110: []}
        for kind, point, tool, user_id, client, reason, outcome, requests in self.env.cr.fetchall():
            value = next((item for item in (point, tool, user_id, client, reason) if item is not None), None)
            kinds[kind].append((value, outcome, int(requests)))
        series, tools, users, clients, reasons = kinds.values()
        totals = {outcome: 0 for outcome, _label in self.env["mcp.audit.log"]._fields["outcome"].selection}
        for _at, outcome, requests in series:
            totals[outcome] += requests
        return {
            "totals": {**totals, "all": sum(totals.values()), "users": len({user for user, *_rest in users})},
            "series": self._series(series, scope.points),
            "tools": _top(tools),
            "users": self._named_users(_top(users)),
            "clients": _top(clients),
            "client_count": len({client for client, *_rest in clients if client}),
            "reasons": _top([entry for entry in reasons if entry[1] == "refused"]),
        }

    def _series(self, rows: list[tuple], points: tuple[datetime, ...]) -> list[dict]:
        """Return a point for every hour or day, those without requests included, in the user's time zone."""
        series = [
            {
                "at": fields.Datetime.context_timestamp(self, start).replace(tzinfo=None).isoformat(),
                **{outcome: 0 for outcome, _label in self.env["mcp.audit.log"]._fields["outcome"].selection},
            }
            for start in points[:-1]
        ]
        for point, outcome, requests in rows:
            series[point - 1][outcome] += requests
        return series

    def _latency(self, scope: Scope) -> dict[str, float | None]:
        """Return the median and the 95th percentile of tool calls, in milliseconds.

        Durations are kept to a tenth: counting how often each occurs is several times faster than sorting the rows.
        """
        self.env.cr.execute(
            SQL(
                """
                SELECT duration_ms, count(*) FROM mcp_audit_log
                 WHERE date >= %s AND %s AND method = 'tools/call' AND duration_ms IS NOT NULL
                 GROUP BY 1 ORDER BY 1
                """,
                scope.since,
                scope.whose,
            )
        )
        rows = self.env.cr.fetchall()
        total = sum(count for _duration, count in rows)
        found: dict[str, float | None] = {"p50": None, "p95": None}
        running = 0
        for duration, count in rows:
            running += count
            for name, share in (("p50", 0.5), ("p95", 0.95)):
                if found[name] is None and running >= share * total:
                    found[name] = float(duration)
        return found

    def _named_users(self, top: list[dict]) -> list[dict]:
        # sudo: names of users, archived ones among them, for those who see the rows they stand in.
        users = self.env["res.users"].sudo().browse([entry["value"] for entry in top if entry["value"]])
        names = {user.id: user.name for user in users}
        return [{**entry, "label": names.get(entry["value"], "?")} for entry in top]

    def _expiring(self) -> list[dict]:
        """Return the tokens that end soon; record rules choose whose."""
        limit = fields.Datetime.now() + EXPIRING_WITHIN
        tokens = self.env["mcp.token"].search(
            [("state", "=", "active"), ("kind", "=", "personal"), ("expires_at", "<=", limit)],
            order="expires_at",
            limit=EXPIRING,
        )
        return [
            {
                "id": token.id,
                "name": token.name,
                "user": token.user_id.name,
                "expires_at": fields.Datetime.to_string(token.expires_at),
            }
            for token in tokens
        ]

    def _steps(self, is_admin: bool) -> dict[str, bool]:
        """Return which of the first steps are done."""
        # sudo: whether there are any, not which.
        users = self.env.ref("mcp_endpoint.group_mcp_user").sudo().all_user_ids
        owned = [] if is_admin else [("user_id", "=", self.env.uid)]
        return {
            "group": bool(users.filtered(lambda user: user.active and not user._is_superuser())),
            "token": bool(self.env["mcp.token"].search_count(owned, limit=1)),
            "call": bool(self.env["mcp.audit.log"].search_count(owned, limit=1)),
        }


def _top(rows: list[tuple]) -> list[dict]:
    """Return the values with most requests, each with its number of requests and of those that did not succeed."""
    found: dict[object, dict] = {}
    for value, outcome, requests in rows:
        entry = found.setdefault(value, {"value": value, "label": value or "?", "requests": 0, "failed": 0})
        entry["requests"] += requests
        entry["failed"] += requests if outcome in ("error", "refused") else 0
    return sorted(found.values(), key=lambda entry: -entry["requests"])[:TOP]
