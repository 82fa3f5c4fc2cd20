import ipaddress
import json

from odoo import models
from odoo.http import Response, request
from werkzeug.exceptions import TooManyRequests, Unauthorized

from ..services.exchange import Credential

RESOURCE_PATH = "/mcp"
CHALLENGE_SCOPE = "mcp:read"


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

    @classmethod
    def _auth_method_mcp(cls):
        """Authenticate by the bearer token alone: cookies and `?access_token=` never count (MCP authorization).

        :raises Unauthorized: with the `WWW-Authenticate` challenge of RFC 6750 and RFC 9728
        """
        request.session.can_save = False
        secret = cls._mcp_bearer()
        if secret is None:
            raise cls._mcp_challenge()
        tokens = request.env["mcp.token"]
        state = tokens._find(secret)
        ip = _address(request.httprequest.remote_addr)
        failures = request.env["mcp.auth.failure"]
        if state is None:
            if wait := failures._note("token", ip):
                raise _too_many_failures(wait)
            raise cls._mcp_challenge("invalid_token", "Unknown token. Mint a new one in Odoo.")
        refusal = state.refusal
        if refusal is None:
            # request.update_env makes this user the transaction's default user: x2many commands on protected
            # models run as that one, whatever `env.user` says later.
            request.update_env(user=state.user_id, context={}, su=False)
            # The rest of `_may_use_mcp` came with the token's row; the groups are in Odoo's cache.
            if not request.env.user._has_mcp_group():
                refusal = "user_not_allowed"
        if refusal:
            # Told to log in again however often it comes: whoever has it once had a right to it.
            failures._note("dead", ip)
            raise cls._mcp_challenge("invalid_token", f"The token cannot be used: {refusal.replace('_', ' ')}.")
        user_agent = request.httprequest.headers.get("User-Agent", "")[:200]
        request.mcp_credential = Credential(
            kind="pat",
            token_id=state.id,
            user_id=state.user_id,
            profile_id=state.profile_id,
            ip=ip,
            user_agent=user_agent,
        )
        tokens._note_use(state, request.mcp_credential.ip, user_agent)

    @classmethod
    def _mcp_bearer(cls) -> str | None:
        scheme, _space, secret = request.httprequest.headers.get("Authorization", "").partition(" ")
        return secret.strip() if scheme.lower() == "bearer" and secret.strip() else None

    @classmethod
    def _mcp_challenge(cls, error: str | None = None, description: str | None = None) -> Unauthorized:
        """Return the 401 of RFC 6750 §3, pointing to the resource metadata (RFC 9728 §5.1)."""
        # sudo: the public base URL of this database.
        base_url = request.env["ir.config_parameter"].sudo().get_param("web.base.url", "").rstrip("/")
        parts = {
            "error": error,
            "error_description": description,
            "resource_metadata": f"{base_url}/.well-known/oauth-protected-resource{RESOURCE_PATH}",
            "scope": CHALLENGE_SCOPE,
        }
        challenge = "Bearer " + ", ".join(f'{name}="{value}"' for name, value in parts.items() if value)
        body = json.dumps(
            {
                "error": error or "unauthorized",
                "error_description": description or "Send a personal access token as `Authorization: Bearer …`.",
            },
            ensure_ascii=False,
        )
        headers = [("WWW-Authenticate", challenge), ("Content-Type", "application/json"), ("Cache-Control", "no-store")]
        return Unauthorized(response=Response(body, status=401, headers=headers))


def _too_many_failures(wait: int) -> TooManyRequests:
    """Return the 429 for a sender whose tokens were wrong too often; a right one is never asked to wait."""
    body = json.dumps(
        {"error": "too_many_requests", "error_description": "Too many unknown tokens from this address. Retry later."}
    )
    headers = [("Retry-After", str(wait)), ("Content-Type", "application/json"), ("Cache-Control", "no-store")]
    return TooManyRequests(response=Response(body, status=429, headers=headers))


def _address(remote: str | None) -> str:
    """Return the remote address in canonical form, empty when there is none (a unix socket)."""
    try:
        return str(ipaddress.ip_address(remote or ""))
    except ValueError:
        return ""
