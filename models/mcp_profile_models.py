from odoo import api, fields, models
from odoo.exceptions import UserError

from ..services.guardrails import model_is_unreachable

OPERATIONS = ("read", "write", "create", "delete")


class McpProfileModels(models.TransientModel):  # pylint: disable=no-wizard-in-models
    """Opens several models of a profile at once: choose them, tick what assistants may do."""

    _name = "mcp.profile.models"
    _description = "MCP Enable Models"

    profile_id = fields.Many2one("mcp.profile", required=True, ondelete="cascade")
    model_ids = fields.Many2many(
        "ir.model",
        string="Models",
        domain=[("transient", "=", False), ("abstract", "=", False)],
        help="Search by name or technical name; “Search more” selects several at once.",
    )
    allow_read = fields.Boolean(string="Read", default=True)
    allow_write = fields.Boolean(string="Write")
    allow_create = fields.Boolean(string="Create")
    allow_delete = fields.Boolean(string="Delete")
    closes_others = fields.Boolean(compute="_compute_closes_others")

    @api.depends("profile_id")
    def _compute_closes_others(self):
        for wizard in self:
            wizard.closes_others = not wizard.profile_id.rule_ids

    def action_apply(self):
        """Button *Enable*: one rule per model; a rule of that name is changed, its other limits stay."""
        self.ensure_one()
        if not self.model_ids:
            raise UserError(self.env._("Choose at least one model."))
        if closed := self.model_ids.filtered(lambda model: model_is_unreachable(model.model)):
            message = self.env._("Never open to assistants: %s", ", ".join(closed.mapped("model")))
            raise UserError(message)
        values = {f"allow_{operation}": self[f"allow_{operation}"] for operation in OPERATIONS}
        rules = {rule.pattern: rule for rule in self.profile_id.rule_ids}
        # Before patterns, which would decide first.
        sequence = min(self.profile_id.rule_ids.mapped("sequence"), default=10)
        for name in self.model_ids.mapped("model"):
            if name in rules:
                rules[name].write(values)
            else:
                rule = {"profile_id": self.profile_id.id, "pattern": name, "sequence": sequence - 1, **values}
                self.env["mcp.profile.rule"].create(rule)
        return {"type": "ir.actions.act_window_close"}
