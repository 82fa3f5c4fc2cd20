from odoo import api, fields, models


class McpIdentityLink(models.Model):
    """Who somebody at an identity provider is here. A link is by the provider's own subject, never by e-mail."""

    _name = "mcp.identity.link"
    _description = "MCP Linked Identity"
    _order = "create_date desc, id desc"
    _rec_name = "subject"

    provider_id = fields.Many2one("mcp.identity.provider", required=True, index=True, ondelete="cascade")
    # Not related: what a link means stays when the provider's record is changed.
    issuer = fields.Char(readonly=True, required=True)
    subject = fields.Char(required=True, help="The value of the subject claim, exactly as the provider writes it.")
    user_id = fields.Many2one(
        "res.users",
        required=True,
        index=True,
        ondelete="cascade",
        domain=[("share", "=", False)],
        help="The user whose access rights apply.",
    )
    by_email = fields.Boolean(
        string="Linked by E-mail", readonly=True, help="Made at the first sign-in, by the verified e-mail address."
    )

    _subject_unique = models.UniqueIndex("(issuer, subject)", "Somebody at a provider is linked to one user.")

    @api.model_create_multi
    def create(self, vals_list):
        providers = self.env["mcp.identity.provider"]
        for vals in vals_list:
            vals["issuer"] = providers.browse(vals["provider_id"]).issuer
        return super().create(vals_list)
