from odoo import api, fields, models, tools
from odoo.exceptions import UserError, ValidationError

from ..services.model_tiers import Tiers
from ..services.policy_rules import PATTERN


class McpModelTier(models.Model):
    """Models that are closed, or read only, to every assistant, whatever its profile says.

    The guardrails in code hold besides. Rows that the addon ships stay as they are; administrators add their own.
    """

    _name = "mcp.model.tier"
    _inherit = ["mcp.cached"]
    _description = "MCP Model Tier"
    _order = "tier, pattern, id"
    _rec_name = "pattern"

    pattern = fields.Char(
        string="Model", required=True, help="A technical name such as hr.payslip, or a pattern such as hr.payslip*."
    )
    tier = fields.Selection(
        [
            ("never", "Never"),
            ("admin", "Administrators only"),
            ("admin_write", "Changed by administrators only"),
            ("read_only", "Read only for all"),
        ],
        required=True,
        default="never",
        help="Administrators are users in the group MCP Administrator.",
    )
    note = fields.Char(string="Why")
    is_shipped = fields.Boolean(string="Shipped", readonly=True, copy=False)
    model_count = fields.Integer(string="Models", compute="_compute_model_count", help="In this database.")
    active = fields.Boolean(default=True)

    _pattern_tier_unique = models.Constraint("UNIQUE(pattern, tier)", "This model has this tier already.")

    @api.depends("pattern")
    def _compute_model_count(self):
        for row in self:
            tiers = Tiers(frozenset({(row.pattern or "-", "never")}))
            row.model_count = sum(bool(tiers.of(name)) for name in self.env.registry)

    @api.constrains("pattern")
    def _check_pattern(self):
        for row in self:
            if not PATTERN.fullmatch(row.pattern):
                message = self.env._("“%s” is no technical name of a model and no pattern like sale.*.", row.pattern)
                raise ValidationError(message)

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su:
            vals_list = [{**vals, "is_shipped": False} for vals in vals_list]
        return super().create(vals_list)

    def write(self, vals):
        self._check_own()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_shipped(self):
        self._check_own()

    def _check_own(self) -> None:
        """:raises UserError: a person is about to take away what the addon ships"""
        if not self.env.su and any(self.mapped("is_shipped")):
            raise UserError(self.env._("The tiers that MCP Server ships stay. Add rows of your own to close more."))

    @api.model
    @tools.ormcache("is_admin")
    def _tiers(self, is_admin: bool) -> Tiers:
        """Return the tiers as they stand for an administrator, or for anybody else."""
        # sudo: limits are read to be enforced, never shown.
        rows = self.sudo().search_fetch([], ["pattern", "tier"])
        return Tiers(frozenset((row.pattern, row.tier) for row in rows), is_admin)
