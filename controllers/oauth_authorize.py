from odoo.http import Controller, request, route

from ..services.oauth import authorization
from .oauth_pages import OAuthPageDispatcher

PAGE = OAuthPageDispatcher.routing_type
LARGEST_FORM = 64 * 1024
# Digits; more are no id of a record, and Python refuses to read thousands of them.
LONGEST_ID = 10


class OAuthAuthorizeController(Controller):
    """The part of OAuth that a person sees: the request, the question, the answer."""

    # No CSRF check: as a form, too, it only stores a request, and approves nothing (RFC 6749 §3.1 allows POST).
    @route(
        ["/oauth/authorize", "/authorize"],
        type=PAGE,
        auth="public",
        methods=["GET", "POST"],
        csrf=False,
        save_session=False,
        readonly=False,
        max_content_length=LARGEST_FORM,
    )
    def authorize(self, **_parameters):
        http = request.httprequest
        # Read from the bytes: Odoo's own reading keeps one of two equal names, and replaces what is not UTF-8.
        form = http.get_data() if http.mimetype == "application/x-www-form-urlencoded" else b""
        parameters = authorization.read(http.query_string, form)
        return request.env["mcp.oauth.request"]._receive(parameters, http.remote_addr)

    @route("/oauth/authorize/continue", type=PAGE, auth="user", methods=["GET"], readonly=False)
    def resume(self, **_parameters):
        return request.env["mcp.oauth.request"]._show(request.httprequest.args.get("rid", ""))

    @route(
        "/oauth/consent",
        type=PAGE,
        auth="user",
        methods=["GET", "POST"],
        readonly=False,
        max_content_length=LARGEST_FORM,
    )
    def consent(self, **_parameters):
        # Not from the parameters: what is text there may also be an uploaded file.
        query, form = request.httprequest.args, request.httprequest.form
        requests = request.env["mcp.oauth.request"]
        if request.httprequest.method != "POST":
            # A login that was needed in between comes back here without the form: ask again.
            return requests._show(query.get("rid", ""))
        profile = form.get("profile", "")
        return requests._decide(
            query.get("rid", ""),
            form.get("binding", ""),
            allow=form.get("decision") == "allow",
            ticked=tuple(form.getlist("scope")),
            profile_id=int(profile) if profile.isdecimal() and len(profile) <= LONGEST_ID else 0,
        )
