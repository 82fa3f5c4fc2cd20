import re

from odoo import api, fields, models
from odoo.exceptions import ValidationError

ARGUMENT_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}", re.ASCII)


class McpArgument(models.AbstractModel):
    """What the arguments of prompts and of tools have in common. A model of arguments adds `kind` and its parent."""

    _name = "mcp.argument"
    _description = "MCP Argument"
    _order = "sequence, id"

    sequence = fields.Integer(default=10)
    name = fields.Char(required=True, help="Lower-case letters, digits, underscores. {{name}} stands for its value.")
    options = fields.Char(help="Of a selection: the values, separated by commas.")
    is_required = fields.Boolean(string="Required")
    default_value = fields.Char(string="Default")

    @api.constrains("name", "kind", "options")
    def _check_argument(self):
        for argument in self:
            if not ARGUMENT_NAME.fullmatch(argument.name):
                raise ValidationError(
                    self.env._("An argument's name has lower-case letters, digits and underscores: %s", argument.name)
                )
            if argument.kind == "selection" and not argument._choices():
                raise ValidationError(self.env._("List the values of %s.", argument.name))

    def _choices(self) -> list[str]:
        return [word.strip() for word in (self.options or "").split(",") if word.strip()]
