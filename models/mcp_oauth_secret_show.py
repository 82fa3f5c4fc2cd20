from odoo import fields, models


class McpOauthSecretShow(models.AbstractModel):
    """The dialog that shows a new secret. Abstract: the secret reaches the screen and never a table."""

    _name = "mcp.oauth.secret.show"
    _description = "Show Client Secret"

    # The web client reads the defaults through an onchange, which needs this field.
    id = fields.Id()
    client_id = fields.Char(string="Client ID", readonly=True)
    secret = fields.Char(string="Client secret", readonly=True)
    authorize_url = fields.Char(string="Authorization URL", readonly=True)
    token_url = fields.Char(string="Token URL", readonly=True)
