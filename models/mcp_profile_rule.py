from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Domain

from ..services.errors import ToolError
from ..services.guardrails import model_is_unreachable
from ..services.policy import OPERATIONS
from ..services.policy_rules import PATTERN, ModelRule, names, unreadable_names
from .profile_domain import parsed

# What a change of a rule is told by in the chatter of its profile.
TOLD = (
    "pattern", "allow_read", "allow_write", "allow_create", "allow_delete", "allow_call", "fields_mode", "field_names",
    "domain", "methods", "group_ids", "sequence",
)  # fmt: skip


class McpProfileRule(models.Model):
    """What a profile opens of the models that one name or pattern stands for. The first rule that names a model decides
    for it; once a profile has rules, models that none of them names are closed.
    """

    _name = "mcp.profile.rule"
    _inherit = ["mcp.cached"]
    _description = "MCP Access Profile Rule"
    _order = "profile_id, sequence, id"
    _rec_name = "pattern"

    profile_id = fields.Many2one("mcp.profile", required=True, index=True, ondelete="cascade")
    sequence = fields.Integer(default=10)
    pattern = fields.Char(
        string="Model", required=True, help="A technical name such as sale.order, or a pattern such as sale.*."
    )
    allow_read = fields.Boolean(string="Read", default=True)
    allow_write = fields.Boolean(string="Write")
    allow_create = fields.Boolean(string="Create")
    allow_delete = fields.Boolean(string="Delete")
    allow_call = fields.Boolean(string="Call", help="Press buttons, run actions and call methods.")
    fields_mode = fields.Selection(
        [("all", "All fields"), ("allow", "Only these fields"), ("deny", "All but these fields")],
        string="Fields",
        required=True,
        default="all",
    )
    field_names = fields.Char(
        help="Technical names, separated by commas. The id and the display name of a record are open unless denied.",
    )
    domain = fields.Char(
        string="Records",
        help="Only records that meet this condition exist for the assistant, on every path. "
        'Write "me", "my_company" or periods such as "this_month" for what depends on the user and the day.',
    )
    methods = fields.Char(help="Names of the buttons and methods that may be called. Empty: all that Odoo offers.")
    group_ids = fields.Many2many(
        "res.groups", string="For Groups", help="The rule is for members only. Empty: for everybody."
    )
    model_name = fields.Char(compute="_compute_model_name")
    record_count = fields.Integer(string="Records Left", compute="_compute_record_count")
    scope = fields.Char(string="Opens", compute="_compute_scope")

    @api.depends("pattern")
    def _compute_model_name(self):
        for rule in self:
            rule.model_name = rule.pattern if rule._is_one_model() else False

    @api.depends("pattern", "domain")
    def _compute_record_count(self):
        for rule in self:
            rule.record_count = rule._count() if rule._is_one_model() else 0

    @api.depends("pattern", "domain", "record_count", "fields_mode", "field_names")
    def _compute_scope(self):
        for rule in self:
            rule.scope = rule._described()

    @api.constrains("pattern", "fields_mode", "field_names", "domain", "methods")
    def _check_names(self):
        for rule in self:
            if not PATTERN.fullmatch(rule.pattern or ""):
                raise ValidationError(self.env._("“%s” is no model and no pattern like sale.*.", rule.pattern))
            if wrong := unreadable_names(rule.field_names) + unreadable_names(rule.methods):
                raise ValidationError(self.env._("%s: not a technical name.", ", ".join(wrong)))
            if rule.fields_mode != "all" and not names(rule.field_names):
                raise ValidationError(self.env._("%s: name the fields, or open all.", rule.pattern))
            if rule._is_pattern():
                if rule.domain and rule._terms():
                    message = self.env._("%s: a condition on records needs the name of one model.", rule.pattern)
                    raise ValidationError(message)
            elif rule._is_one_model():
                rule._check_fields()
                rule._check_domain()
            else:
                raise ValidationError(self.env._("There is no model %s in this database.", rule.pattern))

    def _check_fields(self) -> None:
        """:raises ValidationError: the list names what is no field of the model"""
        known = self.env[self.pattern]._fields
        if unknown := sorted(names(self.field_names) - known.keys()):
            raise ValidationError(
                self.env._("%(model)s has no field %(names)s.", model=self.pattern, names=", ".join(unknown))
            )

    def _check_domain(self) -> None:
        """:raises ValidationError: with what the guard of assistants' own filters says of it"""
        if not self.domain or not self._terms():
            return
        try:
            condition = parsed(self.env, self.pattern, self.domain)
            # sudo: tried out, as a condition that fails would close the model.
            self.env[self.pattern].sudo().with_context(active_test=False).search_count(condition, limit=1)
        except ToolError as error:
            message = f"{self.pattern}: {error.message} {error.fix or ''}".strip()
            raise ValidationError(message) from error

    @api.model_create_multi
    def create(self, vals_list):
        rules = super().create(vals_list)
        for rule in rules:
            rule.profile_id._note_rule(self.env._("Rule added: %s", rule._described()))
        return rules

    def write(self, vals):
        before = {rule: rule._described() for rule in self} if set(vals) & set(TOLD) else {}
        result = super().write(vals)
        for rule, text in before.items():
            if text != rule._described():
                rule.profile_id._note_rule(
                    self.env._("Rule changed: %(before)s → %(after)s", before=text, after=rule._described())
                )
        return result

    def unlink(self):
        for rule in self:
            rule.profile_id._note_rule(self.env._("Rule removed: %s", rule._described()))
        return super().unlink()

    def _compiled(self) -> ModelRule:
        """Return the rule as the policy asks it."""
        self.ensure_one()
        listed = names(self.methods)
        return ModelRule(
            pattern=self.pattern,
            operations=frozenset(operation for operation in OPERATIONS if self[f"allow_{operation}"]),
            fields_mode=self.fields_mode,
            listed=names(self.field_names) if self.fields_mode != "all" else frozenset(),
            methods=listed or None,
            domain=self.domain if self._terms() else "",
            groups=frozenset(self.group_ids.ids),
        )

    def _is_pattern(self) -> bool:
        return "*" in (self.pattern or "")

    def _is_one_model(self) -> bool:
        name = self.pattern or ""
        return name in self.env and not self.env[name]._abstract

    def _terms(self) -> bool:
        """Say whether the condition says anything: the editor leaves an empty list behind."""
        return (self.domain or "").strip() not in ("", "[]")

    def _count(self) -> int:
        """Return how many records the condition leaves of those the reader can see, -1 when it cannot be read.

        With the reader's own rights: a number for any condition would tell the value of any field.
        """
        records = self.env[self.pattern]
        if records._transient or not records._auto or model_is_unreachable(self.pattern):
            return 0
        try:
            condition = parsed(self.env, self.pattern, self.domain) if self._terms() else Domain.TRUE
            return records.search_count(condition)
        except (ToolError, AccessError):
            return -1

    def _described(self) -> str:
        """Return the rule in one line."""
        parts = [", ".join(operation for operation in OPERATIONS if self[f"allow_{operation}"]) or "closed"]
        if self.fields_mode != "all":
            parts.append(f"{'only' if self.fields_mode == 'allow' else 'not'} {self.field_names}")
        if self._terms():
            parts.append(f"where {self.domain}")
        if self.methods:
            parts.append(f"methods {self.methods}")
        if self.group_ids:
            # sudo: names of groups, for the chatter of a profile.
            parts.append(f"for {', '.join(self.group_ids.sudo().mapped('full_name'))}")
        return f"{self.pattern}: {'; '.join(parts)}"
