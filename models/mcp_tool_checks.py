"""What is refused when a tool is saved, because a client or a model would choke on it, or it could never run."""

import re

from odoo import api, models
from odoo.exceptions import ValidationError

from ..services.aliases import ALIASES
from ..services.custom_tools import listed_size
from ..services.domain_text import check_expression, filled, marks_in
from ..services.guardrails import model_is_read_only, model_is_unreachable
from ..services.schema import assert_portable
from ..services.tool import NAME_PATTERN
from .mcp_tool import CODE, SOURCE_FIELDS
from .view_values import literal, namespace

# Kept for tools of addons, so that an upgrade cannot meet a name that is taken.
RESERVED_PREFIX = "odoo_"
TOOLSET_PATTERN = re.compile(r"[a-z][a-z0-9_]{1,31}", re.ASCII)
# Words with a meaning of their own in the URL.
RESERVED_TOOLSETS = ("all",)
LONGEST_DESCRIPTION = 1_000
MOST_ARGUMENTS = 20
# Characters in the list: of one tool, and of all that administrators make. The list is read with every conversation.
LONGEST_TOOL = 4_000
LONGEST_LIST = 16_000
MOST_TOOLS = 40


class McpTool(models.Model):
    """Constraints. Odoo runs them as superuser; whether the administrator may see a source is asked before."""

    _inherit = "mcp.tool"

    @api.constrains("name", "source")
    def _check_name(self):
        coded = self.env["mcp.tool.registry"]._coded()
        for tool in self:
            if tool.source == CODE:
                if tool.name not in coded:
                    raise ValidationError(self.env._("No addon declares a tool named %s.", tool.name))
                continue
            if not NAME_PATTERN.fullmatch(tool.name):
                raise ValidationError(
                    self.env._(
                        "%s: assistants accept 3 to 32 lower-case letters, digits and underscores, a letter first. "
                        "For instance confirm_big_order.",
                        tool.name,
                    )
                )
            if tool.name.startswith(RESERVED_PREFIX) or tool.name in coded or tool.name in ALIASES:
                raise ValidationError(
                    self.env._(
                        "%s is, or is kept for, a tool that an addon brings. Choose another name, without odoo_ at "
                        "its beginning.",
                        tool.name,
                    )
                )

    @api.constrains("description", "toolset", "source")
    def _check_texts(self):
        for tool in self:
            length = len((tool.description or "").strip())
            if tool.source != CODE and length < 10:
                raise ValidationError(
                    self.env._("Describe %s in a sentence: assistants choose tools by what is said there.", tool.name)
                )
            if length > LONGEST_DESCRIPTION:
                raise ValidationError(
                    self.env._(
                        "The description of %(name)s has %(length)s characters; %(limit)s are enough for any model.",
                        name=tool.name, length=length, limit=LONGEST_DESCRIPTION,
                    )
                )  # fmt: skip
            toolset = tool.toolset
            if toolset and (not TOOLSET_PATTERN.fullmatch(toolset) or toolset in RESERVED_TOOLSETS):
                raise ValidationError(
                    self.env._(
                        "The toolset %s must be 2 to 32 lower-case letters, digits and underscores, not “all”.", toolset
                    )
                )

    def _check_source(self):
        if not self[SOURCE_FIELDS[self.source]]:
            raise ValidationError(self.env._("Choose what %s is made of.", self.name))
        model = self.model_name
        if not model or model not in self.env:
            raise ValidationError(self.env._("What %s is made of works on no model.", self.name))
        closed = model_is_unreachable(model) or (self.source in ("action", "template") and model_is_read_only(model))
        if closed:
            raise ValidationError(
                self.env._("%(model)s is closed to assistants: %(name)s could never run.", model=model, name=self.name)
            )
        if self.source == "template" and "message_ids" not in self.env[model]._fields:
            raise ValidationError(self.env._("%s has no chatter, where the e-mail would be filed.", model))

    @api.constrains(
        "name", "description", "source", "title", "argument_ids", "condition", "columns", "is_enabled",
        *SOURCE_FIELDS.values(),
    )  # fmt: skip
    def _check_definition(self):
        # One that is off may be unfinished, or have lost its source; it is checked when it is switched on.
        made = self.filtered(lambda tool: tool.source != CODE and tool.is_enabled)
        for tool in made:
            tool._check_source()
            tool._check_arguments()
            if tool.source == "filter":
                tool._check_domain()
            try:
                spec = tool._made().spec
                assert_portable(spec.listed_schema)
            except ValueError as error:
                raise ValidationError(self.env._("Clients would refuse this tool: %s.", error)) from error
            if listed_size(spec) > LONGEST_TOOL:
                raise ValidationError(
                    self.env._(
                        "%(name)s takes %(size)s characters of the list of tools. Keep it within %(limit)s with "
                        "shorter descriptions or fewer arguments.",
                        name=tool.name, size=listed_size(spec), limit=LONGEST_TOOL,
                    )
                )  # fmt: skip
        if made:
            self._check_total()

    def _check_arguments(self):
        if len(self.argument_ids) > MOST_ARGUMENTS:
            raise ValidationError(self.env._("A tool has at most %s arguments.", MOST_ARGUMENTS))
        target = self._made().target
        if self.source in ("report", "template") and (target is None or not target.required or target.default):
            raise ValidationError(
                self.env._(
                    "Add a required argument of kind Record and model %(model)s without a default: %(name)s works on "
                    "the record that is given there.",
                    model=self.model_name,
                    name=self.name,
                )
            )
        if self.source == "template" and target.kind != "record":
            raise ValidationError(self.env._("E-mails are sent for one record at a time: make it one Record."))

    def _check_domain(self):
        """:raises ValidationError: the filter cannot be evaluated, or marks what is no argument"""
        texts = [self.filter_id.domain, self.condition]
        known = {argument.name: None for argument in self.argument_ids}
        for text in filter(None, texts):
            try:
                check_expression(text)
                domain = literal(text, namespace(self.env, {})) or []
                if unknown := sorted(marks_in(domain) - known.keys()):
                    raise ValueError(f"has the mark {{{{{unknown[0]}}}}}; add an argument of that name")
                filled(domain, known)
            except ValueError as error:
                raise ValidationError(self.env._("The domain %s.", error)) from error

    def _check_total(self):
        others = self.search([("source", "!=", CODE), ("is_enabled", "=", True)])
        total = sum(others.mapped("size"))
        if len(others) > MOST_TOOLS or total > LONGEST_LIST:
            raise ValidationError(
                self.env._(
                    "The tools made here would be %(count)s and take %(total)s characters of the list. Clients work "
                    "well with %(most)s and %(limit)s: switch some off or shorten them.",
                    count=len(others), total=total, most=MOST_TOOLS, limit=LONGEST_LIST,
                )
            )  # fmt: skip
