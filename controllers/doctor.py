from odoo.http import Controller, request, route

from ..models.mcp_doctor import ECHO_PATH


class McpDoctor(Controller):
    """Where the check of the connection sees its own request as Odoo gets it."""

    @route(f"{ECHO_PATH}/<key>", type="http", auth="none", methods=["GET"], save_session=False, readonly=True)
    def echo(self, key, **_query):
        if not request.env["mcp.doctor"]._knows(key):
            return request.make_json_response({"error": "not_found"}, status=404)
        http = request.httprequest
        seen = {
            "host": http.host,
            "scheme": http.scheme,
            "address": http.remote_addr,
            "forwarded_host": "X-Forwarded-Host" in http.headers,
            "forwarded_for": "X-Forwarded-For" in http.headers,
            "authorization": "Authorization" in http.headers,
        }
        return request.make_json_response(seen, headers=[("Cache-Control", "no-store")])
