import re

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..services.oauth import redirect_uri
from ..services.oauth.errors import OAuthError
from .mcp_oauth_server import OFF
from .oauth_self_test import PASSED

# Settings that are on until they are switched off: field, its system parameter.
SWITCHES = {
    "mcp_oauth": "oauth",
    "mcp_oauth_aliases": "oauth_aliases",
    "mcp_oauth_bare_origin": "oauth_bare_origin",
    "mcp_cimd": "cimd",
    "mcp_cimd_snapshots": "cimd_snapshots",
}
HOST = re.compile(r"[a-z0-9.-]+(:\d{1,5})?", re.IGNORECASE)


class ResConfigSettings(models.TransientModel):
    """Whether users connect applications by logging in, and which applications."""

    _inherit = "res.config.settings"

    mcp_oauth = fields.Boolean(string="Connect by login", default=True)
    mcp_issuer = fields.Char(string="Issuer", compute="_compute_mcp_issuer")
    mcp_issuer_is_plain = fields.Boolean(compute="_compute_mcp_issuer")
    mcp_issuer_differs = fields.Boolean(compute="_compute_mcp_issuer")
    mcp_registration_mode = fields.Selection(
        [
            ("open", "Any application"),
            ("known", "Well-known applications, and those on the user's computer"),
            ("closed", "Only applications that an administrator has added"),
        ],
        string="Who may connect",
        default="open",
        config_parameter="mcp_endpoint.registration_mode",
    )
    mcp_known_redirects = fields.Char(
        string="Further known redirect addresses", config_parameter="mcp_endpoint.known_redirects"
    )
    mcp_oauth_aliases = fields.Boolean(string="Answer at guessed addresses too", default=True)
    mcp_oauth_bare_origin = fields.Boolean(string="Take the bare web address for this server", default=True)
    mcp_cimd = fields.Boolean(string="Applications identified by an address", default=True)
    mcp_cimd_status = fields.Char(compute="_compute_mcp_cimd_status")
    mcp_cimd_works = fields.Boolean(compute="_compute_mcp_cimd_status")
    mcp_cimd_snapshots = fields.Boolean(string="Use shipped copies of their metadata", default=True)
    mcp_cimd_hosts = fields.Char(string="Hosts they may come from", config_parameter="mcp_endpoint.cimd_hosts")

    @api.depends("company_id")
    def _compute_mcp_issuer(self):
        server = self.env["mcp.oauth.server"]
        for settings in self:
            settings.mcp_issuer = server._issuer()
            settings.mcp_issuer_is_plain = not server._is_secure(settings.mcp_issuer)
            settings.mcp_issuer_differs = settings.mcp_issuer != server._base_origin()

    @api.depends("company_id")
    def _compute_mcp_cimd_status(self):
        outcome = self.env["mcp.oauth.server"]._parameter("cimd_check")
        for settings in self:
            settings.mcp_cimd_works = outcome == PASSED
            if outcome == PASSED:
                settings.mcp_cimd_status = self.env._("Metadata of applications can be fetched.")
            else:
                reason = outcome or self.env._("not tried yet.")
                settings.mcp_cimd_status = self.env._(
                    "Not offered, because metadata cannot be fetched: %s Applications register themselves instead.",
                    reason,
                )

    @api.constrains("mcp_known_redirects", "mcp_cimd_hosts")
    def _check_mcp_addresses(self):
        for settings in self:
            for pattern in re.split(r"[\s,]+", settings.mcp_known_redirects or ""):
                # The part that is fixed must name the host, or the pattern would take anything.
                if pattern and not _is_pattern(pattern):
                    raise ValidationError(
                        self.env._(
                            "MCP Server: “%s” is no redirect address, such as https://app.example.com/cb.", pattern
                        )
                    )
            for host in re.split(r"[\s,]+", settings.mcp_cimd_hosts or ""):
                if host and not HOST.fullmatch(host):
                    raise ValidationError(self.env._("MCP Server: “%s” is no host, such as claude.ai.", host))

    @api.model
    def get_values(self):
        server = self.env["mcp.oauth.server"]
        return super().get_values() | {name: server._is_on(parameter) for name, parameter in SWITCHES.items()}

    def set_values(self):
        result = super().set_values()
        # sudo: as Odoo does for every setting; only administrators may save this screen.
        parameters = self.env["ir.config_parameter"].sudo()
        for name, parameter in SWITCHES.items():
            if self[name] != self.env["mcp.oauth.server"]._is_on(parameter):
                parameters.set_param(f"mcp_endpoint.{parameter}", False if self[name] else OFF)
                if name == "mcp_oauth_aliases":
                    self.env.registry.clear_cache("routing")
        return result

    def action_mcp_check_egress(self):
        """Button *Try now*: fetch a vendor's metadata and show the outcome."""
        self.check_access("write")
        self.env["mcp.oauth.server"]._cron_check_egress()
        return {"type": "ir.actions.client", "tag": "reload"}


def _is_pattern(pattern: str) -> bool:
    try:
        redirect_uri.check(pattern.removesuffix("*"))
    except OAuthError:
        return False
    return not pattern.endswith("*") or (pattern.endswith("/*") and len(pattern.split("/")) > 3)
