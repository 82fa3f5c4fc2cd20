import inspect

from odoo.http import Controller, request, route

from .mcp_dispatcher import McpDispatcher


class McpController(Controller):
    # No `methods`: Odoo's own 405 is an HTML page. `cors` makes Odoo leave a preflight unauthenticated; its value is
    # not used, the dispatcher answers according to the allowed origins.
    @route(
        ["/mcp", "/mcp/sse", "/mcp/messages"],
        type=McpDispatcher.routing_type,
        auth="mcp",
        csrf=False,
        save_session=False,
        readonly=False,
        cors="allow-list",
    )
    def mcp(self, exchange):
        return request.env["mcp.server"]._handle(exchange)


# Odoo asks for it in every request, and Python would make it anew each time.
McpController.mcp.original_endpoint.__signature__ = inspect.signature(McpController.mcp.original_endpoint)
