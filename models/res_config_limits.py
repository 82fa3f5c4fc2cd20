from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..services import redis_rate_limiter
from ..services.call_limits import DEFAULTS
from ..services.redis_rate_limiter import Unavailable

# Field: its parameter below `mcp_endpoint.`, and the largest value. Kept here and not by Odoo, which keeps no zero.
NUMBERS = {
    "mcp_calls": ("calls", 1_000_000),
    "mcp_user_calls": ("user_calls", 1_000_000),
    "mcp_writes": ("writes", 1_000_000),
    "mcp_heavy": ("heavy", 1_000_000),
    "mcp_connects": ("connects", 1_000_000),
    "mcp_concurrent": ("concurrent", 1000),
    "mcp_concurrent_token": ("concurrent_token", 60),
    "mcp_read_seconds": ("read_seconds", 3600),
    "mcp_call_seconds": ("call_seconds", 3600),
    "mcp_job_seconds": ("job_seconds", 3600),
    "mcp_jobs_open": ("jobs_open", 1000),
    "mcp_jobs_running": ("jobs_running", 100),
    "mcp_job_days": ("job_days", 3650),
}


class ResConfigSettings(models.TransientModel):
    """How much assistants may ask for."""

    _inherit = "res.config.settings"

    mcp_calls = fields.Integer(string="Calls of a token", default=DEFAULTS["calls"])
    mcp_user_calls = fields.Integer(string="Calls of a user", default=DEFAULTS["user_calls"])
    mcp_writes = fields.Integer(string="Changing calls of a token", default=DEFAULTS["writes"])
    mcp_heavy = fields.Integer(string="Heavy calls of a token", default=DEFAULTS["heavy"])
    mcp_connects = fields.Integer(string="New connections of a token", default=DEFAULTS["connects"])
    mcp_store = fields.Selection(
        [("memory", "In the memory of this server"), ("postgresql", "In the database")],
        string="Where calls are counted",
        default=DEFAULTS["store"],
        config_parameter="mcp_endpoint.store",
    )
    mcp_redis_url = fields.Char(
        string="Redis that counts calls", config_parameter="mcp_endpoint.redis_url", groups="base.group_system"
    )
    mcp_redis_state = fields.Char(compute="_compute_mcp_redis_state", groups="base.group_system")
    mcp_concurrent = fields.Integer(string="Calls at the same time", default=DEFAULTS["concurrent"])
    mcp_concurrent_token = fields.Integer(
        string="Calls of a token at the same time", default=DEFAULTS["concurrent_token"]
    )
    mcp_read_seconds = fields.Integer(string="Longest query of a reading call", default=DEFAULTS["read_seconds"])
    mcp_call_seconds = fields.Integer(string="Longest call", default=DEFAULTS["call_seconds"])
    mcp_job_seconds = fields.Integer(string="Longest call of a job", default=DEFAULTS["job_seconds"])
    mcp_jobs_open = fields.Integer(string="Open jobs of a user", default=DEFAULTS["jobs_open"])
    mcp_jobs_running = fields.Integer(string="Running jobs of a user", default=DEFAULTS["jobs_running"])
    mcp_job_days = fields.Integer(string="Keep jobs for", default=DEFAULTS["job_days"])

    @api.depends("mcp_redis_url")
    def _compute_mcp_redis_state(self):
        # Asked now: what one worker remembers of Redis says little about the others.
        for settings in self:
            settings.mcp_redis_state = settings._mcp_redis_trouble()

    @api.constrains(*NUMBERS)
    def _check_mcp_numbers(self):
        for name, (_parameter, highest) in NUMBERS.items():
            if any(not 0 <= settings[name] <= highest for settings in self):
                raise ValidationError(
                    self.env._(
                        "MCP Server: “%(setting)s” is between 0 and %(highest)s.",
                        setting=self._fields[name]._description_string(self.env),
                        highest=highest,
                    )
                )

    @api.model
    def get_values(self):
        limits = self.env["mcp.limits"]._settings()
        own = {name: getattr(limits, parameter) for name, (parameter, _highest) in NUMBERS.items()}
        return super().get_values() | own

    def set_values(self):
        result = super().set_values()
        before = self.get_values()
        # sudo: as Odoo does for every setting; only administrators may save this screen.
        parameters = self.env["ir.config_parameter"].sudo()
        for name, (parameter, _highest) in NUMBERS.items():
            if self[name] != before[name]:
                parameters.set_param(f"mcp_endpoint.{parameter}", self[name])
        return result

    def action_mcp_test_redis(self):
        """Button *Test Redis connection*: of the address on the screen, saved or not."""
        if not self.env.user.has_group("base.group_system"):
            raise UserError(self.env._("Only a settings administrator may test the connection."))
        if not self.mcp_redis_url:
            raise UserError(self.env._("Enter the address of a Redis first, like redis://host:6379/0."))
        try:
            version, milliseconds = redis_rate_limiter.ping(self.mcp_redis_url)
        except Unavailable as error:
            kind, message = "danger", self.env._("Redis cannot be used: %s.", error)
        else:
            kind = "success"
            message = self.env._(
                "Redis %(version)s answers in %(time)s ms.", version=version, time=round(milliseconds, 2)
            )
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {"type": kind, "message": message},
        }

    def _mcp_redis_trouble(self) -> str | bool:
        """Return what keeps Redis from counting, False where nothing does or there is none."""
        if not self.mcp_redis_url:
            return False
        try:
            redis_rate_limiter.ping(self.mcp_redis_url)
        except Unavailable as error:
            return self.env._("Redis is not used at the moment: %s. Calls are counted without it.", error)
        return False
