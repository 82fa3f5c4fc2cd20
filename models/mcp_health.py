"""What monitoring asks: whether this server is ready, and how much was done."""

import hashlib
import hmac
from collections import Counter

from odoo import api, models
from odoo.exceptions import AccessDenied
from odoo.tools import SQL

from ..services import prometheus
from ..services.prometheus import Family
from .mcp_audit_tally import BOUNDS, SLOWEST

TOKEN_DIGEST = "mcp_endpoint.metrics_token_digest"
GAUGES = {
    "mcp_tokens_active": (
        "Tokens and connections that can be used now.",
        SQL(
            """
            SELECT count(*) FROM mcp_token
             WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > (now() AT TIME ZONE 'UTC'))
            """
        ),
    ),
    "mcp_sessions_open": (
        "Sessions that have neither ended nor expired.",
        SQL("SELECT count(*) FROM mcp_session WHERE ended_at IS NULL AND expires_at > (now() AT TIME ZONE 'UTC')"),
    ),
    "mcp_blocked_senders": (
        "Senders that have to wait because their credentials were wrong too often.",
        SQL("SELECT count(*) FROM mcp_auth_failure WHERE blocked_until > (now() AT TIME ZONE 'UTC')"),
    ),
    "mcp_audit_tampered_days": (
        "Days of the audit log that a check found tampered with.",
        SQL("SELECT count(*) FROM mcp_audit_seal WHERE state = 'broken'"),
    ),
}


class McpHealth(models.AbstractModel):
    _name = "mcp.health"
    _description = "MCP Health and Metrics"

    @api.model
    def _is_ready(self) -> bool:
        """Say whether calls can be answered: the database answers and all modules are loaded."""
        self.env.cr.execute(SQL("SELECT 1"))
        return bool(self.env.cr.fetchone()) and self.env.registry.ready

    @api.model
    def _has_metrics(self) -> bool:
        return bool(self._token_digest())

    @api.model
    def _metrics(self, secret: str, address: str) -> str:
        """Return the metrics in Prometheus' format.

        :raises AccessDenied: it is not the token for metrics
        """
        if not hmac.compare_digest(hashlib.sha256(secret.encode()).hexdigest(), self._token_digest()):
            self.env["mcp.auth.failure"]._note("token", address)
            raise AccessDenied()
        return prometheus.text([*self._counters(), *self._gauges()])

    def _token_digest(self) -> str:
        # sudo: the digest is read to be compared with, and leaves nothing of itself in the answer.
        return self.env["ir.config_parameter"].sudo().get_param(TOKEN_DIGEST, "")

    def _counters(self) -> list[Family]:
        totals = self.env["mcp.audit.tally"]._totals()
        requests: Counter = Counter()
        classes: Counter = Counter()
        milliseconds = 0.0
        for method, tool, outcome, bound, count, spent in totals:
            requests[method, tool, outcome] += int(count)
            classes[float("inf") if bound == SLOWEST else bound / 1000] += int(count)
            milliseconds += float(spent)
        samples = [
            ({"method": method, "tool": tool, "outcome": outcome}, count)
            for (method, tool, outcome), count in sorted(requests.items())
        ]
        seconds = [bound / 1000 for bound in BOUNDS]
        return [
            Family("mcp_requests_total", "counter", "Requests in the audit log.", samples),
            prometheus.histogram(
                "mcp_request_duration_seconds", "How long requests took.", seconds, classes, milliseconds / 1000
            ),
        ]

    def _gauges(self) -> list[Family]:
        # The tables, not the models: nobody is logged in.
        families = []
        for name, (text, query) in GAUGES.items():
            self.env.cr.execute(query)
            families.append(Family(name, "gauge", text, [({}, self.env.cr.fetchone()[0])]))
        return families
