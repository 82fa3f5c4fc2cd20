from urllib.parse import urlsplit

from odoo import api, models

from ..services import public_address, safe_fetch
from ..services.safe_fetch import Egress, Fetched


class McpEgress(models.AbstractModel):
    """What this database fetches from elsewhere: client documents, key sets, discovery documents."""

    _name = "mcp.egress"
    _description = "MCP Outgoing Requests"

    @api.model
    def _fetch_json(self, url: str, limit: int = 16_384, *, internal: bool = False) -> Fetched:
        """Return the JSON object at `url` under the rules of `services.safe_fetch`. Takes up to 5 seconds.

        :param internal: an administrator says that the address may be on the organisation's own network
        :raises FetchRefused: the message is fit for an administrator
        """
        return safe_fetch.fetch_json(url, limit, egress=self._egress(internal))

    @api.model
    def _egress(self, internal: bool = False) -> Egress:
        """Return where this database may connect to."""
        # sudo: settings of this server, used and never shown.
        parameters = self.env["ir.config_parameter"].sudo()
        addresses = (parameters.get_param(name) or "" for name in ("mcp_endpoint.issuer", "web.base.url"))
        own_hosts = frozenset(host.removesuffix(".") for url in addresses if (host := urlsplit(url).hostname))
        proxy = parameters.get_param("mcp_endpoint.egress_proxy") or None
        if internal:
            guard = public_address.is_public_or_internal
            return Egress(guard=guard, ports=None, own_hosts=own_hosts, proxy=proxy)
        return Egress(own_hosts=own_hosts, proxy=proxy)
