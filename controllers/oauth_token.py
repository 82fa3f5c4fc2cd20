from odoo.http import Controller, Response, request, route

from ..services.oauth.token_request import TokenRequest
from .oauth_dispatcher import OAuthDispatcher

# A readonly replica would not know the token that was issued a moment ago.
ROUTE = {
    "type": OAuthDispatcher.routing_type,
    "auth": "none",
    "csrf": False,
    "save_session": False,
    "readonly": False,
}


class OAuthTokenController(Controller):
    """Where clients exchange what they were given for tokens (RFC 6749 §3.2), and give tokens back (RFC 7009)."""

    @route(["/oauth/token", "/token"], **ROUTE)
    def token(self):
        return request.env["mcp.oauth.grants"]._token(_asked())

    @route("/oauth/revoke", **ROUTE)
    def revoke(self):
        request.env["mcp.oauth.grants"]._revoke(_asked())
        return Response(status=200, headers=[("Cache-Control", "no-store")])


def _asked() -> TokenRequest:
    http = request.httprequest
    return TokenRequest(
        form=request.dispatcher.form(),
        authorization=http.headers.get("Authorization"),
        ip=http.remote_addr or "",
        user_agent=http.headers.get("User-Agent", ""),
    )
