from odoo.exceptions import AccessDenied
from odoo.http import Controller, Response, request, route

from ..services import prometheus

HEADERS = {"Cache-Control": "no-store"}


class McpHealthController(Controller):
    @route("/mcp/health", type="http", auth="none", methods=["GET"], save_session=False, readonly=True)
    def health(self):
        return request.make_json_response({"status": "pass"}, headers=HEADERS)

    @route("/mcp/ready", type="http", auth="none", methods=["GET"], save_session=False, readonly=True)
    def ready(self):
        is_ready = request.env["mcp.health"]._is_ready()
        body = {"status": "ready" if is_ready else "loading"}
        return request.make_json_response(body, headers=HEADERS, status=200 if is_ready else 503)

    @route("/mcp/metrics", type="http", auth="none", methods=["GET"], save_session=False, readonly=False)
    def metrics(self):
        health = request.env["mcp.health"]
        if request.env["mcp.policy"]._needs_https(request.httprequest.scheme, request.httprequest.host):
            return Response("This server accepts https only.\n", status=403, headers=HEADERS)
        if not health._has_metrics():
            return Response("Metrics are off: an administrator makes a token for them in the settings.\n", status=404)
        scheme, _space, secret = request.httprequest.headers.get("Authorization", "").partition(" ")
        try:
            secret = secret.strip() if scheme.lower() == "bearer" else ""
            text = health._metrics(secret, request.httprequest.remote_addr or "")
        except AccessDenied:
            headers = {"WWW-Authenticate": "Bearer", **HEADERS}
            return Response("The token for metrics is missing or wrong.\n", status=401, headers=headers)
        return Response(text, headers=HEADERS, content_type=prometheus.CONTENT_TYPE)
