import re

from odoo import api, fields, models
from odoo.exceptions import ValidationError

SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,63}", re.ASCII)
LONGEST_BODY = 60_000


class McpResource(models.Model):
    """A text, or the live result of a saved filter, that an administrator gives to assistants.

    What is served besides these records, and how any of it is read, is in `models/resources`.
    """

    _name = "mcp.resource"
    _description = "MCP Resource"
    _order = "sequence, name, id"

    name = fields.Char(required=True, translate=True)
    slug = fields.Char(
        required=True, copy=False, help="Its address: odoo://custom/<slug>. Lower-case letters, digits and dashes."
    )
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    description = fields.Char(translate=True, help="Tells assistants when to read it.")
    body = fields.Text(translate=True, help="Markdown.")
    filter_id = fields.Many2one(
        "ir.filters",
        string="Saved Filter",
        ondelete="restrict",
        help="Its records are read live, with the rights of whoever reads the resource.",
    )
    row_limit = fields.Integer(string="Rows", default=50, required=True)
    group_ids = fields.Many2many("res.groups", string="For Groups", help="Empty: every MCP user.")
    uri = fields.Char(string="URI", compute="_compute_uri")

    _slug_unique = models.Constraint("UNIQUE(slug)", "Another resource has this address.")
    _row_limit_range = models.Constraint("CHECK(row_limit BETWEEN 1 AND 200)", "Between 1 and 200 rows can be shown.")

    @api.depends("slug")
    def _compute_uri(self):
        for resource in self:
            resource.uri = f"odoo://custom/{resource.slug or ''}"

    @api.constrains("slug")
    def _check_slug(self):
        for resource in self:
            if not SLUG.fullmatch(resource.slug):
                raise ValidationError(self.env._("The address has only lower-case letters, digits and dashes."))

    @api.constrains("body", "filter_id")
    def _check_content(self):
        for resource in self:
            if not resource.body and not resource.filter_id:
                raise ValidationError(self.env._("Write a text or choose a saved filter."))
            if len(resource.body or "") > LONGEST_BODY:
                raise ValidationError(self.env._("The text has more than %(limit)s characters.", limit=LONGEST_BODY))
