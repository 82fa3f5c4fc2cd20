import json
import time
from dataclasses import replace

from odoo import api, models

from ...services.errors import InvalidParams, PolicyDenied, ProtocolError, ResourceNotFound, ToolError
from ...services.exchange import Exchange
from ...services.tool import ToolResult
from ...services.uri import FORMATS, Address, Template, kind_of, parse
from ...services.versions import Version
from .listing import freshness

# What is read changes with every click in Odoo.
READ_TTL_MS = 0


class McpServer(models.AbstractModel):
    _inherit = "mcp.server"

    @api.model
    def _rpc_table(self, version: Version) -> dict[str, str]:
        return super()._rpc_table(version) | {
            "resources/list": "_rpc_resources_list",
            "resources/templates/list": "_rpc_resources_templates_list",
            "resources/read": "_rpc_resources_read",
        }

    @api.model
    def _capabilities(self, version: Version) -> dict[str, dict]:
        return super()._capabilities(version) | {"resources": {}}

    def _rpc_resources_list(self, exchange: Exchange) -> dict:
        call = self._reading_call(exchange)
        return self._listed(exchange, "resources", call.env["mcp.resource"].get_resources(call), "uri")

    def _rpc_resources_templates_list(self, exchange: Exchange) -> dict:
        call = self._reading_call(exchange)
        items = call.env["mcp.resource"].get_resource_templates(call)
        return self._listed(exchange, "resourceTemplates", items, "uriTemplate")

    def _rpc_resources_read(self, exchange: Exchange) -> dict:
        started = time.perf_counter()
        uri = exchange.message.params.get("uri")
        if not isinstance(uri, str) or not uri:
            raise InvalidParams('resources/read needs "uri", a string.')
        template = self.env["mcp.resource"]._templates().get(kind_of(uri))
        call = self._reading_call(exchange, template.toolset if template else "core")
        try:
            call.env["mcp.resource"]._check_granted(call, call.spec.toolset)
            contents = self._read_through(call, lambda: call.env["mcp.resource"].read_resource(call, uri))
        except ToolError as error:
            raise _not_readable(error, uri, exchange.version) from error
        self._record_reading(call, uri, started, sum(len(item.get("text", "")) for item in contents))
        return {"contents": contents, **freshness(exchange, READ_TTL_MS)}


class McpResource(models.Model):
    """What can be read by URI. Addons add a kind of `odoo://` resource with an entry in `_templates` and a method
    `_resource_<kind>(call, ...)`, or resources of any other URI by overriding the three public methods.
    """

    _inherit = "mcp.resource"

    @api.private
    def get_resources(self, call) -> list[dict]:
        """Return the `Resource` objects that are listed to this caller, in a stable order."""
        return [
            _definition(template, uri=template.uri)
            for template in self._templates().values()
            if not template.parameters and self._is_granted(call, template.toolset)
        ]

    @api.private
    def get_resource_templates(self, call) -> list[dict]:
        """Return the `ResourceTemplate` objects that are listed to this caller, in a stable order."""
        return [
            _definition(template, uriTemplate=template.uri)
            for template in self._templates().values()
            if template.parameters and self._is_granted(call, template.toolset)
        ]

    @api.private
    def read_resource(self, call, uri: str) -> list[dict]:
        """Return the contents of a resource (`{"uri", "mimeType", "text"}` or `"blob"`), never an empty list.

        :raises ToolError: it does not exist, or is not open to this caller
        """
        address = self._address(uri)
        result = self._document(call, address)
        images = [block for block in result.content if block["type"] == "image"]
        if images and address.format == "markdown":
            return [{"uri": uri, "mimeType": block["mimeType"], "blob": block["data"]} for block in images]
        if address.format == "json":
            text = json.dumps(result.structured, ensure_ascii=False, separators=(",", ":"), default=str)
        else:
            text = "\n\n".join([result.text or "", *(f"> Note: {note}" for note in call.notes)])
        return [{"uri": uri, "mimeType": FORMATS[address.format], "text": text}]

    @api.model
    def _templates(self) -> dict[str, Template]:
        """Return the kinds of `odoo://` resources by name, in the order in which they are listed."""
        return {}

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
        return getattr(self, f"_resource_{address.kind}")(call, **address.arguments)

    @api.model
    def _is_granted(self, call, toolset: str) -> bool:
        """Say whether this caller may use tools of this toolset to read."""
        spec = replace(call.spec, toolset=toolset)
        return bool(self.env["mcp.policy"]._visible([spec], call.policy, call.exchange.narrowing))

    @api.model
    def _check_granted(self, call, toolset: str) -> None:
        """:raises PolicyDenied: the profile, or the URL of this connection, leaves the toolset out"""
        if not self._is_granted(call, toolset):
            raise PolicyDenied("profile:toolset", f"This connection does not include the toolset {toolset}.")


def _definition(template: Template, **address: str) -> dict:
    return {
        **address,
        "name": template.kind,
        "title": template.title,
        "description": template.description,
        "mimeType": FORMATS["markdown"],
        "annotations": {"audience": ["assistant"], "priority": template.priority},
    }


def _not_readable(error: ToolError, uri: str, version: Version) -> ProtocolError:
    """Return the error that the client's revision has for a resource that cannot be read, whatever the reason."""
    kind = InvalidParams if version.modern else ResourceNotFound
    message = f"{error.message} {error.fix}" if error.fix else error.message
    return kind(message, data={**error.as_dict(), "uri": uri})
