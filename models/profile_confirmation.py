import dataclasses

from odoo import fields, models

from ..services.policy import Layer


class McpProfile(models.Model):
    """Where the assistant's own user is asked: by the client, or on a page of Odoo's."""

    _inherit = "mcp.profile"

    confirmation_page = fields.Boolean(
        string="Confirm in Odoo",
        tracking=True,
        help="Destructive changes are confirmed on a page of Odoo's own, where the user is logged in. Otherwise it is "
        "the client that asks, and an answer it sends is no proof that a person gave it.",
    )

    def _layer(self, kind: str, held: frozenset[int]) -> Layer:
        return dataclasses.replace(super()._layer(kind, held), confirms_on_page=self.confirmation_page)
