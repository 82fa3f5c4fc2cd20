from odoo import api, fields, models
from odoo.exceptions import ValidationError

from .profile_limits import LARGEST_RESULT, SMALLEST_RESULT

INSTRUCTIONS = "mcp_endpoint.instructions"
LONGEST_INSTRUCTIONS = 1_000


class ResConfigSettings(models.TransientModel):
    """What holds for the endpoint as a whole."""

    _inherit = "res.config.settings"

    mcp_paused = fields.Boolean(string="Switch the endpoint off", config_parameter="mcp_endpoint.paused")
    mcp_https_only = fields.Boolean(string="Accept https only", config_parameter="mcp_endpoint.https_only")
    mcp_max_result = fields.Integer(
        string="Largest answer", default=LARGEST_RESULT, config_parameter="mcp_endpoint.max_result"
    )
    # Odoo's own `config_parameter` knows no texts of several lines.
    mcp_instructions = fields.Text(string="Tell every assistant")

    @api.constrains("mcp_max_result", "mcp_instructions")
    def _check_mcp_endpoint(self):
        for settings in self:
            if not SMALLEST_RESULT <= settings.mcp_max_result <= LARGEST_RESULT:
                message = self.env._("MCP Server: the largest answer is between 1,000 and 80,000 characters.")
                raise ValidationError(message)
            if len(settings.mcp_instructions or "") > LONGEST_INSTRUCTIONS:
                raise ValidationError(
                    self.env._("MCP Server: the text for assistants has %s characters at most.", LONGEST_INSTRUCTIONS)
                )

    @api.model
    def get_values(self):
        # sudo: the settings screen reads its parameters for whoever may open it.
        text = self.env["ir.config_parameter"].sudo().get_param(INSTRUCTIONS, "")
        return {**super().get_values(), "mcp_instructions": text}

    def set_values(self):
        result = super().set_values()
        # sudo: as Odoo does for every setting; only administrators may save this screen.
        self.env["ir.config_parameter"].sudo().set_param(INSTRUCTIONS, (self.mcp_instructions or "").strip())
        return result
