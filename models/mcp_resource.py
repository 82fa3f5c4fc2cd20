import json
import re
from dataclasses import replace

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..services.errors import PolicyDenied, ToolError
from ..services.resource import PREFIX, declared
from ..services.tool import ToolResult
from ..services.uri import FORMATS, Address, Template, parse

SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,63}", re.ASCII)
LONGEST_BODY = 60_000


class McpResource(models.Model):
    """What can be read by URI. A record is a text, or the live result of a saved filter, that an administrator wrote.

    Addons add a kind of `odoo://` resource with a method declared `@resource` (`services.resource`), or resources of
    any other URI by overriding the three public methods.
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

    @api.model_create_multi
    def create(self, vals_list):
        resources = super().create(vals_list)
        resources._check_filter_access()
        return resources

    def write(self, vals):
        result = super().write(vals)
        if "filter_id" in vals:
            self._check_filter_access()
        return result

    def _check_filter_access(self) -> None:
        """:raises AccessError: another user's own filter; whoever publishes one must be able to see it"""
        self.filter_id.check_access("read")

    def copy_data(self, default=None):
        vals_list = super().copy_data(default)
        for resource, vals in zip(self, vals_list, strict=True):
            vals.setdefault("slug", f"{resource.slug}-copy")
        return vals_list

    @api.private
    def get_resources(self, call) -> list[dict]:
        """Return the `Resource` objects that are listed to this caller, in a stable order."""
        return [
            _definition(template, uri=template.uri)
            for template in self._by_priority()
            if not template.parameters and self._is_granted(call, template.toolset, template.tool)
        ]

    @api.private
    def get_resource_templates(self, call) -> list[dict]:
        """Return the `ResourceTemplate` objects that are listed to this caller, in a stable order."""
        return [
            _definition(template, uriTemplate=template.uri)
            for template in self._by_priority()
            if template.parameters and self._is_granted(call, template.toolset, template.tool)
        ]

    @api.private
    def read_resource(self, call, uri: str) -> list[dict]:
        """Return the contents of a resource (`{"uri", "mimeType", "text"}` or `"blob"`), never an empty list.

        :raises ToolError: it does not exist, or is not open to this caller
        """
        address = self._address(uri)
        result = self._document(call, address)
        self.env["mcp.token"]._note_taint(call)
        images = [block for block in result.content if block["type"] == "image"]
        if images and address.format == "markdown":
            return [{"uri": uri, "mimeType": block["mimeType"], "blob": block["data"]} for block in images]
        if address.format == "json":
            facts = {**result.structured, **call.boundary.meta}
            text = json.dumps(facts, ensure_ascii=False, separators=(",", ":"), default=str)
        else:
            notes = [call.boundary.line, *(f"> Note: {note}" for note in call.notes)]
            text = "\n\n".join([result.text or "", *(note for note in notes if note)])
        return [{"uri": uri, "mimeType": FORMATS[address.format], "text": text}]

    @api.model
    def _templates(self) -> dict[str, Template]:
        """Return the kinds of `odoo://` resources by name: those declared with `@resource`; ours add theirs."""
        cls = type(self)
        # The class is rebuilt in place when addons are installed; its bases tell.
        memo = cls.__dict__.get("_mcp_templates")
        if memo is None or memo[0] != cls.__mro__:
            memo = cls._mcp_templates = (cls.__mro__, declared(cls))
        return memo[1]

    @api.model
    def _by_priority(self) -> list[Template]:
        return sorted(self._templates().values(), key=lambda template: (-template.priority, template.kind))

    @api.model
    def _address(self, uri: str) -> Address:
        """:raises ToolError: `not_found`, saying what is wrong with the URI"""
        try:
            return parse(uri, self._templates())
        except ValueError as error:
            raise ToolError("not_found", str(error), fix="List the templates with resources/templates/list.") from None

    @api.model
    def _document(self, call, address: Address) -> ToolResult:
        """Return what an address names: Markdown as text, the same facts as `structured`."""
        result = getattr(self, f"{PREFIX}{address.kind}")(call, **address.arguments)
        return ToolResult({"text": result}, text=result) if isinstance(result, str) else result

    @api.model
    def _is_granted(self, call, toolset: str, tool: str = "") -> bool:
        """Say whether this caller may use tools of this toolset to read, and this one of them."""
        spec = replace(call.spec, toolset=toolset, name=tool or call.spec.name)
        return bool(self.env["mcp.policy"]._visible([spec], call.policy, call.exchange.narrowing))

    @api.model
    def _check_granted(self, call, toolset: str, tool: str = "") -> None:
        """:raises PolicyDenied: the profile, or the URL of this connection, leaves the toolset or the tool out"""
        if not self._is_granted(call, toolset, tool):
            what = f"{tool}, which reads this" if self._is_granted(call, toolset) else f"the toolset {toolset}"
            raise PolicyDenied("profile:toolset", f"This connection does not include {what}.")


def _definition(template: Template, **address: str) -> dict:
    return {
        **address,
        "name": template.kind,
        "title": template.title,
        "description": template.description,
        "mimeType": FORMATS["markdown"],
        "annotations": {"audience": ["assistant"], "priority": template.priority},
    }
