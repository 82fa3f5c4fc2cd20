from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ..services.oauth import redirect_uri, scopes
from .audit_retention import DEFAULT_RETENTION_DAYS
from .retention import purge

APPLICATION_KINDS = ("oauth", "external")


class McpToken(models.Model):
    """What a user has granted to an application, in words, and how it is withdrawn."""

    _inherit = "mcp.token"

    client_host = fields.Char(
        string="Host", compute="_compute_client_host", compute_sudo=True, help="Where the application's answers go."
    )
    scope_words = fields.Char(string="May", compute="_compute_scope_words")

    @api.depends("oauth_client_id.client_id", "oauth_client_id.redirect_uris")
    def _compute_client_host(self):
        for token in self:
            uris = token.oauth_client_id._redirect_uris() if token.oauth_client_id else []
            # The hosts are what an application cannot make up; its name is what it says of itself.
            token.client_host = ", ".join(dict.fromkeys(map(redirect_uri.host, uris)))

    @api.depends("scope")
    def _compute_scope_words(self):
        words = {
            "read": self.env._("Read"),
            "write": self.env._("Read and change"),
            "admin": self.env._("Read, change and administer"),
        }
        for token in self:
            token.scope_words = words.get(scopes.level(scopes.parse(token.scope)), False)

    def action_withdraw(self):
        """Button *Withdraw*: the application is cut off with its next request, in every worker."""
        action = self.action_revoke()
        action["params"]["message"] = self.env._("Withdrawn. The application is cut off; it has to ask again.")
        return action

    @api.autovacuum
    def _gc_dead(self):
        """Delete tokens and grants that ended before the oldest row of the audit log, which names them."""
        # sudo: a system parameter that users may not read in general.
        days = self.env["ir.config_parameter"].sudo().get_param("mcp_endpoint.audit_days", DEFAULT_RETENTION_DAYS)
        return purge(self, SQL("least(revoked_at, expires_at) < %s", fields.Datetime.now() - timedelta(days=int(days))))


class ResUsers(models.Model):
    _inherit = "res.users"

    mcp_application_ids = fields.One2many(
        "mcp.token", "user_id", string="Connected Applications", domain=[("kind", "in", APPLICATION_KINDS)]
    )

    @property
    def SELF_READABLE_FIELDS(self):
        return [*super().SELF_READABLE_FIELDS, "mcp_application_ids"]
