import base64

from odoo import fields, models
from odoo.exceptions import UserError


class McpProfileTransfer(models.TransientModel):  # pylint: disable=no-wizard-in-models
    """Dialogs of export and import."""

    _name = "mcp.profile.transfer"
    _description = "MCP Profile Export and Import"

    content = fields.Binary(string="File", attachment=False)
    file_name = fields.Char()
    text = fields.Text(readonly=True)

    def action_import(self):
        """Button *Import*: create the profiles of the file and show them."""
        self.ensure_one()
        if not self.content:
            raise UserError(self.env._("Choose a file that was exported from access profiles."))
        try:
            text = base64.b64decode(self.content).decode()
        except ValueError as error:
            raise UserError(self.env._("This file is no text in UTF-8.")) from error
        profiles = self.env["mcp.profile"]._from_json(text)
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Imported Profiles"),
            "res_model": "mcp.profile",
            "view_mode": "list,form",
            "domain": [("id", "in", profiles.ids)],
        }


class McpProfile(models.Model):
    _inherit = "mcp.profile"

    def action_export(self):
        """*Export as JSON* of the list and the form: show the text, and offer it as a file."""
        text = self._to_json()
        name = self.name if len(self) == 1 else self.env._("access profiles")
        dialog = self.env["mcp.profile.transfer"].create(
            {
                "text": text,
                "content": base64.b64encode(text.encode()),
                "file_name": f"{name}.json".replace("/", "-"),
            }
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Export"),
            "res_model": "mcp.profile.transfer",
            "res_id": dialog.id,
            "view_mode": "form",
            "views": [(self.env.ref("mcp_endpoint.view_mcp_profile_export").id, "form")],
            "target": "new",
        }
