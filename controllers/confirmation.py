from odoo.http import Controller, request, route

from .oauth_pages import OAuthPageDispatcher

LARGEST_FORM = 16 * 1024


class ConfirmationDispatcher(OAuthPageDispatcher):
    """Routes of `type="mcp_confirmation"`: the same kind of pages, about a call."""

    routing_type = "mcp_confirmation"
    templates = "mcp_endpoint.confirm_"


class ConfirmationController(Controller):
    @route(
        "/mcp/confirm/<string:key>",
        type=ConfirmationDispatcher.routing_type,
        auth="user",
        methods=["GET", "POST"],
        readonly=False,
        max_content_length=LARGEST_FORM,
    )
    def confirm(self, key, **_parameters):
        confirmations = request.env["mcp.confirmation"]
        # A login that was needed in between comes back here without the form: ask again.
        if request.httprequest.method != "POST":
            return confirmations._show(key)
        # Not from the parameters: what is text there may also be an uploaded file.
        form = request.httprequest.form
        return confirmations._decide(key, agreed=form.get("decision") == "agree", shown=form.get("shown", ""))
