from odoo import api, fields, models
from odoo.addons.base.models.res_users import check_identity
from odoo.exceptions import ValidationError

from .mcp_token import DEFAULT_DAYS

LONGEST_NAME = 100


# One dialog needs no folder of its own.
class McpTokenWizard(models.TransientModel):  # pylint: disable=no-wizard-in-models
    _name = "mcp.token.wizard"
    _description = "New Personal Access Token"

    client = fields.Char(help="Key of the guide it was opened from: that client's configuration is shown first.")
    name = fields.Char(
        required=True,
        default=lambda self: self.env["mcp.connect"]._client_name(self.env.context.get("default_client")),
        help="Where the token is used. It is how you recognise it later.",
    )
    available_profile_ids = fields.Many2many("mcp.profile", compute="_compute_available_profile_ids")
    profile_id = fields.Many2one(
        "mcp.profile",
        string="What it may do",
        required=True,
        domain="[('id', 'in', available_profile_ids)]",
        default=lambda self: self.env["mcp.profile"]._available_to(self.env.user)[:1],
    )
    profile_description = fields.Text(related="profile_id.description")
    longest_days = fields.Integer(compute="_compute_longest_days")
    days = fields.Integer(string="Valid for", required=True, default=lambda self: self._default_days())

    @api.model
    def _default_days(self) -> int:
        return min(DEFAULT_DAYS, self.env["mcp.token"]._longest_days())

    def _compute_available_profile_ids(self):
        self.available_profile_ids = self.env["mcp.profile"]._available_to(self.env.user)

    def _compute_longest_days(self):
        self.longest_days = self.env["mcp.token"]._longest_days()

    @api.constrains("name")
    def _check_name(self):
        if any(not wizard.name.strip() or len(wizard.name) > LONGEST_NAME for wizard in self):
            raise ValidationError(self.env._("Give the token a name of 1 to %s characters.", LONGEST_NAME))

    # Asked again here because the wizard's rows can be made without the button that opens it.
    @check_identity
    def action_mint(self):
        """Button *Create token*: mint for the person at the screen and show the token, once."""
        self.ensure_one()
        user = self.env.user
        secret = self.env["mcp.token"]._issue(user, name=self.name.strip(), profile=self.profile_id, days=self.days)
        return show_secret(self.env, secret, self.env._("Your new token"), self.client)


class McpTokenShow(models.AbstractModel):
    """The dialog that shows a new token. Abstract: the token reaches the screen and never a table."""

    _name = "mcp.token.show"
    _description = "Show Personal Access Token"

    # The web client reads the defaults through an onchange, which needs this field.
    id = fields.Id()
    token = fields.Char(readonly=True)
    url = fields.Char(string="Address", readonly=True)
    client = fields.Char(readonly=True)
    guides = fields.Json(readonly=True, default=lambda self: self._default_guides())

    @api.model
    def _default_guides(self) -> list[dict]:
        """Return the guides of all clients that take a token, with the one in this dialog filled in."""
        return self.env["mcp.connect"]._token_guides(self.env.context.get("default_token"))


def show_secret(env: api.Environment, secret: str, title: str, client: str | None = None) -> dict:
    """Return the action that shows a new secret of the current user, and how `client` is given it."""
    return {
        "type": "ir.actions.act_window",
        "res_model": "mcp.token.show",
        "name": title,
        "views": [(False, "form")],
        "target": "new",
        "context": {"default_token": secret, "default_url": env.user.mcp_url, "default_client": client},
    }
