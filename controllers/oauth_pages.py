import secrets

from odoo.http import HttpDispatcher, Response, SessionExpiredException
from werkzeug.exceptions import BadRequest, HTTPException

from ..services.oauth.errors import OAuthError
from ..services.oauth.pages import Elsewhere, Page


class OAuthPageDispatcher(HttpDispatcher):
    """Routes of `type="mcp_oauth_page"`: pages and forms for a person, with Odoo's session and CSRF check.

    An endpoint returns a `Page` or `Elsewhere`. Every answer, errors too, is a page of ours or a redirect, and carries
    the headers that keep it out of frames, caches and `Referer`. Pages run no script and load nothing.
    """

    routing_type = "mcp_oauth_page"
    templates = "mcp_endpoint.oauth_"

    def __init__(self, request):
        super().__init__(request)
        self.nonce = secrets.token_urlsafe(16)

    def dispatch(self, endpoint, args):
        # Kept for those who need the bytes: reading the form uses them up.
        self.request.httprequest.get_data(cache=True)
        try:
            result = super().dispatch(endpoint, args)
        except OAuthError as error:
            return self._refused(error)
        if isinstance(result, Page):
            return self._render(result)
        assert isinstance(result, Elsewhere)
        # Not `request.redirect`: it keeps to this host, or changes the address, which the client compares.
        return Response(status=303, headers=[("Location", result.url)])

    def post_dispatch(self, response):
        result = super().post_dispatch(response)
        self._protect(response)
        return result

    def handle_error(self, exc):
        env = self.request.env
        if isinstance(exc, SessionExpiredException) and getattr(self.request, "mcp_original_path", None):
            super().handle_error(exc)
            query = {"db": self.request.db, "redirect": self.request.mcp_original_path}
            response = self.request.redirect_query("/web/login", query)
        elif isinstance(exc, SessionExpiredException) or env is None or env.cr.closed:
            # To the login and back; or what Odoo says when there is no database to read a page from.
            response = super().handle_error(exc)
        else:
            # The request has failed, perhaps in the middle of a statement: the page could not be read.
            env.cr.rollback()
            status = exc.code if isinstance(exc, HTTPException) and exc.code else 500
            # What Odoo raises for a form without this session's token.
            reason = "session" if isinstance(exc, BadRequest) else "failure"
            response = self._render(Page("error", {"reason": reason, "detail": f"HTTP {status}"}, status))
        if isinstance(response, Response):
            self._protect(response)
        return response

    def _refused(self, error: OAuthError) -> Response:
        """Answer what the client must not be told at its redirect URI: to the person, or to a program that asks."""
        accepted = self.request.httprequest.accept_mimetypes
        if accepted.best_match(["text/html", "application/json"]) == "application/json":
            return self.request.make_json_response(error.as_dict(), headers=error.headers, status=error.status)
        reason = getattr(error, "reason", "client")
        # 401 asks for credentials that a person does not have.
        status = 400 if error.status == 401 else error.status
        return self._render(Page("error", {"reason": reason, "detail": str(error)}, status))

    def _render(self, page: Page) -> Response:
        env = self.request.env
        lang = env["res.lang"]._get_data(code=env.lang or "en_US")
        values = {
            **page.values,
            "nonce": self.nonce,
            "lang": (lang.code or "en_US").replace("_", "-"),
            "direction": lang.direction or "ltr",
        }
        response = self.request.render(self.templates + page.name, values, lazy=False)
        return Response(response, status=page.status, content_type="text/html; charset=utf-8")

    def _protect(self, response: Response) -> None:
        policy = (
            f"default-src 'none'; style-src 'nonce-{self.nonce}'; form-action 'self'; base-uri 'none'; "
            "frame-ancestors 'none'"
        )
        response.headers.update(
            {
                "Content-Security-Policy": policy,
                "X-Frame-Options": "DENY",
                "X-Content-Type-Options": "nosniff",
                "Referrer-Policy": "no-referrer",
                "Cache-Control": "no-store",
            }
        )
