import functools
import ipaddress
import json
import re

from odoo import models
from odoo.http import Response, request
from werkzeug.exceptions import (
    BadRequest,
    Forbidden,
    HTTPException,
    ServiceUnavailable,
    TooManyRequests,
    Unauthorized,
)

from ..services.errors import PolicyDenied
from ..services.exchange import Credential
from ..services.oauth import challenge, scopes
from .mcp_oauth_server import NAMED

LONGEST_HEADER = 16 * 1024
# Servers join repeated headers with commas, and neither a scheme nor a token has one.
SEVERAL = re.compile(r",\s*[A-Za-z]")
STATUSES = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    429: TooManyRequests,
    503: ServiceUnavailable,
}
HTTPS_REQUIRED = "This server accepts https only: use its https address, and make a new token for one sent without it"
# Seconds after which a client may ask again whether the endpoint is on.
PAUSED_RETRY = 300


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

    @classmethod
    def _authenticate(cls, endpoint):
        if context := _mcp_context():
            request.update_context(**context)
        return super()._authenticate(endpoint)

    @classmethod
    def _auth_method_mcp(cls):
        """Authenticate by the bearer token alone: cookies and `?access_token=` never count (MCP authorization).

        :raises HTTPException: 400, 401 or 429, with the `WWW-Authenticate` challenge of RFC 6750 and RFC 9728
        """
        request.session.can_save = False
        http = request.httprequest
        if request.env["mcp.policy"]._is_paused():
            text = "An administrator has switched this endpoint off"
            raise _refusal(503, "temporarily_unavailable", text, ("Retry-After", str(PAUSED_RETRY)))
        if request.env["mcp.policy"]._needs_https(request.httprequest.scheme, request.httprequest.host):
            raise _refusal(403, "https_required", HTTPS_REQUIRED)
        secret = cls._mcp_bearer()
        ip = _address(http.remote_addr)
        tokens = request.env["mcp.token"]
        state = tokens._find(secret)
        if state is None:
            if wait := request.env["mcp.auth.failure"]._note("token", ip):
                raise _too_many_failures(wait)
            raise cls._mcp_challenge(401, "invalid_token", "The access token is not valid")
        refusal = state.refusal
        if refusal is None:
            standing = request.env["res.users"]._mcp_standing(state.user_id)
            # request.update_env makes this user the transaction's default user: x2many commands on protected
            # models run as that one, whatever `env.user` says later. Without a language in the context Odoo looks for
            # the company's, with two queries per request.
            request.update_env(user=state.user_id, context={"lang": standing.lang, **_mcp_context()}, su=False)
            # The rest of `_may_use_mcp` came with the token's row.
            if not standing.may_call:
                refusal = "user_not_allowed"
        if refusal:
            # Told to log in again however often it comes: whoever has it once had a right to it.
            request.env["mcp.auth.failure"]._note("dead", ip)
            # Why else it is refused is for those who can look it up in Odoo.
            text = "The access token expired" if refusal == "token_expired" else "The access token is not valid"
            raise cls._mcp_challenge(401, "invalid_token", text)
        user_agent = http.environ.get("HTTP_USER_AGENT", "")[:200]
        credential = request.mcp_credential = Credential(
            kind=state.kind,
            token_id=state.id,
            user_id=state.user_id,
            profile_id=state.profile_id,
            ip=ip,
            user_agent=user_agent,
            scopes=cls._mcp_scopes(state.scopes),
            client_profile_id=state.client_profile_id,
        )
        cls._mcp_check_address(credential)
        tokens._note_use(state, ip, user_agent)

    @classmethod
    def _mcp_check_address(cls, credential: Credential) -> None:
        """:raises HTTPException: 403, the profiles are not open to the address that the request comes from"""
        try:
            request.env["mcp.profile"]._compiled_for(credential).check_address(credential.ip)
        except PolicyDenied as denied:
            request.env["mcp.auth.failure"]._note("address", credential.ip)
            raise _refusal(403, "access_denied", denied.message) from denied

    @classmethod
    def _mcp_bearer(cls) -> str:
        """Return the bearer token. :raises HTTPException: there is none, or more than one"""
        http = request.httprequest
        if http.query_string and "access_token" in http.args:
            raise cls._mcp_challenge(400, "invalid_request", "A token in the URL is not accepted")
        header = http.environ.get("HTTP_AUTHORIZATION", "")
        if len(header) > LONGEST_HEADER or SEVERAL.search(header):
            raise cls._mcp_challenge(400, "invalid_request", "Send one Authorization header with one token")
        scheme, _space, secret = header.partition(" ")
        if scheme.lower() != "bearer" or not secret.strip():
            raise cls._mcp_challenge(401)
        return secret.strip()

    @classmethod
    def _mcp_scopes(cls, granted: tuple[str, ...] | None) -> tuple[str, ...] | None:
        """Return what is left of the scopes now: who is no administrator any more has no use of that one."""
        if not granted or scopes.ADMIN not in granted:
            return granted
        if request.env["res.users"]._mcp_standing(request.env.uid).is_admin:
            return granted
        return scopes.DEFAULT_SCOPES

    @classmethod
    def _mcp_challenge(cls, status: int, error: str | None = None, description: str = "") -> HTTPException:
        """Return the refusal of RFC 6750 §3, pointing to the resource metadata (RFC 9728 §5.1)."""
        url = request.env["mcp.oauth.server"]._resource_metadata_url(request.httprequest.path)
        header = challenge.bearer(url, scopes.DEFAULT_SCOPES, error, description)
        description = description or "Log in with OAuth, or send a personal access token as `Authorization: Bearer …`"
        return _refusal(status, error or "unauthorized", description, ("WWW-Authenticate", header))


def _mcp_context() -> dict[str, bool]:
    """Return what the answer has to know of the request: whether addresses in it must name the database."""
    place = getattr(request, "mcp_place", None)
    return {NAMED: True} if place and place.database else {}


def _too_many_failures(wait: int) -> HTTPException:
    """Return the 429 for a sender whose tokens were wrong too often; a right one is never asked to wait."""
    text = "Too many unknown tokens from this address. Retry later."
    return _refusal(429, "too_many_requests", text, ("Retry-After", str(wait)))


def _refusal(status: int, error: str, description: str, *more: tuple[str, str]) -> HTTPException:
    body = json.dumps({"error": error, "error_description": description}, ensure_ascii=False)
    headers = [*more, ("Content-Type", "application/json"), ("Cache-Control", "no-store")]
    return STATUSES[status](response=Response(body, status=status, headers=headers))


@functools.lru_cache(maxsize=1024)
def _address(remote: str | None) -> str:
    """Return the remote address in canonical form, empty when there is none (a unix socket)."""
    try:
        return str(ipaddress.ip_address(remote or ""))
    except ValueError:
        return ""
