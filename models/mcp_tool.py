import json

from odoo import api, fields, models, tools
from odoo.fields import Domain

from ..services.custom_tools import TOOLSET, CustomTool, listed_size
from ..services.schema import assert_portable
from ..services.tool import ToolSpec
from ..services.tool_governance import Decision, Governance, default_sequence

# The field that holds what a tool is made of.
SOURCE_FIELDS = {
    "action": "server_action_id",
    "filter": "filter_id",
    "report": "report_id",
    "template": "template_id",
}
CODE = "code"
GONE = (
    "The tool {} cannot run: what it was made of is gone or was changed. Do without it, and tell an administrator to "
    "look at MCP Server, Tools."
)
DECIDED = ("description", "toolset", "listing")


class McpTool(models.Model):
    """What an administrator has decided about one tool, or a whole tool made without code.

    A row of a tool that code declares (`source` is `code`) holds its name and the differences only; all else is read
    from the code each time, so that an upgrade shows at once. Such rows are made when the list is opened, because a
    list of records is what people sort, search and switch in Odoo; a row without a difference changes nothing.
    """

    _name = "mcp.tool"
    _inherit = ["mcp.cached"]
    _description = "MCP Tool"
    _order = "sequence, name, id"

    name = fields.Char(required=True, copy=False, help="What assistants call it, e.g. confirm_big_order.")
    source = fields.Selection(
        [
            (CODE, "Code"),
            ("action", "Server action"),
            ("filter", "Saved filter"),
            ("report", "Report"),
            ("template", "E-mail template"),
        ],
        string="Made of",
        required=True,
        default="action",
    )
    title = fields.Char(help="Shown to people. Empty: from the name.")
    sequence = fields.Integer(compute="_compute_sequence", store=True, readonly=False, precompute=True, copy=False)
    is_enabled = fields.Boolean(
        string="On", default=True, help="A tool that is off is unknown to every client from the next request on."
    )
    description = fields.Text(help="What the assistant reads: what the tool does, and when to use it.")
    toolset = fields.Char(help="Profiles and URLs open tools by toolset.")
    listing = fields.Selection(
        [("default", "In the default list"), ("request", "Only when its toolset is asked for")],
        string="Listed",
        help="An URL with ?toolsets=… asks for a toolset. A tool that is not listed can be called all the same.",
    )
    server_action_id = fields.Many2one("ir.actions.server", index="btree_not_null", ondelete="set null")
    filter_id = fields.Many2one("ir.filters", string="Saved Filter", index="btree_not_null", ondelete="set null")
    report_id = fields.Many2one("ir.actions.report", index="btree_not_null", ondelete="set null")
    template_id = fields.Many2one(
        "mail.template", string="E-mail Template", index="btree_not_null", ondelete="set null"
    )
    condition = fields.Text(
        string="Further Conditions",
        help="A domain that must hold besides the filter's, e.g. [('partner_id', 'ilike', '{{customer}}')].",
    )
    columns = fields.Char(
        help="Fields to show, separated by commas; of a filter that groups, measures such as amount_total:sum."
    )
    argument_ids = fields.One2many("mcp.tool.argument", "tool_id", string="Arguments", copy=True)

    model_name = fields.Char(string="Model", compute="_compute_model_name", compute_sudo=True)
    access = fields.Selection(
        [("read", "Read"), ("write", "Write"), ("admin", "Administer")], compute="_compute_shown", compute_sudo=True
    )
    shown_title = fields.Char(string="Title in Use", compute="_compute_shown", compute_sudo=True)
    shown_description = fields.Char(string="Description in Use", compute="_compute_shown", compute_sudo=True)
    shown_toolset = fields.Char(string="Toolset in Use", compute="_compute_shown", compute_sudo=True)
    shown_listing = fields.Char(compute="_compute_shown", compute_sudo=True)
    code_description = fields.Text(compute="_compute_code")
    code_toolset = fields.Char(compute="_compute_code")
    is_changed = fields.Boolean(compute="_compute_code")
    preview = fields.Text(compute="_compute_shown", compute_sudo=True)
    size = fields.Integer(string="Characters", compute="_compute_shown", compute_sudo=True)
    problem = fields.Text(compute="_compute_problem", compute_sudo=True)

    _name_unique = models.Constraint("UNIQUE(name)", "There is already a tool of this name.")

    @api.depends("toolset", "source")
    def _compute_sequence(self):
        for tool in self:
            tool.sequence = default_sequence(tool.toolset or tool.code_toolset or TOOLSET)

    @api.depends("source", *SOURCE_FIELDS.values())
    def _compute_model_name(self):
        for tool in self:
            source = tool[SOURCE_FIELDS[tool.source]] if tool.source in SOURCE_FIELDS else None
            if not source:
                tool.model_name = False
            elif tool.source == "filter":
                tool.model_name = source.model_id
            else:
                tool.model_name = source.model_name if tool.source == "action" else source.model

    @api.depends("name", "source", "sequence", *DECIDED)
    def _compute_code(self):
        coded = self.env["mcp.tool.registry"]._coded()
        for tool in self:
            spec = coded.get(tool.name) if tool.source == CODE else None
            tool.code_description = spec.description if spec else False
            tool.code_toolset = spec.toolset if spec else False
            moved = spec and tool.sequence != default_sequence(tool.toolset or spec.toolset)
            tool.is_changed = tool.source == CODE and bool(
                moved or not tool.is_enabled or any(tool[name] for name in DECIDED)
            )

    @api.depends(
        "name", "title", "source", "condition", "columns", *DECIDED, *SOURCE_FIELDS.values(), "argument_ids.name",
        "argument_ids.description", "argument_ids.kind", "argument_ids.model_name", "argument_ids.options",
        "argument_ids.is_required", "argument_ids.default_value", "argument_ids.sequence",
    )  # fmt: skip
    def _compute_shown(self):
        coded = self.env["mcp.tool.registry"]._coded()
        for tool in self:
            try:
                spec, problem = tool._spec(coded), None
            except ValueError as error:
                spec, problem = None, str(error)
            listed_by_default = spec and not spec.on_request
            tool.shown_title = spec.title if spec else tool.title or tool.name
            tool.shown_description = spec.description if spec else tool.description
            tool.shown_toolset = spec.toolset if spec else tool.toolset
            tool.shown_listing = self.env._("In the default list") if listed_by_default else self.env._("On request")
            tool.access = spec.access if spec else False
            tool.preview = json.dumps(spec.definition, ensure_ascii=False, indent=2) if spec else problem
            tool.size = listed_size(spec) if spec else 0

    @api.depends("name", "source", "is_enabled", *SOURCE_FIELDS.values())
    def _compute_problem(self):
        coded = self.env["mcp.tool.registry"]._coded()
        for tool in self:
            if tool.source == CODE:
                gone = tool.name not in coded
                tool.problem = self.env._("The addon that brought this tool is no longer installed.") if gone else False
            elif tool.name in coded:
                tool.problem = self.env._("An addon has brought a tool of this name, which is listed instead.")
            else:
                tool.problem = tool._source_problem()

    def _source_problem(self) -> str | bool:
        """Return why what the tool is made of cannot be used, False if it can."""
        self.ensure_one()
        source = self[SOURCE_FIELDS[self.source]]
        if not source:
            return self.env._("What this tool is made of has been deleted. It is not listed until another is chosen.")
        if "active" in source._fields and not source.active:
            return self.env._("What this tool is made of is archived. It is not listed until that is restored.")
        if not self.model_name or self.model_name not in self.env:
            return self.env._("The model that this tool works on does not exist in this database.")
        return False

    def _made(self) -> CustomTool:
        """Return the tool as plain facts. Its source must be there."""
        self.ensure_one()
        name = self.name or ""
        return CustomTool(
            id=self._origin.id or 0,
            name=name,
            title=self.title or name.replace("_", " ").capitalize(),
            description=" ".join((self.description or "").split()),
            source=self.source,
            source_id=self[SOURCE_FIELDS[self.source]].id or 0,
            model=self.model_name or "",
            toolset=self.toolset or TOOLSET,
            arguments=tuple(each._plain() for each in self.argument_ids.sorted("sequence") if each.name),
            columns=tuple(word.strip() for word in (self.columns or "").split(",") if word.strip()),
            condition=self.condition or "",
        )

    def _usable(self) -> CustomTool | None:
        """Return the tool, None if clients would refuse it: one bad tool makes many of them refuse the whole list."""
        made = self._made()
        try:
            assert_portable(made.spec.listed_schema)
        except ValueError:
            return None
        return made

    def _spec(self, coded: dict[str, ToolSpec]) -> ToolSpec | None:
        """Return the spec as clients get it, None for a tool whose code is gone.

        :raises ValueError: clients could not use it
        """
        spec = coded.get(self.name) if self.source == CODE else self._made().spec
        return spec and self._decision(spec).applied(spec)

    def _decision(self, spec: ToolSpec | None) -> Decision:
        is_code = self.source == CODE
        moved = not spec or self.sequence != default_sequence(self.toolset or spec.toolset)
        return Decision(
            enabled=self.is_enabled,
            sequence=self.sequence if moved else None,
            description=" ".join((self.description or "").split()) if is_code else "",
            toolset=self.toolset or "" if is_code else "",
            on_request=self.listing == "request" if self.listing else None,
        )

    @api.model
    @tools.ormcache()
    def _governance(self) -> Governance:
        """Return all decisions and tools of this database; the registry applies them."""
        coded = self.env["mcp.tool.registry"]._coded()
        # sudo: read to be enforced, whoever calls; what a tool then does runs as the caller.
        rows = self.sudo().with_context(lang=None).search(Domain.TRUE)
        decisions, made, broken = {}, {}, {}
        for row in rows:
            decisions[row.name] = row._decision(coded.get(row.name))
            if row.source == CODE or row.name in coded:
                continue
            if not row._source_problem() and (tool := row._usable()):
                made[row.name] = tool
            elif row.is_enabled:
                broken[row.name] = GONE.format(row.name)
        return Governance(decisions, made, broken)

    @api.model_create_multi
    def create(self, vals_list):
        created = super().create(vals_list)
        created._check_source_access()
        return created

    def write(self, vals):
        result = super().write(vals)
        if vals.keys() & set(SOURCE_FIELDS.values()):
            self._check_source_access()
        return result

    def _check_source_access(self) -> None:
        """:raises AccessError: who makes a tool of something must be able to see it; constraints run as superuser"""
        for name in SOURCE_FIELDS.values():
            if self[name]:
                self[name].check_access("read")

    def copy_data(self, default=None):
        copied = super().copy_data(default)
        for tool, values in zip(self, copied, strict=True):
            values.setdefault("name", f"{tool.name[:27]}_copy")
        return copied

    @api.model
    def _forget(self, name: str, ids: list[int]) -> None:
        """Drop the cached decisions if a tool is made of one of these sources."""
        # sudo: whether there is such a tool; users change filters of theirs without a right to see tools.
        if self.sudo().search_count([(name, "in", ids)], limit=1):
            self._forget_compiled()
