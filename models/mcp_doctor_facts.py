import time
from importlib.util import find_spec
from urllib.parse import urlsplit

from odoo import api, models
from odoo.http import db_list
from odoo.tools import config

from ..services.doctor.visit import Facts
from .mcp_oauth_server import NAMED

PACKAGES = {"jwt": "PyJWT", "cryptography": "cryptography"}
REDIS_SECONDS = 2


# Results of a moment, and no dialog.
class McpDoctor(models.TransientModel):  # pylint: disable=no-wizard-in-models
    """What the checks start from: settings of Odoo and of this addon."""

    _inherit = "mcp.doctor"

    @api.model
    def _facts(self, *, is_request: bool) -> Facts:
        server = self._server()
        # sudo: settings, shown to an administrator of the endpoint.
        parameters = self.env["ir.config_parameter"].sudo()
        origin, query = server._origin(), server._database_query()
        well_known = f"{origin}/.well-known/oauth-authorization-server"
        issuer_path = server._issuer().removeprefix(origin)
        server_urls = (well_known + issuer_path, f"{well_known}/mcp{query}")
        return Facts(
            base_url=parameters.get_param("web.base.url") or "",
            origin=origin,
            issuer=server._issuer(),
            mcp_url=server._audience(),
            resource_url=server._resource_metadata_url(),
            root_resource_url=f"{origin}/.well-known/oauth-protected-resource{query}",
            server_urls=server_urls,
            is_frozen=parameters.get_param("web.base.url.freeze", "").lower() not in ("", "false", "0"),
            proxy_mode=bool(config["proxy_mode"]),
            workers=config["workers"] or 0,
            is_request=is_request,
            http_port=config["http_port"],
            gevent_port=config["gevent_port"],
            visible_databases=self._visible_databases(),
            is_server_wide="mcp_endpoint" in config["server_wide_modules"],
            dbfilter=config["dbfilter"] or "",
            max_body=self.env["mcp.server"]._http_policy().max_body,
            clock_skew=self._clock_skew(),
            oauth=server._is_enabled(),
            is_registration_open=server._registration_is_open(),
            cimd=server._is_on("cimd"),
            cimd_check=server._parameter("cimd_check"),
            missing_packages=tuple(package for module, package in PACKAGES.items() if find_spec(module) is None),
            redis_error=self._redis_error(),
        )

    @api.model
    def _server(self):
        """Return the server as clients meet it: named in the address, where the host name alone does not choose it."""
        server = self.env["mcp.oauth.server"]
        is_named = "mcp_endpoint" in config["server_wide_modules"] and self._visible_databases() != 1
        return server.with_context(**{NAMED: True}) if is_named else server

    @api.model
    def _visible_databases(self) -> int:
        """Return how many databases Odoo shows at the public host name."""
        host = urlsplit(self.env["mcp.oauth.server"]._origin()).netloc
        visible = db_list(force=True, host=host)
        return len(visible) if self.env.cr.dbname in visible else 0

    @api.model
    def _clock_skew(self) -> float:
        self.env.cr.execute("SELECT extract(epoch FROM clock_timestamp())")
        return time.time() - float(self.env.cr.fetchone()[0])

    @api.model
    def _redis_error(self) -> str | None:
        """Return why Redis does not answer, empty when it does, None where it is not set up."""
        url = self.env["mcp.oauth.server"]._parameter("redis_url")
        if not url:
            return None
        try:
            import redis
        except ImportError:
            return "the Python package redis is missing (pip install redis)"
        try:
            client = redis.Redis.from_url(url, socket_timeout=REDIS_SECONDS, socket_connect_timeout=REDIS_SECONDS)
            client.ping()
        except (redis.RedisError, ValueError) as error:
            # Not its text: that may hold the address with its password.
            return type(error).__name__
        return ""
