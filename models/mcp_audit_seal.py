"""A seal per closed day of the audit log, chained to the day before; see `services/seal.py` for what it proves."""

import logging
from datetime import date, datetime, time, timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from ..services import seal
from .retention import PURGE_BATCH

_logger = logging.getLogger(__name__)

# Rows are written at the end of what they report; a day is closed when clocks that go wrong have had time, too.
GRACE = timedelta(hours=1)
# What the hash of a row covers, by version of the seal. Token and session are emptied when those are deleted: then
# their numbers stand for them, and until then they must agree.
_FIRST = SQL(
    """id, date, user_id, token_number, token_id IS NULL OR token_id = token_number,
       session_number, session_id IS NULL OR session_id = session_number,
       client, client_version, protocol, transport, ip, method, tool, model, record_ids, record_count, outcome,
       reason, dry_run, repeats, duration_ms::text, request_size, response_size, request_id, trace,
       payload_digest"""
)
COLUMNS = {1: _FIRST, 2: SQL("%s, message", _FIRST)}
OWN_FIELDS = {"state", "finding", "verified_at", "to_verify"}


class McpAuditSeal(models.Model):
    _name = "mcp.audit.seal"
    _description = "MCP Audit Seal"
    _log_access = False
    _order = "day desc"
    _rec_name = "day"

    day = fields.Date(required=True, readonly=True, help="In UTC.")
    version = fields.Integer(required=True, readonly=True, aggregator=None)
    rows = fields.Integer(readonly=True)
    rows_hash = fields.Char(string="Hash of the Rows", required=True, readonly=True)
    seal = fields.Char(required=True, readonly=True, help="SHA-256 of the rows' hash and the seal of the day before.")
    sealed_at = fields.Datetime(string="Sealed", required=True, readonly=True)
    state = fields.Selection(
        [("sealed", "Sealed"), ("intact", "Intact"), ("purged", "Purged"), ("broken", "Tampered with")],
        string="Status",
        required=True,
        readonly=True,
        help="Purged: its rows are gone after their retention time; the seal still holds the chain together.",
    )
    finding = fields.Char(readonly=True)
    verified_at = fields.Datetime(string="Last Verified", readonly=True)
    to_verify = fields.Boolean(readonly=True)

    _day_unique = models.UniqueIndex("(day)", "A day is sealed once.")

    @api.model_create_multi
    def create(self, vals_list):
        raise AccessError(self.env._("Days are sealed by the server alone."))

    def write(self, vals):
        # The rest of a seal is never changed by anybody; what a check has found is written by the check.
        if not self.env.su or not vals.keys() <= OWN_FIELDS:
            raise UserError(self.env._("A seal cannot be changed."))
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("A seal cannot be deleted."))

    @api.model
    def _cron_seal(self) -> None:
        """Seal the days that have closed, oldest first; a day in a transaction of its own."""
        while day := self._next_day():
            self._seal_day(day)
            if not self.env["ir.cron"]._commit_progress(1):
                break

    @api.model
    def _next_day(self) -> date | None:
        """Return the oldest day that is closed and not sealed, None when there is none."""
        self.env.cr.execute(
            SQL(
                """
                SELECT coalesce((SELECT max(day) + 1 FROM mcp_audit_seal),
                                (SELECT min(date)::date FROM mcp_audit_log)),
                       (SELECT min(xact_start) AT TIME ZONE 'UTC' FROM pg_stat_activity
                         WHERE datname = current_database() AND pid <> pg_backend_pid())
                """
            )
        )
        day, oldest_transaction = self.env.cr.fetchone()
        if day is None:
            return None
        end = datetime.combine(day + timedelta(days=1), time.min)
        if fields.Datetime.now() < end + GRACE or (oldest_transaction and oldest_transaction < end):
            # A transaction that is still open could have rows of that day.
            return None
        return day

    @api.model
    def _seal_day(self, day: date) -> None:
        previous = self._seal_before(day)
        rows, rows_hash = self._hashed(day, seal.VERSION)
        sealed = seal.chained(previous, day, rows, rows_hash)
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO mcp_audit_seal (day, version, rows, rows_hash, seal, sealed_at, state)
                     VALUES (%s, %s, %s, %s, %s, %s, 'sealed')
                """,
                day,
                seal.VERSION,
                rows,
                rows_hash,
                sealed,
                fields.Datetime.now(),
            )
        )
        self.env["mcp.audit.tally"]._count_day(day)
        # Whoever rewrites the database cannot rewrite this line.
        _logger.info("MCP audit log of %s sealed: %s rows, seal %s", day, rows, sealed)

    def _seal_before(self, day: date) -> str:
        self.env.cr.execute(SQL("SELECT seal FROM mcp_audit_seal WHERE day = %s", day - timedelta(days=1)))
        row = self.env.cr.fetchone()
        return row[0] if row else seal.GENESIS

    def _hashed(self, day: date, version: int) -> tuple[int, str]:
        """Return how many rows a day has, and their hash."""
        hashed = seal.DayHash()
        last = (datetime.combine(day, time.min), 0)
        end = datetime.combine(day + timedelta(days=1), time.min)
        while True:
            self.env.cr.execute(
                SQL(
                    """
                    SELECT %s FROM mcp_audit_log
                     WHERE (date, id) > (%s, %s) AND date < %s ORDER BY date, id LIMIT %s
                    """,
                    COLUMNS[version],
                    *last,
                    end,
                    PURGE_BATCH,
                )
            )
            rows = self.env.cr.fetchall()
            hashed.add(rows)
            if len(rows) < PURGE_BATCH:
                return hashed.rows, hashed.digest
            last = (rows[-1][1], rows[-1][0])
