from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError

from ..services.oauth import resource


# One dialog needs no folder of its own.
class McpOauthIssuerWizard(models.TransientModel):  # pylint: disable=no-wizard-in-models
    _name = "mcp.oauth.issuer.wizard"
    _description = "Change the Issuer"

    issuer = fields.Char(string="Now", readonly=True, default=lambda self: self.env["mcp.oauth.server"]._issuer())
    new_issuer = fields.Char(
        string="New", required=True, default=lambda self: self.env["mcp.oauth.server"]._base_origin()
    )
    connections = fields.Integer(compute="_compute_connections")

    @api.depends("issuer")
    def _compute_connections(self):
        self.connections = self.env["mcp.token"].search_count([("kind", "=", "oauth"), ("state", "=", "active")])

    @api.constrains("new_issuer")
    def _check_new_issuer(self):
        for wizard in self:
            origin = resource.origin(wizard.new_issuer)
            if origin is None or resource.canonical(wizard.new_issuer) != origin:
                message = self.env._("Write it like https://erp.example.com, without a path.")
                raise ValidationError(message)

    def action_change(self):
        """Button *Change*: from now on this is who the server is; every application has to connect anew."""
        self.ensure_one()
        if not self.env.user.has_group("base.group_system"):
            raise AccessError(self.env._("Only an administrator of the settings may change the issuer."))
        # sudo: the group was checked above; the value is a checked origin.
        parameters = self.env["ir.config_parameter"].sudo()
        parameters.set_param("mcp_endpoint.issuer", resource.origin(self.new_issuer))
        return {"type": "ir.actions.client", "tag": "reload"}
