"""The retention of the audit log: whole sealed days go, in batches, and their seals say so."""

from datetime import datetime, time, timedelta

from odoo import api, fields, models
from odoo.tools import SQL

DEFAULT_RETENTION_DAYS = 30


class McpAuditLog(models.Model):
    _inherit = "mcp.audit.log"

    @api.autovacuum
    def _gc_old_rows(self):
        """Delete a batch of rows of days past the retention time. A day that is not sealed yet stays until it is."""
        self.env["mcp.audit.seal"]._purge_sealed(self._retention_limit())
        newest = self.env["mcp.audit.seal"]._newest_purged()
        if newest is None:
            return 0, False
        return self._purge_before(datetime.combine(newest + timedelta(days=1), time.min))

    def _retention_limit(self):
        # sudo: a system parameter that users may not read in general.
        days = self.env["ir.config_parameter"].sudo().get_param("mcp_endpoint.audit_days", DEFAULT_RETENTION_DAYS)
        return fields.Date.today() - timedelta(days=int(days))


class McpAuditSeal(models.Model):
    _inherit = "mcp.audit.seal"

    @api.model
    def _purge_sealed(self, limit) -> None:
        """Note that the rows of the days before `limit` are to go; the note is a row of the log itself."""
        self.env.cr.execute(
            SQL(
                """
                UPDATE mcp_audit_seal SET state = 'purged', to_verify = false
                 WHERE day < %s AND state IN ('sealed', 'intact') RETURNING day, rows
                """,
                limit,
            )
        )
        gone = sorted(self.env.cr.fetchall())
        if not gone:
            return
        rows = sum(rows for _day, rows in gone)
        self.env["mcp.audit.log"]._record_event(
            method="retention/purge",
            outcome="ok",
            user_id=api.SUPERUSER_ID,
            token_id=None,
            ip="",
            client="Odoo",
            reason=f"{rows} rows of {gone[0][0]} to {gone[-1][0]} reached their retention time.",
        )

    @api.model
    def _newest_purged(self):
        self.env.cr.execute(SQL("SELECT max(day) FROM mcp_audit_seal WHERE state = 'purged'"))
        return self.env.cr.fetchone()[0]
