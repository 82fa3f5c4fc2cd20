from odoo.http import Controller, request, route

from .oauth_dispatcher import OAuthDispatcher

MAX_BODY = 16 * 1024


class OAuthRegister(Controller):
    @route(
        ["/oauth/register", "/register"],
        type=OAuthDispatcher.routing_type,
        auth="none",
        save_session=False,
        readonly=False,
    )
    def register(self):
        clients = request.env["mcp.oauth.client"]
        registered = clients._register_application(request.dispatcher.json(MAX_BODY), request.httprequest.remote_addr)
        return request.dispatcher.answer(registered, 201)
