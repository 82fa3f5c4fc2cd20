import json
from collections.abc import Callable, Iterable

import psycopg2
from odoo.exceptions import AccessDenied, ConcurrencyError
from odoo.http import Dispatcher, Response
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from ..services import jsonrpc
from ..services.errors import ParseError
from ..services.oauth import parameters
from ..services.oauth.errors import OAuthError

MAX_FORM = 64 * 1024
FORM = "application/x-www-form-urlencoded"
CORS_HEADERS = [
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Expose-Headers", "WWW-Authenticate, Mcp-Session-Id, DPoP-Nonce, Retry-After"),
]
PREFLIGHT_HEADERS = [
    (
        "Access-Control-Allow-Headers",
        "Authorization, Content-Type, Accept, MCP-Protocol-Version, Mcp-Session-Id, Mcp-Method, Mcp-Name, "
        "Last-Event-ID, DPoP",
    ),
    ("Access-Control-Max-Age", "86400"),
]
NO_STORE = (("Cache-Control", "no-store"), ("Pragma", "no-cache"))
DATABASE_TROUBLE = (
    *PG_CONCURRENCY_EXCEPTIONS_TO_RETRY,
    ConcurrencyError,
    psycopg2.OperationalError,
    psycopg2.InterfaceError,
)


class OAuthDispatcher(Dispatcher):
    """Routes of `type="mcp_oauth"`: OAuth endpoints that programs call. `allow` of the route lists its methods.

    Every answer is JSON, may be read by any web page and sets no cookie. The endpoint returns a dict (answered with
    200 and `no-store`) or what `answer` gave it. It may raise an `OAuthError` at any time: that is an answer like any
    other, so **what it wrote before is committed** (revoking a family and refusing is one step).
    """

    routing_type = "mcp_oauth"

    @classmethod
    def is_compatible_with(cls, request):
        # Odoo's own 415 is an HTML page. `form` and `json` refuse instead.
        return True

    def pre_dispatch(self, rule, args):
        # Nothing of the inherited method: its CORS answer lacks the headers that clients send.
        self.request.session.can_save = False

    def dispatch(self, endpoint, args):
        self.request.params = dict(args)
        allowed = endpoint.routing.get("allow", ("POST",))
        method = self.request.httprequest.method
        try:
            if method == "OPTIONS":
                return self._preflight(allowed)
            if method not in allowed and not (method == "HEAD" and "GET" in allowed):
                allow = ", ".join([*allowed, "OPTIONS"])
                raise OAuthError("invalid_request", f"Method not allowed. Use {allow}.", 405, [("Allow", allow)])
            http = self.request.httprequest
            if self.request.env["mcp.policy"]._needs_https(http.scheme, http.host):
                raise OAuthError("invalid_request", "This server accepts https only.", 403)
            self.request.env["mcp.oauth.server"]._check_enabled()
            result = self.request.registry["ir.http"]._dispatch(endpoint)
        except OAuthError as error:
            # Raised further, Odoo would roll back and log a traceback for a client's mistake.
            return self._refused(error)
        return result if isinstance(result, Response) else self.answer(result)

    def post_dispatch(self, response):
        result = super().post_dispatch(response)
        # Other addons set cookies on every answer (visitor tracking).
        response.headers.remove("Set-Cookie")
        response.headers.extend(CORS_HEADERS)
        return result

    def handle_error(self, exc: Exception) -> Callable:
        if isinstance(exc, OAuthError):
            error = exc
        elif isinstance(exc, HTTPException):
            error = OAuthError("invalid_request", f"{exc.name}.", exc.code or 400)
        elif isinstance(exc, AccessDenied):
            error = OAuthError("access_denied", "Access denied.", 403)
        elif isinstance(exc, DATABASE_TROUBLE):
            # Never 4xx: clients would throw their credentials away.
            error = OAuthError("temporarily_unavailable", "Try again in a moment.", 503, [("Retry-After", "2")])
        else:
            # Odoo has logged it with its traceback.
            error = OAuthError("server_error", "Internal error. Nothing was done.", 500)
        response = self._refused(error)
        response.headers.extend(CORS_HEADERS)
        return response

    def form(self) -> dict[str, str]:
        """Return the parameters of a form body, each one once.

        :raises OAuthError: `invalid_request`: another media type, too long, or a parameter given twice
        """
        http = self.request.httprequest
        if http.mimetype != FORM:
            raise OAuthError("invalid_request", f"The Content-Type must be {FORM}.")
        self._limit_body(MAX_FORM)
        try:
            return parameters.single(http.form.lists())
        except RequestEntityTooLarge:
            raise self._too_long(MAX_FORM) from None

    def json(self, limit: int) -> dict:
        """Return the JSON object that the body is, whatever media type it claims.

        :raises OAuthError: `invalid_request`: no JSON object, or longer than `limit` bytes
        """
        self._limit_body(limit)
        try:
            data = jsonrpc.parse(self.request.httprequest.get_data(cache=False))
        except RequestEntityTooLarge:
            raise self._too_long(limit) from None
        except ParseError as error:
            raise OAuthError("invalid_request", error.message) from None
        if not isinstance(data, dict):
            raise OAuthError("invalid_request", "The body must be a JSON object.")
        return data

    def answer(self, body: dict, status: int = 200, headers: Iterable[tuple[str, str]] = NO_STORE) -> Response:
        """Return a JSON answer; without `headers` one that nobody may keep."""
        return Response(json.dumps(body), status=status, headers=list(headers), content_type="application/json")

    def _limit_body(self, limit: int) -> None:
        http = self.request.httprequest
        if http.content_length is None:
            # Odoo cuts a chunked body at its limit, without an error.
            raise OAuthError("invalid_request", "The header Content-Length is missing.", 411)
        if http.content_length > limit:
            raise self._too_long(limit)
        http.max_content_length = limit

    def _too_long(self, limit: int) -> OAuthError:
        return OAuthError("invalid_request", f"The body is longer than {limit} bytes.", 413)

    def _preflight(self, allowed) -> Response:
        methods = ("Access-Control-Allow-Methods", ", ".join([*allowed, "OPTIONS"]))
        response = Response(status=204, headers=[methods, *PREFLIGHT_HEADERS])
        response.headers.remove("Content-Type")
        return response

    def _refused(self, error: OAuthError) -> Response:
        return self.answer(error.as_dict(), error.status, [*NO_STORE, *error.headers])
