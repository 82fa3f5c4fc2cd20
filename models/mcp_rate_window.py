import hashlib
from collections.abc import Sequence

from odoo import api, fields, models, sql_db
from odoo.tools import SQL

from ..services.rate_window import EMPTY, Budget, Ring, Verdict, judge
from .retention import purge

# Waiting longer than this for others who count the same budget, something is wrong.
LOCK_TIMEOUT_MS = 500


class McpRateWindow(models.Model):
    """Counted calls, for several machines without Redis. Only `PostgresStore` reads and writes it."""

    _name = "mcp.rate.window"
    _description = "MCP Counted Calls"
    _log_access = False

    key = fields.Char(required=True, readonly=True)
    ring = fields.Binary(attachment=False, required=True, readonly=True)
    date = fields.Datetime(required=True, readonly=True, help="When the window of the latest call is over.")

    _key_unique = models.UniqueIndex("(key)", "A budget is counted once.")

    def init(self):
        # Counts of the last minute need not survive a crash, nor be written twice.
        self.env.cr.execute(SQL("ALTER TABLE %s SET UNLOGGED", SQL.identifier(self._table)))

    @api.autovacuum
    def _gc_ended(self):
        return purge(self, SQL("date < (now() AT TIME ZONE 'UTC')"))


class PostgresStore:
    """Counts calls in a short transaction of its own, so that a request that is rolled back or run again counts once.

    Parallel calls of one budget take turns by an advisory lock. The transaction reads what was committed last, not a
    snapshot, so there are no serialization failures; locks are taken in one order, so there are no deadlocks.
    """

    def __init__(self, database: str) -> None:
        self._database = database

    def take(self, budgets: Sequence[Budget]) -> Verdict:
        """Count a call in all budgets if it fits all of them, else in none.

        :raises psycopg2.Error: the caller then counts elsewhere
        """
        keys = [budget.key for budget in budgets]
        with sql_db.db_connect(self._database).cursor() as cr:
            now, kept = self._locked(cr, keys)
            rings = [Ring(kept.get(budget.key, EMPTY), now, budget.window) for budget in budgets]
            verdict = judge(budgets, rings)
            if verdict.allowed:
                self._keep(cr, budgets, rings)
        return verdict

    def _locked(self, cr, keys: list[str]) -> tuple[float, dict[str, bytes]]:
        """Lock the budgets; return the server's time and their rings. One round trip."""
        locks = sorted(_lock_number(key) for key in keys)
        # Several servers may share the table, their clocks differ: PostgreSQL's counts.
        cr.execute(
            SQL(
                """
                SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
                SET LOCAL lock_timeout = %s;
                SELECT pg_advisory_xact_lock(number) FROM unnest(%s) AS number;
                SELECT extract(epoch FROM clock_timestamp())::float8, w.key, w.ring
                  FROM (SELECT 1) AS one LEFT JOIN mcp_rate_window w ON w.key = ANY(%s)
                """,
                LOCK_TIMEOUT_MS,
                locks,
                keys,
            ),
            log_exceptions=False,
        )
        rows = cr.fetchall()
        return rows[0][0], {key: bytes(ring) for _now, key, ring in rows if key}

    def _keep(self, cr, budgets: Sequence[Budget], rings: Sequence[Ring]) -> None:
        rows = [
            SQL(
                "(%s, %s, (now() AT TIME ZONE 'UTC') + make_interval(secs => %s))",
                budget.key,
                ring.add(),
                2 * budget.window,
            )
            for budget, ring in zip(budgets, rings, strict=True)
        ]
        cr.execute(
            SQL(
                """
                INSERT INTO mcp_rate_window (key, ring, date) VALUES %s
                ON CONFLICT (key) DO UPDATE SET ring = EXCLUDED.ring, date = EXCLUDED.date
                """,
                SQL(", ").join(rows),
            ),
            log_exceptions=False,
        )


def _lock_number(key: str) -> int:
    return int.from_bytes(hashlib.blake2b(f"mcp_rate:{key}".encode(), digest_size=8).digest(), "big", signed=True)
