from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..services.custom_tools import RESERVED_ARGUMENTS, Argument
from ..services.guardrails import model_is_unreachable

LONGEST_DESCRIPTION = 300
MOST_CHOICES = 50
KINDS = [
    ("text", "Text"),
    ("number", "Number"),
    ("integer", "Whole number"),
    ("boolean", "Yes or no"),
    ("date", "Date"),
    ("datetime", "Date and time"),
    ("selection", "Selection"),
    ("record", "Record"),
    ("records", "Several records"),
]


class McpToolArgument(models.Model):
    _name = "mcp.tool.argument"
    _inherit = ["mcp.cached", "mcp.argument"]
    _description = "MCP Tool Argument"

    tool_id = fields.Many2one("mcp.tool", required=True, index=True, ondelete="cascade")
    # Models read it; translations would only make the list differ from user to user.
    description = fields.Char(required=True, help="What the assistant reads: what to give here.")
    kind = fields.Selection(KINDS, required=True, default="text")
    model_name = fields.Char(
        string="Model", help="Of a record. The first one of the tool's own model says on which records it works."
    )

    _name_unique = models.Constraint("UNIQUE(tool_id, name)", "Two arguments have the same name.")

    # What concerns the whole tool is checked there, when all of its arguments are in place.
    @api.constrains("name", "description", "kind", "model_name", "options", "default_value")
    def _check_plain(self):
        for argument in self:
            name = argument.name
            if name in RESERVED_ARGUMENTS:
                raise ValidationError(self.env._("%s is an argument that every tool has; choose another name.", name))
            if not (argument.description or "").strip():
                raise ValidationError(self.env._("Describe the argument %s; assistants guess otherwise.", name))
            if len(argument.description) > LONGEST_DESCRIPTION:
                limit = LONGEST_DESCRIPTION
                raise ValidationError(self.env._("Describe %(name)s in %(limit)s characters.", name=name, limit=limit))
            if argument.kind in ("record", "records"):
                argument._check_model()
            if len(argument._choices()) > MOST_CHOICES:
                raise ValidationError(self.env._("%s has too many values; make it a text.", name))
            try:
                argument._plain().default_value()
            except ValueError as error:
                raise ValidationError(
                    self.env._("The default of %(name)s must be %(kind)s.", name=name, kind=error)
                ) from error

    def _check_model(self):
        model = (self.model_name or "").strip()
        if model not in self.env or self.env[model]._abstract:
            raise ValidationError(self.env._("Say of which model %s is, for instance res.partner.", self.name))
        if model_is_unreachable(model):
            raise ValidationError(self.env._("%s is never open to assistants; use another model.", model))

    def _plain(self) -> Argument:
        """Return the argument as plain facts."""
        return Argument(
            name=self.name,
            kind=self.kind,
            description=" ".join((self.description or "").split()),
            required=self.is_required,
            default=(self.default_value or "").strip(),
            model=(self.model_name or "").strip() if self.kind in ("record", "records") else "",
            choices=tuple(self._choices()),
        )
