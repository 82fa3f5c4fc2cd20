"""Checking the seals of the audit log: which day was tampered with."""

import time
from datetime import datetime, timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain
from odoo.tools import SQL

from ..services import seal

# How long the button may work before the rest is left to the scheduled action.
BUTTON_SECONDS = 20


class McpAuditSeal(models.Model):
    _inherit = "mcp.audit.seal"

    @api.model
    def action_verify(self):
        """Button *Verify*: check every day against its seal, and tell which were tampered with."""
        if not self.env.user.has_group("mcp_endpoint.group_mcp_admin"):
            raise AccessError(self.env._("Only an MCP Administrator may verify the audit log."))
        # sudo: administrators may check; what a check finds is written by this method alone.
        seals = self.sudo()
        seals.search(Domain.TRUE).to_verify = True
        left = seals._verify_pending(BUTTON_SECONDS)
        if left:
            seals.env.ref("mcp_endpoint.cron_verify_audit")._trigger()
        return seals._verdict(left)

    @api.model
    def _cron_verify(self) -> None:
        """Go on with what the button has left."""
        while left := self._verify_pending(BUTTON_SECONDS):
            if not self.env["ir.cron"]._commit_progress(1, remaining=left):
                break

    @api.model
    def _verify_pending(self, seconds: float) -> int:
        """Check days that are waiting, newest first; return how many are left when the time is over."""
        until = time.monotonic() + seconds
        pending = self.search([("to_verify", "=", True)])
        findings = self._chain_findings()
        for done, day in enumerate(pending, start=1):
            finding = findings.get(day.id) or day._rows_finding()
            state = "broken" if finding else "purged" if day.state == "purged" else "intact"
            day.write({"state": state, "finding": finding, "verified_at": fields.Datetime.now(), "to_verify": False})
            if time.monotonic() > until:
                return len(pending) - done
        return 0

    def _chain_findings(self) -> dict[int, str]:
        """Return what is wrong with the seals themselves, by id."""
        findings = {}
        previous = None
        for day in self.search(Domain.TRUE, order="day"):
            before = previous.seal if previous else seal.GENESIS
            if previous and day.day != previous.day + timedelta(days=1):
                findings[day.id] = self.env._("The seal of the day before is missing.")
            elif seal.chained(before, day.day, day.rows, day.rows_hash, day.version) != day.seal:
                findings[day.id] = self.env._("The seal does not follow from that of the day before.")
            elif day.state == "purged" and previous and previous.state not in ("purged", "broken"):
                findings[day.id] = self.env._("Its rows are gone while older ones are kept.")
            previous = day
        first = self.search(Domain.TRUE, order="day", limit=1)
        if first and self._rows_before(first):
            findings.setdefault(first.id, self.env._("There are rows dated before the first sealed day."))
        return findings

    def _rows_before(self, first) -> bool:
        self.env.cr.execute(
            SQL("SELECT 1 FROM mcp_audit_log WHERE date < %s LIMIT 1", datetime.combine(first.day, datetime.min.time()))
        )
        return self.env.cr.fetchone() is not None

    def _rows_finding(self) -> str | None:
        """Return what is wrong with the rows of this day, None when they are what was sealed."""
        self.ensure_one()
        if self.state == "purged":
            return None
        rows, rows_hash = self._hashed(self.day, self.version)
        if rows < self.rows:
            return self.env._("%s rows are missing.", self.rows - rows)
        if rows > self.rows:
            return self.env._("%s rows were added.", rows - self.rows)
        if rows_hash != self.rows_hash:
            return self.env._("Rows were changed.")
        if changed := self._changed_payloads():
            return self.env._("%s kept arguments or results were changed.", changed)
        return None

    def _changed_payloads(self) -> int:
        """Return how many payloads of this day differ from the digest in their row. Missing ones have aged out."""
        self.env.cr.execute(
            SQL(
                """
                SELECT p.request, p.response, l.payload_digest
                  FROM mcp_audit_log l JOIN mcp_audit_payload p ON p.log_id = l.id
                 WHERE l.date >= %s AND l.date < %s
                """,
                datetime.combine(self.day, datetime.min.time()),
                datetime.combine(self.day + timedelta(days=1), datetime.min.time()),
            )
        )
        return sum(
            seal.payload_digest(request, response) != digest for request, response, digest in self.env.cr.fetchall()
        )

    def _verdict(self, left: int) -> dict:
        broken = self.search([("state", "=", "broken")], order="day")
        if broken:
            days = ", ".join(str(day) for day in broken.mapped("day")[:10])
            message, kind = self.env._("Tampered with: %s.", days), "danger"
        elif left:
            message, kind = self.env._("No tampering found so far; %s days are still being checked.", left), "info"
        else:
            message, kind = self.env._("All %s sealed days are intact.", self.search_count([])), "success"
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": kind,
                "message": message,
                "sticky": kind == "danger",
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }
