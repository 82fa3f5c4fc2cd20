from odoo import models


class ResUsersApikeys(models.Model):
    _inherit = "res.users.apikeys"

    def unlink(self):
        # sudo: whoever may delete a key ends what stands for it at the endpoint.
        self.env["mcp.token"].sudo().search([("api_key_id", "in", self.ids), ("revoked_at", "=", False)])._revoke()
        return super().unlink()
