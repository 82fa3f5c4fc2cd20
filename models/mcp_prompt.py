import re

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain

from .prompt_text import KINDS, PLACEHOLDER, rendered

PROMPT_NAME = re.compile(r"[a-z][a-z0-9_]{1,63}", re.ASCII)
LONGEST_BODY = 20_000


class McpPrompt(models.Model):
    """A prompt that clients offer to people, and a skill that assistants find: text with `{{argument}}` marks.

    Those without an owner are for all; a user's own hide one of the same name. Marks are replaced as plain text, once.
    """

    _name = "mcp.prompt"
    _inherit = ["mcp.cached"]
    _description = "MCP Prompt"
    _order = "sequence, name, id"
    _rec_name = "title"

    name = fields.Char(required=True, copy=False, help="What clients call it: lower-case letters, digits, underscores.")
    title = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    description = fields.Char(translate=True, help="What it is for, in a sentence.")
    body = fields.Text(required=True, translate=True, help="What is sent to the assistant. {{name}} marks an argument.")
    user_id = fields.Many2one(
        "res.users",
        string="Owner",
        default=lambda self: self._default_owner(),
        index="btree_not_null",
        ondelete="cascade",
        help="Only this user has it. Empty: everybody.",
    )
    group_ids = fields.Many2many("res.groups", string="For Groups", help="Empty: every MCP user.")
    model_name = fields.Char(
        string="Needs Model", help="Offered only to those who may read this model, e.g. sale.order."
    )
    argument_ids = fields.One2many("mcp.prompt.argument", "prompt_id", string="Arguments", copy=True)
    preview = fields.Text(compute="_compute_preview")

    _name_unique = models.UniqueIndex("(name) WHERE user_id IS NULL", "Another prompt for all has this name.")
    _own_name_unique = models.UniqueIndex(
        "(user_id, name) WHERE user_id IS NOT NULL", "This user has a prompt of this name."
    )

    @api.model
    def _default_owner(self):
        # Users write their own; what an administrator writes is for all unless they say otherwise.
        return False if self._is_administrator() else self.env.uid

    @api.depends("body", "argument_ids.name", "argument_ids.label", "argument_ids.default_value")
    def _compute_preview(self):
        for prompt in self:
            values = {
                argument.name: argument.default_value or f"‹{argument.label or argument.name}›"
                for argument in prompt.argument_ids
                if argument.name
            }
            prompt.preview = rendered(prompt.body or "", values)

    @api.constrains("name")
    def _check_name(self):
        for prompt in self:
            if not PROMPT_NAME.fullmatch(prompt.name):
                raise ValidationError(
                    self.env._("A prompt's name: lower-case letters, digits, underscores; a letter first.")
                )

    @api.constrains("body", "argument_ids")
    def _check_body(self):
        for prompt in self:
            if len(prompt.body) > LONGEST_BODY:
                raise ValidationError(self.env._("The text has more than %(limit)s characters.", limit=LONGEST_BODY))
            unknown = set(PLACEHOLDER.findall(prompt.body)) - set(prompt.argument_ids.mapped("name"))
            if unknown:
                names = ", ".join(sorted(unknown))
                raise ValidationError(self.env._("The text uses arguments that are not declared: %s", names))

    def write(self, vals):
        result = super().write(vals)
        # Odoo asks record rules before a write only: users could put a prompt of theirs into others' lists.
        self.check_access("write")
        return result

    def copy_data(self, default=None):
        default = default or {}
        vals_list = super().copy_data(default)
        for prompt, vals in zip(self, vals_list, strict=True):
            vals.setdefault("name", f"{prompt.name}_copy")
            if "title" not in default:
                vals["title"] = self.env._("%s (copy)", prompt.title)
            if not self._is_administrator():
                # So that users make a version of their own of what is for all.
                vals |= {"user_id": self.env.uid, "group_ids": False}
        return vals_list

    def action_preview(self):
        """Open the text as an assistant gets it, with default values and marks for what is to be given."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.title,
            "res_model": self._name,
            "res_id": self.id,
            "views": [(self.env.ref("mcp_endpoint.view_mcp_prompt_preview").id, "form")],
            "target": "new",
        }

    @api.model
    def _is_administrator(self) -> bool:
        return self.env.su or self.env.user.has_group("mcp_endpoint.group_mcp_admin")

    @api.model
    def _available(self, call, name: str | None = None) -> dict[str, "McpPrompt"]:
        """Return the prompts of this caller by name, in the order in which they are listed; only the one, if named."""
        domain = Domain("user_id", "in", (False, call.env.uid))
        if name is not None:
            domain &= Domain("name", "=", name)
        prompts = self.search_fetch(domain, ["name", "title", "description", "user_id", "model_name"])
        by_name = {prompt.name: prompt for prompt in prompts if not prompt.user_id}
        by_name |= {prompt.name: prompt for prompt in prompts if prompt.user_id}
        return {
            name: prompt
            for name, prompt in by_name.items()
            if not prompt.model_name or call.allows_model(prompt.model_name)
        }


class McpPromptArgument(models.Model):
    _name = "mcp.prompt.argument"
    _inherit = ["mcp.cached", "mcp.argument"]
    _description = "MCP Prompt Argument"

    prompt_id = fields.Many2one("mcp.prompt", required=True, index=True, ondelete="cascade")
    label = fields.Char(translate=True)
    description = fields.Char(translate=True)
    kind = fields.Selection(KINDS, required=True, default="text")
    model_name = fields.Char(
        string="Model", help="Of a record or a field, e.g. res.partner. Empty: the model in the argument “model”."
    )

    _name_unique = models.Constraint("UNIQUE(prompt_id, name)", "Two arguments have the same name.")

    def write(self, vals):
        result = super().write(vals)
        # As for prompts: an argument must not be moved to a prompt of somebody else.
        self.check_access("write")
        return result

    def _definition(self) -> dict:
        """Return the MCP `PromptArgument`."""
        hint = {
            "date": "Date as YYYY-MM-DD, or today.",
            "record": "Name or id.",
            "model": "Technical or everyday name.",
        }
        parts = [self.description or "", hint.get(self.kind, "")]
        if self.kind == "selection":
            parts.append(f"One of: {', '.join(self._choices())}.")
        if self.default_value:
            parts.append(f"Default: {self.default_value}.")
        return {
            "name": self.name,
            "title": self.label or self.name.replace("_", " ").capitalize(),
            "description": " ".join(part for part in parts if part),
            "required": self.is_required and not self.default_value,
        }
