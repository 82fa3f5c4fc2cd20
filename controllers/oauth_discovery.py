from odoo.http import Controller, request, route

from ..services.oauth.errors import OAuthError
from .oauth_dispatcher import OAuthDispatcher

RESOURCE = "/.well-known/oauth-protected-resource"
SERVER = "/.well-known/oauth-authorization-server"
OPENID = "/.well-known/openid-configuration"
# Clients cache discovery themselves; longer here and a changed setting would not reach them.
PUBLIC = [("Cache-Control", "public, max-age=300")]


def discovery(*paths):
    """Return the route decorator of a document at these paths and below them."""
    below = [f"{path}/<path:suffix>" for path in paths]
    return route(
        [*paths, *below],
        type=OAuthDispatcher.routing_type,
        auth="none",
        allow=("GET",),
        save_session=False,
        readonly=True,
    )


class OAuthDiscovery(Controller):
    @discovery(RESOURCE)
    def resource(self, **_path):
        document = request.env["mcp.oauth.server"]._resource_metadata(_below(RESOURCE))
        return request.dispatcher.answer(document, headers=PUBLIC)

    @discovery(SERVER)
    def server(self, **_path):
        document = request.env["mcp.oauth.server"]._server_metadata(_below(SERVER))
        return request.dispatcher.answer(document, headers=PUBLIC)

    @discovery(OPENID, "/mcp/.well-known")
    def nothing(self, **_path):
        # A half-valid document would be worse, and Odoo's own 404 is a page that clients try to read as JSON.
        raise OAuthError("not_found", "This is no OpenID provider. See /.well-known/oauth-authorization-server.", 404)

    # `auth="none"`, and not the endpoint's own: nobody needs a token to be told that there is nothing.
    @route(
        "/mcp/<path:path>",
        type=OAuthDispatcher.routing_type,
        auth="none",
        save_session=False,
        readonly=True,
        allow=("GET", "POST", "PUT", "PATCH", "DELETE"),
    )
    def unrouted(self, **_path):
        raise OAuthError("not_found", "There is nothing at this address. The endpoint is /mcp.", 404)


def _below(base: str) -> str:
    # From the path, not from the route: werkzeug takes a slash at the end away, which tells two resources apart.
    return request.httprequest.path.removeprefix(base)
