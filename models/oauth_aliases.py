from odoo import models

ALIASES = frozenset({"/authorize", "/token", "/register"})


class IrHttp(models.AbstractModel):
    """Clients of revision 2025-03-26, and some that found no metadata, guess the endpoints at the root of the origin.

    Each is a second address of the same route, which exists only while the setting is on, so that another addon's or
    a web site's page of that address is not covered. Changing the setting clears the cache "routing".
    """

    _inherit = "ir.http"

    def _generate_routing_rules(self, modules, converters):
        has_aliases = self.env["mcp.oauth.server"]._is_on("oauth_aliases")
        for url, endpoint in super()._generate_routing_rules(modules, converters):
            if has_aliases or url not in ALIASES or f"/oauth{url}" not in endpoint.routing["routes"]:
                yield url, endpoint
