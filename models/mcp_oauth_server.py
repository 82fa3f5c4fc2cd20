from urllib.parse import parse_qs, urlsplit

from odoo import api, models

from ..services import database_choice
from ..services.http_gate import is_loopback_host
from ..services.oauth import metadata, resource
from ..services.oauth.errors import OAuthError

RESOURCE_PATH = "/mcp"
# What clients are configured with; each has a metadata document that names exactly it, the audience is one.
RESOURCE_PATHS = (RESOURCE_PATH, "/mcp/", "/mcp/sse", "/mcp/sse/")
OFF = "off"
MACHINE_GRANT = "client_credentials"
# In the context of a request whose address or header names this database, because the host has several.
NAMED = "mcp_named_database"


class McpOauthServer(models.AbstractModel):
    """Who this server is to OAuth clients: issuer, resource, and what it advertises.

    Addons and other files extend `_auth_methods`, `_grant_types` and `_extra_metadata`: what is not usable on this
    database must not be in them.
    """

    _name = "mcp.oauth.server"
    _description = "MCP OAuth Server"

    @api.model
    def _is_on(self, name: str) -> bool:
        """Say whether a setting that is on by default has not been switched off."""
        return self._parameter(name) != OFF

    @api.model
    def _parameter(self, name: str) -> str:
        # sudo: system parameters of this addon, none of them secret; the caller has no user yet.
        return self.env["ir.config_parameter"].sudo().get_param(f"mcp_endpoint.{name}") or ""

    @api.model
    def _is_enabled(self) -> bool:
        return self._is_on("oauth")

    @api.model
    def _check_enabled(self) -> None:
        """:raises OAuthError: 404, where an administrator has switched OAuth off"""
        if not self._is_enabled():
            raise OAuthError("not_found", "OAuth is switched off on this server. Use a personal access token.", 404)

    @api.model
    def _issuer(self) -> str:
        """Return the issuer: an origin without a trailing slash, and never what a request's Host says.

        Clients keep their credentials by this exact string, so it does not follow `web.base.url` once it is kept.
        Databases that share an origin, and are told apart by name, share no issuer: theirs has a path. It cannot have
        a query (RFC 8414 §2).
        """
        is_named = self.env.context.get(NAMED)
        return self._origin() + (database_choice.issuer_path(self.env.cr.dbname) if is_named else "")

    @api.model
    def _origin(self) -> str:
        return self._parameter("issuer") or self._base_origin()

    @api.model
    def _database_query(self) -> str:
        """Return what an address needs to lead to this database: `?db=…` where the request has named it."""
        return database_choice.query(self.env.cr.dbname) if self.env.context.get(NAMED) else ""

    @api.model
    def _base_origin(self) -> str:
        # sudo: the public address of this database.
        base_url = self.env["ir.config_parameter"].sudo().get_param("web.base.url")
        return resource.origin(base_url) or "http://localhost"

    @api.model
    def _keep_issuer(self) -> None:
        """Keep the issuer from now on, for clients that know it. An address of this machine alone is not kept: Odoo
        starts with one until somebody logs in at the real one."""
        origin = self._base_origin()
        if not self._parameter("issuer") and not is_loopback_host(urlsplit(origin).hostname or ""):
            # sudo: as above; the value is this server's own, not the caller's.
            self.env["ir.config_parameter"].sudo().set_param("mcp_endpoint.issuer", origin)

    @api.model
    def _is_secure(self, url: str) -> bool:
        """Say whether clients will talk to this address: https, or this machine."""
        return url.startswith("https://") or is_loopback_host(urlsplit(url).hostname or "")

    @api.model
    def _url(self, endpoint: str) -> str:
        """Return the address of one of `authorize`, `token`, `register`, `revoke`."""
        return self._origin() + self._path(endpoint)

    @api.model
    def _path(self, endpoint: str) -> str:
        # No `?db=`: what several clients make of it is `?db=name?response_type=code`.
        is_named = self.env.context.get(NAMED)
        return f"{database_choice.issuer_path(self.env.cr.dbname) if is_named else '/oauth'}/{endpoint}"

    @api.model
    def _resource(self) -> str:
        """Return the canonical resource: the audience of every token that this database issues."""
        return self._origin() + RESOURCE_PATH

    @api.model
    def _audience(self) -> str:
        """Return the audience that somebody else's token must be for. Where databases share an origin, it names one:
        they may trust the same provider."""
        return self._resource() + self._database_query()

    @api.model
    def _canonical_resource(self, url: str | None) -> str | None:
        """Return our resource where `url` means it, None where it means another server.

        Spelling variants, the legacy address and (setting) the bare origin mean it; see `services.oauth.resource`.
        """
        found = resource.canonical(url)
        if found and set(parse_qs(urlsplit(url).query).get(database_choice.QUERY, ())) - {self.env.cr.dbname}:
            return None
        origin = resource.canonical(self._origin())
        accepted = {origin + path.rstrip("/") for path in RESOURCE_PATHS}
        if self._is_on("oauth_bare_origin"):
            accepted.add(origin)
        return self._resource() if found in accepted else None

    @api.model
    def _resource_metadata_url(self, path: str = RESOURCE_PATH) -> str:
        """Return where the metadata of the resource at `path` is, for the challenge of a 401."""
        path = path if path in RESOURCE_PATHS else RESOURCE_PATH
        return f"{self._origin()}/.well-known/oauth-protected-resource{path}{self._database_query()}"

    @api.model
    def _resource_metadata(self, path: str) -> dict:
        """Return the metadata document (RFC 9728) of the resource at `path`, empty for the origin.

        :raises OAuthError: 404, no resource of ours
        """
        if path not in (*RESOURCE_PATHS, "", "/"):
            raise OAuthError("not_found", "There is no such resource here.", 404)
        path = path.rstrip("/") and path
        # What the user typed, to the letter (RFC 9728 §3.3).
        url = self._origin() + (path or RESOURCE_PATH) + self._database_query()
        return metadata.of_resource(url, self._authorization_servers(), self._title())

    @api.model
    def _authorization_servers(self) -> list[str]:
        """Return the issuers whose tokens are accepted. Clients take the first."""
        return [self._issuer()]

    @api.model
    def _title(self) -> str:
        # sudo: the main company's name, which the login page shows as well.
        return self.env["res.company"].sudo().search([], limit=1, order="id").name or "Odoo"

    @api.model
    def _server_metadata(self, path: str = "") -> dict:
        """Return the authorization server's metadata (RFC 8414), the same at the root and at the resource's path.

        :raises OAuthError: 404, no issuer of ours
        """
        own_path = database_choice.issuer_path(self.env.cr.dbname) if self.env.context.get(NAMED) else ""
        if path not in (*RESOURCE_PATHS, "", "/", own_path, own_path + "/"):
            raise OAuthError("not_found", "There is no such authorization server here.", 404)
        endpoints = ["authorize", "token", "revoke"]
        if self._registration_is_open():
            endpoints.append("register")
        return metadata.of_server(
            self._issuer(),
            {endpoint: self._url(endpoint) for endpoint in endpoints},
            self._auth_methods(),
            self._grant_types(),
            self._extra_metadata(),
        )

    @api.model
    def _registration_is_open(self) -> bool:
        return self._registration_mode() != "closed"

    @api.model
    def _registration_mode(self) -> str:
        """Return `open`, `known` (applications of the shipped list and on the user's computer) or `closed`."""
        mode = self._parameter("registration_mode")
        return mode if mode in ("known", "closed") else "open"

    @api.model
    def _auth_methods(self) -> list[str]:
        """Return the client authentication methods that the token endpoint takes."""
        return ["none", "client_secret_basic", "client_secret_post"]

    @api.model
    def _grant_types(self) -> list[str]:
        """Return the grant types to advertise."""
        # sudo: whether there is a machine at all is no secret.
        has_machine = self.env["mcp.oauth.client"].sudo().search_count([("kind", "=", "machine")], limit=1)
        return ["authorization_code", "refresh_token", *([MACHINE_GRANT] if has_machine else [])]

    @api.model
    def _extra_metadata(self) -> dict:
        """Return further members of the authorization server's metadata; never None as a value."""
        return {}
