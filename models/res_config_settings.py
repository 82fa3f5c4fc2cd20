import re

from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError

from ..services.schema_cache import DEFAULT_TTL
from . import schema_cache

MEGABYTE = 1024 * 1024
# Field: its system parameter, default, and what one of it is in the parameter, where sizes are bytes. Odoo's own
# `config_parameter` can do neither, nor keep a zero.
SIZES = {
    "mcp_max_body_mb": ("mcp_endpoint.max_body_bytes", 8, MEGABYTE),
    "mcp_max_upload_mb": ("mcp_endpoint.max_upload_bytes", 64, MEGABYTE),
    "mcp_schema_cache_seconds": (schema_cache.PARAMETER, DEFAULT_TTL, 1),
}
# Field: the smallest and the largest value that makes sense.
LIMITS = {
    "mcp_token_max_days": (1, 365),
    "mcp_session_hours": (1, 720),
    "mcp_session_retention_days": (1, 365),
    "mcp_audit_days": (1, 3650),
    "mcp_payload_days": (1, 3650),
    "mcp_change_days": (1, 3650),
    # Odoo itself refuses a body over 128 MB.
    "mcp_max_body_mb": (1, 128),
    "mcp_max_upload_mb": (1, 128),
    "mcp_schema_cache_seconds": (0, 86_400),
}
ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^\s/?#@,]+/?", re.IGNORECASE)


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    mcp_url = fields.Char(string="Address", compute="_compute_mcp_url")
    group_mcp_user = fields.Boolean(
        string="Every employee may connect assistants",
        group="base.group_user",
        implied_group="mcp_endpoint.group_mcp_user",
    )
    mcp_token_max_days = fields.Integer(
        string="Longest life of a token", default=365, config_parameter="mcp_endpoint.token_max_days"
    )
    mcp_session_hours = fields.Integer(
        string="End idle sessions after", default=24, config_parameter="mcp_endpoint.session_hours"
    )
    mcp_session_retention_days = fields.Integer(
        string="Keep ended sessions for", default=90, config_parameter="mcp_endpoint.session_retention_days"
    )
    mcp_audit_days = fields.Integer(
        string="Keep the audit log for", default=30, config_parameter="mcp_endpoint.audit_days"
    )
    mcp_change_days = fields.Integer(
        string="Keep changes for undo for", default=90, config_parameter="mcp_endpoint.change_days"
    )
    mcp_max_body_mb = fields.Integer(string="Largest request", default=SIZES["mcp_max_body_mb"][1])
    mcp_max_upload_mb = fields.Integer(string="Largest upload", default=SIZES["mcp_max_upload_mb"][1])
    mcp_allowed_origins = fields.Char(
        string="Web pages that may connect", config_parameter="mcp_endpoint.allowed_origins"
    )
    mcp_search_models = fields.Char(string="Where search looks", config_parameter="mcp_endpoint.search_models")
    mcp_schema_cache_seconds = fields.Integer(string="Keep descriptions of models for", default=DEFAULT_TTL)
    mcp_schema_cache_use = fields.Char(string="Use so far", compute="_compute_mcp_schema_cache_use")

    @api.depends("company_id")
    def _compute_mcp_url(self):
        self.mcp_url = self.env.user.mcp_url

    @api.depends("company_id")
    def _compute_mcp_schema_cache_use(self):
        counts = schema_cache.counts(self.env)
        asked = counts.hits + counts.misses
        self.mcp_schema_cache_use = self.env._(
            "%(ratio)s %% hits: %(hits)s hits, %(misses)s misses, %(entries)s entries",
            ratio=round(100 * counts.hits / asked) if asked else 0,
            hits=counts.hits,
            misses=counts.misses,
            entries=counts.entries,
        )

    @api.constrains(*LIMITS)
    def _check_mcp_limits(self):
        for name, (lowest, highest) in LIMITS.items():
            if any(not lowest <= settings[name] <= highest for settings in self):
                label = self._fields[name]._description_string(self.env)
                message = self.env._(
                    "MCP Server: “%(setting)s” is between %(lowest)s and %(highest)s.",
                    setting=label,
                    lowest=lowest,
                    highest=highest,
                )
                raise ValidationError(message)

    @api.constrains("mcp_allowed_origins")
    def _check_mcp_allowed_origins(self):
        for origin in re.split(r"[\s,]+", " ".join(self.filtered("mcp_allowed_origins").mapped("mcp_allowed_origins"))):
            if origin and not ORIGIN.fullmatch(origin):
                message = self.env._(
                    "MCP Server: “%s” is not an address of a web site. Write it like https://app.example.com, "
                    "without a path; separate several with commas.",
                    origin,
                )
                raise ValidationError(message)

    @api.model
    def get_values(self):
        # sudo: the settings screen reads its parameters for whoever may open it.
        parameters = self.env["ir.config_parameter"].sudo()
        values = super().get_values()
        for name, (parameter, default, unit) in SIZES.items():
            stored = parameters.get_param(parameter, "")
            values[name] = max(LIMITS[name][0], round(int(stored) / unit)) if stored.isdecimal() else default
        return values

    def set_values(self):
        result = super().set_values()
        # sudo: as Odoo does for every setting; only administrators may save this screen.
        parameters = self.env["ir.config_parameter"].sudo()
        before = self.get_values()
        for name, (parameter, _default, unit) in SIZES.items():
            # Only when changed here: a value set by hand need not be a whole number of megabytes.
            if self[name] != before[name]:
                parameters.set_param(parameter, self[name] * unit)
        return result

    def action_mcp_clear_schema_cache(self):
        """Button *Clear schema cache*."""
        if not self.env.user.has_group("mcp_endpoint.group_mcp_admin"):
            raise AccessError(self.env._("Only an MCP Administrator may clear the schema cache."))
        schema_cache.clear(self.env)
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {"type": "success", "message": self.env._("The schema cache is empty, in all workers.")},
        }
