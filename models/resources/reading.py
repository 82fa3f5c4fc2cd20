import time

from odoo import api, models

from ...services.errors import InvalidParams, NeedsInput, ProtocolError, ResourceNotFound, ToolError
from ...services.exchange import Exchange
from ...services.uri import kind_of
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
            call.env["mcp.resource"]._check_granted(call, call.spec.toolset, template.tool if template else "")
            contents = self._read_through(call, lambda: call.env["mcp.resource"].read_resource(call, uri))
        except NeedsInput as needed:
            return self._asked_reading(call, uri, started, needed)
        except ToolError as error:
            raise _not_readable(error, uri, exchange.version) from error
        self._record_reading(call, uri, started, sum(len(item.get("text", "")) for item in contents), contents)
        return {"contents": contents, **freshness(exchange, READ_TTL_MS)}


def _not_readable(error: ToolError, uri: str, version: Version) -> ProtocolError:
    """Return the error that the client's revision has for a resource that cannot be read, whatever the reason."""
    kind = InvalidParams if version.modern else ResourceNotFound
    message = f"{error.message} {error.fix}" if error.fix else error.message
    return kind(message, data={**error.as_dict(), "uri": uri})
