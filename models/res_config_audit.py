import hashlib
import secrets

from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError

from ..services import safe_patterns
from .mcp_audit_payload import DEFAULT_RETENTION_DAYS, PATTERNS
from .mcp_health import TOKEN_DIGEST

METRICS_PREFIX = "omcp_metrics_"


class McpMetricsTokenShow(models.AbstractModel):
    """The dialog that shows a new token for metrics. Abstract: it reaches the screen and never a table."""

    _name = "mcp.metrics.token.show"
    _description = "Show Token for Metrics"

    # The web client reads the defaults through an onchange, which needs this field.
    id = fields.Id()
    token = fields.Char(readonly=True)
    scrape = fields.Text(string="For Prometheus", readonly=True)


class ResConfigSettings(models.TransientModel):
    """What the audit log keeps and masks, and who may read the metrics."""

    _inherit = "res.config.settings"

    mcp_payload_days = fields.Integer(
        string="Keep arguments and results for",
        default=DEFAULT_RETENTION_DAYS,
        config_parameter="mcp_endpoint.payload_days",
    )
    mcp_redact_emails = fields.Boolean(string="Mask e-mail addresses", config_parameter="mcp_endpoint.redact_emails")
    # Odoo's own `config_parameter` knows no texts of several lines.
    mcp_redact_patterns = fields.Text(string="Also mask")
    mcp_has_metrics = fields.Boolean(compute="_compute_mcp_has_metrics")

    @api.depends("company_id")
    def _compute_mcp_has_metrics(self):
        self.mcp_has_metrics = self.env["mcp.health"]._has_metrics()

    @api.constrains("mcp_redact_patterns")
    def _check_mcp_redact_patterns(self):
        for settings in self:
            try:
                safe_patterns.compiled(settings.mcp_redact_patterns or "")
            except ValueError as error:
                raise ValidationError(self.env._("MCP Server: a pattern to mask is refused. %s", error)) from None

    @api.model
    def get_values(self):
        # sudo: the settings screen reads its parameters for whoever may open it.
        patterns = self.env["ir.config_parameter"].sudo().get_param(PATTERNS, "")
        return {**super().get_values(), "mcp_redact_patterns": patterns}

    def set_values(self):
        result = super().set_values()
        # sudo: as Odoo does for every setting; only administrators may save this screen.
        self.env["ir.config_parameter"].sudo().set_param(PATTERNS, self.mcp_redact_patterns or "")
        return result

    def action_mcp_new_metrics_token(self):
        """Button *New token for metrics*: make one, forget the one before, and show it once."""
        self._check_may_set_metrics()
        secret = METRICS_PREFIX + secrets.token_urlsafe(32)
        # sudo: only administrators of settings get here.
        self.env["ir.config_parameter"].sudo().set_param(TOKEN_DIGEST, hashlib.sha256(secret.encode()).hexdigest())
        base = self.env["ir.config_parameter"].sudo().get_param("web.base.url", "")
        scheme, _separator, host = base.partition("://")
        scrape = (
            f"- job_name: odoo-mcp\n  scheme: {scheme}\n  metrics_path: /mcp/metrics\n  authorization:\n"
            f"    credentials: {secret}\n  static_configs:\n    - targets: [{host.rstrip('/')}]"
        )
        return {
            "type": "ir.actions.act_window",
            "res_model": "mcp.metrics.token.show",
            "name": self.env._("Token for metrics"),
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_token": secret, "default_scrape": scrape},
        }

    def action_mcp_end_metrics(self):
        """Button *Turn metrics off*."""
        self._check_may_set_metrics()
        # sudo: only administrators of settings get here.
        self.env["ir.config_parameter"].sudo().set_param(TOKEN_DIGEST, False)
        return {"type": "ir.actions.client", "tag": "soft_reload"}

    def _check_may_set_metrics(self) -> None:
        if not self.env.user.has_group("base.group_system"):
            raise AccessError(self.env._("Only administrators of the settings may do this."))
