from odoo.addons.portal.controllers.portal import CustomerPortal
from odoo.exceptions import UserError
from odoo.http import request, route

PAGE = "/my/assistants"
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
}


class PortalTokens(CustomerPortal):
    """A portal user's tokens for assistants, where the settings let portal users connect."""

    def _prepare_portal_layout_values(self):
        shows_assistants = request.env.user._has_mcp_portal_page()
        return {**super()._prepare_portal_layout_values(), "shows_assistants": shows_assistants}

    @route(PAGE, type="http", auth="user", website=True, methods=["GET"])
    def assistants(self, **_query):
        return self._assistants_page()

    @route(f"{PAGE}/new", type="http", auth="user", website=True, methods=["POST"])
    def new_token(self, **_form):
        # Not from the parameters: what is text there may also be an uploaded file.
        form = request.httprequest.form
        if not request.env.user._has_mcp_portal_page():
            return request.not_found()
        try:
            secret = request.env.user._mint_mcp_token_on_portal(form)
        except UserError as error:
            return self._assistants_page(error=str(error), form=form)
        # Shown here and not after a redirect: nothing but this answer ever holds the token.
        return self._assistants_page(secret=secret)

    @route(f"{PAGE}/revoke", type="http", auth="user", website=True, methods=["POST"])
    def revoke_token(self, **_form):
        request.env.user._revoke_mcp_token_on_portal(request.httprequest.form.get("token_id", ""))
        return request.redirect(PAGE, code=303)

    def _assistants_page(self, *, secret=None, error=None, form=None):
        if not request.env.user._has_mcp_portal_page():
            return request.not_found()
        values = {
            **self._prepare_portal_layout_values(),
            **request.env.user._mcp_portal_values(),
            "page_name": "assistants",
            "secret": secret,
            "error": error,
            "form": form or {},
        }
        return request.render("mcp_endpoint.portal_my_assistants", values, headers=HEADERS)
