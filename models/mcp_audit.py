from odoo import api, models
from odoo.exceptions import AccessError, UserError


class McpAudit(models.AbstractModel):
    """What the server writes by SQL and nobody changes, superuser included."""

    _name = "mcp.audit"
    _description = "MCP Audit"

    @api.model_create_multi
    def create(self, vals_list):
        raise AccessError(self.env._("The audit log is written by the server alone."))

    def write(self, vals):
        raise UserError(self.env._("The audit log cannot be changed."))

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("The audit log cannot be deleted; it is purged after its retention time."))
